"""The found cell as a picture: each kept edge is an arrow in its primitive's colour that carries its name."""

import textwrap
from collections.abc import Collection, Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve
from matplotlib.patheffects import AbstractPathEffect, withStroke

from vidnas.nas.genotype import NUM_INPUTS, Genotype, source_name
from vidnas.report.figures.cell_layout import (
    BOX_WIDTH,
    MARGIN,
    PILL_HEIGHT,
    PILL_WIDTH,
    RADIUS,
    CellLayout,
    Ends,
    Stretch,
    kept_edges,
    lay_out,
)
from vidnas.report.figures.palette import FAINT, HIGHLIGHT, INK, PRIMITIVE_COLORS, mixed

# Inches.
TITLE_LINE = 0.23
TITLE_LETTER = 0.125

Effects = tuple[AbstractPathEffect, ...]
HALO: Effects = (withStroke(linewidth=9, foreground=HIGHLIGHT),)
"""Around an edge that stands out."""


def draw_cell(genotype: Genotype, *, title: str = "") -> Figure:
    """Draw `genotype` in a figure just large enough, whose one axes measures in inches."""
    primitives = kept_edges(genotype)
    layout = lay_out(primitives, len(genotype.nodes))
    left, right, bottom, top = layout.bounds
    text, room = wrap_title(title, right - left)
    top += room
    figure = Figure(figsize=(right - left, top - bottom), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    axes.text(0, top - MARGIN, text, va="top", fontsize=13, fontweight="bold", color=INK, parse_math=False)
    draw_parts(axes, layout, primitives)
    return figure


def wrap_title(title: str, width: float) -> tuple[str, float]:
    """The title in lines for a figure of this width, and the height that they need, in inches."""
    lines = textwrap.wrap(title, width=int((width - 2 * MARGIN) / TITLE_LETTER))
    return "\n".join(lines), TITLE_LINE * len(lines) + MARGIN / 2 if lines else 0.0


def draw_parts(
    axes: Axes, layout: CellLayout, primitives: Mapping[Ends, str], changed: Collection[Ends] = ()
) -> None:
    """Draw a cell into axes that measure in inches.

    Of the edges in `layout`, those without a primitive stay faint; `changed` ones stand out.
    """
    for index, (source, target) in enumerate(layout.edges):
        path = _path(layout, index)
        if target == layout.output:
            _draw_plain_edge(axes, path, f"output-{source}")
        elif primitive := primitives.get((source, target)):
            left, _, port = layout.stretches(index)[-1]
            effects = HALO if (source, target) in changed else ()
            _draw_edge(axes, path, (left, port), primitive, f"edge-{source}-{target}", effects)
        else:
            _draw_candidate(axes, path, f"candidate-{source}-{target}")
    for node, size in layout.sizes.items():
        left, right = layout.columns[layout.placement.layer[node]]
        height = layout.placement.height[node]
        if NUM_INPUTS <= node < layout.output:
            _draw_node(axes, right - RADIUS, height, str(node - NUM_INPUTS))
        else:
            text = "concat" if node == layout.output else source_name(node)
            _draw_box(axes, (left + right) / 2, height, size, text)


def _path(layout: CellLayout, index: int) -> Curve:
    """The way of an edge to the output or, through the place of its pill, to the rim of its node."""
    stretches = layout.stretches(index)
    if layout.edges[index][1] == layout.output:
        return _curve(stretches)
    *before, (left, _, port) = stretches
    x, y = layout.rim(index)
    return _curve([*before, (left, left + PILL_WIDTH, port), (x, x, y)])


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
    axes: Axes,
    path: Curve,
    pill: tuple[float, float],
    primitive: str,
    gid: str,
    effects: Effects,
) -> None:
    """An arrow in the primitive's colour and its name in a pill, whose left end's middle is given."""
    color = PRIMITIVE_COLORS[primitive]
    axes.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=11, color=color, linewidth=1.9, gid=gid,
            joinstyle="miter", capstyle="butt", zorder=1.5 if effects else 2, path_effects=[*effects],
        )
    )  # fmt: skip
    left, y = pill
    _draw_rounded(
        axes, (left, y - PILL_HEIGHT / 2), (PILL_WIDTH, PILL_HEIGHT), PILL_HEIGHT / 2, color, effects
    )
    axes.text(
        left + PILL_WIDTH / 2, y, primitive, ha="center", va="center_baseline", fontsize=8.5,
        color=mixed(color, "black", 0.55), zorder=5, gid=f"label-{gid}",
    )  # fmt: skip


def _draw_candidate(axes: Axes, path: Curve, gid: str) -> None:
    """An edge that the cell might keep and does not."""
    axes.add_patch(
        PathPatch(path, fill=False, edgecolor=mixed(FAINT, "white", 0.5), linewidth=0.7, gid=gid, zorder=0)
    )


def _draw_plain_edge(axes: Axes, path: Curve, gid: str) -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=9, color=FAINT, linewidth=1.2, gid=gid, zorder=1
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
    _draw_rounded(axes, (x - BOX_WIDTH / 2, y - height / 2), (BOX_WIDTH, height), 0.1, INK)
    axes.text(x, y, text, ha="center", va="center_baseline", fontsize=10, color=INK, zorder=5)


def _draw_rounded(
    axes: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    radius: float,
    color: str,
    effects: Effects = (),
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            corner, *size, boxstyle=f"round,pad=0,rounding_size={radius}", path_effects=[*effects],
            facecolor=mixed(color, "white", 0.87), edgecolor=color, linewidth=1.3, zorder=4,
        )
    )  # fmt: skip
