"""Reads data sets that list files give, as these say themselves or as --columns says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vidnas.errors import UsageError, UserError
from vidnas.video.index.faults import Fault
from vidnas.video.index.labels import Lines, by_labels, listing_of, listing_of_parts
from vidnas.video.index.lists import Listing, ListLine, read_list, read_text
from vidnas.video.index.located import Contents, Finder, finder_for, locate
from vidnas.video.index.tables import BLANK, SEPARATORS, Columns, Row, cells_of, cut, read_header, read_rows

Tables = Mapping[Path, Sequence[Row]]
"""The rows of each list, cut by one separator."""


@dataclass(frozen=True)
class Lists:
    """The lists of a data set by part (train, val, test; "" of a single one), and where clips may lie."""

    files: Mapping[str, Path]
    finders: Mapping[Path, Finder]

    @property
    def first(self) -> Path:
        """The training list."""
        return next(iter(self.files.values()))


def lists_of(files: Mapping[str, Path], roots: Sequence[Path] = (), data: Path | None = None) -> Lists:
    """Lists whose paths begin at their own folder, at the folder `data`, or at one of `roots`."""
    return Lists(files, {file: finder_for(file.parent, roots, data) for file in files.values()})


def read_lines(lists: Lists, *, frames: bool = False) -> Contents:
    """The clips of `path label` lines or, with `frames`, of `folder num_frames label` lines."""
    faults: list[Fault] = []
    lines = {part: read_list(file, faults, frames=frames) for part, file in lists.files.items()}
    return _contents(lists, lines, faults, partial(listing_of, folder=lists.first.parent))


def read_csv(lists: Lists) -> Contents:
    """The clips of CSV files whose headers say what their columns are."""
    columns = {file: read_header(file) for file in lists.files.values()}
    tables = {file: cut(read_text(file), file, named.separator) for file, (named, _) in columns.items()}
    notes = dict.fromkeys(note for _, extra in columns.values() for note in extra)
    known = {file: named for file, (named, _) in columns.items()}
    return read_tables(lists, tables, known, named_by="the header has", by=by_labels, notes=tuple(notes))


def read_named(lists: Lists, names: tuple[str, ...]) -> Contents:
    """The clips of lists whose columns --columns names; what separates them is what fits most rows."""
    separator = next(
        one for one in SEPARATORS if one == BLANK or _fits_most(lists.first, Columns(names, one))
    )
    tables = {file: cut(read_text(file), file, separator) for file in lists.files.values()}
    empty = [file for file, rows in tables.items() if not rows]
    if empty:
        raise UserError(f"The list file {empty[0]} is empty.")
    known = dict.fromkeys(tables, Columns(names, separator))
    return read_tables(lists, tables, known, named_by="--columns names")


def _fits_most(file: Path, columns: Columns) -> bool:
    with suppress(UserError):  # no CSV
        fitting = [
            cells_of(row, columns) is not None for row in cut(read_text(file), file, columns.separator)
        ]
        return 2 * sum(fitting) > len(fitting)
    return False


def read_tables(
    lists: Lists,
    tables: Tables,
    columns: Mapping[Path, Columns],
    *,
    named_by: str,
    by: Callable[[Lines, Lines], Listing] | None = None,
    notes: Sequence[str] = (),
) -> Contents:
    """The clips of tables; `named_by` is what has named their columns.

    `by` reads the labels; None: by the classInd.txt beside the first list, if there is one.
    """
    lines: dict[str, list[ListLine]] = {}
    faults: list[Fault] = []
    for part, file in lists.files.items():
        if part and "split" in columns[file].names:
            raise UsageError(
                f"--test-list goes with lists that state no parts; {file.name} has a column split for that."
            )
        is_there = lists.finders[file].has
        own, wrong = read_rows(tables[file], columns[file], is_there, named_by=named_by)
        for stated, more in own.items():
            lines.setdefault(part or stated, []).extend(more)
        faults += wrong
    return _contents(lists, lines, faults, by or partial(listing_of, folder=lists.first.parent), notes)


def _contents(
    lists: Lists,
    lines: Mapping[str, Sequence[ListLine]],
    faults: Iterable[Fault],
    by: Callable[[Lines, Lines], Listing],
    notes: Sequence[str] = (),
) -> Contents:
    names = " and ".join(file.name for file in lists.files.values())
    listing = listing_of_parts(lines, by, notes)
    listing = replace(listing, notes=(f"Read {names}.", *listing.notes), faults=(*faults, *listing.faults))
    stated = set(lines) != {""}
    return locate(listing, lists.finders, tuple(lists.files.values()), parts_stated=stated)
