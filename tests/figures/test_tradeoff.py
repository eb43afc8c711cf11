import numpy as np
from matplotlib.collections import LineCollection

from vidnas.figures.tradeoff import Point, draw_tradeoff

POINTS = [
    Point("searched", 0.6, 0.5, 0.7, {"parameters": 665_965, "MACs": 9.1e8}),
    Point("c3d", 0.5, 0.4, 0.6, {"parameters": 78_409_573, "MACs": 3.9e10}),
    Point("x3d-xs", 0.55, 0.45, 0.65, {"parameters": 3_181_623, "MACs": 6.3e8}),
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
    assert told == ["1", "searched", "60%", "2", "c3d", "50%", "3", "x3d-xs", "55%"]


def test_the_reference_alone_has_a_colour_of_its_own() -> None:
    figure = draw_tradeoff(POINTS, reference="searched", caption="UCF101")
    own, *others = [line.get_color() for line in figure.axes[0].lines]
    assert own not in others
    assert len(set(others)) == 1


def test_twenty_names_still_fit_one_under_the_other() -> None:
    many = [Point(f"n{i}", i / 20, 0.0, 1.0, {"parameters": 10.0 + i}) for i in range(20)]
    figure = draw_tradeoff(many, reference="n3", caption="")
    heights = sorted({text.get_position()[1] for text in figure.axes[-1].texts})
    assert len(heights) == 20
    assert heights[0] > 0
    assert heights[-1] < 1
