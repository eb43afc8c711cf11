"""Official lists in a folder: trainlist0K.txt and testlist0K.txt of UCF101, Class_test_splitK.txt of HMDB51.

HMDB51's lines are a clip and 0 (unused), 1 (training) or 2 (test).
"""

import re
from pathlib import Path, PurePosixPath

from vidnas.errors import UserError, are, counted
from vidnas.video.index.faults import Fault
from vidnas.video.index.lists import Listed, ListedClip, Listing, read_list
from vidnas.video.stores.tree import Tree

HMDB51_NAME = re.compile(r"(.+)_test_split(\d+)\.txt")
TRAIN, TEST = "1", "2"


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


def split_files(tree: Tree) -> dict[int, dict[str, str]]:
    """Split -> class -> its file, wherever below the data they lie."""
    found: dict[int, dict[str, str]] = {}
    for name in tree.files:
        match = HMDB51_NAME.fullmatch(PurePosixPath(name).name)
        if match:
            own = found.setdefault(int(match[2]), {})
            if match[1] in own:
                raise UserError(
                    f"{tree.root} has two lists for class {match[1]!r}, split {match[2]}: {own[match[1]]} "
                    f"and {name}. Keep one of them."
                )
            own[match[1]] = name
    return found


def parse_hmdb51(tree: Tree, split: int) -> Listing:
    """The clips of a split; UserError where it is not there.

    Clips are cut from one video where their names differ in the number at the end alone: that is their group.
    """
    files = split_files(tree)
    if not files:
        raise UserError(f"{tree.root} has no list of HMDB51's, Class_test_split1.txt and the like.")
    if split not in files:
        raise UserError(
            f"--split {split}: {tree.root} has lists Class_test_split{{K}}.txt for K = "
            f"{', '.join(map(str, sorted(files)))}."
        )
    classes = tuple(sorted(files[split]))
    parts: dict[str, list[ListedClip]] = {TRAIN: [], TEST: []}
    faults: list[Fault] = []
    unused = 0
    for label, name in enumerate(classes):
        for line in read_list(tree.root / files[split][name], faults):
            if line.label in parts:
                group = PurePosixPath(line.path).stem.rpartition("_")[0] or None
                parts[line.label].append(Listed(f"{name}/{line.path}", label, line.where, group))
            elif line.label == "0":
                unused += 1
            else:
                what = f"{line.label!r}; allowed are 0 (unused), 1 (training), 2 (test)."
                faults.append(Fault(line.where, what))
    clips = f"{counted(unused, 'clip')} of the lists {are(unused)} unused in it"
    notes = (f"HMDB51, split {split}: {clips}.",) if unused else ()
    return Listing(classes, tuple(parts[TRAIN]), tuple(parts[TEST]), notes, tuple(faults))
