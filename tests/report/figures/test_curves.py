from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from vidnas.report.figures.curves import draw_curves

Saved = Callable[[Figure, str], bytes]


def test_every_quantity_has_a_panel_and_every_series_a_line() -> None:
    figure = draw_curves({"loss": {"train": [2.0, 1.0], "val": [2.5]}, "accuracy": {"val": [0.1, 0.2, 0.3]}})
    found = {
        axes.get_title(loc="left"): {str(line.get_label()): line.get_xydata() for line in axes.lines}
        for axes in figure.axes
    }
    assert {title: set(lines) for title, lines in found.items()} == {
        "loss": {"train", "val"},
        "accuracy": {"val"},
    }
    assert found["loss"]["train"] == pytest.approx(np.array([[1, 2.0], [2, 1.0]]))
    assert [axes.get_xlabel() for axes in figure.axes] == ["epoch", "epoch"]


def test_a_series_has_one_color_in_all_panels() -> None:
    figure = draw_curves({"loss": {"train": [1.0], "val": [2.0]}, "accuracy": {"val": [0.1]}})
    (train, val), (again,) = (axes.lines for axes in figure.axes)
    assert val.get_color() == again.get_color() != train.get_color()


def test_a_legend_stands_where_there_is_a_choice() -> None:
    figure = draw_curves({"loss": {"train": [1.0, 2.0], "val": [2.0, 1.0]}, "lr": {"weights": [0.1, 0.2]}})
    assert [axes.get_legend() is not None for axes in figure.axes] == [True, False]


def test_a_single_value_is_a_visible_dot() -> None:
    figure = draw_curves({"loss": {"one": [1.0], "two": [1.0, 2.0]}})
    assert [line.get_marker() for line in figure.axes[0].lines] == ["o", "None"]


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_gaps_whole_numbers_and_many_panels_are_drawn(saved: Saved, count: int) -> None:
    figure = draw_curves({f"panel {i}": {"a": [1, None, 2.5, float("nan"), 3]} for i in range(count)})
    assert len(figure.axes) == count
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).tolist() == [False, True, False, True, False]
    assert saved(figure, ".png")


def test_equal_input_gives_equal_files(saved: Saved) -> None:
    figures = [draw_curves({"loss": {"train": [2.0, 1.0], "val": [2.5, 2.0]}}) for _ in range(2)]
    assert saved(figures[0], ".svg") == saved(figures[1], ".svg")
