"""Predictions as data and as text."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.report.predictions import BadVideo, caption, describe, minutes, to_csv, to_json
from vidnas.training.predictions import Prediction, ScoredLabel, predict, rank, timeline

CLASSES = ("walk", "run", "jump")
ROWS = [(0.5, 0.3, 0.2), (0.6, 0.4, 0.0), (0.1, 0.9, 0.0), (0.8, 0.1, 0.1)]
SPANS = [(0.0, 4.0), (2.0, 6.0), (4.0, 8.0), (5.0, 9.0)]
ODD = 'a "b",\n; ü 走 .mp4'


def prediction(name: str = "clip.mp4") -> Prediction:
    return predict(Path(name), 9.0, SPANS, ROWS, CLASSES, top=3)


def test_labels_are_ranked_and_of_equal_ones_the_lower_class_is_first() -> None:
    assert rank((0.2, 0.4, 0.4), CLASSES) == (("run", 0.4), ("jump", 0.4), ("walk", 0.2))


def test_a_network_that_diverged_is_said_to_have_diverged() -> None:
    with pytest.raises(UserError, match="not a number: it diverged while training"):
        rank((math.nan, 0.5, 0.5), CLASSES)


def test_a_video_s_scores_are_the_mean_of_its_windows() -> None:
    assert [label for label, _ in prediction().labels] == ["walk", "run", "jump"]
    assert [score for _, score in prediction().labels] == pytest.approx([0.5, 0.425, 0.075])


def test_a_timeline_joins_equal_neighbours_and_ends_where_another_centre_is_nearer() -> None:
    rows = timeline(prediction().windows)
    assert rows == [
        (0.0, 5.0, ("walk", pytest.approx(0.55))),
        (5.0, 6.5, ("run", 0.9)),
        (6.5, 9.0, ("walk", 0.8)),
    ]


def test_the_text_has_the_top_labels_and_the_timeline() -> None:
    assert describe(prediction(), top=2).splitlines() == [
        "clip.mp4  (9.0 s, 4 windows)",
        "   50.0 %  walk",
        "   42.5 %  run",
        "  0:00.0 - 0:05.0   55.0 %  walk",
        "  0:05.0 - 0:06.5   90.0 %  run",
        "  0:06.5 - 0:09.0   80.0 %  walk",
    ]


def unsure(threshold: float) -> Prediction:
    return predict(Path("clip.mp4"), 9.0, SPANS, ROWS, CLASSES, top=3, threshold=threshold)


def test_below_the_threshold_a_video_and_its_windows_have_no_answer_but_keep_their_scores() -> None:
    plain, found = prediction(), unsure(0.6)
    assert found.label is None
    assert [window.label for window in found.windows] == [None, "walk", "run", "walk"]
    assert found.labels == plain.labels
    assert [window.labels for window in found.windows] == [window.labels for window in plain.windows]
    assert unsure(0.5).label == "walk"  # 0.5 reaches it
    assert {window.label for window in unsure(1.0).windows} == {None}
    assert (plain.label, plain.windows[0].label) == ("walk", "walk")


def test_what_has_no_answer_is_none_of_these_in_the_text_and_the_timeline() -> None:
    assert describe(unsure(0.7), top=1).splitlines() == [
        "clip.mp4  (9.0 s, 4 windows)",
        "        -  none of these; the best:",
        "   50.0 %  walk",
        "  0:00.0 - 0:05.0        -  none of these",
        "  0:05.0 - 0:06.5   90.0 %  run",
        "  0:06.5 - 0:09.0   80.0 %  walk",
    ]
    assert [caption(window) for window in unsure(0.7).windows] == [
        "none of these",
        "none of these",
        "run  90 %",
        "walk  80 %",
    ]


def test_json_has_null_and_csv_says_so_and_both_keep_the_scores() -> None:
    (plain,), (found,) = (json.loads(to_json([one], [])) for one in (prediction(), unsure(0.7)))
    assert (plain["label"], found["label"]) == ("walk", None)
    assert [window["label"] for window in found["windows"]] == [None, None, "run", "walk"]
    for name in ("labels", "duration_sec"):
        assert found[name] == plain[name]
    scores = [[window["score"] for window in video["windows"]] for video in (plain, found)]
    assert scores[0] == scores[1] == [0.5, 0.6, 0.9, 0.8]
    rows = list(csv.DictReader(io.StringIO(to_csv([unsure(0.7)], [], top=2).decode(), newline="")))
    assert [row["label"] for row in rows] == ["none of these", "none of these", "run", "walk"]
    assert [row["score"] for row in rows] == ["0.500000", "0.600000", "0.900000", "0.800000"]
    assert [row["label_2"] for row in rows] == ["run", "run", "walk", "run"]


def test_a_short_video_has_no_timeline_and_a_note_is_told() -> None:
    short = predict(Path(ODD), 0.0, [(0.0, 0.0)], ROWS[:1], CLASSES, note="Without a rate.", top=3)
    assert describe(short, top=1).splitlines() == [
        r'a "b",\n; ü 走 .mp4',
        "   50.0 %  walk",
        "  Without a rate.",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (59.94, "0:59.9"), (59.96, "1:00.0"), (62.5, "1:02.5"), (3600, "60:00.0")],
)
def test_seconds_are_shown_as_minutes(seconds: float, text: str) -> None:
    assert minutes(float(seconds)) == text


@pytest.mark.parametrize("name", ["clip.mp4", ODD, "\udcff.mp4"])
def test_json_reads_back(name: str) -> None:
    first, bad = json.loads(to_json([prediction(name)], [BadVideo(Path("x" + name), "broken")]).decode())
    assert (first["path"], first["duration_sec"]) == (name, 9.0)
    assert [ScoredLabel(**label) for label in first["labels"]] == list(prediction().labels)
    assert first["windows"][2] == {"start_sec": 4.0, "end_sec": 8.0, "label": "run", "score": 0.9}
    assert len(first["windows"]) == 4
    assert bad == {"path": "x" + name, "error": "broken"}


@pytest.mark.parametrize("name", ["clip.mp4", ODD])
def test_csv_reads_back(name: str) -> None:
    table = to_csv([prediction(name)], [BadVideo(Path("x" + name), "broken,\nreally")], top=2).decode()
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert list(rows[0]) == [
        "video", "start_sec", "end_sec", "label", "score", "label_2", "score_2", "error",
    ]  # fmt: skip
    assert [row["video"] for row in rows] == [name] * 4 + ["x" + name]
    assert [row["label"] for row in rows] == ["walk", "walk", "run", "walk", ""]
    assert [row["label_2"] for row in rows] == ["run", "run", "walk", "run", ""]
    assert float(rows[2]["score"]) == 0.9
    assert (rows[3]["start_sec"], rows[3]["end_sec"]) == ("5.000", "9.000")
    assert [row["error"] for row in rows] == [""] * 4 + ["broken,\nreally"]


def test_csv_has_no_more_labels_than_there_are_classes_and_takes_any_name() -> None:
    table = to_csv([prediction("\udcff.mp4")], [], top=9).decode()
    assert table.splitlines()[0].endswith("label_3,score_3,error")
    assert table.splitlines()[1].startswith("\\udcff.mp4,0.000,4.000,walk,0.500000,")
