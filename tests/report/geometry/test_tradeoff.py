import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path as File

import pytest
from flat import circles, flat, paths, points_of, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scale import value_at

from vidnas.compare.rows import Comparison
from vidnas.report.figures.formats import FORMATS
from vidnas.report.figures.paint import paint
from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.curves import LETTER, LETTER_HEIGHT, Chart
from vidnas.report.geometry.scales import LEFT, TOP
from vidnas.report.geometry.shapes import Circle, Drawing, Path
from vidnas.report.geometry.tradeoff import (
    PARAMETERS,
    Kind,
    Rated,
    draw_sheet,
    draw_tradeoff,
    draw_tradeoffs,
    rate,
)

WIDTH, BOTTOM = 360, 200
MACS, LATENCY = Kind("MACs"), Kind("latency", "ms")
NETWORKS = [
    Rated("searched", 0.6, 0.5, 0.7, {PARAMETERS: 665_965, MACS: 9.1e8}, "s0", "1", reference=True),
    Rated("c3d", 0.5, 0.4, 0.6, {PARAMETERS: 78_409_573, MACS: 3.9e10}, "s1", "2"),
    Rated("x3d-xs", 0.55, 0.45, 0.65, {PARAMETERS: 3_181_623, MACS: 6.3e8}, "s2 dashed", "3"),
]


def rated(
    name: str, cost: float, accuracy: float, low: float, high: float, role: str = "s0", label: str = ""
) -> Rated:
    return Rated(name, accuracy, low, high, {PARAMETERS: cost}, role, label)


def drawn(*networks: Rated, kind: Kind = PARAMETERS) -> Chart:
    chart = draw_tradeoff(networks, kind)
    assert chart is not None
    return chart


def places(drawing: Drawing) -> dict[str, tuple[float, float]]:
    """The middle of every network's point."""
    found = {name: (dot.x, dot.y) for name, dot in circles(drawing, "dot-").items()}
    for name, lozenge in paths(drawing, "dot-").items():
        xs, ys = zip(*points_of(lozenge), strict=True)
        found[name] = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return found


def test_accuracy_stands_against_the_logarithm_of_the_parameters() -> None:
    chart = drawn(rated("a", 10_000, 0.5, 0.4, 0.6), rated("b", 1_000_000, 0.9, 0.8, 1.0, role="s1 dashed"))
    ticks = {text.text: text.x for text in texts(chart.drawing, "x")}
    (a, a_y), (b, _) = (places(chart.drawing)[name] for name in "ab")
    assert a == pytest.approx(ticks["10 k"])
    assert b == pytest.approx(ticks["1 M"])
    assert (ticks["100 k"] - a) == pytest.approx(b - ticks["100 k"])
    assert (ticks["20 k"] - a) / (ticks["100 k"] - a) == pytest.approx(math.log10(2))
    (low_x, low), (_, high) = points_of(paths(chart.drawing, "whisker-")["a"])
    labels = texts(chart.drawing, "y")
    assert [value_at(labels, y, "y") for y in (a_y, low, high)] == pytest.approx([50, 40, 60])
    assert low_x == a
    assert circles(chart.drawing, "dot-")["b"].role == "chart dot s1 dashed"
    assert "b: 90.0 % with 1,000,000 parameters" in chart.drawing.text
    assert circles(chart.drawing, "dot-")["b"].title == "b: 90.0 % with 1,000,000 parameters"


def test_the_cost_may_have_a_unit() -> None:
    chart = drawn(Rated("a", 0.5, 0.4, 0.6, {LATENCY: 12.5}), kind=LATENCY)
    assert [text.text for text in texts(chart.drawing, "axis")] == ["latency, ms (logarithmic)"]
    assert chart.drawing.text == "Accuracy against latency: a: 50.0 % with 12.5 ms latency"


def test_there_is_no_chart_of_nothing() -> None:
    assert draw_tradeoff([]) is None
    assert draw_tradeoffs([]) == []


