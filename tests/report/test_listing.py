"""Many predictions as a list: lines in columns, whatever the names, no wider than a terminal."""

import unicodedata
from pathlib import Path

import pytest

from vidnas.report.predictions import BadVideo, Listing, lay_out, summarize
from vidnas.training.predictions import Prediction, predict

CLASSES = ("walk", "run", "a handstand")
LONG = "/home/somebody/videos/of last summer/by the sea/a very long name.mp4"


def seen(name: str, *rows: tuple[float, float, float], threshold: float = 0.0, note: str = "") -> Prediction:
    spans = [(2.0 * number, 2.0 * number + 4) for number in range(len(rows))]
    return predict(Path(name), spans[-1][1], spans, rows, CLASSES, note, top=3, threshold=threshold)


def places(line: str) -> int:
    """As a terminal counts."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in line
    )


def lines(listing: Listing, *predictions: Prediction) -> list[str]:
    return [listing.line(prediction) for prediction in predictions]


def test_a_video_is_a_line_and_columns_are_aligned() -> None:
    videos = [
        seen("a.mp4", (0.7, 0.2, 0.1)),
        seen("folder/b.mp4", (0.0, 0.0, 1.0), (0.0, 0.5, 0.5)),
        seen("c.mp4", (0.3, 0.4, 0.3), threshold=0.5),
        seen("d.mp4", (0.3, 0.6, 0.1), note="The file states no frame rate."),
    ]
    assert lines(lay_out([Path(video.name) for video in videos], CLASSES, None), *videos) == [
        "a.mp4          70.0 %  walk",
        "folder/b.mp4   75.0 %  a handstand    (2 windows in 6.0 s)",
        "c.mp4               -  none of these  (best: run, 40.0 %)",
        "d.mp4          60.0 %  run            (The file states no frame rate.)",
    ]


@pytest.mark.parametrize("width", [32, 40, 60, 80, 200])
def test_a_line_is_no_wider_than_the_terminal_and_keeps_the_end_of_a_path(width: int) -> None:
    videos = [seen(LONG, (0.7, 0.2, 0.1), (0.7, 0.2, 0.1)), seen("b.mp4", (0.1, 0.8, 0.1))]
    long, short = lines(lay_out([Path(video.name) for video in videos], CLASSES, width), *videos)
    assert max(places(long), places(short)) <= width
    assert "name.mp4" in long and short.startswith("b.mp4 ")
    assert " 70.0 %  walk" in long and short.endswith(" 80.0 %  run")
    assert long.startswith("/home" if width == 200 else "…")
    assert long.endswith(" (2 windows in 6.0 s)" if width == 200 else "…")


@pytest.mark.parametrize("width", [None, 40, 41])
def test_wide_letters_and_accents_keep_the_columns(width: int | None) -> None:
    names = ["走る人/走る走る走る走る走る走る走る.mp4", "u\u0308ber.mp4", "two\nlines.mp4", "x.mp4"]
    videos = [seen(name, (0.7, 0.2, 0.1)) for name in names]
    found = lines(lay_out([Path(video.name) for video in videos], CLASSES, width), *videos)
    assert len({places(line.partition(" 70.0 %")[0]) for line in found}) == 1
    assert all("\n" not in line and line.endswith("walk") for line in found)
    assert width is None or max(map(places, found)) <= width


def test_a_summary_counts_labels_the_most_frequent_first() -> None:
    videos = [seen("a", (0.1, 0.8, 0.1)), seen("b", (0.8, 0.1, 0.1)), seen("c", (0.1, 0.8, 0.1))]
    unsure = seen("d", (0.4, 0.3, 0.3), threshold=0.5)
    assert summarize(videos, []) == "Videos seen: 3 (run 2, walk 1)."
    told = "Videos seen: 4 (run 2, walk 1, none of these 1); cannot be used: 1."
    assert summarize([*videos, unsure], [BadVideo(Path("x"), "broken")]) == told
    assert summarize([], [BadVideo(Path("x"), "broken")] * 2) == "Videos seen: 0; cannot be used: 2."


def test_a_summary_of_many_labels_stays_a_sentence() -> None:
    names = [f"class {number}" for number in range(9)]
    videos = [
        predict(Path("v"), 1.0, [(0.0, 1.0)], [tuple(float(i == n) for i in range(9))], names, top=1)
        for n in (3, 3, *range(9))
    ]
    assert summarize(videos, []) == (
        "Videos seen: 11 (class 3 3, class 0 1, class 1 1, class 2 1, class 4 1, other labels 4)."
    )
