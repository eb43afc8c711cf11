"""The found cell as a picture: inputs at the left, nodes by depth, the concatenated output at the right."""

import textwrap
from itertools import chain

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

from vidnas.figures.layers import Placement, place
from vidnas.figures.palette import FAINT, INK, PRIMITIVE_COLORS, mixed
from vidnas.genotype import NUM_INPUTS, Genotype, source_name

# All lengths are inches, which are the axes' data units too.
BOX_WIDTH = 0.86
INPUT_HEIGHT = 0.40
PILL_WIDTH = 0.94
PILL_HEIGHT = 0.25
PORT_PITCH = 0.42
OUTPUT_PITCH = 0.28
RADIUS = 0.20
STUB = 0.34
COLUMN_GAP = 0.80
MARGIN = 0.25
TITLE_LINE = 0.23
TITLE_LETTER = 0.125

Stretch = tuple[float, float, float]
"""A horizontal piece of an edge: from x, to x, at height."""


def draw_cell(genotype: Genotype, *, title: str = "") -> Figure:
    """Draw `genotype`: each kept edge is an arrow in its primitive's colour that carries its name."""
    edges = [(edge.source, NUM_INPUTS + node) for node, kept in enumerate(genotype.nodes) for edge in kept]
    primitives = [edge.primitive for edge in chain(*genotype.nodes)]
    output = NUM_INPUTS + len(genotype.nodes)
    edges += [(node, output) for node in range(NUM_INPUTS, output)]
    sizes = dict.fromkeys(range(NUM_INPUTS), INPUT_HEIGHT)
    sizes |= {NUM_INPUTS + i: PORT_PITCH * len(kept) for i, kept in enumerate(genotype.nodes)}
    sizes[output] = OUTPUT_PITCH * len(genotype.nodes) + 0.1
    placement = place(edges, sizes)
    columns = _columns(placement.layer[output])
    figure, axes = _canvas(placement, sizes, columns[-1][1], title)
    for index, (source, target) in enumerate(edges):
        stretches = _stretches(placement, columns, index, source, target)
        if target == output:
            _draw_plain_edge(axes, stretches, f"output-{source}")
        else:
            x, y = columns[placement.layer[target]][1] - RADIUS, placement.height[target]
            landing = 1.5 * RADIUS * (placement.port[index] - y) / sizes[target]
            rim = (x - (RADIUS**2 - landing**2) ** 0.5, y + landing)
            _draw_edge(axes, stretches, rim, primitives[index], f"edge-{source}-{target}")
    for node in sizes:
        left, right = columns[placement.layer[node]]
        if NUM_INPUTS <= node < output:
            _draw_node(axes, right - RADIUS, placement.height[node], str(node - NUM_INPUTS))
        else:
            text = "concat" if node == output else source_name(node)
            _draw_box(axes, (left + right) / 2, placement.height[node], sizes[node], text)
    return figure


def _columns(last: int) -> list[tuple[float, float]]:
    """Where each layer begins and ends in x: inputs, layers of nodes behind their primitives, output."""
    widths = [BOX_WIDTH, *[PILL_WIDTH + STUB + 2 * RADIUS] * (last - 1), BOX_WIDTH]
    ends = np.cumsum(np.array(widths) + COLUMN_GAP) - COLUMN_GAP
    return [(float(end - width), float(end)) for end, width in zip(ends, widths, strict=True)]


