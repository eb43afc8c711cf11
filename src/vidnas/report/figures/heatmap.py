"""Alpha as a table: a column is an edge, a row a primitive, a field the weight in per cent and as a shade."""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from vidnas.nas.genotype import NUM_INPUTS, edge_sources, source_name
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.figures.cell_layout import Ends
from vidnas.report.figures.palette import HIGHLIGHT, INK, PRIMITIVE_COLORS, mixed

# Inches.
LABELS = 0.95
COLUMN = 0.58
ROW = 0.27
NODE_GAP = 0.14
HEAD = 0.50


def table_size(num_nodes: int) -> tuple[float, float]:
    """Width and height of the table in inches."""
    return _left(num_nodes - 1, len(edge_sources(num_nodes))), HEAD + ROW * len(PRIMITIVES)


def draw_mixing(
    axes: Axes,
    mixing: npt.NDArray[np.floating],
    kept: Mapping[Ends, str],
    *,
    highest: float,
    changed: Collection[Ends] = (),
) -> None:
    """Draw softmax weights (edges, primitives) into axes of the table's size.

    The primitives of the `kept` edges are framed, `changed` ones so that they stand out. A weight as large as
    `highest` has its primitive's full colour.
    """
    num_nodes = max(target for _, target in kept) - NUM_INPUTS + 1
    sources = edge_sources(num_nodes)
    assert mixing.shape == (len(sources), len(PRIMITIVES))
    width, height = table_size(num_nodes)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    axes.text(LABELS - 0.1, HEAD - 0.07, "weight in %", ha="right", fontsize=8, color=INK)
    for row, primitive in enumerate(PRIMITIVES):
        axes.text(
            LABELS - 0.1, HEAD + ROW * (row + 0.5), primitive, ha="right", va="center_baseline", fontsize=8.5,
            color=mixed(PRIMITIVE_COLORS[primitive], "black", 0.4),
        )  # fmt: skip
    for column, (node, source) in enumerate(sources):
        left, ends = _left(node, column), (source, NUM_INPUTS + node)
        if source == 0:
            axes.text(left, HEAD - 0.29, f"→ node {node}", fontsize=9, fontweight="bold", color=INK)
        axes.text(left + COLUMN / 2, HEAD - 0.07, source_name(source), ha="center", fontsize=8, color=INK)
        for row, primitive in enumerate(PRIMITIVES):
            gid = f"weight-{source}-{NUM_INPUTS + node}-{primitive}"
            _draw_field(axes, left, row, float(mixing[column, row]), highest, gid)
        if ends in kept:
            _draw_frame(
                axes, left, list(PRIMITIVES).index(kept[ends]), ends in changed, f"kept-{source}-{ends[1]}"
            )


def _left(node: int, column: int) -> float:
    return LABELS + COLUMN * column + NODE_GAP * node


def _draw_field(axes: Axes, left: float, row: int, weight: float, highest: float, gid: str) -> None:
    shade = mixed("white", PRIMITIVE_COLORS[list(PRIMITIVES)[row]], weight / highest)
    top = HEAD + ROW * row
    axes.add_patch(
        Rectangle((left, top), COLUMN, ROW, facecolor=shade, edgecolor="white", linewidth=1, gid=gid)
    )
    brightness = float(np.dot(shade, (0.30, 0.59, 0.11)))
    axes.text(
        left + COLUMN / 2, top + ROW / 2, f"{weight:.0%}"[:-1], ha="center", va="center_baseline",
        fontsize=8, color=INK if brightness > 0.5 else "white",
    )  # fmt: skip


def _draw_frame(axes: Axes, left: float, row: int, changed: bool, gid: str) -> None:
    effects = [withStroke(linewidth=6, foreground=HIGHLIGHT)] if changed else []
    axes.add_patch(
        Rectangle(
            (left, HEAD + ROW * row), COLUMN, ROW, fill=False, edgecolor=INK, linewidth=1.6, zorder=2,
            clip_on=False, gid=gid, path_effects=effects,
        )
    )  # fmt: skip
