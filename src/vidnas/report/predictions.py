"""What a network sees in videos, as data and as text: tables, timelines, JSON and CSV."""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from vidnas.errors import UserError, counted, shown
from vidnas.training.classify import Probabilities

NONE = "none of these"
"""What is said where no class's score reaches the threshold."""


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

    A video not longer than a window has one. `duration_sec` is 0 where the file states no frame rate; `note`
    is then a sentence that says so.
    """

    path: Path
    duration_sec: float
    labels: tuple[ScoredLabel, ...]
    windows: tuple[ScoredWindow, ...]
    label: str | None
    """The answer; None where the best score is below the threshold."""
    note: str = ""


class BadVideo(NamedTuple):
    """A file that could not be used, and why."""

    path: Path
    cause: str


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
    path: Path,
    duration_sec: float,
    spans_sec: Sequence[tuple[float, float]],
    probabilities: Sequence[Probabilities],
    classes: Sequence[str],
    note: str = "",
    *,
    top: int,
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


def describe(prediction: Prediction, *, top: int) -> str:
    """A video's name, its `top` labels and, of a longer one, the timeline."""
    facts = [f"{prediction.duration_sec:.1f} s"] if prediction.duration_sec else []
    facts += [counted(len(prediction.windows), "window")] if len(prediction.windows) > 1 else []
    lines = [shown(prediction.path) + (f"  ({', '.join(facts)})" if facts else "")]
    lines += [f"  {describe_label(None)}; the best:"] if prediction.label is None else []
    lines += [f"  {describe_label(label)}" for label in prediction.labels[:top]]
    lines += [f"  {prediction.note}"] if prediction.note else []
    if len(prediction.windows) > 1:
        rows = timeline(prediction.windows)
        lines += [
            f"  {minutes(start_sec)} - {minutes(end_sec)}  {describe_label(label)}"
            for start_sec, end_sec, label in rows
        ]
    return "\n".join(lines)


def describe_label(label: ScoredLabel | None) -> str:
    """Score and label, the score first: names differ in length. None is none of the classes."""
    return f"{'-':>7}  {NONE}" if label is None else f"{100 * label.score:5.1f} %  {shown(label.label)}"


def caption(window: ScoredWindow) -> str:
    """Label and score, the label first: where a picture is small, the end of a text is cut."""
    return NONE if window.label is None else f"{shown(window.label)}  {100 * window.labels[0].score:.0f} %"


def minutes(seconds: float) -> str:
    """1:02.5 for 62.5."""
    whole, tenths = divmod(round(seconds * 10), 600)
    return f"{whole}:{tenths / 10:04.1f}"


def to_json(predictions: Sequence[Prediction], bad: Sequence[BadVideo]) -> bytes:
    r"""A list of videos: path, duration_sec, label, labels (all, ranked) and windows with label and score.

    Where the best score is below the threshold, label is null. Behind them the bad ones: path and error. A
    path's bytes that are no UTF-8 stand as \udcXX.
    """
    good = [
        {
            "path": str(prediction.path),
            "duration_sec": prediction.duration_sec,
            "label": prediction.label,
            "labels": [label._asdict() for label in prediction.labels],
            "windows": [
                {
                    "start_sec": window.start_sec,
                    "end_sec": window.end_sec,
                    "label": window.label,
                    "score": window.labels[0].score,
                }
                for window in prediction.windows
            ],
        }
        for prediction in predictions
    ]
    unusable = [{"path": str(video.path), "error": video.cause} for video in bad]
    text = json.dumps(good + unusable, indent=2, ensure_ascii=False)
    # In JSON the replacement is itself an escape, which reads back as the very same name.
    return (text + "\n").encode(errors="backslashreplace")


def to_csv(predictions: Sequence[Prediction], bad: Sequence[BadVideo], *, top: int) -> bytes:
    r"""A row per window: video, start_sec, end_sec, label, score, label_2, score_2, ... up to `top`, error.

    Where the best score is below the threshold, label is NONE, and score still the best one. Behind them a
    row per bad video, of which only video and error are filled. A path's bytes that are no UTF-8 stand as
    \udcXX.
    """
    top = min([top, *(len(prediction.labels) for prediction in predictions)])
    ranks = ["", *(f"_{rank}" for rank in range(2, top + 1))]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    columns = [column for rank in ranks for column in (f"label{rank}", f"score{rank}")]
    writer.writerow(["video", "start_sec", "end_sec", *columns, "error"])
    for prediction in predictions:
        for window in prediction.windows:
            cells = [cell for label, score in window.labels[:top] for cell in (label, f"{score:.6f}")]
            cells[0] = NONE if window.label is None else window.label
            times = [f"{window.start_sec:.3f}", f"{window.end_sec:.3f}"]
            writer.writerow([prediction.path, *times, *cells, ""])
    for video in bad:
        writer.writerow([video.path, "", "", *[""] * len(columns), video.cause])
    return file.getvalue().encode(errors="backslashreplace")
