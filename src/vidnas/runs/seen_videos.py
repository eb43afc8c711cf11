"""Which videos a run has learnt from: a small file in its folder, and comparisons with it."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidnas.errors import UserError
from vidnas.video.items import Item
from vidnas.video.stores.footage import size_bytes

Key = tuple[str, int]
"""A video wherever it lies: `class/file name` and its size in bytes."""


@dataclass(frozen=True)
class SeenVideos:
    """The training and test videos of a run in its order.

    `seen_before`: what the run had learnt from whose weights this one began with. `window_sec`: the median
    duration of the training videos, seconds; None where it is not known.
    """

    train: tuple[Key, ...]
    test: tuple[Key, ...] = ()
    seen_before: tuple[Key, ...] = ()
    window_sec: float | None = None


def video_keys(items: Sequence[Item], classes: Sequence[str]) -> tuple[Key, ...]:
    """The keys of videos, whose files are looked at for their sizes."""
    return tuple((f"{classes[item.label]}/{item.path.name}", size_bytes(item.path)) for item in items)


def seen_to_json(seen: SeenVideos) -> str:
    """The text that `read_seen` reads."""
    return json.dumps(asdict(seen)) + "\n"


def read_seen(file: Path) -> SeenVideos:
    """What `seen_to_json` has written; UserError where the file is missing or damaged."""
    try:
        data = json.loads(file.read_bytes())
        window_sec = data.get("window_sec")
        if window_sec is not None and not (isinstance(window_sec, int | float) and window_sec > 0):
            raise ValueError(f"window_sec is {window_sec!r}")
        # A run from before these were kept has only the first.
        test, before = (_keys(data.get(name, [])) for name in ("test", "seen_before"))
        return SeenVideos(_keys(data["train"]), test, before, window_sec)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        cause = error.strerror if isinstance(error, OSError) else "the file is damaged"
        raise UserError(f"Cannot read in {file} which videos the run has learnt from: {cause}.") from error


def _keys(entries: list[Any]) -> tuple[Key, ...]:
    return tuple((str(name), int(size)) for name, size in entries)


def differences(then: SeenVideos, train: Sequence[Key], test: Sequence[Key]) -> list[str]:
    """What is otherwise in these parts than it was, as phrases; none if nothing is."""
    if (then.train, then.test) == (tuple(train), tuple(test)):
        return []
    old, new = (*then.train, *then.test), (*train, *test)
    old_names, new_names = (Counter(name for name, _ in keys) for keys in (old, new))
    common = old_names & new_names
    resized = set(new) - set(old)
    moved = (set(then.train) & set(test)) | (set(then.test) & set(train))
    phrases = [
        _count("added", (new_names - old_names).elements()),
        _count("missing", (old_names - new_names).elements()),
        _count("of another size", (name for name, _ in resized if common[name])),
        _count("moved between training and test", (name for name, _ in moved)),
    ]
    return [phrase for phrase in phrases if phrase] or ["their order is another"]


def _count(what: str, names: Iterable[str]) -> str:
    """As in `2 added (a, b)`, at most three named; nothing for none."""
    found = sorted(names)
    return f"{len(found)} {what} ({', '.join(found[:3])}{', ...' if found[3:] else ''})" if found else ""
