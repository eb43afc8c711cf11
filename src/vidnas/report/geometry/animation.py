"""A search as pictures of one size, one for each epoch: its cell, alpha, and the val accuracy so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidnas.errors import counted
from vidnas.nas.genotype import NUM_INPUTS, Genotype
from vidnas.report.geometry.cell import SIDE, draw_edges, kept_edges
from vidnas.report.geometry.cell_layout import CellLayout, Ends, lay_out
from vidnas.report.geometry.curves import HEADING, Line, Range, draw_lines
from vidnas.report.geometry.heat import draw_heat
from vidnas.report.geometry.scales import LEFT
from vidnas.report.geometry.shapes import Drawing, Rect, Shape, Text
from vidnas.report.geometry.sheets import beside, padded, paragraph, stacked

# Pixels.
HEADER = 50.0
CHANGES = 250.0
CURVE = 250.0
LEAST_WIDTH = 630.0


@dataclass(frozen=True)
class SearchEpoch:
    """What an epoch, counted from 1, of a search left."""

    number: int
    genotype: Genotype
    mixing: npt.NDArray[np.floating]
    """The softmax of alpha, (edges, primitives)."""
    val_accuracy: float | None
    edges: Sequence[tuple[int, int]]
    """(node, source) of its rows."""
    primitives: Sequence[str]
    """Names of its columns."""


@dataclass(frozen=True)
class _Stage:
    """What is the same in all pictures."""

    layout: CellLayout
    title: str
    num_epochs: int
    chosen_epoch: int | None
    highest_weight: float
    highest_accuracy: float


def draw_search(
    epochs: Sequence[SearchEpoch], *, num_epochs: int, chosen_epoch: int | None = None, title: str = ""
) -> Iterator[Drawing]:
    """Draw the epochs, at least one, of a search that has or will have `num_epochs`.

    Every edge keeps its place from picture to picture, and what has changed since the one before stands out.
    `chosen_epoch` is the one whose cell is the search's result.
    """
    edges = [(source, NUM_INPUTS + node) for node, source in epochs[0].edges]
    stage = _Stage(
        lay_out(edges, len(epochs[0].genotype.nodes)),
        title,
        num_epochs,
        chosen_epoch,
        highest_weight=max(float(epoch.mixing.max()) for epoch in epochs),
        highest_accuracy=max(epoch.val_accuracy or 0.0 for epoch in epochs) or 1.0,
    )
    for last in range(len(epochs)):
        yield _draw_epoch(epochs[: last + 1], stage)


def changed_edges(before: Genotype, after: Genotype) -> set[Ends]:
    """The edges of `after` that are new or have another primitive than before."""
    primitives = kept_edges(before)
    return {ends for ends, primitive in kept_edges(after).items() if primitives.get(ends) != primitive}


def _draw_epoch(epochs: Sequence[SearchEpoch], stage: _Stage) -> Drawing:
    """The last of these epochs, and the accuracies of all."""
    epoch, kept = epochs[-1], kept_edges(epochs[-1].genotype)
    changed = changed_edges(epochs[-2].genotype, epoch.genotype) if len(epochs) > 1 else set()
    rows_and_columns = epoch.edges, epoch.primitives
    heat = draw_heat(epoch.mixing, *rows_and_columns, kept, highest=stage.highest_weight, changed=changed)
    tables = padded(beside([heat, _accuracy(epochs, stage, heat.height)]), left=SIDE, right=SIDE, bottom=SIDE)
    cell = draw_edges(stage.layout, kept, changed, text=f"Cell: {epoch.genotype}")
    width = max(cell.width, tables.width, LEAST_WIDTH)
    title = paragraph(stage.title, width - 2 * SIDE, "title")
    parts = [_header(epochs, len(changed), stage, width), padded(cell, left=(width - cell.width) / 2), tables]
    return stacked([padded(title, left=SIDE, top=SIDE, right=SIDE), *parts])


def _header(epochs: Sequence[SearchEpoch], num_changed: int, stage: _Stage, width: float) -> Drawing:
    number, middle = epochs[-1].number, HEADER / 2
    shapes: list[Shape] = [Text(f"Epoch {number} of {stage.num_epochs}", SIDE, middle, "big", "start")]
    if num_changed:
        shapes.append(Rect(CHANGES - 6, middle - 11, 130, 22, 4, "highlight"))
    if len(epochs) > 1:
        text = f"{counted(num_changed, 'edge')} changed" if num_changed else "no edge changed"
        shapes.append(Text(text, CHANGES, middle, "words", "start"))
    if number == stage.chosen_epoch:
        shapes.append(Text("the result of the search", width - SIDE, middle, "words", "end"))
    return Drawing("sheet", width, HEADER, tuple(shapes))


def _accuracy(epochs: Sequence[SearchEpoch], stage: _Stage, height: float) -> Drawing:
    """The curve up to the last epoch, below what it has reached; no curve where nothing was measured yet."""
    last = epochs[-1]
    points = [(epoch.number, epoch.val_accuracy) for epoch in epochs if epoch.val_accuracy is not None]
    over = Range((1, stage.num_epochs), (0.0, stage.highest_accuracy), CURVE, height - HEADING)
    chart = draw_lines(
        "val accuracy",
        [Line("val", points), Line("last", points[-1:] if last.val_accuracy is not None else [], "s1")],
        share=True,
        uprights=[(stage.chosen_epoch, "")] if stage.chosen_epoch else [],
        legend=False,
        over=over,
    )
    words = "val accuracy" if last.val_accuracy is None else f"val accuracy {last.val_accuracy:.1%}"
    title = Drawing("chart", CURVE, HEADING, (Text(words, LEFT, HEADING / 2, "title", "start"),))
    return stacked([title, chart.drawing if chart else Drawing("chart", CURVE, over.height, ())])
