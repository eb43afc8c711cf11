"""What must hold before the first epoch: enough classes and clips, and two parts that share nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from vidnas.errors import UserError, counted, shown
from vidnas.video.index.division import SplitBy, own_groups_told, require_groups
from vidnas.video.index.faults import at_once, first_ten
from vidnas.video.index.groups import carried_by_most, marked_group
from vidnas.video.items import Item, VideoIndex


def check_classes(index: VideoIndex) -> None:
    """UserError where there are fewer than two classes, or classes with one clip only."""
    if len(index.classes) < 2:
        raise UserError(
            f"There is only one class, {', '.join(map(repr, index.classes))}: a classifier needs two or more."
        )
    counts = Counter(item.label for item in (*index.train, *index.test))
    single = [name for label, name in enumerate(index.classes) if counts[label] == 1]
    if single:
        raise UserError(
            f"Only one video in {_some('class', single)}: every class needs one for training and "
            "one for the test. Add videos or remove the class."
        )


def check_given_split(index: VideoIndex, split_by: SplitBy, *, own_groups: bool) -> str:
    """Check a test part that came with the data; a sentence on what was checked.

    Every class must be in both parts, and no group of a class may, unless `split_by` is clip. A shared group
    is an error where groups are certain: by `--group-regex` (`own_groups`), by `--split-by group`, in UCF101
    and HMDB51 names. In `7_bend.avi` the 7 may be a number that each part counts anew: there it is only told.
    """
    _check_every_class(index.classes, index.train, "training")
    _check_every_class(index.classes, index.test, "test")
    counts = f"{len(index.train)} training and {counted(len(index.test), 'test video')}; no clip is in both"
    if split_by == "clip":
        return f"Test split as given: {counts}; groups are not checked, as asked (--split-by clip)."
    if split_by == "group":
        require_groups((*index.train, *index.test))
    return f"Test split as given: {counts}{_check_groups(index, own_groups or split_by == 'group')}"


def check_labels(copies: Sequence[Sequence[Item]], classes: Sequence[str]) -> None:
    """UserError where one clip, under several names perhaps, has two labels."""
    sentences = [
        f"{shown(first.path)} and {shown(item.path)} are one clip with two labels, {classes[first.label]} "
        f"and {classes[item.label]}."
        for first, *others in copies
        for item in others
        if item.label != first.label
    ]
    if sentences:
        raise UserError(f"{at_once(sentences, 'clips have two labels')} Keep each clip in its class alone.")


def check_copies(copies: Sequence[Sequence[Item]], index: VideoIndex) -> tuple[str, ...]:
    """UserError where a clip is in both parts; a note on those that are several times in one."""
    tested = {item.path for item in index.test}
    shared, twice = [], []
    for alike in copies:
        parts: tuple[list[Path], list[Path]] = ([], [])
        for item in alike:
            parts[item.path in tested].append(item.path)
        train, test = parts
        shared += [f"{path} (trained on as {train[-1]})" for path in test if train]
        twice += [" and ".join(shown(path) for path in part) for part in parts if len(part) > 1]
    if shared:
        raise UserError(f"In both training and test: {_some('clip', shared)}. Keep one of the two.")
    if not twice:
        return ()
    return (f"Careful: one clip several times: {'; '.join(first_ten(twice)).removesuffix('.')}.",)


def _check_groups(index: VideoIndex, certain: bool) -> str:
    """UserError for certain groups in both parts; the end of the sentence on what was checked."""
    shared = _groups(index.train) & _groups(index.test)
    marked = [item for item in index.test if certain or marked_group(item.path.stem) is not None]
    names = _group_names(shared & _groups(marked), index.classes)
    if names:
        raise UserError(
            f"In both training and test: {_some('group', names)}. Clips of a group are cut from "
            "one video, so the test would be too easy. Move them, or use --split-by clip to accept it."
        )
    if shared:
        both = _some("group", _group_names(shared, index.classes))
        return f"; going by file names, {both} would be in both (--split-by group checks it)."
    if all(item.group is not None for item in (*index.train, *index.test)):
        return ", and no group of a class."
    if carried_by_most((*index.train, *index.test)):
        own = own_groups_told((*index.train, *index.test), index.classes)
        return f", and no group of a class; {own}."
    return "; groups are not known for every file name."


def _check_every_class(classes: Sequence[str], items: Sequence[Item], part: str) -> None:
    present = {item.label for item in items}
    absent = [name for label, name in enumerate(classes) if label not in present]
    if absent:
        raise UserError(
            f"No {part} videos in {_some('class', absent)}: every class needs training and test "
            "videos. Add some or remove the class."
        )


def _groups(items: Sequence[Item]) -> set[tuple[int, str]]:
    """(class, group), since g01 of two classes are two videos."""
    return {(item.label, item.group) for item in items if item.group is not None}


def _group_names(groups: Iterable[tuple[int, str]], classes: Sequence[str]) -> list[str]:
    return [f"{group} of {classes[label]}" for label, group in sorted(groups)]


def _some(one: str, names: Sequence[str]) -> str:
    """`class a`, or `7 classes (a, b, c, d, e, ...)`: at most five are named."""
    if len(names) == 1:
        return f"{one} {names[0]}"
    more = ", ..." if len(names) > 5 else ""
    return f"{counted(len(names), one)} ({', '.join(names[:5])}{more})"
