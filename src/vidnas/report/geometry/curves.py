"""Line charts: series over epochs."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from vidnas.report.geometry.scales import LEFT, TOP, Axes, labelled, round_steps, whole_steps
from vidnas.report.geometry.shapes import Anchor, Circle, Drawing, Path, Point, Shape, Step, Text, line
from vidnas.report.geometry.sheets import beside, padded, stacked
from vidnas.runs.records import Number

LONELY = 3.0
"""The radius of a point without a neighbour."""
LETTER, LETTER_HEIGHT = 6.8, 11.0
"""Pixels that a digit or letter of a label takes."""
GAP = 4.0
"""Pixels between a text and a line that it must not touch."""
EDGE = 40.0
"""Of a mark nearer than so many pixels to the side of its chart the text lies on the other side."""
HEADING, LEGEND_LINE = 24.0, 16.0
"""Pixels that a chart's title and a line of its legend take."""
COLUMNS = 3

Mark = tuple[Number, str]
"""A value that is marked by a dashed line, and a text there."""


@dataclass(frozen=True)
class Line:
    """A series to draw: (x, y) points in the order of x, and the role that tells it apart."""

    name: str
    points: Sequence[tuple[Number, Number]]
    role: str = "s0"


@dataclass(frozen=True)
class Chart:
    """A drawing with its title and, where there is a choice, a legend of (name, role)."""

    title: str
    drawing: Drawing
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Range:
    """What the axes of a chart reach over, where its lines shall not decide; its size in pixels."""

    x: tuple[Number, Number] | None = None
    y: tuple[Number, Number] | None = None
    width: Number = 360
    height: Number = 240


def draw_lines(
    title: str,
    lines: Sequence[Line],
    *,
    share: bool = False,
    levels: Sequence[Mark] = (),
    uprights: Sequence[Mark] = (),
    legend: bool = True,
    over: Range = Range(),
) -> Chart | None:
    """Series over epochs; None where there is no point. With `share` the values are fractions of 1.

    What is no finite number is left out, as if its epoch were missing.
    """
    finite = [replace(one, points=[at for at in one.points if math.isfinite(at[1])]) for one in lines]
    lines = [one for one in finite if one.points]
    if not lines:
        return None
    first, last = over.x or _ends([x for one in lines for x, _ in one.points])
    values = [y for one in lines for _, y in one.points] + [level for level, _ in levels]
    steps = round_steps(*(over.y or ((0.0, 1.0) if share else _ends(values))))
    axes = Axes((first, last), (steps[0], steps[-1]), over.width, over.height)
    uprights = [(x, text) for x, text in uprights if first <= x <= last]
    ways = [[axes.at(x, y) for x, y in one.points] for one in lines]
    walls = [[axes.at(x, y) for y in axes.y] for x, _ in uprights]
    heights = [axes.at(first, y)[1] for y, _ in levels]
    texts = [
        _level_text(axes, y, text, [*ways, *walls]) for y, (_, text) in zip(heights, levels, strict=True)
    ]
    shapes: tuple[Shape, ...] = (
        axes.grid(whole_steps(first, last), labelled(steps, share=share), "epoch"),
        *(shape for x, text in uprights for shape in _upright(axes, x, text)),
        *(Path(line((LEFT, y), (axes.right, y)), "mark") for y in heights),
        *(shape for one, way in zip(lines, ways, strict=True) for shape in _drawn(one, way)),
        *texts,
    )
    words = f"{title}: " + "; ".join(_in_words(one, share) for one in lines)
    drawing = Drawing("chart", over.width, over.height, shapes, words)
    return Chart(title, drawing, tuple((one.name, one.role) for one in lines) if legend else ())


def draw_curves(charts: Iterable[Chart | None]) -> Drawing:
    """The charts that there are, at least one, in rows of three, each below its title."""
    panels = [draw_panel(chart) for chart in charts if chart is not None]
    return stacked([beside(panels[start : start + COLUMNS]) for start in range(0, len(panels), COLUMNS)])


