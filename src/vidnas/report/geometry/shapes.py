"""What a picture is made of: shapes with places in pixels, which grow rightwards and downwards, and roles.

A role is words such as "label" or "s0 dashed": what they look like is up to those who paint. Names tell parts
of a picture apart.
"""

from dataclasses import dataclass
from typing import Literal

from vidnas.runs.records import Number

Point = tuple[Number, Number]
Anchor = Literal["start", "middle", "end"]
Step = tuple[Literal["M", "L", "C", "Z"], tuple[Point, ...]]
"""Of a path, as in SVG: move to, line to, curve by two control points to, close."""


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
