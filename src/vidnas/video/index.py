"""A data set as the verbs take it: its videos found, grouped and divided, or refused before one is opened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from vidnas.errors import UserError
from vidnas.video.checks import check_classes, check_clips, check_given_split
from vidnas.video.division import SplitBy, divide, find_groups
from vidnas.video.items import VideoIndex
from vidnas.video.layouts import Source, read_contents
from vidnas.words import counted

TEST_FRACTION = 0.25


def index_videos(source: Source, *, split_by: SplitBy, group_regex: str | None, seed: int) -> VideoIndex:
    """List the videos by class, in a training and a test part; `seed` draws a test part not given.

    UserError, before any video is opened, where the files do not make a data set or the parts overlap;
    UsageError where an option does not fit the data.
    """
    index = _read(source)
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


def index_new_videos(source: Source, *, group_regex: str | None) -> VideoIndex:
    """List videos that are only to be tested: the test part where one is given, else all of them."""
    index = _read(source)
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
    start = counted(len(index.classes), "class")
    if counts[most] == counts[least]:
        return f"{start} with {counted(counts[most], 'training video')} each."
    return (
        f"{start}; training videos from {counts[least]} ({index.classes[least]}) "
        f"to {counts[most]} ({index.classes[most]})."
    )


def _read(source: Source) -> VideoIndex:
    """The videos without groups but listed ones; UserError where some are listed but missing."""
    contents = read_contents(source)
    if contents.missing:
        more = f" and {len(contents.missing) - 5} more" if len(contents.missing) > 5 else ""
        raise UserError(
            f"Listed but missing below {contents.lists[0].parent}: {', '.join(contents.missing[:5])}{more}. "
            "Paths are relative to the list's folder or its videos/ folder, or to one of --roots."
        )
    return contents.index
