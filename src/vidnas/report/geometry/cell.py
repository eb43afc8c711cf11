"""A cell: each kept edge is an arrow in its primitive's colour that carries its name."""

from collections.abc import Collection, Mapping
from itertools import pairwise

from vidnas.nas.genotype import NUM_INPUTS, Genotype, source_name
from vidnas.report.geometry.cell_layout import (
    BOX_WIDTH,
    PILL_HEIGHT,
    PILL_WIDTH,
    RADIUS,
    CellLayout,
    Ends,
    lay_out,
)
from vidnas.report.geometry.shapes import Circle, Drawing, Group, Path, Point, Rect, Shape, Step, Text, line
from vidnas.report.geometry.sheets import padded, paragraph, stacked
from vidnas.runs.records import Number

SCALE = 90
"""Pixels to an inch of the layout."""
HEAD = 9.0
"""Length and width of an arrow's head, pixels."""
CORNER = 8.0
SIDE = 22.0
"""Pixels beside a title."""


def draw_cell(genotype: Genotype, *, title: str = "") -> Drawing:
    """Draw `genotype`, inputs at the left, the output at the right, below a title if it has one."""
    kept = kept_edges(genotype)
    cell = draw_edges(lay_out(kept, len(genotype.nodes)), kept, text=f"Cell: {genotype}")
    heading = paragraph(title, cell.width - 2 * SIDE, "title")
    return stacked([padded(heading, left=SIDE, top=SIDE), cell]) if title else cell


def kept_edges(genotype: Genotype) -> dict[Ends, str]:
    """The edges that a genotype keeps, node by node, and the primitive of each."""
    return {
        (edge.source, NUM_INPUTS + node): edge.primitive
        for node, kept in enumerate(genotype.nodes)
        for edge in kept
    }


def draw_edges(
    layout: CellLayout, primitives: Mapping[Ends, str], changed: Collection[Ends] = (), *, text: str
) -> Drawing:
    """Draw a cell. Edges of `layout` without a primitive are faint, `changed` ones stand out."""
    left, right, bottom, top = layout.bounds
    into_nodes = [ends for ends in layout.edges if ends[1] != layout.output]
    kept = [(index, ends) for index, ends in enumerate(into_nodes) if ends in primitives]
    lines = [
        line for index in range(len(into_nodes), len(layout.edges)) for line in _to_output(layout, index)
    ]
    faint = [_candidate(layout, index) for index, ends in enumerate(into_nodes) if ends not in primitives]
    halos = [shape for index, ends in kept if ends in changed for shape in _halo(layout, index)]
    arrows = [_arrow(layout, index, primitives[ends]) for index, ends in kept]
    nodes = [shape for node in range(NUM_INPUTS, layout.output) for shape in _node(layout, node)]
    boxes = [shape for node in (*range(NUM_INPUTS), layout.output) for shape in _box(layout, node)]
    shapes = (*faint, *sorted(lines, key=lambda one: one.role), *halos, *arrows, *nodes, *boxes)
    return Drawing("cell", SCALE * (right - left), SCALE * (top - bottom), shapes, text)


def _at(layout: CellLayout, x: Number, height: Number) -> Point:
    """A place of the layout in pixels of the drawing."""
    left, _, _, top = layout.bounds
    return SCALE * (x - left), SCALE * (top - height)


def _way(layout: CellLayout, index: int) -> tuple[Step, ...]:
    """An edge up to its pill or to the output: level pieces joined by curves that leave and arrive level."""
    pieces = layout.stretches(index)
    steps: list[Step] = [("M", (_at(layout, *pieces[0][1:]),))]
    for (_, before, height), (start, end, to_height) in pairwise(pieces):
        middle = (before + start) / 2
        curve = ((middle, height), (middle, to_height), (start, to_height))
        steps.append(("C", tuple(_at(layout, *point) for point in curve)))
        if end > start:
            steps.append(("L", (_at(layout, end, to_height),)))
    return tuple(steps)


