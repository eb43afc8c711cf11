from collections.abc import Callable

import numpy as np
import pytest
from flat import flat, paths, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg

from vidnas.report.figures.paint import paint
from vidnas.report.geometry.confusion import SHADES, confused, draw_confusion, draw_matrix
from vidnas.report.geometry.shapes import Drawing, Path, Rect

Saved = Callable[[Drawing, str], bytes]
CAPTION = "Test accuracy: 53.2 % top-1 (95 % interval 50.1 % to 56.0 % over 707 groups); protocol: " * 2


def draw(num_classes: int, name: str = "class") -> tuple[np.ndarray, Drawing]:
    counts = np.random.default_rng(0).poisson(2, size=(num_classes, num_classes))
    names = [f"{name}{i}" for i in range(num_classes)]
    return counts, draw_confusion(counts.tolist(), names, caption=CAPTION)


def squares(drawing: Drawing) -> dict[int, int]:
    """How many squares have each shade."""
    return {
        int(shade): sum(step == "Z" for step, _ in path.steps)
        for shade, path in paths(drawing, "shade-").items()
    }


def side_of(path: Path) -> tuple[float, float, float]:
    """Left, top and side of the first square."""
    (x, y), (right, _) = (points[0] for _, points in path.steps[:2])
    return x, y, right - x + 1


def test_rows_are_true_classes_and_shades_their_shares() -> None:
    matrix = draw_matrix([[3, 1], [0, 8]], ["run", "walk"])
    assert squares(matrix) == {5: 1, 15: 1, SHADES: 1}
    ground = next(shape for shape in flat(matrix) if isinstance(shape, Rect))
    x, y, cell = side_of(paths(matrix, "shade-")["5"])
    assert (x, y) == pytest.approx((ground.x + 1 + cell, ground.y + 1))
    counts = {text.name: text for text in texts(matrix) if text.name}
    assert {name: text.text for name, text in counts.items()} == {
        "count-0-0": "3", "count-0-1": "1", "count-1-1": "8",
    }  # fmt: skip
    for name, text in counts.items():
        true, predicted = (int(number) for number in name.split("-")[1:])
        place = (text.x - ground.x - 1, text.y - ground.y - 1)
        assert place == pytest.approx(((predicted + 0.5) * cell, (true + 0.5) * cell))
    opacities = [path.opacity for path in paths(matrix, "shade-").values()]
    assert opacities == sorted(opacities) and opacities[-1] == 1


def test_a_class_without_clips_is_an_empty_row() -> None:
    assert sum(squares(draw_matrix([[3, 1], [0, 0]], ["run", "walk"])).values()) == 2


@pytest.mark.parametrize(
    ("classes", "counts", "names"), [(20, 20, 20), (21, 0, 21), (120, 0, 120), (121, 0, 0)]
)
def test_many_classes_lose_their_counts_and_then_their_names(classes: int, counts: int, names: int) -> None:
    confusion = [[int(true == predicted) for predicted in range(classes)] for true in range(classes)]
    matrix = draw_matrix(confusion, ["AVeryLongNameOfAnActionOfPeople"] * classes)
    rows, columns = texts(matrix, "row"), texts(matrix, "column")
    assert (len([text for text in texts(matrix) if text.name]), len(rows), len(columns)) == (
        counts,
        names,
        names,
    )
    assert all(len(text.text) == 24 for text in (*rows, *columns))
    ground = next(shape for shape in flat(matrix) if isinstance(shape, Rect))
    assert ground.x + ground.width <= matrix.width
    assert ground.y + ground.height <= matrix.height


@pytest.mark.parametrize("num_classes", [2, 20, 21, 101, 130])
def test_a_file_names_all_of_few_and_many_classes(saved: Saved, num_classes: int) -> None:
    counts, drawing = draw(num_classes, name="AVeryLongNameOfAnAction")
    printed = {text.name.removeprefix("count-"): text.text for text in texts(drawing) if text.name}
    expected = {f"{t}-{p}": str(counts[t, p]) for t, p in zip(*np.nonzero(counts), strict=True)}
    assert printed == (expected if num_classes <= 20 else {})
    assert len(texts(drawing, "row")) == len(texts(drawing, "column")) == num_classes
    assert saved(drawing, ".png")


def test_a_file_says_what_rows_columns_and_shades_are() -> None:
    words = " ".join(text.text for text in texts(draw(3)[1], "caption"))
    assert "Rows are true classes, columns predicted ones; a square's shade is its share of the row." in words


def test_long_names_are_cut_and_short_ones_are_not() -> None:
    names = ["Run", "PlayingTheVeryLongInstrument", "costs 5$ or 6$"]
    drawing = draw_confusion(np.eye(3, dtype=int).tolist(), names, caption="")
    for role in ("row", "column"):
        assert [text.text for text in texts(drawing, role)] == [
            "Run",
            "PlayingTheVeryLongInstr…",
            "costs 5$ or 6$",
        ]


@pytest.mark.parametrize("num_classes", [2, 21])
def test_all_texts_stay_inside_and_the_caption_above_the_matrix(num_classes: int) -> None:
    _, drawing = draw(num_classes, name="AVeryLongNameOfAnAction")
    figure = paint(drawing)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    top = figure.bbox.height
    for text in figure.axes[0].texts:
        extent = text.get_window_extent()
        assert figure.bbox.x0 <= extent.x0 and extent.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= extent.y0 and extent.y1 <= figure.bbox.y1, text
        if text.get_text() in {one.text for one in texts(drawing, "caption")}:
            top = min(top, extent.y0)
    assert all(text.get_window_extent().y1 <= top for text in figure.axes[0].texts if "…" in text.get_text())


def test_equal_input_gives_equal_files(saved: Saved) -> None:
    assert saved(draw(5)[1], ".svg") == saved(draw(5)[1], ".svg")


def test_it_says_in_words_what_it_shows() -> None:
    text = draw_matrix([[3, 1, 0], [0, 5, 3], [0, 0, 0]], ["run", "walk", "jump"]).text
    assert text == (
        "Confusion matrix of 3 classes: 8 of 12 clips are on the diagonal. "
        "Most often walk is taken for jump, 3 times."
    )
    assert "Most often" not in draw_matrix([[3]], ["run"]).text


def test_what_a_class_is_most_often_taken_for() -> None:
    confusion = [[9, 2, 2], [1, 0, 4], [0, 0, 3]]
    assert confused(confusion, 0) == (1, 2)
    assert confused(confusion, 1) == (2, 4)
    assert confused(confusion, 2) is None
