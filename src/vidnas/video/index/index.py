"""A data set as the verbs take it: its videos found, grouped and divided, or refused before one is opened."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from vidnas.errors import UserError, are, counted
from vidnas.video.index.checks import check_classes, check_copies, check_given_split, check_labels
from vidnas.video.index.contents import read_contents
from vidnas.video.index.copies import find_copies
from vidnas.video.index.division import SplitBy, divide
from vidnas.video.index.faults import named
from vidnas.video.index.groups import find_groups
from vidnas.video.index.sources import Source
from vidnas.video.items import VideoIndex

TEST_FRACTION = 0.25


def index_videos(source: Source, *, split_by: SplitBy, group_regex: str | None, seed: int) -> VideoIndex:
    """List the videos by class, in a training and a test part; `seed` draws a test part not given.

    UserError, before any video is opened, where the files do not make a data set or the parts overlap;
    UsageError where an option does not fit the data.
    """
    index = _read(source)
    check_classes(index)
    copies = find_copies((*index.train, *index.test))
    check_labels(copies, index.classes)
    index = grouped(index, group_regex)
    how = ""
    if not index.test:
        train, test, how = divide(
            index.train, classes=index.classes, by=split_by, fraction=TEST_FRACTION, seed=seed
        )
        index = replace(index, train=train, test=test)
        how = f"No test split is given, so {_set_aside(index)}. {how}"
    told = check_copies(copies, index)
    how = how or check_given_split(index, split_by, own_groups=group_regex is not None)
    return replace(index, notes=(*index.notes, how, *told, _balance(index)))


def grouped(index: VideoIndex, group_regex: str | None) -> VideoIndex:
    """Give the videos of a data set their groups."""
    items = find_groups((*index.train, *index.test), index.classes, group_regex)
    return replace(index, train=items[: len(index.train)], test=items[len(index.train) :])


def index_new_videos(source: Source, *, group_regex: str | None) -> VideoIndex:
    """List videos that are only to be tested: the test part where one is given, else all of them."""
    index = _read(source)
    if not index.test:
        index = replace(index, train=(), test=index.train)
    check_labels(find_copies(index.test), index.classes)
    how = f"These are not the videos of the training: all {len(index.test)} are tested."
    index = grouped(replace(index, train=()), group_regex)
    return replace(index, notes=(*index.notes, how))


def direction_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes with a direction in their name, which a mirrored clip would contradict."""
    word = re.compile(r"(left|right)(wards?)?|(anti|counter)?clockwise")
    words = {name: re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name) for name in classes}
    return tuple(name for name in classes if any(word.fullmatch(part.lower()) for part in words[name]))


def _set_aside(index: VideoIndex) -> str:
    """How much of the classes a made test part is, as it came out: groups and small classes are not cut."""
    tests, trains = (Counter(item.label for item in part) for part in (index.test, index.train))
    counts = {(tests[label], tests[label] + trains[label]) for label in range(len(index.classes))}
    if len(counts) == 1:
        (num_test, num_all) = counts.pop()
        return f"{num_test} of the {counted(num_all, 'video')} of each class {are(num_test)} set aside"
    num_all = len(index.train) + len(index.test)
    least, *_, most = sorted(counts, key=lambda pair: (pair[0] / pair[1], pair))
    return (
        f"{len(index.test)} of the {counted(num_all, 'video')} {are(len(index.test))} set aside, from "
        f"{least[0]} of {least[1]} to {most[0]} of {most[1]} of a class"
    )


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
        raise UserError(
            f"Listed but missing below {contents.lists[0].parent}: {named(contents.missing)}. Paths "
            "are relative to the list's folder, to videos/ or train/, val/ and test/ there, or to one of "
            "--roots."
        )
    return contents.index