@pytest.mark.parametrize("accuracy", [0.0, 0.37, 1.0])
@pytest.mark.parametrize("cost", [1.0, 2.1, 3.1, 4.9, 9.9])
def test_the_axes_of_a_single_network_have_labels(cost: float, accuracy: float) -> None:
    chart = drawn(rated("a", cost, accuracy, accuracy, accuracy))
    assert texts(chart.drawing, "x")
    assert len(texts(chart.drawing, "y")) > 1
    ((x, y),) = places(chart.drawing).values()
    assert LEFT <= x <= WIDTH and TOP <= y <= BOTTOM


def test_labels_of_crowded_networks_lie_apart_and_within_the_chart() -> None:
    crowd = [
        rated(f"n{i}", 600_000 + 4_000 * i, 0.6 + i % 5 / 100, 0.5, 0.7, label=str(i)) for i in range(20)
    ]
    chart = drawn(*crowd, rated("far", 80_000_000, 0.5, 0.4, 0.6, label="20"))
    found = texts(chart.drawing, "marktext")
    assert len(found) > 15
    for i, one in enumerate(found):
        assert LEFT < one.x < WIDTH
        assert TOP < one.y < BOTTOM
        for other in found[:i]:
            assert abs(one.x - other.x) >= LETTER or abs(one.y - other.y) >= LETTER_HEIGHT - 1e-6


def test_labels_of_a_file_lie_apart_in_its_own_letters() -> None:
    crowd = [
        rated(f"n{i}", 600_000 + 4_000 * i, 0.6 + i % 5 / 100, 0.5, 0.7, label=str(i + 1)) for i in range(20)
    ]
    figure = paint(drawn(*crowd, rated("far", 8e7, 0.5, 0.4, 0.6, label="21")).drawing)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    numbers = [text for text in figure.axes[0].texts if text.get_text().isdigit()]
    boxes = [text.get_window_extent(renderer) for text in numbers]
    assert len(boxes) > 15
    assert sum(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i]) == 0


def test_every_kind_of_cost_has_a_panel_with_every_network_at_its_height() -> None:
    sheet = draw_sheet(NETWORKS, caption="UCF101")
    assert [text.text for text in texts(sheet, "title")] == [
        "Accuracy against parameters",
        "Accuracy against MACs",
    ]
    dots = [shape.name for shape in flat(sheet) if shape.name.startswith("dot-")]
    assert dots == 2 * ["dot-x3d-xs", "dot-c3d", "dot-searched"]
    for chart in draw_tradeoffs(NETWORKS):
        labels = texts(chart.drawing, "y")
        heights = {name: value_at(labels, y, "y") for name, (_, y) in places(chart.drawing).items()}
        assert heights == pytest.approx({one.name: 100 * one.accuracy for one in NETWORKS})


def test_numbers_lead_from_the_points_to_the_names_and_accuracies() -> None:
    sheet = draw_sheet(NETWORKS, caption="UCF101")
    told = [text.text for text in texts(sheet) if {"name", "strong"} & set(text.role.split())]
    assert told[-9:] == ["1", "60%", "searched", "2", "50%", "c3d", "3", "55%", "x3d-xs"]
    for chart in draw_tradeoffs(NETWORKS):
        numbers = [*texts(chart.drawing, "strong"), *texts(chart.drawing, "marktext")]
        assert sorted(text.text for text in numbers) == ["1", "2", "3"]


def test_numbers_are_those_of_the_table_even_where_rows_are_missing() -> None:
    sheet = draw_sheet([NETWORKS[0], NETWORKS[2]], caption="")
    told = [text.text for text in texts(sheet) if {"name", "strong"} & set(text.role.split())]
    assert told[-6::3] == ["1", "3"]


