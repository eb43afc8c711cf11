"""A video with its class and group, and a data set of them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Item:
    """One video: its file, its class as an index into the classes, and its group (None: unknown)."""

    path: Path
    label: int
    group: str | None


@dataclass(frozen=True)
class VideoIndex:
    """A data set: class names by label, the two parts, and sentences for the console about how it was read.

    While it is being read, an empty `test` means that the data came without a test part.
    """

    classes: tuple[str, ...]
    train: tuple[Item, ...]
    test: tuple[Item, ...]
    notes: tuple[str, ...]
