"""The painter for files: a drawing as matplotlib's figure, which makes PNG, SVG, PDF and pixels of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle as CirclePatch, FancyBboxPatch, Patch, PathPatch, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.text import Text as Words

from vidnas.report.geometry.palette import FAINT, HIGHLIGHT, INK, SERIES_COLORS, mixed, role_colors
from vidnas.report.geometry.shapes import Circle, Drawing, Group, Path, Point, Rect, Shape, Text
from vidnas.runs.records import Number

PX_PER_INCH = 90
POINTS = 72 / PX_PER_INCH
"""To a pixel of a drawing."""

Paint = tuple[str, str, float]
"""A colour, another and its share. OWN stands for the colour of the role."""

OWN = "own"
_INK, _FAINT, _BRIGHT, _WHITE, _OWN = (
    (color, "white", 0.0) for color in (INK, FAINT, HIGHLIGHT, "white", OWN)
)
_DASHES: Mapping[str, tuple[float, float]] = {"dashed": (4, 3), "dotted": (0.5, 2), "mark": (3, 3)}
_SIDES: Mapping[str, Literal["left", "center", "right"]]
_SIDES = {"start": "left", "middle": "center", "end": "right"}
_CODES: Mapping[str, int] = {"M": 1, "L": 2, "C": 4, "Z": 79}
"""Of matplotlib's paths."""


@dataclass(frozen=True)
class Style:
    """How a role looks: fill, line and its width, or a text's size, both in pixels."""

    fill: Paint | None = None
    stroke: Paint | None = None
    width: Number = 1
    size: Number = 10.5
    bold: bool = False
    opacity: Number = 1


STYLES: Mapping[str, Style] = {
    "cell path": Style(stroke=_OWN, width=2.4),
    "cell head": Style(fill=_OWN),
    "cell rect": Style((OWN, "white", 0.87), _OWN, 1.6),
    "cell text": Style((OWN, "black", 0.55), size=10.6),
    "cell circle": Style(_INK),
    "cell node": Style(_WHITE, size=15, bold=True),
    "cell box": Style((INK, "white", 0.87), _INK, 1.6),
    "cell plain": Style(stroke=_FAINT, width=1.5),
    "cell faint": Style(stroke=(FAINT, "white", 0.5), width=0.9),
    "cell halo": Style(stroke=_BRIGHT, width=11),
    "chart rule": Style(stroke=(FAINT, "white", 0.4), width=0.8),
    "chart text": Style(_INK),
    "chart title": Style(_INK, size=12.5, bold=True),
    "chart strong": Style(_OWN, bold=True),
    "chart mark": Style(stroke=_INK),
    "chart line": Style(stroke=_OWN, width=2.0),
    "chart dot": Style(_OWN, _WHITE, 0.8),
    "chart whisker": Style(stroke=_OWN, width=1.5, opacity=0.45),
    "chart leader": Style(stroke=_FAINT, width=0.8),
    "matrix ground": Style((FAINT, "white", 0.72)),
    "matrix square": Style((SERIES_COLORS[0], "black", 0.25)),
    "matrix text": Style(_INK),
    "matrix on": Style(_WHITE),
    "heat rect": Style(_OWN, _WHITE),
    "heat text": Style(_INK, size=10),
    "heat on": Style(_WHITE, size=10),
    "heat node": Style(_INK, size=11.2, bold=True),
    "heat primitive": Style((OWN, "black", 0.4), size=10.6),
    "heat kept": Style(stroke=_INK, width=2),
    "heat halo": Style(stroke=_BRIGHT, width=7.5),
    "sheet title": Style(_INK, size=16, bold=True),
    "sheet caption": Style(_INK, size=12),
    "sheet big": Style(_INK, size=21, bold=True),
    "sheet words": Style(_INK, size=13.5),
    "sheet highlight": Style(_BRIGHT),
}
"""By kind of drawing and role; of what has no role, by its form."""
_KINDS = frozenset(key.partition(" ")[0] for key in STYLES)