def test_in_a_file_the_reference_alone_has_a_colour_of_its_own() -> None:
    sheet = draw_sheet(NETWORKS, caption="UCF101")
    roles = {name: dot.role.split()[-1] for name, dot in circles(sheet, "dot-").items()}
    assert set(roles.values()) == {"s0"} and set(roles) == {"c3d", "x3d-xs"}
    assert {dot.role.split()[-1] for dot in paths(sheet, "dot-").values()} == {"s1"}


def test_the_reference_is_drawn_over_the_others_and_otherwise_the_first_is_on_top() -> None:
    for networks in (NETWORKS, NETWORKS[::-1]):
        dots = [one for one in flat(drawn(*networks).drawing) if one.name.startswith("dot-")]
        assert isinstance(dots[-1], Path) and dots[-1].name == "dot-searched"
        assert all(isinstance(dot, Circle) for dot in dots[:-1])
    plain = [replace(one, reference=False) for one in NETWORKS]
    assert list(circles(drawn(*plain).drawing, "dot-")) == ["x3d-xs", "c3d", "searched"]


@pytest.mark.parametrize("name", ["not UTF-8 \udcff", "$5 and $x_{", "a$_{$", "long " * 40, "網路"])
def test_any_name_and_caption_can_be_drawn(name: str, tmp_path: File) -> None:
    sheet = draw_sheet([replace(NETWORKS[0], name=name)], caption=name)
    for suffix in FORMATS:
        save_figure(sheet, tmp_path / f"tradeoff{suffix}")


def test_twenty_names_stand_one_under_the_other() -> None:
    many = [rated(f"n{i}", 10.0 + i, i / 20, 0.0, 1.0, label=str(i)) for i in range(20)]
    sheet = draw_sheet(many, caption="")
    heights = sorted({text.y for text in texts(sheet, "name") if text.text.startswith("n")})
    assert len(heights) == 20
    assert min(b - a for a, b in pairwise(heights)) > 13
    assert heights[-1] < sheet.height


def test_every_text_can_be_read_where_the_readme_shows_the_picture_830_pixels_wide() -> None:
    costs = {PARAMETERS: 1.0, MACS: 1.0, LATENCY: 1.0}
    many = [
        Rated(f"network {i}", i / 20, 0.0, 1.0, dict.fromkeys(costs, 1.0 + i), label=str(i), reference=i == 3)
        for i in range(19)
    ]
    figure = paint(draw_sheet(many, caption="UCF101, " * 40))
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    pixels_a_point = 830 / (72 * figure.get_figwidth())
    words = [text for text in figure.axes[0].texts if text.get_text().strip()]
    assert len(words) > 3 * 19 + 3 * 10
    assert min(float(text.get_fontsize()) for text in words) * pixels_a_point > 11
    for text in words:
        extent = text.get_window_extent(renderer)
        assert extent.x0 >= 0 and extent.x1 <= figure.bbox.x1, text
        assert extent.y0 >= 0 and extent.y1 <= figure.bbox.y1, text


def test_the_names_have_a_place_of_their_own_beside_or_below_the_panels() -> None:
    for kinds in ([PARAMETERS], [PARAMETERS, MACS], [PARAMETERS, MACS, LATENCY]):
        costs = dict.fromkeys(kinds, 5.0)
        sheet = draw_sheet([Rated("a", 0.5, 0.4, 0.6, costs, label="1")], caption="")
        (name,) = [text for text in texts(sheet, "name") if text.text == "a"]
        for dot in (shape for shape in flat(sheet) if shape.name == "dot-a"):
            assert isinstance(dot, Circle)
            assert name.x > dot.x - 180 + 360 * (name.y > dot.y + 200) or name.y > dot.y + 100


def test_of_a_comparison_those_networks_are_drawn_that_were_trained(comparison: Comparison) -> None:
    networks = rate(comparison)
    trained = [number for number, row in enumerate(comparison.rows, start=1) if row.accuracy is not None]
    assert [int(one.label) for one in networks] == trained
    assert [one.name for one in networks if one.reference] == ["searched"]
    assert [kind.name for kind in networks[0].costs] == ["parameters", "MACs", "latency"]
