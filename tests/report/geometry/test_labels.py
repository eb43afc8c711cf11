import random

import pytest

from vidnas.report.geometry.labels import Place, Spot, place_labels

INSIDE = (0.0, 0.0, 300.0, 200.0)
RADIUS = 4.0


def meet(one: Place, spot: Spot, x: float, y: float, width: float, height: float) -> bool:
    """Whether the label of `spot` at `one` covers a part of the box around (x, y)."""
    apart = ((spot.width + width) / 2, (spot.height + height) / 2)
    return abs(one.x - x) < apart[0] - 1e-6 and abs(one.y - y) < apart[1] - 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_labels_cover_no_label_and_no_point_and_stay_inside(seed: int) -> None:
    draw = random.Random(seed)
    spots = [
        Spot(draw.gauss(150, 30), y := draw.gauss(100, 25), y - 20, y + 20, 14.0, 11.0) for _ in range(25)
    ]
    placed = [
        (place, spot)
        for place, spot in zip(place_labels(spots, radius=RADIUS, inside=INSIDE), spots, strict=True)
        if place
    ]
    assert len(placed) > 20
    for i, (place, spot) in enumerate(placed):
        assert spot.width / 2 <= place.x <= 300 - spot.width / 2
        assert spot.height / 2 <= place.y <= 200 - spot.height / 2
        assert not any(meet(place, spot, other.x, other.y, 2 * RADIUS, 2 * RADIUS) for other in spots)
        assert not any(meet(place, spot, at.x, at.y, own.width, own.height) for at, own in placed[:i])


def test_a_lonely_label_stands_at_the_right_of_its_point() -> None:
    (place,) = place_labels([Spot(150.0, 100.0, 80.0, 120.0, 10.0, 10.0)], radius=RADIUS, inside=INSIDE)
    assert place is not None
    assert place.x > 150 + RADIUS
    assert (place.y, place.far) == (100, False)


def test_a_label_keeps_off_the_whisker_of_another() -> None:
    spots = [Spot(150.0, 100.0, 80.0, 120.0, 10.0, 10.0), Spot(159.0, 20.0, 10.0, 150.0, 10.0, 10.0)]
    (place, _) = place_labels(spots, radius=RADIUS, inside=INSIDE)
    assert place is not None
    assert place.x < 150


def test_a_label_without_room_is_left_off() -> None:
    spots = [Spot(5.0, 5.0, 5.0, 5.0, 20.0, 20.0)]
    assert place_labels(spots, radius=RADIUS, inside=(0.0, 0.0, 10.0, 10.0)) == [None]
