"""Lists as tables: rows cut into columns, of which one is the path and one the label.

Which is which the header of a CSV file says, or --columns, or it is found out (recognise.py).
"""

import csv
import io
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vidnas.atomic import write_whole
from vidnas.errors import UsageError, UserError, counted
from vidnas.video.index.faults import Fault, require_none
from vidnas.video.index.lists import Listed, ListLine, distinct, numbered_lines, read_text
from vidnas.video.index.parts import PARTS
from vidnas.video.items import VideoIndex
from vidnas.video.stores.tree import is_video

KNOWN = ("path", "label", "split", "group")
"""What a column may be; others are not used."""
OTHER = "other"
BLANK = " "
SEPARATORS = MappingProxyType({"\t": "tabs", ",": "commas", ";": "semicolons", BLANK: "blanks"})
DELIMITERS = ",;\t"
"""What may separate the columns of a CSV file."""
_EXAMPLE = "The first line is the header, as in: path,label,split,group"
_TOKEN = re.compile(r"""(?:"[^"]*"|'[^']*')(?=[ \t]|$)|[^ \t]+""")

Row = tuple[list[str], str]
"""The cells of a row and its `file:line`; where blanks separate, one cell with the whole line."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are called and what separates them; whether the first row only names them.

    `header` None: that is to be seen.
    """

    names: tuple[str, ...]
    separator: str
    header: bool | None = None

    @property
    def path(self) -> int:
        """The column of the paths, from 0."""
        return self.names.index("path")


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


def _split(line: str) -> list[str]:
    cells = next(csv.reader([line.strip("\r\n")], delimiter=_delimiter(line)), [])
    return [cell.strip().lower() for cell in cells]


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def parse_columns(text: str) -> tuple[str, ...]:
    """The names that --columns gives to the columns; UsageError where path or label is not among them."""
    names = tuple(name.strip().lower() for name in text.split(","))
    counts = {name: names.count(name) for name in KNOWN}
    if counts["path"] != 1 or counts["label"] != 1 or max(counts.values()) > 1:
        raise UsageError(
            f"--columns {text!r} must name every column of the list in its order, one of them path and one "
            "label, as in --columns number,label,path. One may be split, one group; others are not used."
        )
    return names


def cut(text: str, file: Path, separator: str) -> list[Row]:
    """The rows that are not blank; UserError where this is no table."""
    if separator == BLANK:
        return [([line], where) for line, where in numbered_lines(text, file)]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [(row, f"{file}:{reader.line_num}") for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise UserError(f"{file}:{reader.line_num}: this is no CSV: {error}.") from error


def num_cells(row: Row, separator: str) -> int:
    """How many columns a row has; where blanks separate, at most."""
    return len(_TOKEN.findall(row[0][0])) if separator == BLANK else len(row[0])


def cells_of(row: Row, columns: Columns) -> list[str] | None:
    """The cells of a row; None where it has more or fewer. A path may hold the blanks that separate."""
    if columns.separator != BLANK:
        return [cell.strip() for cell in row[0]] if len(row[0]) == len(columns.names) else None
    line, count = row[0][0], len(columns.names)
    spans = [match.span() for match in _TOKEN.finditer(line)]
    if len(spans) < count:
        return None
    start, stop = columns.path, columns.path + 1 + len(spans) - count
    path = line[spans[start][0] : spans[stop - 1][1]]
    others = [[line[begin:end] for begin, end in own] for own in (spans[:start], spans[stop:])]
    return [_unquoted(cell) for cell in (*others[0], path, *others[1])]


def _unquoted(cell: str) -> str:
    return cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'" else cell


def read_rows(
    rows: Sequence[Row], columns: Columns, is_there: Callable[[str], bool], *, named_by: str
) -> tuple[Mapping[str, list[ListLine]], list[Fault]]:
    """The lines of each part (train, val, test; "" where no column tells it), and the faults of the rows.

    `named_by` is what has named the columns, for messages; `is_there` tells paths, and by it a header.
    """
    part_of: dict[str, str] = {}
    lines: list[ListLine] = []
    faults: list[Fault] = []
    for row in rows[1:] if _has_header(rows, columns, is_there) else rows:
        where, cells = row[1], cells_of(row, columns)
        if cells is None:
            num = counted(num_cells(row, columns.separator), "value")
            faults.append(Fault(where, f"{num}, but {named_by} {counted(len(columns.names), 'column')}."))
            continue
        line = _line(dict(zip(columns.names, cells, strict=True)), where)
        if isinstance(line, Fault):
            faults.append(line)
        else:
            part_of[where], own = line
            lines.append(own)
    parts: dict[str, list[ListLine]] = {}
    for own in distinct(lines, faults):
        parts.setdefault(part_of[own.where], []).append(own)
    return parts, faults


def _has_header(rows: Sequence[Row], columns: Columns, is_there: Callable[[str], bool]) -> bool:
    """Whether the first row tells of no clip: no video by its name, nothing there, a label of its own."""
    if columns.header is not None or not rows:
        return bool(columns.header)
    first, *others = (cells_of(row, columns) for row in rows)
    label = columns.names.index("label")
    labels = {cells[label] for cells in others if cells is not None}
    if first is None:
        cells = _TOKEN.findall(rows[0][0][0]) if columns.separator == BLANK else rows[0][0]
        return bool(others) and not any(is_video(cell) or cell in labels or is_there(cell) for cell in cells)
    path = first[columns.path]
    return not is_video(path) and first[label] not in labels and not is_there(path)


def _line(values: Mapping[str, str], where: str) -> tuple[str, ListLine] | Fault:
    """A row's part and its line."""
    path, label, group, split = (values.get(name, "").strip() for name in ("path", "label", "group", "split"))
    part = PARTS.get((split or "train").lower()) if "split" in values else ""
    if part is None:
        return Fault(where, f"split {values['split']!r}; allowed are train, val and test.")
    if not path or not label:
        return Fault(where, f"the {'path' if not path else 'label'} is empty.")
    return part, Listed(path, sys.intern(label), where, sys.intern(group) if group else None)


def write_csv(index: VideoIndex, file: Path, *, root: Path) -> None:
    """Write a data set as a CSV file that --data takes, its paths relative to `root` where they lie below."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(KNOWN)
    start = f"{root.absolute().as_posix()}/"
    for part, items in (("train", index.train), ("test", index.test)):
        for item in items:
            path = item.path.absolute().as_posix().removeprefix(start)
            table.writerow((path, index.classes[item.label], part, item.group or ""))
    write_whole(file, text.getvalue().encode())
