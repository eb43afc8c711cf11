"""A drawing as a list of shapes whose places count from its corner, for tests that look at what is drawn."""

from collections.abc import Iterator
from dataclasses import replace

from vidnas.report.geometry.shapes import Circle, Drawing, Group, Path, Point, Rect, Shape, Text

Solid = Path | Rect | Circle | Text

_SEEN: dict[int, tuple[Drawing, list[Solid]]] = {}
"""What was asked for before; it keeps the drawings, so that no other has their number."""


def flat(drawing: Drawing) -> list[Solid]:
    """The shapes in the order in which they are painted; their roles begin with those of their groups."""
    if id(drawing) not in _SEEN:
        _SEEN[id(drawing)] = drawing, list(_flat(drawing.shapes, drawing.kind, (0.0, 0.0)))
    return _SEEN[id(drawing)][1]


def _flat(shapes: tuple[Shape, ...], role: str, at: Point) -> Iterator[Solid]:
    for shape in shapes:
        own = f"{role} {shape.role}".strip()
        if isinstance(shape, Group):
            yield from _flat(shape.shapes, own, (at[0] + shape.at[0], at[1] + shape.at[1]))
        elif isinstance(shape, Path):
            steps = tuple(
                (letter, tuple((at[0] + x, at[1] + y) for x, y in to)) for letter, to in shape.steps
            )
            yield replace(shape, steps=steps, role=own)
        else:
            yield replace(shape, x=at[0] + shape.x, y=at[1] + shape.y, role=own)


def paths(drawing: Drawing, prefix: str = "") -> dict[str, Path]:
    """The paths whose names begin like this, by the rest of their names."""
    named = [shape for shape in flat(drawing) if isinstance(shape, Path) and shape.name.startswith(prefix)]
    return {shape.name.removeprefix(prefix): shape for shape in named}


def rects(drawing: Drawing, prefix: str = "") -> dict[str, Rect]:
    """The rectangles whose names begin like this, by the rest of their names."""
    named = [shape for shape in flat(drawing) if isinstance(shape, Rect) and shape.name.startswith(prefix)]
    return {shape.name.removeprefix(prefix): shape for shape in named}


def circles(drawing: Drawing, prefix: str = "") -> dict[str, Circle]:
    """The circles whose names begin like this, by the rest of their names."""
    named = [shape for shape in flat(drawing) if isinstance(shape, Circle) and shape.name.startswith(prefix)]
    return {shape.name.removeprefix(prefix): shape for shape in named}


def texts(drawing: Drawing, role: str = "") -> list[Text]:
    """The texts with this word among their roles, or all."""
    found = [shape for shape in flat(drawing) if isinstance(shape, Text)]
    return [text for text in found if not role or role in text.role.split()]


def points_of(path: Path) -> list[Point]:
    """All points of a path, also those that only bend it."""
    return [point for _, points in path.steps for point in points]


def dense(path: Path) -> list[Point]:
    """Points close to one another along a path."""
    found: list[Point] = []
    for letter, points in path.steps:
        if letter == "M":
            found.append(points[0])
        elif letter == "L":
            (x, y), (to_x, to_y) = found[-1], points[0]
            found += [(x + (to_x - x) * i / 50, y + (to_y - y) * i / 50) for i in range(1, 51)]
        elif letter == "C":
            start, (one, other, end) = found[-1], points
            found += [_bezier(start, one, other, end, i / 50) for i in range(1, 51)]
    return found


def _bezier(start: Point, one: Point, other: Point, end: Point, t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x, y = (
        sum(w * p[axis] for w, p in zip(weights, (start, one, other, end), strict=True)) for axis in (0, 1)
    )
    return x, y
