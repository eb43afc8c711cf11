from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vidnas.report.figures.confusion import draw_confusion

Saved = Callable[[Figure, str], bytes]
CAPTION = "Test accuracy: 53.2 % top-1 (95 % interval 50.1 % to 56.0 % over 707 groups); protocol: " * 2


def draw(num_classes: int, name: str = "class") -> tuple[np.ndarray, Figure]:
    counts = np.random.default_rng(0).poisson(2, size=(num_classes, num_classes))
    names = [f"{name}{i}" for i in range(num_classes)]
    return counts, draw_confusion(counts.tolist(), names, caption=CAPTION)


@pytest.mark.parametrize("num_classes", [2, 20, 21, 101])
def test_it_works_for_few_and_many_classes(saved: Saved, num_classes: int) -> None:
    counts, figure = draw(num_classes, name="AVeryLongNameOfAnAction")
    axes = figure.axes[0]
    printed = {tuple(map(int, text.get_position())): text.get_text() for text in axes.texts}
    expected = {(p, t): str(counts[t, p]) for t, p in zip(*np.nonzero(counts), strict=True)}
    assert printed == (expected if num_classes <= 20 else {})
    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == num_classes
    assert saved(figure, ".png")


def test_rows_are_true_classes_and_their_shares_are_the_colors() -> None:
    figure = draw_confusion([[3, 1], [0, 8]], ["run", "walk"], caption="")
    shown = figure.axes[0].images[0].get_array()
    assert shown is not None
    assert shown.tolist() == [[0.75, 0.25], [0, 1]]
    assert figure.axes[0].get_ylabel() == "true class"
    assert figure.axes[0].get_xlabel() == "predicted class"


def test_a_class_without_clips_is_an_empty_row() -> None:
    shown = draw_confusion([[3, 1], [0, 0]], ["run", "walk"], caption="").axes[0].images[0].get_array()
    assert shown is not None
    assert shown.tolist() == [[0.75, 0.25], [0, 0]]


def test_long_names_are_cut_and_short_ones_are_not() -> None:
    names = ["Run", "PlayingTheVeryLongInstrument", "costs 5$ or 6$"]
    axes = draw_confusion(np.eye(3, dtype=int).tolist(), names, caption="").axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [text.get_text() for text in labels] == ["Run", "PlayingTheVeryLongIns…", "costs 5$ or 6$"]


@pytest.mark.parametrize("num_classes", [2, 21])
def test_the_caption_stays_inside_and_above_the_matrix(num_classes: int) -> None:
    _, figure = draw(num_classes)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    caption = next(text for text in figure.texts if "Test accuracy" in text.get_text())
    extent = caption.get_window_extent()
    assert figure.bbox.x0 < extent.x0
    assert extent.x1 < figure.bbox.x1
    assert figure.axes[0].get_window_extent().y1 < extent.y0


def test_equal_input_gives_equal_files(saved: Saved) -> None:
    assert saved(draw(5)[1], ".svg") == saved(draw(5)[1], ".svg")
