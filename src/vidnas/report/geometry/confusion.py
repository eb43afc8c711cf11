"""A confusion matrix as shaded squares: which classes are taken for which, be they two or hundreds."""

from collections.abc import Sequence
from itertools import groupby

from vidnas.errors import are, counted
from vidnas.report.geometry.shapes import Drawing, Group, Path, Rect, Shape, Step, Text, line
from vidnas.report.geometry.sheets import padded, paragraph, stacked
from vidnas.runs.records import Number

LONGEST_NAME = 24
MOST_CLASSES_WITH_COUNTS = 20
MOST_CLASSES_WITH_NAMES = 120
SHADES = 20
LETTER = 6.6
"""Pixels that a letter of a name takes, generously."""
MARGIN = 14.0
LEAST_WIDTH = 380.0
"""Pixels of a caption's line."""
HOW_TO_READ = "Rows are true classes, columns predicted ones; a square's shade is its share of the row."

Filled = tuple[int, int, int, int]
"""A square that is not empty: its shade, 1 to SHADES, the true class, the predicted one, clips."""


def draw_matrix(
    confusion: Sequence[Sequence[int]],
    classes: Sequence[str],
    *,
    most_names: int = MOST_CLASSES_WITH_NAMES,
) -> Drawing:
    """Lay out clips by true class (row) and predicted class (column), shaded by their share of the row.

    The squares of few classes have counts; of more than `most_names` classes not even the names are there.
    """
    size, few = len(confusion), len(confusion) <= MOST_CLASSES_WITH_COUNTS
    side = 34.0 if few else 13.0 if size <= most_names else 4.0
    names = [name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…" for name in classes]
    names = names if size <= most_names else []
    longest = max(map(len, names), default=0) * LETTER
    left, top = longest + 12, longest * (0.72 if few else 1) + 12
    filled = _filled(confusion)
    shapes = (
        Rect(-1, -1, size * side + 1, size * side + 1, role="ground"),
        *_squares(filled, side),
        *(_counts(filled, side) if few else ()),
        *_names(names, side),
    )
    # slanted names above the matrix stick out at its right
    width = left + size * side + (longest * 0.66 + 6 if few else 2)
    group = Group(shapes, "" if few else "small", (left, top))
    return Drawing("matrix", width, top + size * side + 2, (group,), _in_words(confusion, classes))


def draw_confusion(confusion: Sequence[Sequence[int]], classes: Sequence[str], *, caption: str) -> Drawing:
    """The matrix below a caption, which says what was tested and how, with all names."""
    matrix = draw_matrix(confusion, classes, most_names=len(classes))
    width = max(matrix.width, LEAST_WIDTH)
    words = [paragraph(caption, width), padded(paragraph(HOW_TO_READ, width), top=6, bottom=MARGIN)]
    return padded(stacked([*words, matrix]), left=MARGIN, top=MARGIN, right=MARGIN, bottom=MARGIN)


def confused(confusion: Sequence[Sequence[int]], label: int) -> tuple[int, int] | None:
    """(class, clips): what the clips of class `label` are most often taken for, if for anything."""
    wrong = [(count, -other) for other, count in enumerate(confusion[label]) if other != label and count]
    return (-max(wrong)[1], max(wrong)[0]) if wrong else None


def _filled(confusion: Sequence[Sequence[int]]) -> list[Filled]:
    return [
        (max(1, round(SHADES * count / sum(row))), true, predicted, count)
        for true, row in enumerate(confusion)
        for predicted, count in enumerate(row)
        if count
    ]


def _squares(filled: Sequence[Filled], side: Number) -> list[Path]:
    """All squares of a shade as one path."""
    shades = groupby(sorted(filled), key=lambda square: square[0])
    return [
        Path(
            tuple(step for _, true, predicted, _ in squares for step in _square(true, predicted, side)),
            "square",
            f"shade-{shade}",
            opacity=(shade / SHADES) ** 0.8,
        )
        for shade, squares in shades
    ]


def _square(true: int, predicted: int, side: Number) -> tuple[Step, ...]:
    x, y = predicted * side, true * side
    right, low = x + side - 1, y + side - 1
    return (*line((x, y), (right, y), (right, low), (x, low)), ("Z", ()))


def _counts(filled: Sequence[Filled], side: Number) -> list[Text]:
    return [
        Text(
            str(count),
            (predicted + 0.5) * side,
            (true + 0.5) * side,
            "on" if shade > SHADES / 2 else "",
            name=f"count-{true}-{predicted}",
        )
        for shade, true, predicted, count in filled
    ]


def _names(names: Sequence[str], side: Number) -> list[Shape]:
    """In front of the rows and, slanted or upright, above the columns."""
    turn = -45 if side > 20 else -90
    middles = [((number + 0.5) * side, name) for number, name in enumerate(names)]
    rows = [Text(name, -8, at, "row", "end") for at, name in middles]
    return [*rows, *(Text(name, at, -8, "column", "start", turn) for at, name in middles)]


def _in_words(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    total, right = sum(map(sum, confusion)), sum(row[label] for label, row in enumerate(confusion))
    share = f"{right} of {counted(total, 'clip')} {are(right)} on the diagonal"
    text = f"Confusion matrix of {counted(len(classes), 'class')}: {share}."
    wrong = [
        (found[1], label, found[0]) for label in range(len(classes)) if (found := confused(confusion, label))
    ]
    if wrong:
        count, label, other = max(wrong)
        text += f" Most often {classes[label]} is taken for {classes[other]}, {counted(count, 'time')}."
    return text