def _canvas(placement: Placement, sizes: dict[int, float], width: float, title: str) -> tuple[Figure, Axes]:
    """An empty figure just large enough, whose one axes measures in inches."""
    heights = list(chain(*placement.route))
    heights += [placement.height[node] + side * size / 2 for node, size in sizes.items() for side in (-1, 1)]
    left, right = -MARGIN, width + MARGIN
    bottom, top = min(heights) - MARGIN, max(heights) + MARGIN
    lines = textwrap.wrap(title, width=int(width / TITLE_LETTER))
    if lines:
        top += TITLE_LINE * len(lines) + MARGIN / 2
    figure = Figure(figsize=(right - left, top - bottom), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    text = "\n".join(lines)
    axes.text(0, top - MARGIN, text, va="top", fontsize=13, fontweight="bold", color=INK, parse_math=False)
    return figure, axes


def _stretches(
    placement: Placement, columns: list[tuple[float, float]], edge: int, source: int, target: int
) -> list[Stretch]:
    """The horizontal pieces of an edge: out of its source, through the layers between, into its target."""
    first, last = placement.layer[source], placement.layer[target]
    start = columns[first][1]
    through = [
        (*columns[layer], height)
        for layer, height in zip(range(first + 1, last), placement.route[edge], strict=True)
    ]
    end = columns[last][0]
    return [(start, start, placement.height[source]), *through, (end, end, placement.port[edge])]


def _curve(stretches: list[Stretch]) -> Curve:
    """The stretches joined by curves that leave and arrive horizontally."""
    left, right, height = stretches[0]
    points, codes = [(left, height), (right, height)], [Curve.MOVETO, Curve.LINETO]
    for left, right, height in stretches[1:]:
        x, y = points[-1]
        middle = (x + left) / 2
        points += [(middle, y), (middle, height), (left, height)]
        codes += [Curve.CURVE4] * 3
        if right > left:
            points.append((right, height))
            codes.append(Curve.LINETO)
    return Curve(points, codes)


def _draw_edge(
    axes: Axes, stretches: list[Stretch], rim: tuple[float, float], primitive: str, gid: str
) -> None:
    """An arrow through the pill with the primitive's name to the `rim` of its node."""
    *before, (left, _, port) = stretches
    path = _curve([*before, (left, left + PILL_WIDTH, port), (rim[0], *rim)])
    color = PRIMITIVE_COLORS[primitive]
    axes.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=11, color=color, linewidth=1.9, gid=gid,
            joinstyle="miter", capstyle="butt", zorder=2,
        )
    )  # fmt: skip
    _draw_rounded(
        axes, (left, port - PILL_HEIGHT / 2), PILL_WIDTH, PILL_HEIGHT, PILL_HEIGHT / 2, color, 0.85, 1.3
    )
    axes.text(
        left + PILL_WIDTH / 2, port, primitive, ha="center", va="center_baseline", fontsize=8.5,
        color=mixed(color, "black", 0.55), zorder=5, gid=f"label-{gid}",
    )  # fmt: skip


def _draw_plain_edge(axes: Axes, stretches: list[Stretch], gid: str) -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=_curve(stretches),
            arrowstyle="-|>",
            mutation_scale=9,
            color=FAINT,
            linewidth=1.2,
            gid=gid,
            zorder=1,
        )
    )


def _draw_node(axes: Axes, x: float, y: float, text: str) -> None:
    axes.add_patch(
        Circle((x, y), RADIUS, facecolor=INK, edgecolor="white", linewidth=1.5, zorder=4, gid=f"node-{text}")
    )
    axes.text(
        x, y, text, ha="center", va="center_baseline", fontsize=12, fontweight="bold", color="white", zorder=5
    )


def _draw_box(axes: Axes, x: float, y: float, height: float, text: str) -> None:
    _draw_rounded(axes, (x - BOX_WIDTH / 2, y - height / 2), BOX_WIDTH, height, 0.1, INK, 0.9, 1.3)
    axes.text(x, y, text, ha="center", va="center_baseline", fontsize=10, color=INK, zorder=5)


def _draw_rounded(
    axes: Axes,
    corner: tuple[float, float],
    width: float,
    height: float,
    radius: float,
    color: str,
    tint: float,
    line: float,
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            corner, width, height, boxstyle=f"round,pad=0,rounding_size={radius}",
            facecolor=mixed(color, "white", tint), edgecolor=color, linewidth=line, zorder=4,
        )
    )  # fmt: skip
