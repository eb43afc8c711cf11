"""What the labels of lists stand for: turns listed lines into clips with a class.

Every contradiction is a fault with `file:line`; all of them are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from vidnas.errors import counted
from vidnas.video.index.faults import Fault
from vidnas.video.index.lists import (
    CLASS_LIST,
    EXAMPLE,
    ListedClip,
    Listing,
    ListLine,
    read_class_list,
)

Lines = Sequence[ListLine]


def listing_of(train: Lines, test: Lines, folder: Path) -> Listing:
    """The clips of a training and a test list in this folder, their labels turned into classes.

    With a classInd.txt in it the labels are its numbers (or names), a folder name must agree with them and
    stands for a label left out; else they are read as `by_labels` says.
    """
    class_list = folder / CLASS_LIST
    if class_list.is_file():
        return _by_class_list(train, test, read_class_list(class_list), class_list)
    return by_labels(train, test)


def with_faults(listing: Listing, faults: Iterable[Fault]) -> Listing:
    """A listing with these faults before its own."""
    return replace(listing, faults=(*faults, *listing.faults))


def _by_class_list(train: Lines, test: Lines, listed: dict[str, str], file: Path) -> Listing:
    names, faults = {}, []
    for line in (*train, *test):
        found = _listed_class(line, listed, file)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            names[line.where] = found
    used = set(names.values())
    present = tuple(name for name in listed.values() if name in used)
    left_out = len(listed) - len(present)
    notes = (f"{file.name} lists {counted(len(listed), 'class')}; the {len(present)} that occur are used.",)
    train, test = ([line for line in part if line.where in names] for part in (train, test))
    labels = [names[line.where] for line in (*train, *test)]
    return with_faults(_listing(train, test, labels, present, notes if left_out else ()), faults)


def _listed_class(line: ListLine, listed: dict[str, str], file: Path) -> str | Fault:
    folder = PurePosixPath(line.path).parent.name
    if line.label is None and not folder:
        return Fault(line.where, f"{line.path!r} has neither a label nor a class folder.")
    if line.label is None:
        name = folder
    elif line.label in listed:
        name = listed[line.label]
    elif line.label in listed.values():
        name = line.label
    else:
        numbers = list(listed)
        what = f"label {line.label!r} is not in {file}, which has {numbers[0]} to {numbers[-1]}."
        return Fault(line.where, what)
    if name not in listed.values():
        return Fault(line.where, f"the folder {folder!r} is not a class of {file}.")
    if folder and folder != name:
        what = f"label {line.label!r} is class {name!r} in {file}, but the clip is in {folder!r}."
        return Fault(line.where, what)
    return name


def by_labels(train: Lines, test: Lines) -> Listing:
    """Turn labels into classes by the labels of the training list themselves.

    They are the integers 0..n-1 or 1..n, or names, which then stand sorted.
    """
    faults = [
        Fault(line.where, f"{line.path!r} has no label. {EXAMPLE}")
        for line in (*train, *test)
        if line.label is None
    ]
    if faults:
        train, test = ([line for line in part if line.label is not None] for part in (train, test))
    if not train:
        return Listing((), (), (), (), tuple(faults))
    distinct = {line.label or "" for line in (*train, *test)}
    integers = {label for label in distinct if re.fullmatch(r"[+-]?\d+", label, re.ASCII)}
    numbered = train[0].label in integers
    if len(train) > 2 and all((line.label in integers) != numbered for line in train[1:]):
        numbered = not numbered  # the first line alone is odd, not all the others
    if integers and integers != distinct:
        odd = [line for line in (*train, *test) if (line.label in integers) != numbered]
        faults += [
            Fault(line.where, f"label {line.label!r}: labels must be all integers or all names.")
            for line in odd
        ]
        train, test = (
            [line for line in part if (line.label in integers) == numbered] for part in (train, test)
        )
    listing = _by_numbers(train, test) if numbered else _by_names(train, test)
    return with_faults(listing, faults)


def _by_names(train: Lines, test: Lines) -> Listing:
    labels = [line.label or "" for line in (*train, *test)]
    classes = tuple(sorted(set(labels[: len(train)])))
    return _checked(train, test, labels, classes, f"Labels are names: {counted(len(classes), 'class')}.")


def _by_numbers(train: Lines, test: Lines) -> Listing:
    numbers = {label: int(label) for label in {line.label or "" for line in (*train, *test)}}
    used = {numbers[line.label or ""] for line in train}
    base = 0 if 0 in used else 1
    unused = min(set(range(base, base + len(used) + 1)) - used)
    outside = {number for number in used if not base <= number < unused}
    if outside:
        return Listing((), (), (), (), _out_of_range(train, numbers, outside, unused))
    classes = tuple(str(base + index) for index in range(len(used)))
    note = f"Integer labels count from {base}: {base} to {base + len(used) - 1}."
    labels = [str(numbers[line.label or ""]) for line in (*train, *test)]
    listing = _checked(train, test, labels, classes, note)
    return replace(listing, classes=_folder_names(listing))


def _out_of_range(train: Lines, numbers: dict[str, int], outside: set[int], unused: int) -> tuple[Fault, ...]:
    """A fault for the first line of every label that is out of range."""
    faults = []
    for line in train:
        number = numbers[line.label or ""]
        if number in outside:
            outside = outside - {number}
            gap = f"but no line has label {unused}" if number > unused else "but the lowest may be 0 or 1"
            what = f"label {line.label}, {gap}. Integer labels must be 0 to n-1 or 1 to n, every one of them "
            faults.append(Fault(line.where, f"{what}used in the training list."))
    return tuple(faults)


def _folder_names(listing: Listing) -> tuple[str, ...]:
    """Names for integer labels: the clips' folders where each label has its own one, else as they are."""
    clips = (*listing.train, *listing.test)
    pairs = {(clip.label, clip.path.rpartition("/")[0].rpartition("/")[2]) for clip in clips}
    folders = [folder for _, folder in sorted(pairs)]
    one_to_one = len(pairs) == len(listing.classes) == len(set(folders))
    return tuple(folders) if one_to_one and all(folders) else listing.classes


def _checked(
    train: Lines, test: Lines, labels: Sequence[str], classes: tuple[str, ...], note: str
) -> Listing:
    """The listing of these classes, those of the training list; other labels of the test list are faults."""
    known = set(classes)
    unknown = [number for number, label in enumerate(labels[len(train) :], len(train)) if label not in known]
    if not unknown:
        return _listing(train, test, labels, classes, (note,))
    both = (*train, *test)
    faults = [
        Fault(
            both[number].where,
            f"label {both[number].label!r} is not in the training list, whose "
            f"{counted(len(classes), 'label')} are {classes[0]} to {classes[-1]}.",
        )
        for number in unknown
    ]
    left = [label for label in labels if label in known]
    test = [line for number, line in enumerate(both) if number >= len(train) and labels[number] in known]
    return with_faults(_listing(train, test, left, classes, (note,)), faults)


def _listing(
    train: Lines, test: Lines, names: Sequence[str], classes: tuple[str, ...], notes: tuple[str, ...]
) -> Listing:
    """Put class indices in place of the names; `names` are those of the training and then the test lines."""
    index = {name: label for label, name in enumerate(classes)}
    clips = tuple(
        ListedClip(line.path, index[name], line.where, line.group, line.num_frames)
        for line, name in zip((*train, *test), names, strict=True)
    )
    return Listing(classes, clips[: len(train)], clips[len(train) :], notes)
