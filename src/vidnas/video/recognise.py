"""Finds out what the columns of a list are, where exactly one reading is right.

A reading is what separates, which column is the path and which the label. It is right if every path exists
and fewer labels than training paths tell two or more classes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from vidnas.errors import UserError
from vidnas.video.decode import shown
from vidnas.video.listfiles import Lists, Tables, read_tables
from vidnas.video.lists import read_text
from vidnas.video.located import Contents
from vidnas.video.tables import BLANK, OTHER, SEPARATORS, Columns, cells_of, cut, num_cells
from vidnas.video.tree import is_video

LABEL_WORDS = frozenset(("label", "labels", "class", "classname", "class_name", "category", "action"))
"""Headers that decide where several columns could be the label."""
MOST_BLANK_COLUMNS = 8
"""More are not tried where blanks separate, of which a path may hold any number."""
_SHOWN = 40


@dataclass(frozen=True)
class Shape:
    """Lists cut into so many columns, one of them the path."""

    lists: Lists
    tables: Tables
    separator: str
    num_columns: int
    path: int

    @cached_property
    def rows(self) -> list[tuple[Path, list[str]]]:
        """(list, cells) of every row that has that many columns."""
        columns = self.columns()
        cells = [(file, cells_of(row, columns)) for file, rows in self.tables.items() for row in rows]
        return [(file, own) for file, own in cells if own is not None]

    @cached_property
    def header(self) -> list[str]:
        """The cells of the first row, which may be a header."""
        return self.rows[0][1]

    def columns(self, label: int | None = None) -> Columns:
        """What they are called with this one as the label; a header may name the split and the group."""
        names = [OTHER] * self.num_columns
        if label is not None:
            words = [cell.lower() for cell in self.header]
            names = [
                word if word in ("split", "group") and words.count(word) == 1 else OTHER for word in words
            ]
            names[label] = "label"
        names[self.path] = "path"
        return Columns(tuple(names), self.separator)

    def finds_every_path(self) -> bool:
        """Whether all paths exist, but for the first of each list, which may be a header."""
        columns = self.columns()
        for file, rows in self.tables.items():
            finder = self.lists.finders[file]
            for row in rows[1:]:
                cells = cells_of(row, columns)
                if cells is None or not finder.find(cells[self.path]):
                    return False
        return True

    def read(self, label: int) -> Contents:
        """What comes out with this column as the label."""
        known = dict.fromkeys(self.tables, self.columns(label))
        return read_tables(self.lists, self.tables, known, named_by="the others have")


@dataclass(frozen=True)
class Reading:
    """One way to read lists, and what comes out."""

    shape: Shape
    label: int
    contents: Contents

    @property
    def is_right(self) -> bool:
        """Whether every path exists, and fewer labels than training paths tell two or more classes."""
        index = self.contents.index
        sound = not self.contents.missing and not self.contents.faults
        return sound and 2 <= len(index.classes) < len(index.train)

    @property
    def result(self) -> tuple[object, ...]:
        """Which files there are and which of them share a class: readings with one result are the same."""
        items = (*self.contents.index.train, *self.contents.index.test)
        first: dict[int, int] = {}
        labels = tuple(first.setdefault(item.label, len(first)) for item in items)
        return len(self.contents.index.test), tuple(item.path for item in items), labels

    @property
    def rank(self) -> tuple[bool, bool]:
        """Of the same ones the better has names for labels, and paths as they are."""
        numbers = all(re.fullmatch(r"\d+", name) for name in self.contents.index.classes)
        return not numbers, is_video(self.shape.rows[-1][1][self.shape.path])

    @property
    def is_labelled(self) -> bool:
        """Whether a header calls the label so."""
        return self.shape.header[self.label].lower() in LABEL_WORDS

    @property
    def flag(self) -> str:
        """The flag that says the same."""
        return f"--columns {','.join(self.shape.columns(self.label).names)}"


def recognise(lists: Lists, plain: Contents) -> Contents:
    """The clips of lists that `plain` is the plain reading of: that one where it is right, or another.

    UserError that shows the columns where there are more than a path and a label and nothing decides.
    """
    if not plain.missing and not plain.faults:
        return plain
    found: dict[object, Reading] = {}
    for shape in _shapes(lists):
        for reading in _readings(shape):
            best = found.setdefault(reading.result, reading)
            found[reading.result] = max(best, reading, key=lambda one: one.rank)
    labelled = [reading for reading in found.values() if reading.is_labelled]
    right = labelled if len(labelled) == 1 else list(found.values())
    if len(right) == 1:
        return _with_note(right[0])
    if not right and (plain.index.train or plain.index.test):
        return plain  # its faults are those of a list of paths and labels
    likeliest = max(_shapes(lists), key=_likeness, default=None)
    if likeliest is None or not _looks_like_a_table(likeliest):
        return plain
    raise UserError(_explain(likeliest, right))


def names_clips(lists: Lists) -> bool:
    """Whether some column of these lists holds paths of files that exist, in two rows or more."""
    return any(
        len(rows) > 1
        for shape in _shapes(lists)
        if shape.finds_every_path()
        for rows in shape.tables.values()
    )


def _shapes(lists: Lists) -> Iterator[Shape]:
    """The ways to cut lists into columns, in which every row has the same number of them."""
    for separator in SEPARATORS:
        tables = {}
        with suppress(UserError):  # no CSV
            tables = {file: cut(read_text(file), file, separator) for file in lists.files.values()}
        if not tables or not all(tables.values()):
            continue
        numbers = [num_cells(row, separator) for rows in tables.values() for row in rows[1:] or rows]
        if separator != BLANK:
            counts = [numbers[0]] if min(numbers) == max(numbers) > 1 else []
        else:
            counts = list(range(min(min(numbers), MOST_BLANK_COLUMNS), 1, -1))
        for count in counts:
            for path in range(count):
                yield Shape(lists, tables, separator, count, path)


def _readings(shape: Shape) -> Iterator[Reading]:
    """The right readings of a shape."""
    if shape.finds_every_path():
        for label in range(shape.num_columns):
            if label != shape.path:
                reading = Reading(shape, label, shape.read(label))
                if reading.is_right:
                    yield reading


def _with_note(reading: Reading) -> Contents:
    columns, index = reading.shape.columns(reading.label), reading.contents.index
    what = [f"column {number} the {name}" for number, name in enumerate(columns.names, 1) if name != OTHER]
    how = f"Found out: {SEPARATORS[columns.separator]} separate, {', '.join(what)} ({reading.flag})."
    return replace(reading.contents, index=replace(index, notes=(*index.notes, how)))


def _likeness(shape: Shape) -> tuple[int, int, bool]:
    """How much the path of a shape looks like one: by files that are there, by suffixes; no blanks cut it."""
    paths = [(shape.lists.finders[file], cells[shape.path]) for file, cells in shape.rows]
    there = sum(bool(finder.find(path)) for finder, path in paths)
    return there, sum(is_video(path) for _, path in paths), shape.separator != BLANK


def _looks_like_a_table(shape: Shape) -> bool:
    """Rather than a list whose files are all missing: by its columns, or since its labels would be videos."""
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
    contents = shape.read(_likely_label(shape))
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
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
