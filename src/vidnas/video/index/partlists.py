"""List files that lie in a data set's folder: which they are, and of which part each is."""

import re
from collections.abc import Sequence
from pathlib import Path

from vidnas.errors import UserError
from vidnas.video.index.listfiles import lists_of, read_lines
from vidnas.video.index.lists import CLASS_LIST, numbered_lines, read_text
from vidnas.video.index.parts import PARTS
from vidnas.video.index.recognise import names_clips
from vidnas.video.index.tables import is_csv_of_clips
from vidnas.video.stores.tree import Tree, is_video

_SUFFIXES = (".txt", ".csv", ".tsv", ".lst")
_PART_IN_NAME = re.compile(r"(?:^|[^a-z])(train|val|test)")


def csv_files(tree: Tree) -> list[str]:
    """The CSV files right in the folder whose header is that of a list of clips."""
    return [
        name
        for name in tree.files
        if "/" not in name and name.lower().endswith(".csv") and is_csv_of_clips(tree.root / name)
    ]


def list_files(tree: Tree) -> list[str]:
    """The other lists of clips, right in the folder or in train/ and the like."""
    return [name for name in tree.files if _may_be_list(name) and _is_list(tree, name)]


def lists_of_videos(tree: Tree) -> list[str]:
    """The lists of clips, and those of which most lines name a video, be it there or not."""
    return [
        name
        for name in tree.files
        if _may_be_list(name) and (_is_list(tree, name) or _names_videos(tree.root / name))
    ]


def meant_as_lists(tree: Tree) -> list[str]:
    """The lists of clips where one is asked for; if there is none, every text that may be one."""
    return lists_of_videos(tree) or [name for name in tree.files if _may_be_list(name)]


def _names_videos(file: Path) -> bool:
    try:
        lines = [line for line, _ in numbered_lines(read_text(file), file)]
    except UserError:  # no text
        return False
    naming = sum(any(is_video(cell.strip("\"'")) for cell in re.split(r"[\t,; ]", line)) for line in lines)
    return naming > len(lines) / 2


def _may_be_list(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return (
        file.lower().endswith(_SUFFIXES)
        and file != CLASS_LIST
        and (not folder or folder.lower() in PARTS)
        and not re.fullmatch(r"(trainlist|testlist)\d\d\.txt", file)
    )


def _is_list(tree: Tree, name: str) -> bool:
    try:
        lists = lists_of({"": tree.root / name}, data=tree.root)
        return bool(read_lines(lists).index.train) or names_clips(lists)
    except UserError:  # no text, or an empty one
        return False


def by_part(tree: Tree, names: Sequence[str]) -> dict[str, Path]:
    """The lists by part (train, val, test), "" for a single one; UserError where several are of one part."""
    if len(names) == 1:
        return {"": tree.root / names[0]}
    parts = {_part_of(name): tree.root / name for name in names}
    if len(parts) < len(names) or "train" not in parts or "" in parts:
        raise UserError(
            f"{tree.root} has {' and '.join(names)}. Name the one to be read as --data, and perhaps one of "
            "test videos as --test-list."
        )
    return {part: parts[part] for part in ("train", "val", "test") if part in parts}


def _part_of(name: str) -> str:
    folder, _, file = name.rpartition("/")
    in_name = _PART_IN_NAME.findall(file.lower())
    return PARTS.get(folder.lower()) or (in_name[0] if len(set(in_name)) == 1 else "")
