"""What a network sees in videos, as text: tables, timelines, JSON and CSV."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vidnas.errors import counted, shown
from vidnas.training.predictions import Prediction, ScoredLabel, ScoredWindow, timeline

NONE = "none of these"
"""What is said where no class's score reaches the threshold."""


class BadVideo(NamedTuple):
    """A file that could not be used, and why."""

    path: Path
    cause: str


def describe(prediction: Prediction, *, top: int) -> str:
    """A video's name, its `top` labels and, of a longer one, the timeline."""
    facts = [f"{prediction.duration_sec:.1f} s"] if prediction.duration_sec else []
    facts += [counted(len(prediction.windows), "window")] if len(prediction.windows) > 1 else []
    lines = [prediction.name + (f"  ({', '.join(facts)})" if facts else "")]
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
