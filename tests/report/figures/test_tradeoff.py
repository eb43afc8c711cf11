from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from vidnas.report.figures.save import FORMATS, save_figure, to_pixels
from vidnas.report.figures.tradeoff import Point, draw_tradeoff

POINTS = [
    Point(1, "searched", 0.6, 0.5, 0.7, {"parameters": 665_965, "MACs": 9.1e8}),
    Point(2, "c3d", 0.5, 0.4, 0.6, {"parameters": 78_409_573, "MACs": 3.9e10}),
    Point(3, "x3d-xs", 0.55, 0.45, 0.65, {"parameters": 3_181_623, "MACs": 6.3e8}),
]


def test_every_kind_of_cost_has_a_panel_with_every_network_at_its_place() -> None:
    figure = draw_tradeoff(POINTS, reference="searched", caption="UCF101")
    panels = [axes for axes in figure.axes if axes.get_xlabel()]
    assert [axes.get_xlabel() for axes in panels] == ["parameters", "MACs"]
    for axes in panels:
        places = [tuple(np.asarray(line.get_xydata())[0]) for line in axes.lines]
        assert places == [(point.costs[axes.get_xlabel()], point.accuracy) for point in POINTS]
        assert axes.get_xscale() == "log"
        whiskers = [part for part in axes.collections if isinstance(part, LineCollection)]
        ends = [(low[1], high[1]) for part in whiskers for low, high in np.asarray(part.get_segments())]
        assert ends == [(point.low, point.high) for point in POINTS]


def test_numbers_lead_from_the_points_to_the_names_and_accuracies() -> None:
    figure = draw_tradeoff(POINTS, reference="searched", caption="UCF101")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2", "3"]
    told = [text.get_text() for text in figure.axes[-1].texts]
    assert told == ["1", "60%", "searched", "2", "50%", "c3d", "3", "55%", "x3d-xs"]


def test_the_reference_alone_has_a_colour_of_its_own() -> None:
    figure = draw_tradeoff(POINTS, reference="searched", caption="UCF101")
    own, *others = [line.get_color() for line in figure.axes[0].lines]
    assert own not in others
    assert len(set(others)) == 1


def test_the_reference_is_drawn_over_the_others() -> None:
    figure = draw_tradeoff(POINTS, reference="searched", caption="UCF101")
    own, *others = [line.get_zorder() for line in figure.axes[0].lines]
    assert own > max(others)


@pytest.mark.parametrize("name", ["not UTF-8 \udcff", "$5 and $x_{", "a$_{$", "long " * 40, "網路"])
def test_any_name_and_caption_can_be_drawn(name: str, tmp_path: Path) -> None:
    figure = draw_tradeoff([replace(POINTS[0], name=name)], reference=name, caption=name)
    for suffix in FORMATS:
        save_figure(figure, tmp_path / f"tradeoff{suffix}")


@pytest.mark.parametrize("accuracy", [0.0, 0.37, 1.0])
@pytest.mark.parametrize("cost", [1.0, 2.1, 3.1, 4.9, 9.9])
def test_the_axes_of_a_single_network_have_labels(cost: float, accuracy: float) -> None:
    figure = draw_tradeoff(
        [Point(1, "a", accuracy, accuracy, accuracy, {"parameters": cost})], reference="a", caption=""
    )
    axes = figure.axes[0]
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        assert any(low <= place <= high for place in axis.get_majorticklocs())


def test_numbers_of_a_crowd_lie_apart() -> None:
    crowd = [
        Point(i + 1, f"n{i}", 0.6 + i % 5 / 100, 0.5, 0.7, {"parameters": 600_000.0 + 4_000 * i})
        for i in range(20)
    ]
    far = Point(21, "far", 0.5, 0.4, 0.6, {"parameters": 8e7})
    figure = draw_tradeoff([*crowd, far], reference="n3", caption="")
    to_pixels(figure)
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]  # without the leading lines
    assert len(boxes) > 15
    assert sum(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i]) == 0


def test_twenty_names_still_fit_one_under_the_other() -> None:
    many = [Point(i + 1, f"n{i}", i / 20, 0.0, 1.0, {"parameters": 10.0 + i}) for i in range(20)]
    figure = draw_tradeoff(many, reference="n3", caption="")
    heights = sorted({text.get_position()[1] for text in figure.axes[-1].texts})
    assert len(heights) == 20
    assert heights[0] > 0
    assert heights[-1] < 1


def test_every_text_can_be_read_where_the_readme_shows_the_picture_830_pixels_wide() -> None:
    kinds = ("parameters", "MACs", "latency, ms")
    many = [Point(i + 1, f"network {i}", i / 20, 0.0, 1.0, dict.fromkeys(kinds, 1.0 + i)) for i in range(19)]
    figure = draw_tradeoff(many, reference="network 3", caption="UCF101, " * 40)
    to_pixels(figure)
    pixels_a_point = 830 / (72 * figure.get_figwidth())
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    assert len(texts) > 3 * 19 + 3 * 10
    assert min(float(text.get_fontsize()) for text in texts) * pixels_a_point > 11
    caption = figure.texts[0].get_window_extent()
    assert caption.x1 <= figure.bbox.x1
    assert caption.y0 >= 0


def test_the_names_have_a_place_of_their_own_beside_or_below_the_panels() -> None:
    for num_kinds in (1, 2, 3):
        kinds = {f"kind {number}": 5.0 for number in range(num_kinds)}
        figure = draw_tradeoff([Point(1, "a", 0.5, 0.4, 0.6, kinds)], reference="a", caption="")
        boxes = [axes.get_position() for axes in figure.axes]
        assert len(boxes) == num_kinds + 1
        assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_numbers_are_those_of_the_table_even_where_rows_are_missing() -> None:
    figure = draw_tradeoff([POINTS[0], POINTS[2]], reference="searched", caption="")
    assert [text.get_text() for text in figure.axes[-1].texts][::3] == ["1", "3"]
