"""The painter for pages: a drawing as inline SVG, whose roles are classes of style.css."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby

from markupsafe import Markup, escape

from vidnas.report.geometry.shapes import Circle, Drawing, Group, Path, Point, Rect, Shape, Step, Text
from vidnas.report.pages.words import px
from vidnas.runs.records import Number


def to_svg(drawing: Drawing, width: Number = 0, height: Number = 0) -> Markup:
    """The drawing, in the middle of so much room where it is smaller."""
    width, height = max(width, drawing.width), max(height, drawing.height)
    corner = (drawing.width - width) / 2, (drawing.height - height) / 2
    attributes = {
        "class": drawing.kind,
        "viewBox": _places(corner, (width, height)),
        "width": px(width),
        "height": px(height),
        "role": "img",
        "aria-label": drawing.text,
    }
    return _tag("svg", attributes, _all(drawing.shapes))


def _all(shapes: Iterable[Shape]) -> Markup:
    """The shapes; neighbours among the paths that look alike are one element."""
    elements = []
    for look, alike in groupby(shapes, key=_look):
        if isinstance(look, Path):
            steps = [step for one in alike if isinstance(one, Path) for step in one.steps]
            elements.append(_element(replace(look, steps=tuple(steps))))
        else:
            elements += map(_element, alike)
    return Markup("").join(elements)


def _look(shape: Shape) -> Path | None:
    """A path without its steps and name."""
    return replace(shape, steps=(), name="") if isinstance(shape, Path) else None


def _element(shape: Shape) -> Markup:
    match shape:
        case Group():
            turn = f"translate({_places(shape.at)})" if shape.at != (0.0, 0.0) else ""
            return _tag("g", {"class": shape.role, "transform": turn}, _all(shape.shapes))
        case Rect():
            at = {"x": px(shape.x), "y": px(shape.y)}
            size = {"width": px(shape.width), "height": px(shape.height)}
            corner = {"rx": px(shape.radius) if shape.radius else ""}
            return _tag("rect", {"class": shape.role, **at, **size, **corner})
        case Circle():
            places = {"cx": px(shape.x), "cy": px(shape.y), "r": px(shape.radius)}
            return _tag("circle", {"class": shape.role, **places}, _title(shape.title))
        case Text():
            at = {"x": px(shape.x), "y": px(shape.y)}
            if shape.turn:
                at = {"transform": f"translate({_places((shape.x, shape.y))}) rotate({px(shape.turn)})"}
            anchor = "" if shape.anchor == "middle" else shape.anchor
            return _tag("text", {"class": shape.role, **at, "text-anchor": anchor}, escape(shape.text))
        case Path():
            shade = "" if shape.opacity == 1.0 else f"{shape.opacity:.2f}"
            look = {"class": shape.role, "fill-opacity": shade}
            return _tag("path", {**look, "d": _way(shape.steps)}, _title(shape.title))


def _way(steps: Iterable[Step]) -> str:
    """Steps in SVG's words, the short ones for level and upright lines."""
    words, x, y = [], "", ""
    for letter, points in steps:
        if letter == "Z":
            words.append("z")
            continue
        before, (x, y) = (x, y), map(px, points[-1])
        level, upright = (letter == "L" and same for same in (y == before[1], x == before[0]))
        words.append(f"H{x}" if level else f"V{y}" if upright else letter + _places(*points))
    return "".join(words)


def _places(*points: Point) -> str:
    return " ".join(px(number) for point in points for number in point)


def _title(text: str) -> Markup:
    return _tag("title", {}, escape(text)) if text else Markup("")


def _tag(name: str, attributes: Mapping[str, str], content: str = "") -> Markup:
    """An element with those attributes that are not empty."""
    stated = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if value)
    return Markup(f"<{name}{stated}>{content}</{name}>" if content else f"<{name}{stated}/>")
