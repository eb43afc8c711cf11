"""Where the labels of points go, so that none covers another: geometry, for pictures and pages alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from vidnas.runs.records import Number

Box = tuple[Number, Number, Number, Number]
"""Left, low, right, high; which way y grows does not matter."""

GAP = 1.5
"""Between a label and its point."""
RINGS = 6
"""So many distances from its point are tried, a label's height apart."""
SIDES = (
    (1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0),
    (1.0, -1.0), (1.0, 1.0), (-1.0, -1.0), (-1.0, 1.0),
    (0.5, -1.0), (0.5, 1.0), (-0.5, -1.0), (-0.5, 1.0),
    (1.0, -0.5), (1.0, 0.5), (-1.0, -0.5), (-1.0, 0.5),
)  # fmt: skip
"""Directions from a point to its label, the best first."""
ON_WHISKER = 1.2
"""What covering one costs, in rings."""


@dataclass(frozen=True)
class Spot:
    """A point with its whisker, and the size of its label."""

    x: Number
    y: Number
    low: Number
    high: Number
    width: Number
    height: Number


@dataclass(frozen=True)
class Place:
    """The middle of a label; `far` from its point it needs a line that leads there."""

    x: Number
    y: Number
    far: bool


def place_labels(spots: Sequence[Spot], *, radius: Number, inside: Box) -> list[Place | None]:
    """A place for each label, near its point, off points of `radius` and off other labels.

    Labels keep within `inside`, and off whiskers where they can. None where a label finds no place.
    """
    points = [_around(spot.x, spot.y, 2 * radius, 2 * radius) for spot in spots]
    whiskers = [(one.x, min(one.low, one.high), one.x, max(one.low, one.high)) for one in spots]
    labels: list[Box] = []
    places: list[Place | None] = []
    for spot in spots:
        place = _best(spot, radius, [*points, *labels], whiskers, inside)
        places.append(place)
        if place:
            labels.append(_around(place.x, place.y, spot.width, spot.height))
    return places


def _best(
    spot: Spot, radius: Number, taken: Sequence[Box], whiskers: Sequence[Box], inside: Box
) -> Place | None:
    """The free place at the least cost: its ring, and what it covers of whiskers."""
    found: list[tuple[float, Place]] = []
    for ring in range(RINGS):
        away = radius + GAP + ring * spot.height
        for right, up in SIDES:
            x, y = spot.x + right * (away + spot.width / 2), spot.y + up * (away + spot.height / 2)
            box = _around(x, y, spot.width, spot.height)
            if _holds(inside, box) and not any(_meet(box, other) for other in taken):
                covered = sum(_meet(box, whisker) for whisker in whiskers)
                found.append((ring + ON_WHISKER * covered, Place(x, y, far=ring > 0)))
    return min(found, key=lambda one: one[0])[1] if found else None


def _around(x: Number, y: Number, width: Number, height: Number) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _holds(outer: Box, box: Box) -> bool:
    return outer[0] <= box[0] and outer[1] <= box[1] and box[2] <= outer[2] and box[3] <= outer[3]


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
