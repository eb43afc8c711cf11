"""Axes of charts: where values stand on them, and which of them have labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator

from vidnas.report.geometry.shapes import Group, Path, Point, Text, line
from vidnas.runs.records import Number

LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 12.0, 40.0
"""Pixels around what a chart's axes enclose."""
X_LABEL, X_NAME = 13.0, 30.0
"""Pixels from the lower end of the axes down to the middles of labels and of the axis' name."""

Tick = tuple[Number, str]
"""A value and its label."""


@dataclass(frozen=True)
class Axes:
    """Two axes in a chart of this size, from the first to the last value of each."""

    x: tuple[Number, Number]
    y: tuple[Number, Number]
    width: Number = 360
    height: Number = 240

    @property
    def right(self) -> Number:
        """Where the x axis ends, pixels."""
        return self.width - RIGHT

    @property
    def bottom(self) -> Number:
        """Where the y axis begins, pixels."""
        return self.height - BOTTOM

    def at(self, x: Number, y: Number) -> Point:
        """The place of a value; of a single x, the middle."""
        (first, last), (low, high) = self.x, self.y
        share = (x - first) / (last - first) if last > first else 0.5
        height = (y - low) / (high - low) * (self.bottom - TOP)
        return LEFT + share * (self.right - LEFT), self.bottom - height

    def grid(self, x_ticks: Sequence[Tick], y_ticks: Sequence[Tick], x_name: str) -> Group:
        """A line for each label of y, the labels, and the name of x."""
        heights = [(self.at(self.x[0], value)[1], label) for value, label in y_ticks]
        return Group(
            (
                *(Path(line((LEFT, y), (self.right, y)), "rule") for y, _ in heights),
                *(Text(label, LEFT - 6, y, "y", "end") for y, label in heights),
                *(Text(label, self.at(x, self.y[0])[0], self.bottom + X_LABEL, "x") for x, label in x_ticks),
                Text(x_name, self.right, self.bottom + X_NAME, "axis", "end"),
            )
        )


def round_steps(low: Number, high: Number) -> list[float]:
    """A few round numbers at equal distance that enclose low to high."""
    if high <= low:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    return [float(step) for step in MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]


def whole_steps(first: Number, last: Number) -> list[Tick]:
    """A few whole numbers from first to last."""
    numbers = MaxNLocator(6, steps=[1, 2, 5, 10], integer=True).tick_values(first, last)
    return [
        (number, f"{number:g}")
        for number in dict.fromkeys((first, *map(float, numbers)))
        if first <= number <= last
    ]


def log_steps(low: float, high: float) -> list[Tick]:
    """1, 2 and 5 times powers of ten between two logarithms; over many powers the powers alone."""
    locator = LogLocator(subs=(1, 2, 5) if high - low < 2.5 else (1,), numticks=99)
    values = [value for value in locator.tick_values(10**low, 10**high) if low <= math.log10(value) <= high]
    return [(math.log10(value), EngFormatter(sep=" ")(value)) for value in values]


def labelled(steps: Sequence[Number], *, share: bool) -> list[Tick]:
    """Values of an axis with their labels, in per cent if they are shares."""
    if share:
        return [(value, f"{round(100 * value, 1):g}%") for value in steps]
    if 0 < max(abs(steps[0]), abs(steps[-1])) < 1e-3:
        return [(value, f"{value:.1e}".replace("e-0", "e-") if value else "0") for value in steps]
    return [(value, f"{value:.4g}") for value in steps]
