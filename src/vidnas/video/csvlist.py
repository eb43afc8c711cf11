"""A data set as a CSV file: a row per clip under a header with path, label and, perhaps, split and group."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from vidnas.atomic import write_whole
from vidnas.errors import UserError
from vidnas.video.items import Item, VideoIndex
from vidnas.video.lists import Listing, ListLine, by_labels, read_text, require_distinct
from vidnas.video.parts import PARTS, join_parts
from vidnas.words import counted

COLUMNS = ("path", "label", "split", "group")
DELIMITERS = ",;\t"
_EXAMPLE = "The first line is the header, as in: path,label,split,group"


def is_csv_of_clips(file: Path) -> bool:
    """Whether it is a CSV file whose header has a path and a label."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header = _split(lines.readline())
    except (OSError, UnicodeDecodeError):
        return False
    return {"path", "label"} <= set(header)


def parse_csv(file: Path) -> Listing:
    """Read the clips; a UserError names file and line.

    `split` is train, val or test: val is the test where there is no other, else it joins the training.
    Labels are read as in a list file.
    """
    header, rows = _rows(file)
    parts: dict[str, list[ListLine]] = {}
    for row, where in rows:
        values = dict(zip(header, row, strict=False))
        part = PARTS.get((values.get("split") or "train").strip().lower())
        if part is None:
            raise UserError(f"{where}: split {values['split']!r}; allowed are train, val and test.")
        parts.setdefault(part, []).append(_line(values, where))
    lines = [line for own in parts.values() for line in own]
    if not lines:
        raise UserError(f"The CSV file {file} has no row. {_EXAMPLE}")
    require_distinct(lines)
    train, test, how = join_parts(parts)
    listing = by_labels(train, test) if train else by_labels(test, ())
    extra = [name for name in header if name not in COLUMNS]
    notes = [f"Columns that are not used: {', '.join(extra)}."] if extra else []
    notes += [f"Of its splits, {how}."] if how else []
    clips = (listing.train, listing.test) if train else ((), listing.train)
    return Listing(listing.classes, *clips, (*notes, *listing.notes))


def _rows(file: Path) -> tuple[list[str], list[tuple[list[str], str]]]:
    """The names of the columns, and every row that is not blank with its `file:line`."""
    text = read_text(file)
    header = _split(text.partition("\n")[0])
    for name in ("path", "label"):
        if header.count(name) != 1:
            raise UserError(f"{file}:1: the header must have one column {name!r}. {_EXAMPLE}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0]))
    try:
        next(reader)
        rows = [(row, f"{file}:{reader.line_num}") for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UserError(f"{file}:{reader.line_num}: this is no CSV: {error}.") from error
    for row, where in rows:
        if len(row) != len(header):
            wanted = counted(len(header), "column")
            raise UserError(f"{where}: {counted(len(row), 'value')}, but the header has {wanted}.")
    return header, rows


def _line(values: dict[str, str], where: str) -> ListLine:
    path, label, group = (values.get(name, "").strip() for name in ("path", "label", "group"))
    if not path or not label:
        raise UserError(f"{where}: the {'path' if not path else 'label'} is empty.")
    return ListLine(path, sys.intern(label), where, sys.intern(group) if group else None)


def _split(line: str) -> list[str]:
    cells = next(csv.reader([line.strip("\r\n")], delimiter=_delimiter(line)), [])
    return [cell.strip().lower() for cell in cells]


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def write_csv(index: VideoIndex, file: Path, *, root: Path) -> None:
    """Write a data set as `parse_csv` reads it, the paths relative to `root`; whole or not at all."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for part, items in (("train", index.train), ("test", index.test)):
        table.writerows(_cells(items, part, index.classes, root))
    write_whole(file, text.getvalue().encode())


def _cells(
    items: Iterable[Item], part: str, classes: Sequence[str], root: Path
) -> Iterable[tuple[str, str, str, str]]:
    start = f"{root.as_posix()}/"
    for item in items:
        yield item.path.as_posix().removeprefix(start), classes[item.label], part, item.group or ""
