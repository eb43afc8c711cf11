"""The memory of a run's videos: what was written reads back, and every difference is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidnas.errors import UserError
from vidnas.runs.learnt import Key, SeenVideos, differences, read_seen, seen_to_json, video_keys
from vidnas.video.items import Item

TRAIN: tuple[Key, ...] = (("walk/a.avi", 10), ("walk/b.avi", 20), ("run/c.avi", 30), ("run/d.avi", 40))
TEST: tuple[Key, ...] = (("walk/e.avi", 50), ("run/f.avi", 60))
THEN = SeenVideos(TRAIN, TEST)


def test_a_video_is_known_by_class_name_and_size(tmp_path: Path) -> None:
    (tmp_path / "a \udcff.avi").write_bytes(b"12345")
    items = [Item(tmp_path / "a \udcff.avi", 1, None)]
    assert video_keys(items, ("run", "walk")) == (("walk/a \udcff.avi", 5),)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    seen = SeenVideos(TRAIN, TEST, seen_before=(("walk/\udcff 走.avi", 5),), window_sec=2.5)
    (tmp_path / "videos.json").write_text(seen_to_json(seen))
    assert read_seen(tmp_path / "videos.json") == seen


def test_a_file_from_before_has_training_videos_only(tmp_path: Path) -> None:
    (tmp_path / "videos.json").write_text('{"train": [["walk/a.avi", 10]]}')
    assert read_seen(tmp_path / "videos.json") == SeenVideos(TRAIN[:1])


CONTENTS = [
    "",
    "{",
    "[]",
    "null",
    '{"test": []}',
    '{"train": 1}',
    '{"train": [["a"]]}',
    '{"train": [["a", "b"]]}',
]
CONTENTS += [
    '{"train": [], "window_sec": 0}',
    '{"train": [], "window_sec": "2"}',
    '{"train": [], "test": [3]}',
]


@pytest.mark.parametrize("content", [None, *CONTENTS])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "videos.json").write_text(content)
    with pytest.raises(
        UserError, match=r"Cannot read in .*videos\.json which videos the run has learnt from"
    ):
        read_seen(tmp_path / "videos.json")


def test_the_same_videos_do_not_differ() -> None:
    assert differences(THEN, TRAIN, list(TEST)) == []


NEW: Key = ("walk/new.avi", 1)


def replace_training(train: list[Key], test: list[Key]) -> None:
    train.clear()
    test.append(NEW)


CHANGES: dict[str, tuple[Callable[[list[Key], list[Key]], Any], list[str]]] = {
    "added": (lambda train, _: train.append(NEW), ["1 added (walk/new.avi)"]),
    "missing": (lambda _, test: test.pop(), ["1 missing (run/f.avi)"]),
    "grown": (
        lambda train, _: train.__setitem__(1, ("walk/b.avi", 21)),
        ["1 of another size (walk/b.avi)"],
    ),
    "moved": (
        lambda train, test: test.append(train.pop(2)),
        ["1 moved between training and test (run/c.avi)"],
    ),
    "moved back": (
        lambda train, test: train.append(test.pop(0)),
        ["1 moved between training and test (walk/e.avi)"],
    ),
    "shuffled": (lambda train, _: train.reverse(), ["their order is another"]),
    "twice": (lambda train, _: train.append(train[0]), ["1 added (walk/a.avi)"]),
    "many": (
        replace_training,
        ["1 added (walk/new.avi)", "4 missing (run/c.avi, run/d.avi, walk/a.avi, ...)"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_difference_is_named(change: str) -> None:
    make, expected = CHANGES[change]
    train, test = list(TRAIN), list(TEST)
    make(train, test)
    assert differences(THEN, train, test) == expected


def test_the_file_is_text_that_any_program_reads(tmp_path: Path) -> None:
    text = seen_to_json(SeenVideos((("walk/\udcff.avi", 5),)))
    (tmp_path / "videos.json").write_bytes(text.encode("utf-8"))
    assert json.loads(text)["train"] == [["walk/\udcff.avi", 5]]
