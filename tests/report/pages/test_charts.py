import math
import re
from itertools import pairwise

import pytest

from vidnas.report.pages.charts import (
    BOTTOM,
    LEFT,
    LETTER,
    LETTER_HEIGHT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Line,
    Rated,
    Tick,
    draw_lines,
    draw_tradeoff,
)


def value_at(ticks: tuple[Tick, ...], place: float) -> float:
    """What the labels of an axis say about a place between them."""
    first, last = ticks[0], ticks[-1]
    low, high = (float(tick.text.rstrip("%")) for tick in (first, last))
    return low + (place - first.at) / (last.at - first.at) * (high - low)


def points_of(chart: Chart, line: int = 0) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) ([^ML]+)", chart.lines[line].path)]


def drawn(*lines: Line, share: bool = False) -> Chart:
    chart = draw_lines("Loss", lines, share=share)
    assert chart is not None
    return chart


@pytest.mark.parametrize(
    "values", [[2.3, 1.1, 0.07, 0.9], [1e-4, 5e-5, 3e-4], [-3.0, 12.0], [150.0, 900.0, 420.0]]
)
def test_every_point_stands_where_the_axes_say(values: list[float]) -> None:
    chart = drawn(Line("train", list(enumerate(values, start=1))))
    span = max(values) - min(values)
    assert (chart.y_ticks[0].at, chart.y_ticks[-1].at) == (BOTTOM, TOP)
    for epoch, (value, (x, y)) in enumerate(zip(values, points_of(chart), strict=True), start=1):
        assert value_at(chart.y_ticks, y) == pytest.approx(value, abs=span / 300)
        assert value_at(chart.x_ticks, x) == pytest.approx(epoch, abs=0.02)
        assert LEFT <= x <= RIGHT
        assert TOP <= y <= BOTTOM


def test_shares_stand_on_an_axis_from_0_to_100_per_cent() -> None:
    chart = drawn(Line("val", [(1, 0.2), (2, 0.6)]), share=True)
    assert [tick.text for tick in chart.y_ticks] == ["0%", "25%", "50%", "75%", "100%"]
    assert [value_at(chart.y_ticks, y) for _, y in points_of(chart)] == pytest.approx([20, 60], abs=0.1)


def test_a_missing_epoch_is_a_gap_and_a_lonely_one_a_dot() -> None:
    chart = drawn(Line("train", [(1, 3), (2, 2), (4, 1), (6, 2), (7, 2)]))
    assert re.findall("[ML]", chart.lines[0].path) == ["M", "L", "M", "M", "L"]
    assert len(chart.lines[0].dots) == 1
    assert value_at(chart.x_ticks, chart.lines[0].dots[0][0]) == pytest.approx(4, abs=0.02)


@pytest.mark.parametrize("value", [0.0, 5.0, -2.0])
def test_one_epoch_and_a_constant_are_drawn_too(value: float) -> None:
    chart = drawn(Line("train", [(1, value)]))
    assert len(chart.lines[0].dots) == 1
    constant = drawn(Line("train", [(1, value), (2, value)]))
    assert [value_at(constant.y_ticks, y) for _, y in points_of(constant)] == pytest.approx(
        [value] * 2, abs=0.02
    )


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 20, 50, 600, 12345])
def test_epochs_have_few_labels_and_whole_ones(epochs: int) -> None:
    chart = drawn(Line("train", [(epoch, 1.0 / epoch) for epoch in range(1, epochs + 1)]))
    numbers = [float(tick.text) for tick in chart.x_ticks]
    assert len(numbers) <= 8
    assert all(number == int(number) for number in numbers)
    assert numbers[0] == 1


def test_it_says_in_words_what_it_shows() -> None:
    chart = drawn(Line("train", [(1, 0.2), (9, 0.93)]), Line("val", [(1, 0.1), (9, 0.5)]), share=True)
    assert chart.text == "Loss: train from 20.0 % to 93.0 %; val from 10.0 % to 50.0 %"


def test_there_is_no_chart_of_nothing() -> None:
    assert draw_lines("Loss", [Line("train", [])]) is None
    assert draw_tradeoff([]) is None


def test_more_lines_than_colours_differ_in_their_dashes() -> None:
    chart = drawn(*(Line(str(i), [(1, 1), (2, 2)], i) for i in range(18)))
    classes = [line.series for line in chart.lines]
    assert (classes[5], classes[6], classes[17]) == ("s5", "s0 dashed", "s5 dotted")
    assert len(set(classes)) == 18


