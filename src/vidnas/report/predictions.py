"""What a network sees in videos, as text: tables, timelines, lists as wide as a terminal, JSON and CSV."""

import csv
import io
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vidnas.errors import counted, shown
from vidnas.training.predictions import Prediction, ScoredLabel, ScoredWindow, timeline

NONE = "none of these"
"""What is said where no class's score reaches the threshold."""
SCORE_WIDTH = 9
"""Places of what `describe_label` writes before a label."""
MOST_LABELS = 5
"""Labels that a summary counts; the others come together."""


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


@dataclass(frozen=True)
class Listing:
    """How wide the columns of a list are, and a line of it, in places of a terminal."""

    path_width: int
    label_width: int
    line_width: int | None
    """None: as long as it needs to be."""

    def line(self, prediction: Prediction) -> str:
        """Path, score and label of a video, and what else there is to say of it."""
        best = prediction.labels[0]
        facts = []
        if prediction.label is None:
            facts.append(f"best: {shown(best.label)}, {100 * best.score:.1f} %")
        if len(prediction.windows) > 1:
            facts.append(f"{counted(len(prediction.windows), 'window')} in {prediction.duration_sec:.1f} s")
        facts += [prediction.note] if prediction.note else []
        path = _padded(_cut_start(prediction.name, self.path_width), self.path_width)
        label = describe_label(None if prediction.label is None else best)
        told = f"({', '.join(facts)})" if facts else ""
        line = f"{path}  {_padded(label, SCORE_WIDTH + self.label_width)}  {told}".rstrip()
        return line if self.line_width is None else _cut_end(line, self.line_width)


def lay_out(paths: Sequence[Path], classes: Sequence[str], line_width: int | None) -> Listing:
    """Columns with room for all paths and labels. Where a line is too narrow, paths lose their beginnings,
    but keep half of it; then lines lose their ends.
    """
    longest = max(_width(shown(path)) for path in paths)
    label_width = max(_width(shown(label)) for label in (*classes, NONE))
    if line_width is not None:
        longest = min(longest, max(line_width // 2, line_width - 2 - SCORE_WIDTH - label_width))
    return Listing(longest, label_width, line_width)


def summarize(predictions: Sequence[Prediction], bad: Sequence[BadVideo]) -> str:
    """How many videos were seen, as what, and how many cannot be used."""
    counts = Counter(prediction.label or NONE for prediction in predictions).most_common()
    told = [f"{shown(label)} {count}" for label, count in counts[:MOST_LABELS]]
    others = sum(count for _, count in counts[MOST_LABELS:])
    told += [f"other labels {others}"] if others else []
    seen = f" ({', '.join(told)})" if told else ""
    unusable = f"; cannot be used: {len(bad)}" if bad else ""
    return f"Videos seen: {len(predictions)}{seen}{unusable}."


def _places(text: str) -> Iterator[tuple[str, int]]:
    """Every character and how many places it takes: the wide ones of East Asia two, accents none."""
    for char in text:
        wide = unicodedata.east_asian_width(char) in "WF"
        yield char, 0 if unicodedata.combining(char) else 2 if wide else 1


def _width(text: str) -> int:
    return sum(places for _, places in _places(text))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut_end(text: str, width: int) -> str:
    """The text, or as much of its beginning as there is room for, and a sign that it was cut."""
    if _width(text) <= width:
        return text
    kept, room = "", width - 1
    for char, places in _places(text):
        room -= places
        if room < 0:
            break
        kept += char
    return kept + "…"


def _cut_start(text: str, width: int) -> str:
    """The text, or as much of its end: that tells files of one folder apart."""
    return _cut_end(text[::-1], width)[::-1]


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
                {"start_sec": w.start_sec, "end_sec": w.end_sec, "label": w.label, "score": w.labels[0].score}
                for w in prediction.windows
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
