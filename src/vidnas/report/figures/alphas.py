"""How alpha moved: the mixing weights of every edge over the epochs of a search, and the val accuracy."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from vidnas.nas.genotype import NUM_INPUTS, edge_sources, source_name
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.figures.palette import FAINT, INK, PRIMITIVE_COLORS, SERIES_COLORS
from vidnas.report.figures.style import epoch_axes

PANEL_SIZE = (2.3, 1.65)


def draw_alphas(
    history: npt.NDArray[np.floating],
    val_accuracy: Sequence[float],
    chosen_epoch: int,
    num_nodes: int,
) -> Figure:
    """Draw `history` (epochs, edges, primitives), softmax weights, with one panel for each edge.

    A row of panels is a node, a column one of its sources, so that the corner stays free for the validation
    accuracy (fractions, one per epoch) and the legend. `chosen_epoch` counts from 1, like the axes.
    """
    assert history.shape == (len(val_accuracy), len(edge_sources(num_nodes)), len(PRIMITIVES))
    columns = max(num_nodes + 1, NUM_INPUTS + 3)
    figure = Figure(
        figsize=(PANEL_SIZE[0] * columns, PANEL_SIZE[1] * num_nodes + 0.8),
        layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06),
        facecolor="white",
    )
    figure.suptitle(
        f"Weights of the primitives on every edge; the result is the cell of epoch {chosen_epoch}",
        x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    grid = figure.add_gridspec(num_nodes, columns)
    highest = 1.05 * float(np.nanmax(history))
    for edge, (node, source) in enumerate(edge_sources(num_nodes)):
        axes = figure.add_subplot(grid[node, source], ylim=(0, highest))
        axes.set_title(f"{source_name(source)} → node {node}", fontsize=9, color=INK)
        for primitive, weights in zip(PRIMITIVES, history[:, edge].T, strict=True):
            _draw_line(axes, weights, PRIMITIVE_COLORS[primitive])
        epoch_axes(axes, chosen_epoch)
        axes.tick_params(labelleft=source == 0, labelbottom=node == num_nodes - 1)
    _draw_accuracy(figure.add_subplot(grid[: min(2, num_nodes), -2:]), val_accuracy, chosen_epoch)
    _draw_legend(figure.add_subplot(grid[0, NUM_INPUTS]))
    figure.supxlabel("epoch", fontsize=10, color=INK)
    return figure


def _draw_line(axes: Axes, values: Sequence[float] | npt.NDArray[np.floating], color: str) -> None:
    axes.plot(
        range(1, len(values) + 1),
        values,
        color=color,
        linewidth=1.5,
        marker="o" if len(values) == 1 else None,
    )


def _draw_accuracy(axes: Axes, val_accuracy: Sequence[float], chosen_epoch: int) -> None:
    axes.set_title("validation accuracy of the supernet", fontsize=10, fontweight="bold", color=INK)
    _draw_line(axes, val_accuracy, SERIES_COLORS[0])
    axes.plot(
        chosen_epoch, val_accuracy[chosen_epoch - 1], "o", color=SERIES_COLORS[1], markersize=7, zorder=3
    )
    epoch_axes(axes, chosen_epoch)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.tick_right()  # on the left its labels would push the columns below apart
    axes.spines["right"].set(visible=True, color=FAINT)
    axes.spines["left"].set_visible(False)


def _draw_legend(axes: Axes) -> None:
    axes.set_axis_off()
    lines = [Line2D([], [], color=PRIMITIVE_COLORS[name], linewidth=2.5, label=name) for name in PRIMITIVES]
    axes.legend(
        handles=lines, loc="center left", frameon=False, fontsize=9, labelcolor=INK, labelspacing=0.25
    )
