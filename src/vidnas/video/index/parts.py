"""The parts of a data set by their usual names, and which of them is the test."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")

_NAMES = {"train": "train training", "val": "val valid validate validation", "test": "test testing"}
PARTS = {name: part for part, names in _NAMES.items() for name in names.split()}
"""What folders, and the splits of a CSV file, may call them -> train, val or test."""


def join_parts(
    parts: Mapping[str, Sequence[T]], called: Mapping[str, str] = MappingProxyType({})
) -> tuple[tuple[T, ...], tuple[T, ...], str]:
    """What is trained on, what is tested on, and in words what became of a val part, if there is one.

    It is the test where there is no other, else it joins the training. `called` is how the words name parts.
    """
    train, val, test = (tuple(parts.get(name, ())) for name in ("train", "val", "test"))
    if "val" not in parts:
        return train, test, ""
    val_name, test_name = (called.get(name, name) for name in ("val", "test"))
    if "test" not in parts:
        return train, val, f"{val_name} is the test"
    return train + val, test, f"{test_name} is the test, {val_name} joins the training videos"
