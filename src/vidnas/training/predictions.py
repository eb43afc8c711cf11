"""What a network sees in a video, as data: every class's probability, over windows and over the whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from vidnas.errors import UserError, shown
from vidnas.training.classify import Probabilities


class ScoredLabel(NamedTuple):
    """A class and its probability."""

    label: str
    score: float


@dataclass(frozen=True)
class ScoredWindow:
    """A stretch of a video, seconds, and every class in it, the likeliest first."""

    start_sec: float
    end_sec: float
    labels: tuple[ScoredLabel, ...]
    label: str | None
    """The answer; None where the best score is below the threshold."""


@dataclass(frozen=True)
class Prediction:
    """What was seen in a video: its windows in order, and all classes by their mean over the windows.

    A video not longer than a window has one. `path` is None for frames that were given as an array.
    `duration_sec` is 0 where no frame rate is known; of a file `note` is then a sentence that says so.
    """

    path: Path | None
    duration_sec: float
    labels: tuple[ScoredLabel, ...]
    windows: tuple[ScoredWindow, ...]
    label: str | None
    """The answer; None where the best score is below the threshold."""
    note: str = ""

    @property
    def name(self) -> str:
        """The video's name in a message."""
        return "frames" if self.path is None else shown(self.path)


def rank(probabilities: Probabilities, classes: Sequence[str]) -> tuple[ScoredLabel, ...]:
    """All classes, the likeliest first; of equal ones the lower class. UserError for what is no number."""
    if any(map(math.isnan, probabilities)):
        raise UserError(
            "The network's output is not a number: it diverged while training. Train it again with a smaller "
            "learning rate."
        )
    pairs = zip(classes, probabilities, strict=True)
    return tuple(ScoredLabel(*pair) for pair in sorted(pairs, key=lambda pair: -pair[1]))


def answer(labels: Sequence[ScoredLabel], threshold: float) -> str | None:
    """The best of ranked labels, or None where its score is below the threshold."""
    return labels[0].label if labels[0].score >= threshold else None


def predict(
    path: Path | None,
    duration_sec: float,
    spans_sec: Sequence[tuple[float, float]],
    probabilities: Sequence[Probabilities],
    classes: Sequence[str],
    note: str = "",
    *,
    top: int | None = None,
    threshold: float = 0.0,
) -> Prediction:
    """Put together what was computed of a video: the (start, end) of its windows and a row for each.

    Of a window only the `top` labels are kept: there may be very many windows.
    """
    mean = tuple(sum(column) / len(probabilities) for column in zip(*probabilities, strict=True))
    windows = tuple(
        ScoredWindow(start_sec, end_sec, ranked[:top], answer(ranked, threshold))
        for (start_sec, end_sec), row in zip(spans_sec, probabilities, strict=True)
        for ranked in [rank(row, classes)]
    )
    labels = rank(mean, classes)
    return Prediction(path, duration_sec, labels, windows, answer(labels, threshold), note)


def timeline(windows: Sequence[ScoredWindow]) -> list[tuple[float, float, ScoredLabel | None]]:
    """(start_sec, end_sec, answer with its mean score) without overlap, equal neighbours as one.

    Every moment belongs to the window whose centre is nearest. None stands for none of the classes.
    """
    centres = [(window.start_sec + window.end_sec) / 2 for window in windows]
    borders = [(before + centre) / 2 for before, centre in pairwise(centres)]
    ends = [*borders, windows[-1].end_sec]
    rows: list[tuple[float, float, ScoredLabel | None]] = []
    start_sec, scores = windows[0].start_sec, []
    for number, (window, end_sec) in enumerate(zip(windows, ends, strict=True)):
        scores.append(window.labels[0].score)
        if number + 1 == len(windows) or windows[number + 1].label != window.label:
            said = None if window.label is None else ScoredLabel(window.label, sum(scores) / len(scores))
            rows.append((start_sec, end_sec, said))
            start_sec, scores = end_sec, []
    return rows
