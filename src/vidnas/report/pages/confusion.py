"""A confusion matrix as squares with places, for the SVG in the page: hundreds of classes must fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from vidnas.errors import are, counted

LONGEST_NAME = 24
MOST_CLASSES_WITH_COUNTS = 20
MOST_CLASSES_WITH_NAMES = 120
SHADES = 10
LETTER = 6.6
"""Pixels that a letter of a name takes, generously."""


@dataclass(frozen=True)
class Shade:
    """All squares of one shade, 1 to SHADES, as one path."""

    shade: int
    path: str


@dataclass(frozen=True)
class Matrix:
    """The matrix in pixels; rows are true classes. `names` stay empty where there are too many."""

    text: str
    cell: float
    left: float
    top: float
    size: float
    width: float
    height: float
    shades: tuple[Shade, ...]
    counts: tuple[tuple[float, float, int, bool], ...]
    """(x, y, count, whether on a dark square)."""
    names: tuple[tuple[float, str], ...]
    """(distance of the class's middle from the matrix's corner, name)."""


def draw_matrix(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> Matrix:
    """Lay out clips by true class (row) and predicted class (column), shaded by their share of the row."""
    size = len(confusion)
    cell = 34.0 if size <= MOST_CLASSES_WITH_COUNTS else 13.0 if size <= MOST_CLASSES_WITH_NAMES else 4.0
    named = size <= MOST_CLASSES_WITH_NAMES
    names = [name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…" for name in classes]
    longest = max(map(len, names)) * LETTER if named else 0.0
    left, top = longest + 12, longest * (0.72 if size <= MOST_CLASSES_WITH_COUNTS else 1) + 12
    filled = [
        (max(1, round(SHADES * count / sum(row))), true, predicted, count)
        for true, row in enumerate(confusion)
        for predicted, count in enumerate(row)
        if count
    ]
    by_shade = groupby(sorted(filled), key=lambda entry: entry[0])
    return Matrix(
        text=_in_words(confusion, classes),
        cell=cell,
        left=left,
        top=top,
        size=size * cell,
        # slanted names above the matrix stick out at its right
        width=left + size * cell + (longest * 0.66 + 6 if size <= MOST_CLASSES_WITH_COUNTS else 2),
        height=top + size * cell + 2,
        shades=tuple(
            Shade(shade, "".join(_square(true, predicted, cell) for _, true, predicted, _ in squares))
            for shade, squares in by_shade
        ),
        counts=tuple(
            ((predicted + 0.5) * cell, (true + 0.5) * cell, count, shade > SHADES / 2)
            for shade, true, predicted, count in filled
        )
        if size <= MOST_CLASSES_WITH_COUNTS
        else (),
        names=tuple(((label + 0.5) * cell, name) for label, name in enumerate(names)) if named else (),
    )


def confused(confusion: Sequence[Sequence[int]], label: int) -> tuple[int, int] | None:
    """(class, clips): what the clips of class `label` are most often taken for, if for anything."""
    wrong = [(count, -other) for other, count in enumerate(confusion[label]) if other != label and count]
    return (-max(wrong)[1], max(wrong)[0]) if wrong else None


def _square(true: int, predicted: int, cell: float) -> str:
    side = f"{cell - 1:g}"
    return f"M{predicted * cell:g} {true * cell:g}h{side}v{side}h-{side}z"


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
