"""Accuracy against cost: a panel for each kind of cost, numbered points, and their names beside."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

from vidnas.figures.labels import Place, Spot, place_labels
from vidnas.figures.palette import FAINT, INK, SERIES_COLORS
from vidnas.figures.style import plain_axes, readable

PANEL_SIZE = (3.6, 3.1)
NAMES_WIDTH = 2.7
LEFT, RIGHT, LOW, HIGH = 0.7, 0.15, 1.0, 0.2
"""Inches around the panels and between them."""
REFERENCE_COLOR = SERIES_COLORS[1]
OTHER_COLOR = SERIES_COLORS[0]
DOT = 6.5
"""Points across a network's dot."""
LETTER = (5.2, 8.5)
"""Points that a digit of a label takes."""
LONGEST_NAME = 34
MARGIN = 0.2
"""Decades beside the first and the last network: an axis always has a label."""


@dataclass(frozen=True)
class Point:
    """A network: its accuracy, a fraction of 1 with an interval, and what it costs by kind of cost.

    `number` is that of its row in the table.
    """

    number: int
    name: str
    accuracy: float
    low: float
    high: float
    costs: Mapping[str, int | float]


def draw_tradeoff(points: Sequence[Point], *, reference: str, caption: str) -> Figure:
    """Draw each network in each panel, on a logarithmic axis of cost; the reference stands out, on top."""
    assert points
    kinds = list(points[0].costs)
    panel_width = LEFT + PANEL_SIZE[0] + RIGHT
    width, height = panel_width * len(kinds) + NAMES_WIDTH, LOW + PANEL_SIZE[1] + HIGH
    figure = Figure(figsize=(width, height), facecolor="white")
    bottom, tall = LOW / height, PANEL_SIZE[1] / height
    for column, kind in enumerate(kinds):
        left = (LEFT + column * panel_width) / width
        axes = figure.add_axes((left, bottom, PANEL_SIZE[0] / width, tall))
        _draw_panel(axes, points, kind, reference)
        if column == 0:
            axes.set_ylabel("test accuracy, 95 % interval")
    names = figure.add_axes((1 - NAMES_WIDTH / width, bottom, NAMES_WIDTH / width, tall))
    _list_names(names, points, reference)
    figure.text(
        LEFT / width, 0.3 / height, readable(caption), va="center", fontsize=7, color=INK, wrap=True,
        parse_math=False,
    )  # fmt: skip
    return figure


def _draw_panel(axes: Axes, points: Sequence[Point], kind: str, reference: str) -> None:
    plain_axes(axes)
    for point in points:
        own = point.name == reference
        color, cost = REFERENCE_COLOR if own else OTHER_COLOR, point.costs[kind]
        axes.vlines(
            cost, point.low, point.high, color=color, linewidth=1.2, alpha=0.8 if own else 0.35,
            zorder=3 if own else 2,
        )  # fmt: skip
        axes.plot(
            [cost], [point.accuracy], "D" if own else "o", color=color, markersize=DOT, markeredgewidth=0.6,
            markeredgecolor="white", zorder=5 if own else 4,
        )  # fmt: skip
    _scale(axes, points, kind)
    _number(axes, points, kind, reference)
    axes.set_xlabel(kind)


def _scale(axes: Axes, points: Sequence[Point], kind: str) -> None:
    """Round limits that hold all whiskers, and few labels."""
    costs = [point.costs[kind] for point in points]
    low, high = math.log10(min(costs)) - MARGIN, math.log10(max(costs)) + MARGIN
    axes.set_xscale("log")
    axes.set_xlim(10**low, 10**high)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high - low < 2.3 else (1,), numticks=12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep="\N{THIN SPACE}"))
    tenths = [10 * end for point in points for end in (point.low, point.high)]
    bottom = min(0.9, max(0.0, math.floor(min(tenths)) / 10))
    axes.set_ylim(bottom, min(1.0, math.ceil(max(tenths) + 0.01) / 10))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _number(axes: Axes, points: Sequence[Point], kind: str, reference: str) -> None:
    """Write the networks' numbers beside them, without one covering another."""
    to_points = axes.transData.transform
    scale = 72 / axes.figure.dpi
    spots = []
    for point in points:
        cost = point.costs[kind]
        (x, y), (_, low), (_, high) = (
            (scale * to_points((cost, value))).tolist() for value in (point.accuracy, point.low, point.high)
        )
        spots.append(Spot(x, y, low, high, LETTER[0] * len(str(point.number)) + 1, LETTER[1]))
    left, low, right, high = (scale * axes.bbox.get_points()).ravel().tolist()
    places = place_labels(spots, radius=DOT / 2, inside=(left, low, right, high))
    for point, spot, place in zip(points, spots, places, strict=True):
        if place:
            weight = "bold" if point.name == reference else "normal"
            _write(axes, str(point.number), (float(point.costs[kind]), point.accuracy), spot, place, weight)


def _write(axes: Axes, text: str, at: tuple[float, float], spot: Spot, place: Place, weight: str) -> None:
    line = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkA": 0, "shrinkB": DOT / 2}
    axes.annotate(
        text, at, (place.x - spot.x, place.y - spot.y), textcoords="offset points", ha="center",
        va="center", fontsize=7.5, color=INK, fontweight=weight, zorder=6,
        arrowprops=line if place.far else None,
    )  # fmt: skip


def _list_names(axes: Axes, points: Sequence[Point], reference: str) -> None:
    """Number, accuracy and, last because it may be long, name."""
    axes.set_axis_off()
    axes.set(xlim=(0, NAMES_WIDTH), ylim=(0, 1))
    step = min(0.075, 1 / len(points))
    fontsize = min(8.0, 0.8 * 72 * PANEL_SIZE[1] * step)
    for line, point in enumerate(points):
        at = 1 - (line + 0.5) * step
        own = point.name == reference
        name = readable(point.name)
        name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        for x, text, side in (
            (0.2, str(point.number), "right"), (0.58, f"{point.accuracy:.0%}", "right"), (0.66, name, "left"),
        ):  # fmt: skip
            axes.text(
                x, at, text, ha=side, va="center", fontsize=fontsize, parse_math=False,
                color=REFERENCE_COLOR if own else INK, fontweight="bold" if own else "normal",
            )  # fmt: skip
    axes.axvline(0.26, ymin=1 - step * len(points), color=FAINT, linewidth=0.6)
