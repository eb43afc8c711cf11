"""Which clips belong together, and the division of videos into two parts that keeps them together.

Clips of one group are cut from one video: put on both sides of a division they would turn the test (or
the validation) into a repetition of the training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from vidnas.errors import UsageError, UserError
from vidnas.video.items import Item

SplitBy = Literal["auto", "group", "clip"]

# UCF101: v_<class>_g08_c01, perhaps with more behind it, as a processed clip has.
# HMDB51: <source>_<body part, camera, people, view, quality>_<clip>.
UCF101_NAME = re.compile(r".*_(g\d+)_c\d+.*")
HMDB51_NAME = re.compile(r"(.+_[fhul]_(?:nm|cm)_np\d+_(?:ba|fr|le|ri)_(?:bad|med|goo))_\d+")


def marked_group(stem: str) -> str | None:
    """The group that a UCF101 or HMDB51 file name (without its suffix) states; None for other names."""
    match = UCF101_NAME.fullmatch(stem) or HMDB51_NAME.fullmatch(stem)
    return match[1] if match else None


def group_of(stem: str, class_name: str) -> str | None:
    """The group in a file name: as UCF101 or HMDB51 state it, or `daria` of `daria_bend` in class bend."""
    marked = marked_group(stem)
    if marked is not None:
        return marked
    ending = f"_{class_name}"
    return stem.removesuffix(ending) or None if stem.endswith(ending) else None


def compile_group_regex(group_regex: str) -> re.Pattern[str]:
    """The pattern of --group-regex; UsageError where it is no regular expression or has no (...)."""
    try:
        pattern = re.compile(group_regex)
    except re.error as error:
        raise UsageError(f"--group-regex {group_regex!r} is not a regular expression: {error}") from error
    if pattern.groups == 0:
        raise UsageError(
            f"--group-regex {group_regex!r} has no (...) around the group, as in --group-regex '^(.+?)_'"
        )
    return pattern


def find_groups(
    items: Sequence[Item], classes: Sequence[str], group_regex: str | None = None
) -> tuple[Item, ...]:
    """The same items with the group that a list states or the file name carries, or None.

    A `group_regex` (its first group is the group, searched in the name without its suffix) must find one in
    every name.
    """
    if group_regex is None:
        return tuple(
            item if item.group else replace(item, group=group_of(item.path.stem, classes[item.label]))
            for item in items
        )
    pattern = compile_group_regex(group_regex)
    return tuple(replace(item, group=_matched_group(pattern, item.path)) for item in items)


def _matched_group(pattern: re.Pattern[str], path: Path) -> str:
    match = pattern.search(path.stem)
    if match is None or not match[1]:
        raise UserError(
            f"--group-regex {pattern.pattern!r} finds no group in {path.stem!r}, the name of {path}. "
            "It must find one in every file name (without its suffix)."
        )
    return match[1]


def divide(
    items: Sequence[Item], *, classes: Sequence[str], by: SplitBy, fraction: float, seed: int
) -> tuple[tuple[Item, ...], tuple[Item, ...], str]:
    """Divide each class: `fraction` of its groups (or clips) go to the second part, the rest to the first.

    At least one group (clip) of every class goes to either part. `auto` divides by group where every item
    has one, else by clip. All classes draw from one shuffled order of the groups, so that a person who
    appears in all of them stays on one side where the classes have the same persons.
    The third value is a sentence on what was done; the items keep
    their order. UserError where a class cannot be divided or `group` is asked for and some names carry none.
    """
    by_group, rule = _rule(items, by)
    keys = [(item.group if by_group else None) or str(item.path) for item in items]
    groups: dict[int, set[str]] = {}
    for item, key in zip(items, keys, strict=True):
        groups.setdefault(item.label, set()).add(key)
    _check_divisible(groups, classes, by_group)
    names = sorted(set(keys))
    order = np.random.default_rng(seed).permutation(len(names))
    rank = dict(zip(names, order.tolist(), strict=True))
    drawn = {
        (label, key)
        for label, own in groups.items()
        for key in sorted(own, key=rank.__getitem__)[: max(1, int(fraction * len(own)))]
    }
    pairs = list(zip(items, keys, strict=True))
    first = tuple(item for item, key in pairs if (item.label, key) not in drawn)
    second = tuple(item for item, key in pairs if (item.label, key) in drawn)
    return first, second, f"{rule}: {len(first)} + {len(second)} videos."


def _rule(items: Sequence[Item], by: SplitBy) -> tuple[bool, str]:
    """Whether groups are kept together, and the beginning of the sentence that says so."""
    if by == "clip":
        return False, "Divided by clip, as asked (clips of one video may stand on both sides)"
    if by == "group":
        require_groups(items)
        return True, f"Divided by group, as asked (for example {_example(items[0])})"
    without = _names_without_group(items)
    if without:
        return False, (
            f"Divided by clip, since {len(without)} of {len(items)} file names carry no group, for example "
            f"{without[0]!r} (clips of one video may stand on both sides; --group-regex tells them apart)"
        )
    return True, f"Divided by group, since every file name carries one (for example {_example(items[0])})"


def _example(item: Item) -> str:
    return f"{item.group!r} of {item.path.name!r}"


def _names_without_group(items: Sequence[Item]) -> list[str]:
    return [item.path.name for item in items if item.group is None]


def require_groups(items: Sequence[Item]) -> None:
    """UserError where --split-by group is asked for and some names carry none."""
    without = _names_without_group(items)
    if without:
        raise UserError(
            f"--split-by group: {len(without)} of {len(items)} file names carry no group, for example "
            f"{without[0]!r}. Names like v_Class_g01_c02.avi (UCF101), HMDB51's and person_class.avi are "
            "known; for others say where the group stands, as in --group-regex '^(.+?)_', or use "
            "--split-by clip."
        )


def _check_divisible(groups: dict[int, set[str]], classes: Sequence[str], by_group: bool) -> None:
    again = "A search without a given test split divides twice and needs three of each class."
    for label, keys in sorted(groups.items()):
        if len(keys) > 1:
            continue
        name, only = classes[label], next(iter(keys))
        if by_group:
            raise UserError(
                f"Class {name!r} has only one group ({only!r}), so it cannot be divided by group. Add videos "
                "of another group, or use --split-by clip (clips of that group then stand on both sides). "
                f"{again}"
            )
        raise UserError(
            f"Class {name!r} has only one video to divide, {only}. Every class needs one for either part: "
            f"add videos or remove the class. {again}"
        )
