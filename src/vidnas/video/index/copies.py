"""Clips that are one: a file, links to it, and copies of it, whatever they are called."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from vidnas.errors import UserError
from vidnas.video.items import Item
from vidnas.video.stores.footage import content_digest, fingerprint, identity, size_bytes

K = TypeVar("K", bound=Hashable)


def find_copies(items: Sequence[Item]) -> list[list[Item]]:
    """The items of which there are several with one content, each kind in the order of the items.

    Sizes are compared first, then the beginnings and ends of those of one size, then the whole of what is
    left, each file read once. Empty files are copies only where they are one file.
    """
    found = []
    digests: dict[Hashable, bytes] = {}
    for size, alike in _by(items, lambda item: size_bytes(item.path)):
        if size == 0:
            found += [same for _, same in _by(alike, lambda item: identity(item.path))]
            continue
        for _, near in _by(alike, lambda item: fingerprint(item.path)):
            found += [same for _, same in _by(near, lambda item: _digest(item.path, digests))]
    return found


def _digest(path: Path, known: dict[Hashable, bytes]) -> bytes:
    key = identity(path)
    if key not in known:
        known[key] = content_digest(path)
    return known[key]


def _by(items: Iterable[Item], key: Callable[[Item], K]) -> Iterator[tuple[K, list[Item]]]:
    """The items that share a key with another one."""
    found: dict[K, list[Item]] = {}
    for item in items:
        with suppress(UserError, OSError):  # which the scan of the videos will report
            found.setdefault(key(item), []).append(item)
    return ((value, alike) for value, alike in found.items() if len(alike) > 1)
