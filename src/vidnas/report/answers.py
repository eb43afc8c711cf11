"""What a network answered for every test video: as a table, and the answers that it was surest of."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas.training.loop import Predictions
from vidnas.video.items import Item

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


def name_answers(predictions: Predictions, items: Sequence[Item], classes: Sequence[str]) -> list[Answer]:
    """What was predicted of the tested items, with names; of equal scores the lower class wins."""
    rows, labels = predictions.scores.exp().tolist(), predictions.labels.tolist()
    tested = [items[index] for index in predictions.indices.tolist()]
    return [
        Answer(item.path, item.group, classes[label], classes[best], row[best], best == label, tuple(row))
        for row, label, item in zip(rows, labels, tested, strict=True)
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
