"""Line charts, and the axes that all charts have."""

import math
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from flat import circles, flat, paths, points_of, texts
from scale import value_at

from vidnas.report.geometry.curves import LETTER, LETTER_HEIGHT, Chart, Line, Range, draw_curves, draw_lines
from vidnas.report.geometry.palette import series
from vidnas.report.geometry.scales import LEFT, TOP
from vidnas.report.geometry.shapes import Drawing, Path, Text

Saved = Callable[[Drawing, str], bytes]
RIGHT, BOTTOM = 350, 200


def drawn(*lines: Line, share: bool = False) -> Chart:
    chart = draw_lines("Loss", lines, share=share)
    assert chart is not None
    return chart


def way(chart: Chart, name: str = "train") -> list[tuple[float, float]]:
    return points_of(paths(chart.drawing, "line-")[name])


def y_values(chart: Chart, name: str = "train") -> list[float]:
    return [value_at(texts(chart.drawing, "y"), y, "y") for _, y in way(chart, name)]


@pytest.mark.parametrize(
    "values", [[2.3, 1.1, 0.07, 0.9], [1e-4, 5e-5, 3e-4], [-3.0, 12.0], [150.0, 900.0, 420.0]]
)
def test_every_point_stands_where_the_axes_say(values: list[float]) -> None:
    chart = drawn(Line("train", list(enumerate(values, start=1))))
    span = max(values) - min(values)
    labels = texts(chart.drawing, "y")
    assert (labels[0].y, labels[-1].y) == pytest.approx((BOTTOM, TOP))
    for epoch, (value, (x, y)) in enumerate(zip(values, way(chart), strict=True), start=1):
        assert value_at(labels, y, "y") == pytest.approx(value, abs=span / 300)
        assert value_at(texts(chart.drawing, "x"), x, "x") == pytest.approx(epoch, abs=0.02)
        assert LEFT <= x <= RIGHT
        assert TOP <= y <= BOTTOM


def test_shares_stand_on_an_axis_from_0_to_100_per_cent() -> None:
    chart = drawn(Line("val", [(1, 0.2), (2, 0.6)]), share=True)
    assert [text.text for text in texts(chart.drawing, "y")] == ["0%", "25%", "50%", "75%", "100%"]
    assert y_values(chart, "val") == pytest.approx([20, 60], abs=0.1)


@pytest.mark.parametrize("gap", [None, math.nan, math.inf])
def test_a_missing_epoch_is_a_gap_and_a_lonely_one_a_dot(gap: float | None) -> None:
    missing = [] if gap is None else [(3, gap), (5, gap)]
    chart = drawn(Line("train", sorted([(1, 3.0), (2, 2.0), (4, 1.0), (6, 2.0), (7, 2.0), *missing])))
    steps = paths(chart.drawing, "line-")["train"].steps
    assert [letter for letter, _ in steps] == ["M", "L", "M", "M", "L"]
    (dot,) = [shape for name, shape in circles(chart.drawing, "dot-").items()]
    assert value_at(texts(chart.drawing, "x"), dot.x, "x") == pytest.approx(4, abs=0.02)


@pytest.mark.parametrize("value", [0.0, 5.0, -2.0])
def test_one_epoch_and_a_constant_are_drawn_too(value: float) -> None:
    assert len(circles(drawn(Line("train", [(1, value)])).drawing, "dot-")) == 1
    constant = drawn(Line("train", [(1, value), (2, value)]))
    assert y_values(constant) == pytest.approx([value] * 2, abs=0.02)


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 20, 50, 600, 12345])
def test_epochs_have_few_labels_and_whole_ones(epochs: int) -> None:
    chart = drawn(Line("train", [(epoch, 1.0 / epoch) for epoch in range(1, epochs + 1)]))
    numbers = [float(text.text) for text in texts(chart.drawing, "x")]
    assert len(numbers) <= 8
    assert all(number == int(number) for number in numbers)
    assert numbers[0] == 1
    assert [text.text for text in texts(chart.drawing, "axis")] == ["epoch"]


def test_axes_may_reach_further_than_the_lines() -> None:
    over = Range((1, 30), (0.0, 0.8), 200, 150)
    chart = draw_lines("Loss", [Line("train", [(1, 0.2), (2, 0.3)])], share=True, over=over)
    assert chart is not None
    assert y_values(chart) == pytest.approx([20, 30], abs=0.1)
    assert max(x for x, _ in way(chart)) < LEFT + 10
    assert (chart.drawing.width, chart.drawing.height) == (200, 150)


def test_it_says_in_words_what_it_shows() -> None:
    chart = drawn(Line("train", [(1, 0.2), (9, 0.93)]), Line("val", [(1, 0.1), (9, 0.5)]), share=True)
    assert chart.drawing.text == "Loss: train from 20.0 % to 93.0 %; val from 10.0 % to 50.0 %"
    assert {name: path.title for name, path in paths(chart.drawing, "line-").items()} == {
        "train": "train",
        "val": "val",
    }


def test_there_is_no_chart_of_nothing() -> None:
    assert draw_lines("Loss", [Line("train", [])]) is None
    assert draw_lines("Loss", [Line("train", [(1, math.nan)])]) is None


