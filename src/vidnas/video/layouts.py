"""What `--data` takes: recognises a data set's layout, lists its videos and settles the test split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidnas.errors import UsageError, UserError
from vidnas.video.checks import check_classes, check_clips, check_given_split
from vidnas.video.division import SplitBy, divide, find_groups
from vidnas.video.folders import ACCEPTED, read_folders
from vidnas.video.items import Item, VideoIndex
from vidnas.video.lists import VIDEO_SUFFIXES, ListedClip, parse_lists

__all__ = [
    "Contents",
    "Item",
    "VideoIndex",
    "direction_classes",
    "index_new_videos",
    "index_videos",
    "read_contents",
]

TEST_FRACTION = 0.25


@dataclass(frozen=True)
class Contents:
    """What a data set holds before anything is checked: no groups, an empty test part where none is given.

    `lists` are the files that name the videos (none: the folders do), `missing` the videos named in vain,
    each with `file:line`.
    """

    index: VideoIndex
    lists: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()


def index_videos(
    data: Path, *, test_list: Path | None, split: int, split_by: SplitBy, group_regex: str | None, seed: int
) -> VideoIndex:
    """List the videos of `data` by class, in a training and a test part; `seed` draws a test part not given.

    UserError, before any video is opened, where the files do not make a data set or the parts overlap;
    UsageError where an option does not fit the data.
    """
    index = _read(data, test_list, split)
    check_classes(index)
    train, test = (find_groups(part, index.classes, group_regex) for part in (index.train, index.test))
    if test:
        index = replace(index, train=train, test=test)
        how = check_given_split(index, split_by, own_groups=group_regex is not None)
    else:
        train, test, how = divide(
            train, classes=index.classes, by=split_by, fraction=TEST_FRACTION, seed=seed
        )
        how = f"No test split is given, so a quarter of each class is set aside. {how}"
        index = replace(index, train=train, test=test)
        check_clips(index)
    return replace(index, notes=(*index.notes, how, _balance(index)))


def index_new_videos(data: Path, *, test_list: Path | None, group_regex: str | None) -> VideoIndex:
    """List videos that are only to be tested: the test part where one is given, else all of them."""
    index = _read(data, test_list, split=1)
    if not index.test:
        index = replace(index, train=(), test=index.train)
    how = f"These are not the videos of the training: all {len(index.test)} are tested."
    test = find_groups(index.test, index.classes, group_regex)
    return replace(index, train=(), test=test, notes=(*index.notes, how))


def direction_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes with a direction in their name, which a mirrored clip would contradict."""
    word = re.compile(r"(left|right)(wards?)?|(anti|counter)?clockwise")
    words = {name: re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name) for name in classes}
    return tuple(name for name in classes if any(word.fullmatch(part.lower()) for part in words[name]))


def _balance(index: VideoIndex) -> str:
    counts = Counter(item.label for item in index.train)
    most = max(counts, key=lambda label: (counts[label], -label))
    least = min(counts, key=lambda label: (counts[label], label))
    start = f"{len(index.classes)} classes"
    if counts[most] == counts[least]:
        return f"{start} with {counts[most]} training videos each."
    return (
        f"{start}; training videos from {counts[least]} ({index.classes[least]}) "
        f"to {counts[most]} ({index.classes[most]})."
    )


def _read(data: Path, test_list: Path | None, split: int) -> VideoIndex:
    """The videos of `data` without groups; UserError where some are listed but missing."""
    contents = read_contents(data, test_list=test_list, split=split)
    if contents.missing:
        more = f" and {len(contents.missing) - 5} more" if len(contents.missing) > 5 else ""
        raise UserError(
            f"Listed but missing below {contents.lists[0].parent}: {', '.join(contents.missing[:5])}{more}. "
            "Paths are relative to the list's folder or its videos/ folder."
        )
    return contents.index


def read_contents(data: Path, *, test_list: Path | None, split: int) -> Contents:
    """What is in `data`; UserError or UsageError where that is no data set at all."""
    if not data.exists():
        raise UserError(f"--data {data} does not exist. {ACCEPTED}")
    lists = {} if data.is_file() else _official_lists(data)
    if split != 1 and not lists:
        raise UsageError(
            f"--split {split}: {data} has no lists trainlist0K.txt and testlist0K.txt to choose from."
        )
    if data.is_file():
        if data.suffix.lower() in VIDEO_SUFFIXES:
            raise UserError(f"--data {data} is a single video. {ACCEPTED}")
        return _read_lists(data, test_list)
    if test_list is not None:
        raise UsageError(f"--test-list goes with a list file as --data, but {data} is a folder.")
    if lists:
        return _read_lists(*_chosen_lists(data, lists, split))
    return Contents(read_folders(data))


def _official_lists(folder: Path) -> dict[int, set[str]]:
    """The numbers K of UCF101's lists and, for each, which of trainlist and testlist are there."""
    found: dict[int, set[str]] = {}
    for path in folder.iterdir():
        match = re.fullmatch(r"(trainlist|testlist)(\d\d)\.txt", path.name)
        if match:
            found.setdefault(int(match[2]), set()).add(match[1])
    return found


def _chosen_lists(folder: Path, lists: Mapping[int, set[str]], split: int) -> tuple[Path, Path]:
    names = f"trainlist{split:02d}.txt", f"testlist{split:02d}.txt"
    if len(lists.get(split, ())) < 2:
        complete = [str(number) for number, kinds in sorted(lists.items()) if len(kinds) == 2]
        there = f"both are there for --split {', '.join(complete)}" if complete else "no such pair is there"
        raise UserError(f"--split {split} needs {names[0]} and {names[1]} in {folder}; {there}.")
    return folder / names[0], folder / names[1]


def _read_lists(train_list: Path, test_list: Path | None) -> Contents:
    listing = parse_lists(train_list, test_list)
    train, missing = _existing(listing.train, train_list.parent)
    test, also_missing = _existing(listing.test, test_list.parent) if test_list else ((), ())
    read = f"Read {train_list.name} and {test_list.name}." if test_list else f"Read {train_list.name}."
    index = VideoIndex(listing.classes, train, test, (read, *listing.notes))
    lists = (train_list, test_list) if test_list else (train_list,)
    return Contents(index, lists, (*missing, *also_missing))


def _existing(clips: Sequence[ListedClip], folder: Path) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """The listed clips as files, below the list's folder or its videos/, and those that are not there."""
    items, missing = [], []
    for clip in clips:
        candidates = (folder / clip.path, folder / "videos" / clip.path)
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            missing.append(f"{clip.path} ({clip.where})")
        else:
            items.append(Item(path, clip.label, None))
    return tuple(items), tuple(missing)
