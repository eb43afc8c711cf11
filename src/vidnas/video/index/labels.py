"""What the labels of lists stand for: turns listed lines into clips with a class.

Every contradiction is a fault with `file:line`; all of them are found.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from vidnas.errors import counted
from vidnas.video.index.faults import Fault
from vidnas.video.index.lists import CLASS_LIST, EXAMPLE, Listed, Listing, ListLine, read_class_list
from vidnas.video.index.parts import join_parts

Lines = Sequence[ListLine]


def listing_of_parts(
    parts: Mapping[str, Lines], listing_of: Callable[[Lines, Lines], Listing], notes: Sequence[str] = ()
) -> Listing:
    """The clips of lines by their part (train, val or test; "" where nothing tells): a training and a test.

    `listing_of` reads their labels. val is the test where there is no other, else it joins the training.
    """
    train, test, how = join_parts({part or "train": lines for part, lines in parts.items()})
    listing = listing_of(train, test) if train else listing_of(test, ())
    clips = (listing.train, listing.test) if train else ((), listing.train)
    more = [f"Of its splits, {how}."] if how else []
    return Listing(listing.classes, *clips, (*notes, *more, *listing.notes), listing.faults)


def listing_of(train: Lines, test: Lines, folder: Path) -> Listing:
    """The clips of a training and a test list in this folder, their labels turned into classes.

    With a classInd.txt in it the labels are its numbers (or names), a folder name must agree with them and
    stands for a label left out; else they are read as `by_labels` says.
    """
    class_list = folder / CLASS_LIST
    if class_list.is_file():
        return _by_class_list(train, test, read_class_list(class_list), class_list)
    return by_labels(train, test)


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
    note = f"{file.name} lists {counted(len(listed), 'class')}; the {len(present)} that occur are used."
    return _listing(train, test, names, present, (note,) if len(present) < len(listed) else (), faults)


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
    lines = (*train, *test)
    faults = [
        Fault(line.where, f"{line.path!r} has no label. {EXAMPLE}") for line in lines if line.label is None
    ]
    labels = {line.where: line.label for line in lines if line.label is not None}
    trained = [labels[line.where] for line in train if line.where in labels]
    if not trained:
        return Listing((), (), (), (), tuple(faults))
    integers = {label for label in set(labels.values()) if re.fullmatch(r"[+-]?\d+", label, re.ASCII)}
    numbered = trained[0] in integers
    if len(trained) > 2 and all((label in integers) != numbered for label in trained[1:]):
        numbered = not numbered  # the first line alone is odd, not all the others
    faults += [
        Fault(line.where, f"label {line.label!r}: labels must be all integers or all names.")
        for line in lines
        if line.label is not None and (line.label in integers) != numbered
    ]
    plain = {label: str(int(label)) for label in integers} if numbered else {}
    names = {
        where: plain.get(label, label) for where, label in labels.items() if (label in integers) == numbered
    }
    return _by_training(train, test, names, numbered, faults)


def _by_training(
    train: Lines, test: Lines, names: dict[str, str], numbered: bool, faults: list[Fault]
) -> Listing:
    """The listing of the classes of the training list; other labels of the test list are faults."""
    used = {names[line.where] for line in train if line.where in names}
    if numbered and (wrong := _out_of_range(train, names, set(map(int, used)))):
        return Listing((), (), (), (), (*faults, *wrong))
    classes = tuple(sorted(used, key=int if numbered else str))
    note = f"Labels are names: {counted(len(classes), 'class')}."
    if numbered:
        note = f"Integer labels count from {classes[0]}: {classes[0]} to {classes[-1]}."
    unknown = [line for line in test if line.where in names and names[line.where] not in used]
    faults += [
        Fault(
            line.where,
            f"label {line.label!r} is not in the training list, whose "
            f"{counted(len(classes), 'label')} are {classes[0]} to {classes[-1]}.",
        )
        for line in unknown
    ]
    for line in unknown:
        del names[line.where]
    listing = _listing(train, test, names, classes, (note,), faults)
    return replace(listing, classes=_folder_names(listing)) if numbered else listing


def _out_of_range(train: Lines, names: Mapping[str, str], used: set[int]) -> list[Fault]:
    """A fault for the first line of every number that is none of 0 to n-1 or 1 to n."""
    base = 0 if 0 in used else 1
    unused = min(set(range(base, base + len(used) + 1)) - used)
    outside = {str(number) for number in used if not base <= number < unused}
    faults = []
    for line in train:
        number = names.get(line.where, "")
        if number in outside:
            outside.remove(number)
            gap = (
                f"but no line has label {unused}" if int(number) > unused else "but the lowest may be 0 or 1"
            )
            what = f"label {line.label}, {gap}. Integer labels must be 0 to n-1 or 1 to n, every one of them "
            faults.append(Fault(line.where, f"{what}used in the training list."))
    return faults


def _folder_names(listing: Listing) -> tuple[str, ...]:
    """Names for integer labels: the clips' folders where each label has its own one, else as they are."""
    clips = (*listing.train, *listing.test)
    pairs = {(clip.label, clip.path.rpartition("/")[0].rpartition("/")[2]) for clip in clips}
    folders = [folder for _, folder in sorted(pairs)]
    one_to_one = len(pairs) == len(listing.classes) == len(set(folders))
    return tuple(folders) if one_to_one and all(folders) else listing.classes


def _listing(
    train: Lines,
    test: Lines,
    names: Mapping[str, str],
    classes: tuple[str, ...],
    notes: tuple[str, ...],
    faults: Iterable[Fault],
) -> Listing:
    """The clips of those lines whose class `names` tells, by `file:line`."""
    index = {name: label for label, name in enumerate(classes)}
    own_train, own_test = (
        tuple(
            Listed(line.path, index[names[line.where]], line.where, line.group, line.num_frames)
            for line in part
            if line.where in names
        )
        for part in (train, test)
    )
    return Listing(classes, own_train, own_test, notes, tuple(faults))
