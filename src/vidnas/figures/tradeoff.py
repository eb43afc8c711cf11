"""Accuracy against cost: a panel for each kind of cost, numbered points, and their names beside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter

from vidnas.figures.palette import FAINT, INK, SERIES_COLORS
from vidnas.figures.style import plain_axes

PANEL_SIZE = (3.6, 3.4)
NAMES_WIDTH = 2.4
REFERENCE_COLOR = SERIES_COLORS[1]
OTHER_COLOR = SERIES_COLORS[0]


@dataclass(frozen=True)
class Point:
    """A network: its accuracy, a fraction of 1 with an interval, and what it costs by kind of cost."""

    name: str
    accuracy: float
    low: float
    high: float
    costs: Mapping[str, int | float]


def draw_tradeoff(points: Sequence[Point], *, reference: str, caption: str) -> Figure:
    """Draw each network in each panel, on a logarithmic axis of cost; the reference has its own colour."""
    assert points
    kinds = list(points[0].costs)
    figure = Figure(
        figsize=(PANEL_SIZE[0] * len(kinds) + NAMES_WIDTH, PANEL_SIZE[1]),
        layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08),
        facecolor="white",
    )
    ratios = [*([PANEL_SIZE[0]] * len(kinds)), NAMES_WIDTH]
    grid = figure.add_gridspec(1, len(kinds) + 1, width_ratios=ratios)
    for column, kind in enumerate(kinds):
        _draw_panel(figure.add_subplot(grid[0, column]), points, kind, reference)
    _list_names(figure.add_subplot(grid[0, len(kinds)]), points, reference)
    figure.supxlabel(caption, fontsize=7, color=INK, wrap=True)
    return figure


def _draw_panel(axes: Axes, points: Sequence[Point], kind: str, reference: str) -> None:
    plain_axes(axes)
    for number, point in enumerate(points, start=1):
        color = REFERENCE_COLOR if point.name == reference else OTHER_COLOR
        cost = point.costs[kind]
        axes.vlines(cost, point.low, point.high, color=color, linewidth=1.2, alpha=0.45)
        axes.plot([cost], [point.accuracy], "o", color=color, markersize=13, markeredgecolor="white")
        axes.annotate(
            str(number), (cost, point.accuracy), ha="center", va="center", color="white", fontsize=7.5,
            fontweight="bold",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(kind)


def _list_names(axes: Axes, points: Sequence[Point], reference: str) -> None:
    axes.set_axis_off()
    step = min(0.075, 1 / len(points))
    for number, point in enumerate(points, start=1):
        at = 1 - (number - 0.5) * step
        weight = "bold" if point.name == reference else "normal"
        axes.text(0.1, at, str(number), ha="right", va="center", fontsize=8, color=INK)
        axes.text(0.16, at, point.name, va="center", fontsize=8, color=INK, fontweight=weight)
        axes.text(1.0, at, f"{point.accuracy:.0%}", ha="right", va="center", fontsize=8, color=INK)
    axes.axvline(0.13, ymin=1 - step * len(points), color=FAINT, linewidth=0.6)
    axes.set(xlim=(0, 1), ylim=(0, 1))
