"""Reads list files: `path label` lines, mmaction2's `folder num_frames label`, UCF101's official lists.

Opens no video.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from vidnas.errors import UserError
from vidnas.video.tree import is_video
from vidnas.words import counted

CLASS_LIST = "classInd.txt"
_EXAMPLE = "A line is a path and a label, as in: walk/clip 1.mp4 0"
_FRAMES_EXAMPLE = "A line is a folder, its number of frames and a label, as in: walk/clip 1 120 0"


@dataclass(frozen=True, slots=True)
class ListLine:
    """One line as it stands: the path as written, its label if there is one, and `file:line`.

    `group` and `num_frames` where the line states them.
    """

    path: str
    label: str | None
    where: str
    group: str | None = None
    num_frames: int | None = None


@dataclass(frozen=True, slots=True)
class ListedClip:
    """One line understood: the path as written, its class as an index, `file:line`, what else it states."""

    path: str
    label: int
    where: str
    group: str | None = None
    num_frames: int | None = None


@dataclass(frozen=True)
class Listing:
    """The clips of a training list and of a test list (empty if there is none), and notes on the labels."""

    classes: tuple[str, ...]
    train: tuple[ListedClip, ...]
    test: tuple[ListedClip, ...]
    notes: tuple[str, ...]


def read_text(file: Path) -> str:
    """The text of a list or CSV file, without a byte order mark; UserError where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"The list file {file} does not exist.") from error
    except OSError as error:
        raise UserError(f"The list file {file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"The list file {file} cannot be read as UTF-8 text; save it as such.") from error


def read_lines(file: Path) -> Iterator[tuple[str, str]]:
    """(text, `file:line`) of every line that is not blank; CRLF is fine."""
    return _numbered(read_text(file), file)


def _numbered(text: str, file: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(io.StringIO(text, newline="\n"), 1):
        stripped = line.strip(" \t\n")
        if stripped:
            yield stripped, f"{file}:{number}"


def read_list(file: Path, *, frames: bool = False) -> tuple[ListLine, ...]:
    """The lines of a list file, with `frames` of folders of frames.

    The label is the last token, so that paths may contain spaces; a last token that ends like a video file is
    part of the path, and the line has no label. UserError where no line is left or a path comes twice.
    """
    split = _split_frames_line if frames else _split_line
    lines = tuple(split(text, where) for text, where in read_lines(file))
    if not lines:
        raise UserError(f"The list file {file} is empty. {_FRAMES_EXAMPLE if frames else _EXAMPLE}")
    require_distinct(lines)
    return lines


def lists_frames(file: Path) -> bool:
    """Whether every line of a list file is a folder, a number of frames and a label."""
    matches = [_FRAMES_LINE.fullmatch(text) for text, _ in read_lines(file)]
    return bool(matches) and all(match and not is_video(match[1]) for match in matches)


def require_distinct(lines: Sequence[ListLine]) -> None:
    """UserError where a path comes twice."""
    first: dict[str, str] = {}
    for line in lines:
        if line.path in first:
            raise UserError(f"{line.where}: {line.path!r} is listed before, at {first[line.path]}.")
        first[line.path] = line.where


# [ \t] and not \s: other white space, as in a name with a no-break space, belongs to the name.
_LINE = re.compile(r"(.*[^ \t])[ \t]+([^ \t]+)")
_FRAMES_LINE = re.compile(r"(.*[^ \t])[ \t]+([0-9]+)[ \t]+([^ \t]+)")


def _split_frames_line(text: str, where: str) -> ListLine:
    match = _FRAMES_LINE.fullmatch(text)
    if match is None:
        raise UserError(f"{where}: {text!r} is no line of a list of frame folders. {_FRAMES_EXAMPLE}")
    return ListLine(match[1], sys.intern(match[3]), where, num_frames=int(match[2]))


def _split_line(text: str, where: str) -> ListLine:
    match = _LINE.fullmatch(text)
    if match is None or is_video(match[2]):
        return ListLine(text, None, where)
    return ListLine(match[1], sys.intern(match[2]), where)


def read_class_list(file: Path) -> dict[str, str]:
    """classInd.txt: number as written -> class name, in the order of the numbers."""
    classes: dict[int, str] = {}
    for text, where in read_lines(file):
        match = re.fullmatch(r"(\d+)[ \t]+(.+)", text, re.ASCII)
        if match is None:
            raise UserError(f"{where}: {text!r} is not a number and a class name, as in: 1 ApplyEyeMakeup")
        if int(match[1]) in classes or match[2] in classes.values():
            raise UserError(f"{where}: {text!r} repeats a number or a class name.")
        classes[int(match[1])] = match[2]
    if not classes:
        raise UserError(f"The class list {file} is empty. A line is a number and a name: 1 ApplyEyeMakeup")
    return {str(number): classes[number] for number in sorted(classes)}


def parse_lists(train_list: Path, test_list: Path | None = None, *, frames: bool = False) -> Listing:
    """Read a training list and a test list and turn their labels into classes.

    With a classInd.txt beside the training list the labels are its numbers (or names), a folder name must
    agree with them and stands for a label left out; else the labels of the training list are the classes:
    the integers 0..n-1 or 1..n, or the sorted strings. Every contradiction is a UserError with `file:line`.
    """
    train = read_list(train_list, frames=frames)
    test = read_list(test_list, frames=frames) if test_list else ()
    class_list = train_list.parent / CLASS_LIST
    if class_list.is_file():
        return _by_class_list(train, test, read_class_list(class_list), class_list)
    return by_labels(train, test)


def _by_class_list(
    train: Sequence[ListLine], test: Sequence[ListLine], listed: dict[str, str], file: Path
) -> Listing:
    names = [_listed_class(line, listed, file) for line in (*train, *test)]
    used = set(names)
    present = tuple(name for name in listed.values() if name in used)
    left_out = len(listed) - len(present)
    notes = (f"{file.name} lists {counted(len(listed), 'class')}; the {len(present)} that occur are used.",)
    return _listing(train, test, names, present, notes if left_out else ())


def _listed_class(line: ListLine, listed: dict[str, str], file: Path) -> str:
    folder = PurePosixPath(line.path).parent.name
    if line.label is None and not folder:
        raise UserError(f"{line.where}: {line.path!r} has neither a label nor a class folder.")
    if line.label is None:
        name = folder
    elif line.label in listed:
        name = listed[line.label]
    elif line.label in listed.values():
        name = line.label
    else:
        numbers = list(listed)
        raise UserError(
            f"{line.where}: label {line.label!r} is not in {file}, which has {numbers[0]} to {numbers[-1]}."
        )
    if name not in listed.values():
        raise UserError(f"{line.where}: the folder {folder!r} is not a class of {file}.")
    if folder and folder != name:
        raise UserError(
            f"{line.where}: label {line.label!r} is class {name!r} in {file}, but the clip is in {folder!r}."
        )
    return name


def by_labels(train: Sequence[ListLine], test: Sequence[ListLine]) -> Listing:
    """Turn labels into classes by the labels themselves, as `parse_lists` says."""
    for line in (*train, *test):
        if line.label is None:
            raise UserError(f"{line.where}: {line.path!r} has no label. {_EXAMPLE}")
    labels = [line.label or "" for line in (*train, *test)]
    distinct = set(labels)
    integers = {label: re.fullmatch(r"[+-]?\d+", label, re.ASCII) is not None for label in distinct}
    if not all(integers.values()):
        if any(integers.values()):
            odd = next(line for line in (*train, *test) if integers[line.label or ""] != integers[labels[0]])
            raise UserError(f"{odd.where}: label {odd.label!r}: labels must be all integers or all names.")
        classes = tuple(sorted(set(labels[: len(train)])))
        notes: tuple[str, ...] = (f"Labels are names: {counted(len(classes), 'class')}.",)
    else:
        numbers = {label: str(int(label)) for label in distinct}
        labels = [numbers[label] for label in labels]
        base, count = _integer_range(train, labels)
        classes = tuple(str(base + index) for index in range(count))
        notes = (f"Integer labels count from {base}: {base} to {base + count - 1}.",)
    _check_test_labels(test, labels[len(train) :], classes)
    listing = _listing(train, test, labels, classes, notes)
    return replace(listing, classes=_folder_names(listing)) if all(integers.values()) else listing


def _folder_names(listing: Listing) -> tuple[str, ...]:
    """Names for integer labels: the clips' folders where each label has its own one, else as they are."""
    clips = (*listing.train, *listing.test)
    pairs = {(clip.label, clip.path.rpartition("/")[0].rpartition("/")[2]) for clip in clips}
    folders = [folder for _, folder in sorted(pairs)]
    one_to_one = len(pairs) == len(listing.classes) == len(set(folders))
    return tuple(folders) if one_to_one and all(folders) else listing.classes


def _integer_range(train: Sequence[ListLine], labels: Sequence[str]) -> tuple[int, int]:
    """(lowest label, number of classes) of the training list: 0..n-1 or 1..n, every one used."""
    used = {int(label) for label in labels[: len(train)]}
    base = 0 if 0 in used else 1
    unused = min(set(range(base, base + len(used) + 1)) - used)
    for line, label in zip(train, labels, strict=False):
        if not base <= int(label) < unused:
            gap = f"but no line has label {unused}" if int(label) > unused else "but the lowest may be 0 or 1"
            raise UserError(
                f"{line.where}: label {line.label}, {gap}. Integer labels must be 0 to n-1 or 1 to n, "
                "every one of them used in the training list."
            )
    return base, len(used)


def _check_test_labels(test: Sequence[ListLine], labels: Sequence[str], classes: Sequence[str]) -> None:
    for line, label in zip(test, labels, strict=True):
        if label not in classes:
            raise UserError(
                f"{line.where}: label {line.label!r} is not in the training list, "
                f"whose {len(classes)} labels are {classes[0]} to {classes[-1]}."
            )


def _listing(
    train: Sequence[ListLine],
    test: Sequence[ListLine],
    names: Sequence[str],
    classes: tuple[str, ...],
    notes: tuple[str, ...],
) -> Listing:
    """Put class indices in place of the names; `names` are those of the training and then the test lines."""
    index = {name: label for label, name in enumerate(classes)}
    clips = tuple(
        ListedClip(line.path, index[name], line.where, line.group, line.num_frames)
        for line, name in zip((*train, *test), names, strict=True)
    )
    return Listing(classes, clips[: len(train)], clips[len(train) :], notes)