def test_more_lines_than_colours_differ_in_their_dashes() -> None:
    chart = drawn(*(Line(str(i), [(1, 1), (2, 2)], series(i)) for i in range(18)))
    roles = [path.role.partition("line ")[2] for path in paths(chart.drawing, "line-").values()]
    assert (roles[5], roles[6], roles[17]) == ("s5", "s0 dashed", "s5 dotted")
    assert len(set(roles)) == 18
    assert chart.legend == tuple((str(i), series(i)) for i in range(18))


RISING = [(n, 0.9 - 0.8 * math.exp(-n / 9)) for n in range(1, 61)]
STEEP = [(n, min(0.9, 0.1 * n)) for n in range(1, 61)]
FLAT = [(n, 0.86 + 0.005 * (-1) ** n) for n in range(1, 61)]
PERFECT = [(n, 1.0) for n in range(1, 61)]


def mark_texts(chart: Chart, text: str) -> list[Text]:
    return [one for one in texts(chart.drawing, "marktext") if one.text == text]


@pytest.mark.parametrize("curve", [RISING, STEEP, FLAT, PERFECT, [(1, 0.3)], RISING[::-1]])
@pytest.mark.parametrize("level", [0.0, 0.125, 0.5, 0.875, 1.0])
@pytest.mark.parametrize("uprights", [[], [(40, "found")]])
def test_the_text_of_a_level_lies_on_no_line_and_in_the_chart(
    curve: list[tuple[int, float]], level: float, uprights: list[tuple[int, str]]
) -> None:
    line = Line("train", [(n, y) for n, (_, y) in enumerate(curve, start=1)])
    chart = draw_lines("Accuracy", [line], share=True, levels=[(level, "test 87.5 %")], uprights=uprights)
    assert chart is not None
    (mark,) = mark_texts(chart, "test 87.5 %")
    solid = [shape for shape in flat(chart.drawing) if isinstance(shape, Path)]
    dashed = [points_of(path) for path in solid if "mark" in path.role.split()]
    at = next(one[0][1] for one in dashed if one[0][1] == one[1][1])
    assert value_at(texts(chart.drawing, "y"), at, "y") == pytest.approx(100 * level, abs=0.1)
    half = LETTER * len(mark.text) / 2
    left, right = mark.x - half, mark.x + half
    top, bottom = mark.y - LETTER_HEIGHT / 2, mark.y + LETTER_HEIGHT / 2
    assert left >= LEFT and right <= RIGHT and top >= TOP and bottom <= BOTTOM
    assert not top <= at <= bottom
    assert abs(mark.y - at) <= 2 * LETTER_HEIGHT
    for (x, y), (to_x, to_y) in pairwise(way(chart)):
        for step in range(101):
            place = x + (to_x - x) * step / 100, y + (to_y - y) * step / 100
            assert not (left <= place[0] <= right and top <= place[1] <= bottom)
    walls = [one[0][0] for one in dashed if one[0][0] == one[1][0]]
    assert len(walls) == (len(uprights) if len(curve) > 1 else 0)
    assert not any(left <= x <= right for x in walls)


def test_where_lines_are_everywhere_a_level_has_a_text_all_the_same() -> None:
    zigzag = Line("train", [(n, n % 2) for n in range(400)])
    chart = draw_lines("Accuracy", [zigzag], share=True, levels=[(0.5, "test 50.0 %")])
    assert chart is not None and mark_texts(chart, "test 50.0 %")


def test_every_chart_of_a_file_has_its_title_and_those_with_a_choice_a_legend() -> None:
    two = drawn(Line("train", [(1, 2.0), (2, 1.0)]), Line("val", [(1, 2.5)], "s1"))
    one = draw_lines("accuracy", [Line("val", [(1, 0.1), (2, 0.2), (3, 0.3)])], share=True)
    drawing = draw_curves([two, one, None])
    assert [text.text for text in texts(drawing, "title")] == ["Loss", "accuracy"]
    assert [text.text for text in texts(drawing, "name")] == ["train", "val"]
    assert set(paths(drawing, "line-")) == {"train", "val"}
    assert [text.text for text in texts(drawing, "axis")] == ["epoch", "epoch"]


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_many_charts_stand_in_rows_and_are_saved(saved: Saved, count: int) -> None:
    charts = [draw_lines(f"panel {i}", [Line("a", [(1, 1.0), (3, 2.5), (4, 3)])]) for i in range(count)]
    drawing = draw_curves(charts)
    titles = texts(drawing, "title")
    assert len({(text.x, text.y) for text in titles}) == count
    assert len({text.y for text in titles}) == math.ceil(count / 3)
    assert saved(drawing, ".png")


def test_equal_input_gives_equal_files(saved: Saved) -> None:
    charts = [drawn(Line("train", [(1, 2.0), (2, 1.0)]), Line("val", [(1, 2.5), (2, 2.0)], "s1"))]
    first, second = (saved(draw_curves(charts), ".svg") for _ in range(2))
    assert first == second
    assert re.search("accuracy|Loss", first.decode())
