"""Finds out what the columns of a list are, where exactly one reading is right.

It is right if every path exists and fewer labels than training paths tell two or more classes. Where none
is, the one that most lines fit counts, and the others are its faults.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from vidnas.errors import UserError, shown
from vidnas.video.index.listfiles import Lists
from vidnas.video.index.lists import read_text
from vidnas.video.index.located import Contents
from vidnas.video.index.readings import Reading, Shape, labelled_by, shapes_of
from vidnas.video.index.tables import BLANK, OTHER, SEPARATORS
from vidnas.video.stores.tree import is_video

_MOST_LETTERS = 40


def recognise(lists: Lists, plain: Contents) -> Contents:
    """The clips of lists that `plain` is the plain reading of: that one where it is right, or another.

    Where none is, that which most lines fit, with its faults. UserError that shows the columns where there
    are more than a path and a label and nothing decides.
    """
    if not plain.missing and not plain.faults:
        return plain
    shapes = list(shapes_of(lists))
    exact = (reading for shape in shapes if shape.finds_every_path() for reading in labelled_by(shape))
    right = _different(
        (reading for reading in exact if reading.is_right), lambda one, other: one.result == other.result
    )
    if len(right) == 1:
        return _with_note(right[0])
    num_plain = len(plain.index.train) + len(plain.index.test)
    if not right and num_plain > (num_plain + len(plain.missing) + len(plain.faults)) / 2:
        return plain
    if not right:
        most = (reading for shape in shapes if shape.finds_most_paths for reading in labelled_by(shape))
        plausible = [reading for reading in most if reading.is_plausible]
        right = _different(sorted(plausible, key=lambda one: -len(one.shape.found)), Reading.agrees)
        if len(right) == 1:
            return _with_note(right[0])
    likeliest = max(shapes, key=_likeness, default=None)
    if likeliest is None or not (right or _looks_like_a_table(likeliest, num_plain)):
        return plain
    raise UserError(_explain(right[0].shape if right else likeliest, right))


def _different(readings: Iterable[Reading], are_same: Callable[[Reading, Reading], bool]) -> list[Reading]:
    """Of the readings that are the same the best; only that which a header calls the label, if one is."""
    found: list[Reading] = []
    for reading in readings:
        for number, one in enumerate(found):
            if are_same(one, reading):
                found[number] = max(one, reading, key=lambda one: one.rank)
                break
        else:
            found.append(reading)
    labelled = [reading for reading in found if reading.is_labelled]
    return labelled if len(labelled) == 1 else found


def names_clips(lists: Lists) -> bool:
    """Whether some column of these lists holds paths of files that exist, in most rows and in two or more."""
    return any(shape.finds_most_paths for shape in shapes_of(lists))


def _with_note(reading: Reading) -> Contents:
    columns, index = reading.shape.columns(reading.label), reading.contents.index
    what = [f"column {number} the {name}" for number, name in enumerate(columns.names, 1) if name != OTHER]
    how = f"Found out: {SEPARATORS[columns.separator]} separate, {', '.join(what)} ({reading.flag})."
    return replace(reading.contents, index=replace(index, notes=(*index.notes, how)))


def _likeness(shape: Shape) -> tuple[int, int, bool]:
    """How much the path of a shape looks like one: by files that are there, by suffixes; no blanks cut it."""
    videos = sum(is_video(cells[shape.path]) for _, cells in shape.rows)
    return len(shape.found), videos, shape.separator != BLANK


def _looks_like_a_table(shape: Shape, num_plain: int) -> bool:
    """Rather than a list of paths and labels, of which so many clips are there: by its columns or its labels.

    Labels that are videos are none.
    """
    if 0 < len(shape.found) <= num_plain:
        return False
    if shape.separator == BLANK:
        rows = shape.rows[1:]
        return bool(rows) and all(is_video(cells[-1]) for _, cells in rows)
    return shape.num_columns > 2 or shape.separator != "\t"


def _explain(shape: Shape, right: Sequence[Reading]) -> str:
    """The columns as seen, the first two lines, and the command that would do."""
    files = list(shape.tables)
    if right:
        why = f"{len(right)} readings are possible: {' or '.join(dict.fromkeys(one.flag for one in right))}"
    else:
        why = _why_none(shape)
    columns = "; ".join(
        f"{number + 1}: {', '.join(_short(cells[number]) for _, cells in shape.rows[:3])}"
        for number in range(shape.num_columns)
    )
    label = right[0].label if right else _likely_label(shape)
    flag = ",".join(shape.columns(label).names)
    command = ["vidnas", "check", "--data", str(files[0])]
    command += ["--test-list", str(files[1])] if len(files) > 1 else []
    lines = [line for line in read_text(files[0]).splitlines() if line.strip()]
    return "\n".join(
        [
            f"{' and '.join(map(str, files))} cannot be read without a word on the columns. {why}",
            f"The columns, which {SEPARATORS[shape.separator]} separate, begin with {columns}.",
            "The first lines:",
            *(f"  {shown(line)}" for line in lines[:2]),
            "Say what each column is (path, label, perhaps split and group; other: not used), as in",
            f"  {shlex.join([*command, '--columns', flag])}",
            "which, with --write-csv clips.csv, writes a CSV file that needs no such word.",
        ]
    )


def _why_none(shape: Shape) -> str:
    """Why the likeliest reading is not right."""
    contents = Reading(shape, _likely_label(shape)).contents
    number = shape.path + 1
    if contents.missing:
        clips = len(contents.missing) + len(contents.index.train) + len(contents.index.test)
        first = contents.missing[0]
        return (
            f"With column {number} as the path, {len(contents.missing)} of {clips} files are missing, such "
            f"as {shown(first.what)} ({first.where}); --roots names other folders."
        )
    if contents.faults:
        return f"With column {number} as the path, {contents.faults[0]}"
    return "No column tells two or more classes, with several videos each."


def _likely_label(shape: Shape) -> int:
    """The column with the fewest values, but two or more; rather words than numbers."""

    def unlikely(column: int) -> tuple[bool, bool, int]:
        values = {cells[column] for _, cells in shape.rows[1:]}
        numbers = all(re.fullmatch(r"[\d.]+", value) for value in values)
        return not 2 <= len(values) < len(shape.rows) - 1, numbers, len(values)

    return min((column for column in range(shape.num_columns) if column != shape.path), key=unlikely)


def _short(cell: str) -> str:
    text = shown(cell)
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}..."