def draw_panel(chart: Chart) -> Drawing:
    """A chart below its title and, if it has several lines, its legend."""
    title = Text(chart.title, LEFT, HEADING / 2, "title", "start")
    parts = [Drawing("chart", chart.drawing.width, HEADING, (title,)), chart.drawing]
    if len(chart.legend) > 1:
        parts.insert(1, padded(beside([legend_entry(*entry) for entry in chart.legend]), left=LEFT))
    return stacked(parts)


def legend_entry(name: str, role: str) -> Drawing:
    """What a line looks like, and its name."""
    middle = LEGEND_LINE / 2
    shapes = (Path(line((0, middle), (16, middle)), f"line {role}"), Text(name, 22, middle, "name", "start"))
    return Drawing("chart", 38 + LETTER * len(name), LEGEND_LINE, shapes)


def _ends(values: Sequence[Number]) -> tuple[Number, Number]:
    return min(values), max(values)


def _upright(axes: Axes, x: Number, text: str) -> list[Shape]:
    """A dashed line from top to bottom, and its text above."""
    places = axes.at(x, axes.y[0]), axes.at(x, axes.y[1])
    at = places[0][0]
    anchor: Anchor = "end" if at > axes.right - EDGE else "start" if at < LEFT + EDGE else "middle"
    return [Path(line(*places), "mark"), Text(text, at, 5.0, "marktext", anchor)]


def _level_text(axes: Axes, at: Number, text: str, paths: Sequence[Sequence[Point]]) -> Text:
    """The leftmost place above or below a level's line where its text lies on no path, above if it may.

    Where there is none, the one that lies on the fewest pixels of them.
    """
    half = LETTER * len(text) / 2
    dots = [dot for path in paths for dot in _pixels(path)]

    def covered(place: Point) -> int:
        width, height = half + GAP, LETTER_HEIGHT / 2 + GAP / 2
        return sum(abs(x - place[0]) < width and abs(y - place[1]) < height for x, y in dots)

    steps = range(int((axes.right - LEFT - 2 * half) / LETTER) + 1)
    places = [
        (LEFT + GAP + half + LETTER * step, y)
        for step in steps
        for y in (at - LETTER_HEIGHT, at + LETTER_HEIGHT)
        if y - LETTER_HEIGHT / 2 >= TOP and y + LETTER_HEIGHT / 2 <= axes.bottom
    ]
    return Text(text, *min(places, key=covered), "marktext")


def _pixels(path: Sequence[Point]) -> Iterator[Point]:
    """Points on a path, no two next to each other further apart than about a pixel."""
    yield from path[:1]
    for (x, y), (to_x, to_y) in pairwise(path):
        steps = math.ceil(max(abs(to_x - x), abs(to_y - y), 1))
        for step in range(1, steps + 1):
            yield x + (to_x - x) * step / steps, y + (to_y - y) * step / steps


def _drawn(of: Line, places: Sequence[Point]) -> list[Shape]:
    """The path through the places, which is broken where an epoch is missing; points alone are dots."""
    joined = [False, *(after[0] - before[0] <= 1 for before, after in pairwise(of.points)), False]
    steps: list[Step] = [
        ("L" if join else "M", (place,)) for join, place in zip(joined, places, strict=False)
    ]
    dots = [place for i, place in enumerate(places) if not joined[i] and not joined[i + 1]]
    return [
        Path(tuple(steps), f"line {of.role}", f"line-{of.name}", title=of.name),
        *(Circle(x, y, LONELY, f"dot {of.role}", f"dot-{of.name}") for x, y in dots),
    ]


def _in_words(of: Line, share: bool) -> str:
    first, last = (f"{100 * y:.1f} %" if share else f"{y:.3g}" for _, y in (of.points[0], of.points[-1]))
    return f"{of.name} from {first} to {last}"
