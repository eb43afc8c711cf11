"""Predictions of many videos as a list: a line each, in columns, cut to what a terminal shows."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas.errors import counted, shown
from vidnas.report.predictions import NONE, BadVideo, describe_label
from vidnas.training.predictions import Prediction

SCORE_WIDTH = 9
"""Places of what `describe_label` writes before a label."""
MOST_LABELS = 5
"""Labels that a summary counts; the others come together."""


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
        cells = [
            _padded(_cut_start(prediction.name, self.path_width), self.path_width),
            _padded(
                describe_label(None if prediction.label is None else best), SCORE_WIDTH + self.label_width
            ),
            f"({', '.join(facts)})" if facts else "",
        ]
        line = "  ".join(cells).rstrip()
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
    """The same of its end: that tells files of one folder apart."""
    if _width(text) <= width:
        return text
    kept, room = "", width - 1
    for char, places in reversed(list(_places(text))):
        room -= places
        if room < 0:
            break
        kept = char + kept
    return "…" + kept