def _pill(layout: CellLayout, index: int) -> tuple[Point, Point]:
    """The middles of the pill's left and right end."""
    left, _, height = layout.stretches(index)[-1]
    return _at(layout, left, height), _at(layout, left + PILL_WIDTH, height)


def _head(start: Point, tip: Point) -> tuple[Point, tuple[Step, ...]]:
    """Where the line from `start` ends and an arrow's head begins, and the head."""
    length = ((tip[0] - start[0]) ** 2 + (tip[1] - start[1]) ** 2) ** 0.5
    x, y = ((tip[axis] - start[axis]) * HEAD / length for axis in (0, 1))
    base = (tip[0] - x, tip[1] - y)
    sides = [(base[0] + side * y / 2, base[1] - side * x / 2) for side in (1, -1)]
    return base, (*line(tip, *sides), ("Z", ()))


def _arrow(layout: CellLayout, index: int, primitive: str) -> Group:
    """An arrow, and in front of its head a pill with the primitive's name."""
    source, target = layout.edges[index]
    (left, y), right = _pill(layout, index)
    base, head = _head(right, _at(layout, *layout.rim(index)))
    name = f"edge-{source}-{target}"
    return Group(
        (
            Path((*_way(layout, index), *line(right, base)), name=name),
            Path(head, "head", f"head-{name}"),
            _pill_box(layout, index, name=f"pill-{name}"),
            Text(primitive, (left + right[0]) / 2, y, name=f"label-{name}"),
        ),
        f"p-{primitive}",
    )


def _pill_box(layout: CellLayout, index: int, *, role: str = "", name: str) -> Rect:
    (left, y), (right, _) = _pill(layout, index)
    height = SCALE * PILL_HEIGHT
    return Rect(left, y - height / 2, right - left, height, height / 2, role, name)


def _halo(layout: CellLayout, index: int) -> list[Shape]:
    """What lies around an edge that stands out."""
    source, target = layout.edges[index]
    name = f"halo-{source}-{target}"
    through = line(_pill(layout, index)[1], _at(layout, *layout.rim(index)))
    return [
        Path((*_way(layout, index), *through), "halo", name),
        _pill_box(layout, index, role="halo", name=""),
    ]


def _candidate(layout: CellLayout, index: int) -> Path:
    """An edge that the cell might keep and does not."""
    source, target = layout.edges[index]
    rest = line(*_pill(layout, index), _at(layout, *layout.rim(index)))
    return Path((*_way(layout, index), *rest[1:]), "faint", f"candidate-{source}-{target}")


def _to_output(layout: CellLayout, index: int) -> list[Path]:
    """The line from a node to the output, and its head."""
    steps, name = _way(layout, index), f"output-{layout.edges[index][0]}"
    x, y = steps[-1][1][-1]
    return [Path(steps, "plain", name), Path(_head((x - HEAD, y), (x, y))[1], "plain head", f"head-{name}")]


def _node(layout: CellLayout, node: int) -> list[Shape]:
    right = layout.columns[layout.placement.layer[node]][1]
    x, y = _at(layout, right - RADIUS, layout.placement.height[node])
    text = str(node - NUM_INPUTS)
    return [Circle(x, y, SCALE * RADIUS, name=f"node-{text}"), Text(text, x, y, "node")]


def _box(layout: CellLayout, node: int) -> list[Shape]:
    """An input or the output."""
    left = layout.columns[layout.placement.layer[node]][0]
    x, y = _at(layout, left, layout.placement.height[node])
    width, height = SCALE * BOX_WIDTH, SCALE * layout.sizes[node]
    text = "concat" if node == layout.output else source_name(node)
    return [
        Rect(x, y - height / 2, width, height, CORNER, "box", f"box-{text}"),
        Text(text, x + width / 2, y),
    ]
