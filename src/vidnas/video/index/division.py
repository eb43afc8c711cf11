"""The division of videos into two parts that keeps the clips of a group together.

Clips of one group are cut from one video: put on both sides of a division they would turn the test (or
the validation) into a repetition of the training.
"""

import shlex
from collections.abc import Sequence
from typing import Literal

import numpy as np

from vidnas.errors import UserError
from vidnas.video.index.faults import MOST_TOLD, named
from vidnas.video.index.groups import (
    carried_by_most,
    numbered_groups,
    regex_for_all,
    rule_of,
    without_group,
    worthless,
)
from vidnas.video.items import Item

SplitBy = Literal["auto", "group", "clip"]


def divide(
    items: Sequence[Item], *, classes: Sequence[str], by: SplitBy, fraction: float, seed: int
) -> tuple[tuple[Item, ...], tuple[Item, ...], str]:
    """Divide each class: `fraction` of its groups (or clips) go to the second part, the rest to the first.

    At least one group (clip) of every class goes to either part. `auto` divides by group where most items
    have one (each of the others is then a group of its own), else by clip. All classes draw from one shuffled
    order of the groups, so that a person who appears in all of them stays on one side where the classes have
    the same persons. The third value is a sentence on what was done; the items keep their order. UserError
    where a class cannot be divided or `group` is asked for and some names carry none.
    """
    by_group, rule = _rule(items, classes, by)
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


def _rule(items: Sequence[Item], classes: Sequence[str], by: SplitBy) -> tuple[bool, str]:
    """Whether groups are kept together, and the beginning of the sentence that says so."""
    if by == "clip":
        return False, "Divided by clip, as asked (clips of one video may stand on both sides)"
    if by == "group":
        require_groups(items)
        return True, f"Divided by group, as asked (for example {_example(items, classes)})"
    without = without_group(items)
    if not without:
        return True, (
            f"Divided by group, since every file name carries one (for example {_example(items, classes)})"
        )
    if carried_by_most(items):
        return True, (
            f"Divided by group, since {len(items) - len(without)} of {len(items)} file names carry one (for "
            f"example {_example(items, classes)}); {own_groups_told(items, classes)}"
        )
    return False, (
        f"Divided by clip, since {_why_no_groups(items, classes, without)} (clips of one video may stand on "
        "both sides; --group-regex tells them apart)"
    )


def _example(items: Sequence[Item], classes: Sequence[str]) -> str:
    item = next(item for item in items if item.group is not None)
    return f"{item.group!r} of {item.path.name!r}, {rule_of(item, classes)}"


def own_groups_told(items: Sequence[Item], classes: Sequence[str]) -> str:
    """Which names carry no group, so that each is one of its own; the --group-regex that says the same."""
    names = [repr(name) for name in without_group(items)]
    one = "a group of its own is" if len(names) == 1 else "groups of their own are"
    regex = shlex.quote(regex_for_all(items, classes))
    return f"{one} {named(names)} (as with --group-regex {regex})"


def _why_no_groups(items: Sequence[Item], classes: Sequence[str], without: Sequence[str]) -> str:
    numbered = numbered_groups(items, classes)
    why = worthless(items, numbered) if numbered else ""
    if why:
        number, group = next(iter(numbered.items()))
        return f"what could be the group in file names, as {group!r} of {items[number].path.name!r}, is {why}"
    return f"{len(without)} of {len(items)} file names carry no group, for example {without[0]!r}"


def require_groups(items: Sequence[Item]) -> None:
    """UserError where --split-by group is asked for and some names carry none."""
    without = without_group(items)
    if without:
        some = ", ".join(map(repr, without[:MOST_TOLD]))
        raise UserError(
            f"--split-by group: {len(without)} of {len(items)} file names carry no group, for example "
            f"{some}. Names like v_Class_g01_c02.avi (UCF101), HMDB51's, Class_11_1.avi and "
            "person_class.avi are known; for others say where the group stands, as in --group-regex "
            "'^(.+?)_', or use --split-by clip."
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
