"""What a picture is made of: shapes with places in pixels, which grow rightwards and downwards, and roles.

A role is words such as "label" or "s0 dashed": what they look like is up to those who paint. Names tell parts
of a picture apart.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vidnas.runs.records import Number

Point = tuple[Number, Number]
Anchor = Literal["start", "middle", "end"]
Step = tuple[Literal["M", "L", "C", "Z"], tuple[Point, ...]]
"""Of a path, as in SVG: move to, line to, curve by two control points to, close."""

PARAGRAPHS: Mapping[str, tuple[Number, Number]] = MappingProxyType({"title": (16, 11.2), "caption": (12, 7)})
"""By role: the size of a paragraph's letters, and how wide they are, pixels."""
LINE = 1.35
"""The height of a line of text, as a share of its size."""


@dataclass(frozen=True)
class Path:
    """Lines and curves, `opacity` that of its filling; `title` says what it is where a mouse rests on it."""

    steps: tuple[Step, ...]
    role: str = ""
    name: str = ""
    title: str = ""
    opacity: Number = 1.0


@dataclass(frozen=True)
class Rect:
    """A rectangle by its upper left corner, with rounded corners where it has a radius."""

    x: Number
    y: Number
    width: Number
    height: Number
    radius: Number = 0.0
    role: str = ""
    name: str = ""
    opacity: Number = 1.0


@dataclass(frozen=True)
class Circle:
    """A circle by its centre."""

    x: Number
    y: Number
    radius: Number
    role: str = ""
    name: str = ""
    title: str = ""


@dataclass(frozen=True)
class Text:
    """A line of text whose start, middle or end lies at a place, half above and half below it.

    It is turned around that place by so many degrees, clockwise.
    """

    text: str
    x: Number
    y: Number
    role: str = ""
    anchor: Anchor = "middle"
    turn: Number = 0.0
    name: str = ""


@dataclass(frozen=True)
class Group:
    """Shapes whose places count from `at`; they have the group's role, too."""

    shapes: "tuple[Shape, ...]"
    role: str = ""
    at: Point = (0.0, 0.0)


Shape = Path | Rect | Circle | Text | Group


@dataclass(frozen=True)
class Drawing:
    """A picture of one `kind`, such as "cell"; `text` says what it shows to those who cannot see it."""

    kind: str
    width: Number
    height: Number
    shapes: tuple[Shape, ...]
    text: str = ""


def line(*points: Point) -> tuple[Step, ...]:
    """The steps of a straight line through points."""
    return ("M", points[:1]), *(("L", (point,)) for point in points[1:])


def padded(
    drawing: Drawing, *, left: Number = 0.0, top: Number = 0.0, right: Number = 0.0, bottom: Number = 0.0
) -> Drawing:
    """A drawing with room around it."""
    group = Group(drawing.shapes, drawing.kind, (left, top))
    return Drawing("sheet", left + drawing.width + right, top + drawing.height + bottom, (group,))


def beside(drawings: Sequence[Drawing]) -> Drawing:
    """Drawings from left to right, at one height."""
    lefts = [sum(one.width for one in drawings[:number]) for number in range(len(drawings) + 1)]
    groups = [Group(one.shapes, one.kind, (x, 0.0)) for one, x in zip(drawings, lefts, strict=False)]
    return Drawing("sheet", lefts[-1], max(one.height for one in drawings), tuple(groups))


def stacked(drawings: Sequence[Drawing]) -> Drawing:
    """Drawings from top to bottom, at one left edge."""
    tops = [sum(one.height for one in drawings[:number]) for number in range(len(drawings) + 1)]
    groups = [Group(one.shapes, one.kind, (0.0, y)) for one, y in zip(drawings, tops, strict=False)]
    return Drawing("sheet", max(one.width for one in drawings), tops[-1], tuple(groups))


def paragraph(text: str, width: Number, role: str = "caption") -> Drawing:
    """Text in as many lines as it needs, none longer than `width`."""
    size, letter = PARAGRAPHS[role]
    lines = textwrap.wrap(text, int(width / letter))
    texts = [
        Text(words, 0.0, LINE * size * (number + 0.5), role, "start") for number, words in enumerate(lines)
    ]
    return Drawing("sheet", width, LINE * size * len(lines), tuple(texts))
