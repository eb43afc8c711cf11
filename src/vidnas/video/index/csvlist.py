"""A data set as a CSV file: a row per clip under a header with path, label and, perhaps, split and group."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from vidnas.atomic import write_whole
from vidnas.errors import UserError
from vidnas.video.index.faults import Fault, require_none
from vidnas.video.index.labels import Lines
from vidnas.video.index.lists import Listing, ListLine, read_text
from vidnas.video.index.parts import join_parts
from vidnas.video.index.tables import KNOWN, Columns
from vidnas.video.items import Item, VideoIndex

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


def read_header(file: Path) -> tuple[Columns, list[str]]:
    """The columns of a CSV file that names them, and a note on those that are not used."""
    first_line, _, rest = read_text(file).partition("\n")
    header = _split(first_line)
    for name in ("path", "label"):
        if header.count(name) != 1:
            require_none([Fault(f"{file}:1", f"the header must have one column {name!r}. {_EXAMPLE}")])
    if not rest.strip():
        raise UserError(f"The CSV file {file} has no row. {_EXAMPLE}")
    extra = [name for name in header if name not in KNOWN]
    notes = [f"Columns that are not used: {', '.join(extra)}."] if extra else []
    return Columns(tuple(header), _delimiter(first_line), header=True), notes


def listing_of_parts(
    parts: Mapping[str, Sequence[ListLine]],
    listing_of: Callable[[Lines, Lines], Listing],
    notes: Sequence[str] = (),
) -> Listing:
    """The clips of lines by their part (train, val or test; "" where nothing tells): a training and a test.

    `listing_of` reads their labels. val is the test where there is no other, else it joins the training.
    """
    train, test, how = join_parts({part or "train": lines for part, lines in parts.items()})
    listing = listing_of(train, test) if train else listing_of(test, ())
    clips = (listing.train, listing.test) if train else ((), listing.train)
    more = [f"Of its splits, {how}."] if how else []
    return Listing(listing.classes, *clips, (*notes, *more, *listing.notes), listing.faults)


def _split(line: str) -> list[str]:
    cells = next(csv.reader([line.strip("\r\n")], delimiter=_delimiter(line)), [])
    return [cell.strip().lower() for cell in cells]


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def write_csv(index: VideoIndex, file: Path, *, root: Path) -> None:
    """Write a data set as a CSV file that --data takes, its paths relative to `root` where they lie below."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(KNOWN)
    for part, items in (("train", index.train), ("test", index.test)):
        table.writerows(_cells(items, part, index.classes, root))
    write_whole(file, text.getvalue().encode())


def _cells(
    items: Iterable[Item], part: str, classes: Sequence[str], root: Path
) -> Iterable[tuple[str, str, str, str]]:
    start = f"{root.absolute().as_posix()}/"
    for item in items:
        yield item.path.absolute().as_posix().removeprefix(start), classes[item.label], part, item.group or ""
