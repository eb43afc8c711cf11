"""A search as pictures of one size, one for each epoch: its cell, alpha, and the val accuracy so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from vidnas.errors import counted
from vidnas.nas.genotype import NUM_INPUTS, Genotype, edge_sources
from vidnas.report.figures.cell import draw_parts, wrap_title
from vidnas.report.figures.cell_layout import MARGIN, CellLayout, Ends, kept_edges, lay_out
from vidnas.report.figures.heatmap import draw_mixing, table_size
from vidnas.report.figures.palette import HIGHLIGHT, INK, SERIES_COLORS
from vidnas.report.figures.style import epoch_axes

DPI = 100

# Inches.
HEADER = 0.60
BASELINE = 0.18
CHANGES = 2.75
CURVE_WIDTH = 2.0
CURVE_AXIS = 0.55
LEAST_WIDTH = 7.0


@dataclass(frozen=True)
class SearchEpoch:
    """What an epoch, counted from 1, of a search left."""

    number: int
    genotype: Genotype
    mixing: npt.NDArray[np.floating]
    """The softmax of alpha, (edges, primitives)."""
    val_accuracy: float | None


@dataclass(frozen=True)
class _Stage:
    """What is the same in all pictures."""

    layout: CellLayout
    title: tuple[str, float]
    """In lines, and their height."""
    num_epochs: int
    chosen_epoch: int | None
    highest_weight: float
    highest_accuracy: float


def draw_search(
    epochs: Sequence[SearchEpoch], *, num_epochs: int, chosen_epoch: int | None = None, title: str = ""
) -> Iterator[Figure]:
    """Draw the epochs, at least one, of a search that has or will have `num_epochs`.

    Every edge keeps its place from picture to picture, and what has changed since the one before stands out.
    `chosen_epoch` is the one whose cell is the search's result.
    """
    num_nodes = len(epochs[0].genotype.nodes)
    layout = lay_out([(source, NUM_INPUTS + node) for node, source in edge_sources(num_nodes)], num_nodes)
    stage = _Stage(
        layout,
        wrap_title(title, layout.bounds[1] - layout.bounds[0]),
        num_epochs,
        chosen_epoch,
        highest_weight=max(float(epoch.mixing.max()) for epoch in epochs),
        highest_accuracy=max(epoch.val_accuracy or 0.0 for epoch in epochs),
    )
    for last in range(len(epochs)):
        yield _draw_epoch(epochs[: last + 1], stage)


def changed_edges(before: Genotype, after: Genotype) -> set[Ends]:
    """The edges of `after` that are new or have another primitive than before."""
    primitives = kept_edges(before)
    return {ends for ends, primitive in kept_edges(after).items() if primitives.get(ends) != primitive}


def _draw_epoch(epochs: Sequence[SearchEpoch], stage: _Stage) -> Figure:
    """The last of these epochs, and the accuracies of all."""
    epoch, kept = epochs[-1], kept_edges(epochs[-1].genotype)
    changed = changed_edges(epochs[-2].genotype, epoch.genotype) if len(epochs) > 1 else set()
    left, right, bottom, top = stage.layout.bounds
    table = table_size(len(epoch.genotype.nodes))
    lower = table[1] + MARGIN
    header = HEADER + stage.title[1]
    width = max(right - left, table[0] + CURVE_AXIS + CURVE_WIDTH + 2 * MARGIN, LEAST_WIDTH)
    height = header + top - bottom + lower
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")

    _write_header(_add_axes(figure, (0.0, height - header), (width, header)), epochs, len(changed), stage)
    cell = _add_axes(figure, ((width - right + left) / 2, lower), (right - left, top - bottom))
    cell.set(xlim=(left, right), ylim=(bottom, top))
    cell.set_axis_off()
    draw_parts(cell, stage.layout, kept, changed)
    alpha = _add_axes(figure, (MARGIN, MARGIN), table)
    draw_mixing(alpha, epoch.mixing, kept, highest=stage.highest_weight, changed=changed)
    x = MARGIN + table[0] + CURVE_AXIS
    curve = _add_axes(figure, (x, MARGIN + 0.4), (width - MARGIN - x, table[1] - 0.7))
    _draw_accuracy(curve, epochs, stage)
    return figure


def _add_axes(figure: Figure, corner: tuple[float, float], size: tuple[float, float]) -> Axes:
    """Axes with this lower left corner and size, in inches, which are their unit too until told otherwise."""
    whole = figure.get_size_inches()
    box = (*(corner / whole), *(size / whole))
    return figure.add_axes(box, xlim=(0, size[0]), ylim=(0, size[1]))


def _write_header(axes: Axes, epochs: Sequence[SearchEpoch], num_changed: int, stage: _Stage) -> None:
    axes.set_axis_off()
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    axes.text(
        MARGIN, height - MARGIN, stage.title[0], va="top", fontsize=13, fontweight="bold", color=INK,
        parse_math=False,
    )  # fmt: skip
    number = epochs[-1].number
    text = f"Epoch {number} of {stage.num_epochs}"
    axes.text(MARGIN, BASELINE, text, fontsize=17, fontweight="bold", color=INK)
    if num_changed:
        text = f"{counted(num_changed, 'edge')} changed"
        box = {"facecolor": HIGHLIGHT, "edgecolor": "none", "boxstyle": "round,pad=0.3"}
        axes.text(CHANGES, BASELINE, text, fontsize=11, color=INK, bbox=box)
    elif len(epochs) > 1:
        axes.text(CHANGES, BASELINE, "no edge changed", fontsize=11, color=INK)
    if number == stage.chosen_epoch:
        axes.text(width - MARGIN, BASELINE, "the result of the search", fontsize=11, ha="right", color=INK)


def _draw_accuracy(axes: Axes, epochs: Sequence[SearchEpoch], stage: _Stage) -> None:
    numbers = [epoch.number for epoch in epochs]
    values = np.array([epoch.val_accuracy for epoch in epochs], dtype=float)
    last = epochs[-1].val_accuracy
    axes.plot(numbers, values, color=SERIES_COLORS[0], linewidth=1.9)
    axes.plot(numbers[-1], values[-1], "o", color=SERIES_COLORS[1], markersize=7)
    axes.set(xlim=(0.5, stage.num_epochs + 0.5), ylim=(0, 1.1 * stage.highest_accuracy or 1))
    epoch_axes(axes, stage.chosen_epoch)
    axes.set_xlabel("epoch")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    words = "val accuracy" if last is None else f"val accuracy {last:.1%}"
    axes.set_title(words, loc="left", fontsize=10, fontweight="bold", color=INK)