def test_accuracy_stands_against_the_logarithm_of_the_parameters() -> None:
    chart = draw_tradeoff([Rated("a", 10_000, 0.5, 0.4, 0.6), Rated("b", 1_000_000, 0.9, 0.8, 1.0, 7)])
    assert chart is not None
    ticks = {tick.text: tick.at for tick in chart.x_ticks}
    a, b = chart.points
    assert a.x == pytest.approx(ticks["10 k"])
    assert b.x == pytest.approx(ticks["1 M"])
    assert (ticks["100 k"] - a.x) == pytest.approx(b.x - ticks["100 k"])
    assert (ticks["20 k"] - a.x) / (ticks["100 k"] - a.x) == pytest.approx(math.log10(2))
    assert [value_at(chart.y_ticks, y) for y in (a.at, a.low, a.high)] == pytest.approx([50, 40, 60])
    assert b.series == "s1 dashed"
    assert "b: 90.0 % with 1,000,000 parameters" in chart.text


def test_the_cost_may_have_a_unit() -> None:
    chart = draw_tradeoff([Rated("a", 12.5, 0.5, 0.4, 0.6)], "latency", "ms")
    assert chart is not None
    assert chart.xlabel == "latency, ms (logarithmic)"
    assert chart.text == "Accuracy against latency: a: 50.0 % with 12.5 ms latency"


@pytest.mark.parametrize("cost", [1.0, 2.1, 3.1, 4.9, 9.9])
def test_the_axes_of_a_single_network_have_labels(cost: float) -> None:
    chart = draw_tradeoff([Rated("a", cost, 0.5, 0.5, 0.5)])
    assert chart is not None
    assert chart.x_ticks
    assert len(chart.y_ticks) > 1


def test_labels_of_crowded_networks_lie_apart_and_within_the_chart() -> None:
    crowd = [
        Rated(f"n{i}", 600_000 + 4_000 * i, 0.6 + i % 5 / 100, 0.5, 0.7, i, label=str(i)) for i in range(20)
    ]
    chart = draw_tradeoff([*crowd, Rated("far", 80_000_000, 0.5, 0.4, 0.6, label="20")])
    assert chart is not None
    places = [mark.place for mark in chart.points if mark.place]
    assert len(places) > 15
    for i, one in enumerate(places):
        assert LEFT < one.x < WIDTH
        assert TOP < one.y < BOTTOM
        for other in places[:i]:
            assert abs(one.x - other.x) >= LETTER or abs(one.y - other.y) >= LETTER_HEIGHT - 1e-6


RISING = [(n, 0.9 - 0.8 * math.exp(-n / 9)) for n in range(1, 61)]
STEEP = [(n, min(0.9, 0.1 * n)) for n in range(1, 61)]
FLAT = [(n, 0.86 + 0.005 * (-1) ** n) for n in range(1, 61)]
PERFECT = [(n, 1.0) for n in range(1, 61)]


@pytest.mark.parametrize("curve", [RISING, STEEP, FLAT, PERFECT, [(1, 0.3)], RISING[::-1]])
@pytest.mark.parametrize("level", [0.0, 0.125, 0.5, 0.875, 1.0])
@pytest.mark.parametrize("uprights", [[], [(40, "found")]])
def test_the_text_of_a_level_lies_on_no_line_and_in_the_chart(
    curve: list[tuple[int, float]], level: float, uprights: list[tuple[int, str]]
) -> None:
    line = Line("train", [(n, y) for n, (_, y) in enumerate(curve, start=1)])
    chart = draw_lines("Accuracy", [line], share=True, levels=[(level, "test 87.5 %")], uprights=uprights)
    assert chart is not None
    (mark,) = chart.levels
    assert mark.place is not None
    half = LETTER * len(mark.text) / 2
    left, right = mark.place.x - half, mark.place.x + half
    top, bottom = mark.place.y - LETTER_HEIGHT / 2, mark.place.y + LETTER_HEIGHT / 2
    assert left >= LEFT and right <= RIGHT and top >= TOP and bottom <= BOTTOM
    assert not top <= mark.at <= bottom
    assert abs(mark.place.y - mark.at) <= 2 * LETTER_HEIGHT
    points = points_of(chart)
    for (x, y), (to_x, to_y) in pairwise(points):
        for step in range(101):
            at = x + (to_x - x) * step / 100, y + (to_y - y) * step / 100
            assert not (left <= at[0] <= right and top <= at[1] <= bottom)
    assert not any(left <= upright.at <= right for upright in chart.uprights)


def test_where_lines_are_everywhere_a_level_has_a_text_all_the_same() -> None:
    zigzag = Line("train", [(n, n % 2) for n in range(400)])
    chart = draw_lines("Accuracy", [zigzag], share=True, levels=[(0.5, "test 50.0 %")])
    assert chart is not None and chart.levels[0].place is not None
