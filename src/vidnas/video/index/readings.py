"""The ways in which the columns of lists can be read, each with how well it fits.

A reading is what separates, which column is the path and which the label.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median_low

from vidnas.errors import UserError
from vidnas.video.index.listfiles import Lists, Tables, read_tables
from vidnas.video.index.lists import read_text
from vidnas.video.index.located import Contents
from vidnas.video.index.tables import BLANK, OTHER, SEPARATORS, Columns, cells_of, cut, num_cells
from vidnas.video.stores.tree import is_video

LABEL_WORDS = frozenset(("label", "labels", "class", "classname", "class_name", "category", "action"))
"""Headers that decide where several columns could be the label."""
MOST_BLANK_COLUMNS = 8
"""More are not tried where blanks separate, of which a path may hold any number."""


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

    def columns(self, label: int | None = None) -> Columns:
        """What they are called with this one as the label; a header may name the split and the group."""
        names = [OTHER] * self.num_columns
        if label is not None:
            words = [cell.lower() for cell in self.rows[0][1]]
            names = [
                word if word in ("split", "group") and words.count(word) == 1 else OTHER for word in words
            ]
            names[label] = "label"
        names[self.path] = "path"
        return Columns(tuple(names), self.separator)

    def finds_every_path(self) -> bool:
        """Whether all paths exist, but for the first of each list, which may be a header."""
        columns, finders = self.columns(), self.lists.finders
        every = (
            (finders[file], cells_of(row, columns)) for file, rows in self.tables.items() for row in rows[1:]
        )
        return all(cells is not None and finder.has(cells[self.path]) for finder, cells in every)

    @cached_property
    def found(self) -> dict[tuple[Path, Path], list[str]]:
        """The cells of the rows whose path exists, by the list and the file that was found."""
        found: dict[tuple[Path, Path], list[str]] = {}
        for file, cells in self.rows:
            paths = self.lists.finders[file].find(cells[self.path])
            if paths:
                found.setdefault((file, paths[0]), cells)
        return found

    @cached_property
    def finds_most_paths(self) -> bool:
        """Whether more than half of the rows, and two or more, name a file of their own that exists."""
        return len(self.found) > max(1, sum(map(len, self.tables.values())) / 2)


@dataclass(frozen=True)
class Reading:
    """One way to read lists, and what comes out."""

    shape: Shape
    label: int

    @cached_property
    def contents(self) -> Contents:
        """What comes out of it."""
        shape = self.shape
        known = dict.fromkeys(shape.tables, shape.columns(self.label))
        return read_tables(shape.lists, shape.tables, known, named_by="the others have")

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
    def is_plausible(self) -> bool:
        """Whether the rows whose path exists tell two or more classes, of two clips or more on average."""
        labels = {cells[self.label] for cells in self.shape.found.values()} - {""}
        return 2 <= len(labels) <= len(self.shape.found) / 2

    def agrees(self, other: "Reading") -> bool:
        """Whether both find clips in common, and which of these share a label is the same in both."""
        own, others = self.shape.found, other.shape.found
        labels = [(own[key][self.label], others[key][other.label]) for key in own.keys() & others]
        told = {pair for pair in labels if all(pair)}
        return len(told) == len({one for one, _ in told}) == len({one for _, one in told}) > 0

    @property
    def rank(self) -> tuple[bool, bool]:
        """Of the same ones the better has names for labels, and paths as they are."""
        numbers = all(re.fullmatch(r"\d+", cells[self.label]) for _, cells in self.shape.rows[1:])
        return not numbers, is_video(self.shape.rows[-1][1][self.shape.path])

    @property
    def is_labelled(self) -> bool:
        """Whether a header calls the label so."""
        return self.shape.rows[0][1][self.label].lower() in LABEL_WORDS

    @property
    def flag(self) -> str:
        """The flag that says the same."""
        return f"--columns {','.join(self.shape.columns(self.label).names)}"


def shapes_of(lists: Lists) -> Iterator[Shape]:
    """The ways to cut lists into columns, in which most rows have the same number of them."""
    for separator in SEPARATORS:
        tables = {}
        with suppress(UserError):  # no CSV
            tables = {file: cut(read_text(file), file, separator) for file in lists.files.values()}
        if not tables or not all(tables.values()):
            continue
        numbers = [num_cells(row, separator) for rows in tables.values() for row in rows[1:] or rows]
        usual = median_low(numbers)
        if separator != BLANK:
            counts = [usual] if usual > 1 and 2 * numbers.count(usual) > len(numbers) else []
        else:
            counts = list(range(min(usual, MOST_BLANK_COLUMNS), 1, -1))
        for count in counts:
            for path in range(count):
                yield Shape(lists, tables, separator, count, path)


def labelled_by(shape: Shape) -> Iterator[Reading]:
    """The readings of a shape, one for each column that may be the label."""
    return (Reading(shape, label) for label in range(shape.num_columns) if label != shape.path)
