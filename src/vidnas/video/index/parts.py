"""The parts of a data set by their usual names, and which of them is the test."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

_NAMES = {"train": "train training", "val": "val valid validate validation", "test": "test testing"}
PARTS = {name: part for part, names in _NAMES.items() for name in names.split()}
"""What folders, and the splits of a CSV file, may call them -> train, val or test."""


def join_parts(parts: Mapping[str, Sequence[T]]) -> tuple[tuple[T, ...], tuple[T, ...], str]:
    """What is trained on, what is tested on, and in words what became of a val part, if there is one.

    It is the test where there is no other, else it joins the training.
    """
    train, val, test = (tuple(parts.get(name, ())) for name in ("train", "val", "test"))
    if "val" not in parts:
        return train, test, ""
    if "test" not in parts:
        return train, val, "val is the test"
    return train + val, test, "test is the test, val joins the training videos"
