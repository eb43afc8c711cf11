"""Line charts and the accuracy-against-cost chart as paths and ticks with places, for the SVG in the page."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from vidnas.report.figures.labels import Place, Spot, place_labels
from vidnas.runs.records import Number

# Pixels of the drawing, whose y grows downwards.
WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 350, 12, 200

NUM_COLORS = 6
"""The page has this many colours for lines; further lines differ in their dashes."""
PATTERNS = ("", " dashed", " dotted")
DOT = 4.0
"""The radius of a network's dot."""
LETTER, LETTER_HEIGHT = 6.8, 11.0
"""Pixels that a digit or letter of a label takes."""
GAP = 4.0
"""Pixels between a text and a line that it must not touch."""
MARGIN = 0.2
"""Decades beside the first and the last network: an axis always has a label."""


Path = Sequence[tuple[float, float]]
"""Places that a line goes through, pixels."""


@dataclass(frozen=True)
class Line:
    """A series to draw: (x, y) points in the order of x, and its colour's number."""

    name: str
    points: Sequence[tuple[Number, Number]]
    color: int = 0


@dataclass(frozen=True)
class Rated:
    """A network to draw: its cost, its accuracy with an interval, and a short `label` beside its point."""

    name: str
    cost: Number
    accuracy: Number
    low: Number
    high: Number
    color: int = 0
    label: str = ""


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A thing of its own in a chart: a dashed line at a value, or a point with an interval."""

    at: float
    text: str
    low: float = 0.0
    high: float = 0.0
    x: float = 0.0
    series: str = ""
    label: str = ""
    place: Place | None = None
    """Of the label, or of a line's text; None where it has found none."""


@dataclass(frozen=True)
class Drawn:
    """A line as a path; `dots` are points without a neighbour."""

    name: str
    path: str
    dots: tuple[tuple[float, float], ...]
    series: str


@dataclass(frozen=True)
class Chart:
    """A chart ready for the page. `text` says for a reader who cannot see it what it shows."""

    title: str
    text: str
    xlabel: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Drawn, ...] = ()
    levels: tuple[Mark, ...] = ()
    """Dashed horizontal lines."""
    uprights: tuple[Mark, ...] = ()
    """Dashed vertical lines."""
    points: tuple[Mark, ...] = ()
    legend: bool = True


def draw_lines(
    title: str,
    lines: Sequence[Line],
    *,
    share: bool = False,
    levels: Sequence[tuple[Number, str]] = (),
    uprights: Sequence[tuple[Number, str]] = (),
    legend: bool = True,
) -> Chart | None:
    """Series over epochs; None where there is no point. With `share` the values are fractions of 1."""
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    values = [y for line in lines for _, y in line.points] + [level for level, _ in levels]
    y_values = _round_steps(0.0, 1.0) if share else _round_steps(min(values), max(values))
    last = max(x for line in lines for x, _ in line.points)
    first = min(x for line in lines for x, _ in line.points)

    def at_x(x: Number) -> float:
        return LEFT + (x - first) / (last - first) * (RIGHT - LEFT) if last > first else (LEFT + RIGHT) / 2

    def at_y(y: Number) -> float:
        return BOTTOM - (y - y_values[0]) / (y_values[-1] - y_values[0]) * (BOTTOM - TOP)

    paths = [[(at_x(x), at_y(y)) for x, y in line.points] for line in lines]
    walls = [[(at_x(x), float(TOP)), (at_x(x), float(BOTTOM))] for x, _ in uprights if first <= x <= last]
    return Chart(
        title=title,
        text=f"{title}: " + "; ".join(_in_words(line, share) for line in lines),
        xlabel="epoch",
        x_ticks=tuple(Tick(at_x(x), f"{x:g}") for x in _epoch_steps(first, last)),
        y_ticks=tuple(Tick(at_y(y), _label(y, y_values, share)) for y in y_values),
        lines=tuple(
            _draw(line, path, [x for x, _ in line.points]) for line, path in zip(lines, paths, strict=True)
        ),
        levels=tuple(
            Mark(at_y(y), text, place=_free_place(at_y(y), text, [*paths, *walls])) for y, text in levels
        ),
        uprights=tuple(Mark(at_x(x), text) for x, text in uprights if first <= x <= last),
        legend=legend,
    )


def series(color: int) -> str:
    """The classes in style.css of a colour's number: every one of the first 18 looks its own way."""
    return f"s{color % NUM_COLORS}{PATTERNS[color // NUM_COLORS % len(PATTERNS)]}"


