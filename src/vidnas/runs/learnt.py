"""Which videos a run has learnt from, a small file in its folder: they must not be tested on."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from vidnas.atomic import write_whole
from vidnas.errors import UserError, are, counted
from vidnas.runs.files import SEEN
from vidnas.video.items import Item, VideoIndex
from vidnas.video.scan.scans import Scanned
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


def remember_seen(run: Path, scanned: Scanned, *, also: SeenVideos | None = None) -> None:
    """Write what the run in this folder learns from and tests on, for `check_unseen` and `check_same`.

    `also` is what the run has seen whose weights this one begins with: this one has seen it, too.
    """
    infos = [scanned.infos[item.path] for item in scanned.index.train if item.path in scanned.infos]
    durations = [info.duration_sec for info in infos if info.duration_sec > 0]
    before = (*also.train, *also.seen_before) if also else ()
    seen = SeenVideos(*_parts(scanned.index), before, median(durations) if durations else None)
    write_whole(run / SEEN, seen_to_json(seen).encode())


def remembers(run: Path) -> bool:
    """Whether the run in this folder has come to write what it learns from."""
    return (run / SEEN).exists()


def check_unseen(index: VideoIndex, run: Path, seen: SeenVideos | None = None) -> None:
    """UserError if a test video is one that the run in this folder has learnt from."""
    seen = seen or read_seen(run / SEEN)
    train, test = _parts(index)
    known = [name for name, size in test if (name, size) in {*seen.train, *seen.seen_before}]
    if known:
        raise UserError(
            f"{len(known)} of the {counted(len(test), 'test video')} {are(len(known))} among those "
            f"that {run} has learnt from ({_some(known)}); their accuracy would be "
            f"memory. Compared with that run, the videos are {'; '.join(differences(seen, train, test))}. A "
            "test part that vidnas sets aside "
            "changes with the videos: give those of the run, divided as it divided them (its config.json has "
            "split, split_by, group_regex and test_list), or fix the test part by train/ and test/ folders."
        )


def are_those(seen: SeenVideos, index: VideoIndex) -> bool:
    """Whether these are the videos of a run, divided as it divided them."""
    train, test = _parts(index)
    return (set(train), set(test)) == (set(seen.train), set(seen.test))


def check_same(run: Path, index: VideoIndex) -> None:
    """UserError if these are not the videos that the run in this folder was begun with, in the same order."""
    found = differences(read_seen(run / SEEN), *_parts(index))
    if found:
        raise UserError(
            f"The run in {run} was begun with other videos: {'; '.join(found)}. It can only go on with "
            "the same ones: restore them, or begin another run with --out (`vidnas train --init` takes the "
            "weights along)."
        )


def differences(then: SeenVideos, train: Sequence[Key], test: Sequence[Key]) -> list[str]:
    """What is otherwise in these parts than it was, as phrases; none if nothing is."""
    if (then.train, then.test) == (tuple(train), tuple(test)):
        return []
    old, new = (*then.train, *then.test), (*train, *test)
    old_names, new_names = (Counter(name for name, _ in keys) for keys in (old, new))
    resized = (name for name, _ in set(new) - set(old) if name in old_names)
    moved = (set(then.train) & set(test)) | (set(then.test) & set(train))
    phrases = [
        _count("added", (new_names - old_names).elements()),
        _count("missing", (old_names - new_names).elements()),
        _count("of another size", resized),
        _count("moved between training and test", (name for name, _ in moved)),
    ]
    return [phrase for phrase in phrases if phrase] or ["their order is another"]


def _count(what: str, names: Iterable[str]) -> str:
    """As in `2 added (a, b)`; nothing for none."""
    found = sorted(names)
    return f"{len(found)} {what} ({_some(found)})" if found else ""


def _some(names: Sequence[str]) -> str:
    """At most three of them."""
    return ", ".join([*names[:3], *(["..."] if names[3:] else [])])


def _keys(entries: Any) -> tuple[Key, ...]:
    return tuple((str(name), int(size)) for name, size in entries)


def _parts(index: VideoIndex) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """The keys of the training and of the test videos."""
    return video_keys(index.train, index.classes), video_keys(index.test, index.classes)
