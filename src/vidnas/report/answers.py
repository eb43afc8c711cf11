"""What a network answered for every test video: as a table, and the answers that it was surest of."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas.shapes import Labels, Logits

COLUMNS = ("path", "group", "label", "predicted", "score", "right")


@dataclass(frozen=True)
class Answer:
    """The answer about one test video: `score` is the probability of the predicted class."""

    path: Path
    group: str | None
    label: str
    predicted: str
    score: float
    right: bool
    probabilities: tuple[float, ...]


def name_answers(
    log_probabilities: Logits,
    labels: Labels,
    videos: Sequence[tuple[Path, str | None]],
    classes: Sequence[str],
) -> list[Answer]:
    """The rows of a test with names. `videos` are (path, group); of equal scores the lower class wins."""
    rows = log_probabilities.exp().tolist()
    return [
        Answer(path, group, classes[label], classes[best], row[best], best == label, tuple(row))
        for row, label, (path, group) in zip(rows, labels.tolist(), videos, strict=True)
        for best in [row.index(max(row))]
    ]


def answers_csv(answers: Sequence[Answer], classes: Sequence[str]) -> bytes:
    """A CSV table: COLUMNS, then the probability of each class under `p(CLASS)`.

    UTF-8; the bytes of a file name that is not UTF-8 stay as they are (Python's surrogateescape).
    """
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow([*COLUMNS, *(f"p({name})" for name in classes)])
    for one in answers:
        right = "true" if one.right else "false"
        numbers = [f"{probability:.6g}" for probability in one.probabilities]
        table.writerow([one.path, one.group, one.label, one.predicted, f"{one.score:.6g}", right, *numbers])
    return text.getvalue().encode("utf-8", "surrogateescape")


def surest(answers: Sequence[Answer], *, right: bool, most: int) -> list[Answer]:
    """The right or the wrong answers with the highest scores, the surest first."""
    candidates = [one for one in answers if one.right == right]
    return sorted(candidates, key=lambda one: -one.score)[:most]
