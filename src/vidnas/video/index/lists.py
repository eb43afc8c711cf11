"""Reads list files: `path label` lines, mmaction2's `folder num_frames label`, UCF101's classInd.txt.

Opens no video. What the labels stand for is a matter of labels.py.
"""

import io
import posixpath
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from vidnas.errors import UserError
from vidnas.video.index.faults import Fault, require_none
from vidnas.video.stores.tree import is_video

CLASS_LIST = "classInd.txt"
EXAMPLE = "A line is a path and a label, as in: walk/clip 1.mp4 0"
_FRAMES_EXAMPLE = "A line is a folder, its number of frames and a label, as in: walk/clip 1 120 0"


L_co = TypeVar("L_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Listed(Generic[L_co]):
    """One line: the path as written, its label, `file:line`, and the group and number of frames it states."""

    path: str
    label: L_co
    where: str
    group: str | None = None
    num_frames: int | None = None


ListLine = Listed[str | None]
"""A line as it stands, its label as written, if there is one."""
ListedClip = Listed[int]
"""A line understood: its label is its class as an index."""


@dataclass(frozen=True)
class Listing:
    """The clips of a training list and of a test list (empty if there is none), and notes on the labels.

    Where there are faults, the lines that have one are left out.
    """

    classes: tuple[str, ...]
    train: tuple[ListedClip, ...]
    test: tuple[ListedClip, ...]
    notes: tuple[str, ...]
    faults: tuple[Fault, ...] = ()


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


def numbered_lines(text: str, file: Path) -> Iterator[tuple[str, str]]:
    """(line, `file:line`) of every line that is not blank; CRLF is fine."""
    for number, line in enumerate(io.StringIO(text, newline="\n"), 1):
        stripped = line.strip(" \t\n")
        if stripped:
            yield stripped, f"{file}:{number}"


def read_list(file: Path, faults: list[Fault], *, frames: bool = False) -> tuple[ListLine, ...]:
    """The lines of a list file, with `frames` of folders of frames; to `faults` go those that are none.

    The label is the last token, so that paths may contain spaces; a last token that ends like a video file is
    part of the path, and the line has no label. UserError where no line is left.
    """
    lines: list[ListLine] = []
    for text, where in numbered_lines(read_text(file), file):
        line = _split_frames_line(text, where) if frames else _split_line(text, where)
        if line is None:
            what = f"{text!r} is no line of a list of frame folders. {_FRAMES_EXAMPLE}"
            faults.append(Fault(where, what))
        else:
            lines.append(line)
    if not lines and not faults:
        raise UserError(f"The list file {file} is empty. {_FRAMES_EXAMPLE if frames else EXAMPLE}")
    return distinct(lines, faults)


def lists_frames(file: Path) -> bool:
    """Whether every line of a list file is a folder, a number of frames and a label."""
    matches = (_FRAMES_LINE.fullmatch(text) for text, _ in numbered_lines(read_text(file), file))
    first = next(matches, None)
    return _names_folder(first) and all(map(_names_folder, matches))


def distinct(lines: Sequence[ListLine], faults: list[Fault]) -> tuple[ListLine, ...]:
    """The lines without those whose path was listed before, be it as `v/1.mp4` or `./v/1.mp4`.

    A line without a label is no repetition of one with a label: what it lacks, or what its folder says
    instead, is told by labels.py.
    """
    first: dict[tuple[str, bool], ListLine] = {}
    for line in lines:
        before = first.setdefault((_normal(line.path), line.label is None), line)
        if before is not line:
            faults.append(repeated(line, before.where, same_label=line.label == before.label))
    return tuple(lines) if len(first) == len(lines) else tuple(first.values())


def repeated(line: ListLine | ListedClip, before: str, *, same_label: bool) -> Fault:
    """That what this line names is listed before, there."""
    label = "" if same_label else " with another label,"
    return Fault(line.where, f"{line.path!r} is listed before,{label} at {before}.")


def _normal(path: str) -> str:
    return posixpath.normpath(path) if "./" in path or "//" in path else path


# [ \t] and not \s: other white space, as in a name with a no-break space, belongs to the name.
_LINE = re.compile(r"(.*[^ \t])[ \t]+([^ \t]+)")
_FRAMES_LINE = re.compile(r"(.*[^ \t])[ \t]+([0-9]+)[ \t]+([^ \t]+)")


def _names_folder(match: re.Match[str] | None) -> bool:
    return match is not None and not is_video(match[1])


def _split_frames_line(text: str, where: str) -> ListLine | None:
    match = _FRAMES_LINE.fullmatch(text)
    if match is None:
        return None
    return Listed(match[1], sys.intern(match[3]), where, num_frames=int(match[2]))


def _split_line(text: str, where: str) -> ListLine:
    match = _LINE.fullmatch(text)
    if match is None or is_video(match[2]):
        return Listed(text, None, where)
    return Listed(match[1], sys.intern(match[2]), where)


def read_class_list(file: Path) -> dict[str, str]:
    """classInd.txt: number as written -> class name, in the order of the numbers."""
    classes: dict[int, str] = {}
    faults = []
    for text, where in numbered_lines(read_text(file), file):
        match = re.fullmatch(r"(\d+)[ \t]+(.+)", text, re.ASCII)
        if match is None:
            faults.append(Fault(where, f"{text!r} is not a number and a class name, as in: 1 ApplyEyeMakeup"))
        elif int(match[1]) in classes or match[2] in classes.values():
            faults.append(Fault(where, f"{text!r} repeats a number or a class name."))
        else:
            classes[int(match[1])] = match[2]
    require_none(faults)
    if not classes:
        raise UserError(f"The class list {file} is empty. A line is a number and a name: 1 ApplyEyeMakeup")
    return {str(number): classes[number] for number in sorted(classes)}
