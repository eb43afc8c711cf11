"""Accuracy against cost: a panel for each kind of cost, numbered points, and their names in the last."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

from vidnas.report.figures.labels import Place, Spot, place_labels
from vidnas.report.figures.palette import FAINT, INK, SERIES_COLORS
from vidnas.report.figures.style import plain_axes, readable

COLUMNS = 2
"""Side by side: a page shows the picture about 830 pixels wide, where more would be too small to read."""
PANEL_SIZE = (3.3, 2.75)
LEFT, RIGHT, LOW, HIGH = 0.75, 0.15, 0.6, 0.2
"""Inches around each panel."""
CAPTION_HEIGHT = 0.75
FONT_SIZE = 9.5
"""Points: 13 pixels of 830."""
REFERENCE_COLOR = SERIES_COLORS[1]
OTHER_COLOR = SERIES_COLORS[0]
DOT = 6.5
"""Points across a network's dot."""
LETTER = (6.1, 10.0)
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
    room = (LEFT + PANEL_SIZE[0] + RIGHT, HIGH + PANEL_SIZE[1] + LOW)
    rows = math.ceil((len(kinds) + 1) / COLUMNS)
    width, height = COLUMNS * room[0], rows * room[1] + CAPTION_HEIGHT
    figure = Figure(figsize=(width, height), facecolor="white")
    for number, kind in enumerate([*kinds, None]):
        row, column = divmod(number, COLUMNS)
        left, low = LEFT + column * room[0], height - (row + 1) * room[1] + LOW
        size = PANEL_SIZE[0] / width, PANEL_SIZE[1] / height
        axes = figure.add_axes((left / width, low / height, *size))
        if kind is None:
            _list_names(axes, points, reference)
            continue
        _draw_panel(axes, points, kind, reference)
        if column == 0:
            axes.set_ylabel("test accuracy, 95 % interval")
    figure.text(
        0.15 / width, (CAPTION_HEIGHT - 0.1) / height, readable(caption), va="top", fontsize=FONT_SIZE - 1,
        color=INK, wrap=True, parse_math=False,
    )  # fmt: skip
    return figure


def _draw_panel(axes: Axes, points: Sequence[Point], kind: str, reference: str) -> None:
    plain_axes(axes, font_size=FONT_SIZE)
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
        va="center", fontsize=FONT_SIZE - 0.5, color=INK, fontweight=weight, zorder=6,
        arrowprops=line if place.far else None,
    )  # fmt: skip


def _list_names(axes: Axes, points: Sequence[Point], reference: str) -> None:
    """Number, accuracy and, last because it may be long, name."""
    axes.set_axis_off()
    axes.set(xlim=(0, PANEL_SIZE[0]), ylim=(0, 1))
    step = min(0.075, 1 / len(points))
    fontsize = min(FONT_SIZE, 0.9 * 72 * PANEL_SIZE[1] * step)
    for line, point in enumerate(points):
        at = 1 - (line + 0.5) * step
        own = point.name == reference
        name = readable(point.name)
        name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        for x, text, side in (
            (0.2, str(point.number), "right"), (0.65, f"{point.accuracy:.0%}", "right"), (0.74, name, "left"),
        ):  # fmt: skip
            axes.text(
                x, at, text, ha=side, va="center", fontsize=fontsize, parse_math=False,
                color=REFERENCE_COLOR if own else INK, fontweight="bold" if own else "normal",
            )  # fmt: skip
    axes.axvline(0.26, ymin=1 - step * len(points), color=FAINT, linewidth=0.6)