def draw_tradeoff(networks: Sequence[Rated], cost: str = "parameters", unit: str = "") -> Chart | None:
    """Accuracy against a cost, which stands on a logarithmic axis; None without networks."""
    if not networks:
        return None
    logs = [math.log10(one.cost) for one in networks]
    left, right = min(logs) - MARGIN, max(logs) + MARGIN
    shares = _round_steps(min(one.low for one in networks), max(one.high for one in networks))

    def at_x(log: float) -> float:
        return LEFT + (log - left) / (right - left) * (RIGHT - LEFT)

    def at_y(share: Number) -> float:
        return BOTTOM - (share - shares[0]) / (shares[-1] - shares[0]) * (BOTTOM - TOP)

    after = f" {unit}" if unit else ""
    marks = [
        Mark(
            at=at_y(one.accuracy),
            text=f"{one.name}: {100 * one.accuracy:.1f} % with {one.cost:,.10g}{after} {cost}",
            low=at_y(one.low),
            high=at_y(one.high),
            x=at_x(log),
            series=series(one.color),
            label=one.label,
        )
        for log, one in zip(logs, networks, strict=True)
    ]
    return Chart(
        title=f"Accuracy against {cost}",
        text=f"Accuracy against {cost}: " + "; ".join(mark.text for mark in marks),
        xlabel=f"{cost}{after and ','}{after} (logarithmic)",
        x_ticks=tuple(Tick(at_x(log), text) for log, text in _log_steps(left, right)),
        y_ticks=tuple(Tick(at_y(share), _label(share, shares, share=True)) for share in shares),
        points=tuple(_labelled(marks)),
    )


def _labelled(marks: Sequence[Mark]) -> list[Mark]:
    """The marks, with places for those labels that find one."""
    spots = [
        Spot(mark.x, mark.at, mark.low, mark.high, LETTER * len(mark.label) + 2, LETTER_HEIGHT)
        for mark in marks
    ]
    places = place_labels(spots, radius=DOT, inside=(LEFT, TOP, WIDTH, BOTTOM))
    return [replace(mark, place=place) for mark, place in zip(marks, places, strict=True)]


def _free_place(at: float, text: str, paths: Sequence[Path]) -> Place:
    """The leftmost place above or below a level's line where its text lies on no path, above if it may.

    Where there is none, the one that lies on the fewest pixels of them.
    """
    half = LETTER * len(text) / 2
    dots = [dot for path in paths for dot in _pixels(path)]

    def covered(place: Place) -> int:
        width, height = half + GAP, LETTER_HEIGHT / 2 + GAP / 2
        return sum(abs(x - place.x) < width and abs(y - place.y) < height for x, y in dots)

    steps = range(int((RIGHT - LEFT - 2 * half) / LETTER) + 1)
    places = [
        Place(LEFT + GAP + half + LETTER * step, y, far=False)
        for step in steps
        for y in (at - LETTER_HEIGHT, at + LETTER_HEIGHT)
        if y - LETTER_HEIGHT / 2 >= TOP and y + LETTER_HEIGHT / 2 <= BOTTOM
    ]
    return min(places, key=covered)


def _pixels(path: Path) -> Iterator[tuple[float, float]]:
    """Points on a path, no two next to each other further apart than about a pixel."""
    yield from path[:1]
    for (x, y), (to_x, to_y) in pairwise(path):
        steps = math.ceil(max(abs(to_x - x), abs(to_y - y), 1))
        for step in range(1, steps + 1):
            yield x + (to_x - x) * step / steps, y + (to_y - y) * step / steps


def _draw(line: Line, places: list[tuple[float, float]], epochs: list[Number]) -> Drawn:
    """The path through the places; it is broken where an epoch is missing."""
    joined = [False, *(after - before <= 1 for before, after in pairwise(epochs)), False]
    steps = [f"{'L' if join else 'M'}{x:.1f} {y:.1f}" for join, (x, y) in zip(joined, places, strict=False)]
    dots = [place for i, place in enumerate(places) if not joined[i] and not joined[i + 1]]
    return Drawn(line.name, "".join(steps), tuple(dots), series(line.color))


def _in_words(line: Line, share: bool) -> str:
    first, last = (f"{100 * y:.1f} %" if share else f"{y:.3g}" for _, y in (line.points[0], line.points[-1]))
    return f"{line.name} from {first} to {last}"


def _round_steps(low: Number, high: Number, most: int = 5) -> list[float]:
    """A few round numbers at equal distance that enclose low to high."""
    if high <= low:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _epoch_steps(first: Number, last: Number) -> list[Number]:
    """At most seven whole numbers from first to last."""
    if last <= first:
        return [first]
    rough = (last - first) / 5
    power = 10 ** max(0, math.floor(math.log10(rough))) if rough >= 1 else 1
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [number for number in range(int(first), int(last) + 1) if number % step == 0 or number == first]


def _log_steps(low: float, high: float) -> list[tuple[float, str]]:
    """1, 2 and 5 times powers of ten between two logarithms; over many powers the powers alone."""
    factors = (1, 2, 5) if high - low < 2.5 else (1,)
    return [
        (log, _short(factor * 10.0**power))
        for power in range(math.floor(low), math.ceil(high) + 1)
        for factor in factors
        if low <= (log := power + math.log10(factor)) <= high
    ]


def _short(number: float) -> str:
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def _label(value: float, steps: Sequence[float], share: bool) -> str:
    if share:
        return f"{round(100 * value, 1):g}%"
    size = max(abs(steps[0]), abs(steps[-1]))
    if 0 < size < 1e-3:
        return f"{value:.1e}".replace("e-0", "e-") if value else "0"
    return f"{value:.4g}"
