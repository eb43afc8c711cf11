"""A cell as lines, pills and circles with places in pixels, for the SVG in the page.

report/figures/cell.py draws the same for files; here 50 cells must fit into a page, in light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vidnas.nas.genotype import NUM_INPUTS, Genotype, source_name
from vidnas.report.figures.cell_layout import (
    BOX_WIDTH,
    PILL_HEIGHT,
    PILL_WIDTH,
    RADIUS,
    CellLayout,
    Stretch,
    kept_edges,
    lay_out,
)
from vidnas.report.pages.words import px

SCALE = 90
"""Pixels to an inch of the layout."""

HEAD = 9
"""Length of an arrow's head, pixels."""

CELL_PX = MappingProxyType(
    {
        "box_width": SCALE * BOX_WIDTH,
        "pill_width": SCALE * PILL_WIDTH,
        "pill_height": SCALE * PILL_HEIGHT,
        "radius": SCALE * RADIUS,
    }
)
"""How large the parts of a drawing are, pixels."""

Point = tuple[float, float]
"""x to the right, y downwards, pixels."""


@dataclass(frozen=True)
class Pill:
    """An edge: its primitive's name around `at`, the line before and behind it, and the arrow's head."""

    primitive: str
    at: Point
    line: str
    head: str


@dataclass(frozen=True)
class Node:
    """A circle with a number around `at`."""

    text: str
    at: Point


@dataclass(frozen=True)
class Box:
    """An input or the output: a named rectangle around `at`."""

    text: str
    at: Point
    height: float


@dataclass(frozen=True)
class Drawing:
    """Everything that a cell shows, within `width` x `height`; `text` is the genotype in words."""

    text: str
    pills: tuple[Pill, ...]
    plain: tuple[str, ...]
    """The lines into the output."""
    nodes: tuple[Node, ...]
    boxes: tuple[Box, ...]
    width: float
    height: float


def draw_cell(genotype: Genotype) -> Drawing:
    """Draw `genotype`, inputs at the left, the output at the right."""
    kept = kept_edges(genotype)
    layout = lay_out(kept, len(genotype.nodes))
    left, right, bottom, top = layout.bounds
    placement, output = layout.placement, layout.output

    def at(x: float, height: float) -> Point:
        return SCALE * (x - left), SCALE * (top - height)

    def drawn(stretches: Sequence[Stretch]) -> str:
        return _curve([(at(start, height), at(end, height)) for start, end, height in stretches])

    def pill(index: int, primitive: str) -> Pill:
        stretches = layout.stretches(index)
        start, _, height = stretches[-1]
        behind, head = _arrow(at(start + PILL_WIDTH, height), at(*layout.rim(index)))
        return Pill(primitive, at(start + PILL_WIDTH / 2, height), drawn(stretches) + behind, head)

    def box(node: int, text: str) -> Box:
        middle = layout.columns[placement.layer[node]][0] + BOX_WIDTH / 2
        return Box(text, at(middle, placement.height[node]), SCALE * layout.sizes[node])

    return Drawing(
        text=str(genotype),
        pills=tuple(pill(index, primitive) for index, primitive in enumerate(kept.values())),
        plain=tuple(drawn(layout.stretches(index)) for index in range(len(kept), len(layout.edges))),
        nodes=tuple(
            Node(str(node - NUM_INPUTS), at(_right(layout, node) - RADIUS, placement.height[node]))
            for node in range(NUM_INPUTS, output)
        ),
        boxes=(*(box(node, source_name(node)) for node in range(NUM_INPUTS)), box(output, "concat")),
        width=SCALE * (right - left),
        height=SCALE * (top - bottom),
    )


def _right(layout: CellLayout, node: int) -> float:
    return layout.columns[layout.placement.layer[node]][1]


def _curve(pieces: Sequence[tuple[Point, Point]]) -> str:
    """A path along level pieces, joined by curves that leave and arrive level."""
    x, y = pieces[0][1]
    steps = [f"M{_short(x, y)}"]
    for (start, height), (end, _) in pieces[1:]:
        middle = (x + start) / 2
        steps.append(f"C{_short(middle, y)} {_short(middle, height)} {_short(start, height)}")
        if end > start:
            steps.append(f"H{_short(end)}")
        x, y = end, height
    return "".join(steps)


def _arrow(start: Point, tip: Point) -> tuple[str, str]:
    """A straight line and its head, as two paths."""
    length = ((tip[0] - start[0]) ** 2 + (tip[1] - start[1]) ** 2) ** 0.5
    x, y = ((tip[axis] - start[axis]) * HEAD / length for axis in (0, 1))
    base = (tip[0] - x, tip[1] - y)
    one, other = (f"{_short(base[0] + side * y / 2, base[1] - side * x / 2)}" for side in (1, -1))
    return f"M{_short(*start)}L{_short(*base)}", f"M{_short(*tip)}L{one} {other}z"


def _short(*numbers: float) -> str:
    return " ".join(map(px, numbers))