@dataclass(frozen=True)
class _Scope:
    """What the groups around a shape say: kind of drawing, colour of the role, where places count from."""

    kind: str
    own: str = INK
    x: Number = 0
    y: Number = 0

    def within(self, role: str, at: Point = (0.0, 0.0)) -> "_Scope":
        """Inside of something with this role."""
        colors, words = role_colors(), role.split()
        kind = next((word for word in words if word in _KINDS), self.kind)
        own = next((colors[word] for word in words if word in colors), self.own)
        own = FAINT if "plain" in words else own
        return _Scope(kind, own, self.x + at[0], self.y + at[1])

    def color(self, paint: Paint | None, opacity: Number) -> tuple[float, float, float, float]:
        """Red, green, blue and opacity; none at all for no paint."""
        if paint is None:
            return (0.0, 0.0, 0.0, 0.0)
        color, other, share = paint
        return (*mixed(self.own if color == OWN else color, other, share), float(opacity))


def paint(drawing: Drawing) -> Figure:
    """The drawing on white; artists have the names of their shapes as gid."""
    size = drawing.width / PX_PER_INCH, drawing.height / PX_PER_INCH
    figure = Figure(figsize=size, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, drawing.width), ylim=(drawing.height, 0))
    axes.set_axis_off()
    _paint(axes, drawing.shapes, _Scope("sheet").within(drawing.kind))
    return figure


def _paint(axes: Axes, shapes: Sequence[Shape], scope: _Scope) -> None:
    """Shapes one on top of the other."""
    for shape in shapes:
        if isinstance(shape, Group):
            _paint(axes, shape.shapes, scope.within(shape.role, shape.at))
        elif isinstance(shape, Text):
            axes.add_artist(_words(shape, scope.within(shape.role)))
        else:
            axes.add_patch(_patch(shape, scope.within(shape.role)))


def _style(shape: Path | Rect | Circle | Text, kind: str) -> Style:
    """That of the last word of its role that has one, or else that of its form."""
    words = (type(shape).__name__.lower(), *shape.role.split())
    return next(style for word in reversed(words) if (style := STYLES.get(f"{kind} {word}")))


def _words(text: Text, scope: _Scope) -> Words:
    style = _style(text, scope.kind)
    return Words(
        scope.x + text.x, scope.y + text.y, text.text, color=scope.color(style.fill, 1.0),
        fontsize=POINTS * style.size, fontweight="bold" if style.bold else "normal", ha=_SIDES[text.anchor],
        va="center_baseline", rotation=-text.turn, rotation_mode="anchor", parse_math=False, gid=text.name,
        zorder=1,
    )  # fmt: skip


def _patch(shape: Path | Rect | Circle, scope: _Scope) -> Patch:
    style = _style(shape, scope.kind)
    patch = _outline(shape, scope.x, scope.y)
    opacity = 1.0 if isinstance(shape, Circle) else shape.opacity
    patch.set(
        facecolor=scope.color(style.fill, opacity),
        edgecolor=scope.color(style.stroke, style.opacity),
        linewidth=POINTS * style.width if style.stroke else 0.0,
        gid=shape.name,
        zorder=1,
    )
    dashes = [_DASHES[word] for word in shape.role.split() if word in _DASHES]
    if dashes:
        patch.set_linestyle((0, dashes[0]))
    return patch


def _outline(shape: Path | Rect | Circle, x: Number, y: Number) -> Patch:
    if isinstance(shape, Circle):
        return CirclePatch((x + shape.x, y + shape.y), shape.radius)
    if isinstance(shape, Path):
        points = [(x + at[0], y + at[1]) for _, places in shape.steps for at in places or ((0.0, 0.0),)]
        codes = [_CODES[letter] for letter, places in shape.steps for _ in places or (None,)]
        return PathPatch(Outline(points, codes))
    corner = x + shape.x, y + shape.y
    if not shape.radius:
        return Rectangle(corner, shape.width, shape.height)
    return FancyBboxPatch(
        corner, shape.width, shape.height, boxstyle=f"round,pad=0,rounding_size={shape.radius}"
    )
