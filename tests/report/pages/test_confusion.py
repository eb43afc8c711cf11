import pytest

from vidnas.report.pages.confusion import SHADES, confused, draw_matrix


def test_rows_are_true_classes_and_shades_their_shares() -> None:
    matrix = draw_matrix([[3, 1], [0, 8]], ["run", "walk"])
    cell = matrix.cell
    squares = {shade.shade: shade.path.count("z") for shade in matrix.shades}
    assert squares == {2: 1, 8: 1, SHADES: 1}
    assert [(x / cell, y / cell, count) for x, y, count, _ in matrix.counts] == [
        (0.5, 0.5, 3),
        (1.5, 0.5, 1),
        (1.5, 1.5, 8),
    ]
    light = next(shade for shade in matrix.shades if shade.shade == 2)
    assert light.path.startswith(f"M{cell:g} 0h")


def test_a_class_without_clips_is_an_empty_row() -> None:
    matrix = draw_matrix([[3, 1], [0, 0]], ["run", "walk"])
    assert sum(shade.path.count("z") for shade in matrix.shades) == 2


@pytest.mark.parametrize(
    ("classes", "counts", "names"), [(20, 20, 20), (21, 0, 21), (120, 0, 120), (121, 0, 0)]
)
def test_many_classes_lose_their_counts_and_then_their_names(classes: int, counts: int, names: int) -> None:
    confusion = [[int(true == predicted) for predicted in range(classes)] for true in range(classes)]
    matrix = draw_matrix(confusion, ["AVeryLongNameOfAnActionOfPeople"] * classes)
    assert (len(matrix.counts), len(matrix.names)) == (counts, names)
    assert all(len(name) == 24 for _, name in matrix.names)
    assert matrix.left + matrix.size <= matrix.width


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
