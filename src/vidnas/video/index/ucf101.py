"""UCF101's official lists, trainlist0K.txt and testlist0K.txt, in a folder."""

from __future__ import annotations

import re
from pathlib import Path

from vidnas.errors import UserError
from vidnas.video.stores.tree import Tree


def ucf101_splits(tree: Tree) -> dict[int, set[str]]:
    """The numbers K of UCF101's lists and, for each, which of trainlist and testlist are there."""
    found: dict[int, set[str]] = {}
    for name in tree.files:
        match = re.fullmatch(r"(trainlist|testlist)(\d\d)\.txt", name)
        if match:
            found.setdefault(int(match[2]), set()).add(match[1])
    return found


def whole_splits(tree: Tree) -> list[int]:
    """Those of which both lists are there."""
    return sorted(number for number, kinds in ucf101_splits(tree).items() if len(kinds) == 2)


def ucf101_lists(tree: Tree, split: int) -> dict[str, Path]:
    """The two lists of a split; UserError where they are not there."""
    names = {"train": f"trainlist{split:02d}.txt", "test": f"testlist{split:02d}.txt"}
    if split not in whole_splits(tree):
        whole = ", ".join(map(str, whole_splits(tree)))
        there = f"both are there for --split {whole}" if whole else "no such pair is there"
        raise UserError(
            f"--split {split} needs {names['train']} and {names['test']} in {tree.root}; {there}."
        )
    return {part: tree.root / name for part, name in names.items()}
