"""How alpha moved: the mixing weights of every edge over the epochs of a search, and the val accuracy."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidnas.nas.genotype import NUM_INPUTS, source_name
from vidnas.report.geometry.curves import HEADING, Line, Range, draw_lines, draw_panel, legend_entry
from vidnas.report.geometry.shapes import Drawing
from vidnas.report.geometry.sheets import padded, paragraph, placed, stacked

WIDTH, HEIGHT = 210.0, 150.0
"""Pixels of a panel's chart."""
MARGIN = 12.0


def draw_alphas(
    history: npt.NDArray[np.floating],
    val_accuracy: Sequence[float],
    chosen_epoch: int,
    edges: Sequence[tuple[int, int]],
    primitives: Sequence[str],
) -> Drawing:
    """Draw `history` (epochs, edges, primitives), softmax weights, with one panel for each (node, source).

    A row of panels is a node, a column one of its sources, so that the corner stays free for the validation
    accuracy (fractions, one per epoch) and the legend. `chosen_epoch` counts from 1, like the axes.
    """
    assert history.shape == (len(val_accuracy), len(edges), len(primitives))
    num_nodes = 1 + max(node for node, _ in edges)
    columns, room = max(num_nodes + 1, NUM_INPUTS + 3), HEIGHT + HEADING
    highest = float(np.nanmax(history))
    panels = []
    for edge, (node, source) in enumerate(edges):
        lines = [
            Line(name, list(enumerate(weights.tolist(), start=1)), f"p-{name}")
            for name, weights in zip(primitives, history[:, edge].T, strict=True)
        ]
        over = Range(y=(0.0, highest), width=WIDTH, height=HEIGHT)
        panel = _panel(f"{source_name(source)} → node {node}", lines, chosen_epoch, over)
        panels.append(placed(panel, source * WIDTH, node * room))
    legend = padded(stacked([legend_entry(name, f"p-{name}") for name in primitives]), left=20, top=MARGIN)
    lines = [
        Line("val", list(enumerate(val_accuracy, start=1))),
        Line("found", [(chosen_epoch, val_accuracy[chosen_epoch - 1])], "s1"),
    ]
    over = Range(width=2 * WIDTH, height=min(2, num_nodes) * room - HEADING)
    accuracy = _panel("validation accuracy of the supernet", lines, chosen_epoch, over)
    shapes = (
        *panels,
        placed(legend, NUM_INPUTS * WIDTH, 0),
        placed(accuracy, (columns - 2) * WIDTH, 0),
    )
    title = f"Weights of the primitives on every edge; the result is the cell of epoch {chosen_epoch}"
    heading = padded(paragraph(title, columns * WIDTH, "title"), left=MARGIN, top=MARGIN)
    return stacked([heading, Drawing("sheet", columns * WIDTH + MARGIN, num_nodes * room, shapes)])


def _panel(title: str, lines: Sequence[Line], chosen_epoch: int, over: Range) -> Drawing:
    chart = draw_lines(title, lines, share=True, uprights=[(chosen_epoch, "")], legend=False, over=over)
    assert chart is not None
    return draw_panel(chart)
