"""What scans have found out, kept in a file, so that a video is decoded for it once and not for every run.

A file counts as unchanged while its size and its time of modification stay. Only good files are kept: a bad
one is looked at again every time.
"""

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from vidnas.atomic import write_whole
from vidnas.errors import UserError
from vidnas.video.processes.heartbeat import LIMIT_SEC
from vidnas.video.scan.scans import Scan, scan_each
from vidnas.video.stores.decode import DECODER, VideoInfo
from vidnas.video.stores.footage import state_of, told

FILE_NAME = ".vidnas-index.json"
FORMAT, VERSION = "vidnas-index", 2
SAVE_EVERY_SEC = 30.0


_KEPT = tuple(field.name for field in fields(VideoInfo) if field.name != "starts_sec")
_Entry = tuple[tuple[int, int], VideoInfo]
"""The state of a file when it was scanned, and what was found."""


class ScanIndex:
    """The good videos below `root`: read from a file there and from one in the folder `cache`.

    `save` writes the one in `root` or, where that cannot be, the one in `cache`, and sets `file` to it and
    `note` to a sentence where that is not the usual place. A damaged file, or one of another version, counts
    as empty.
    """

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.file: Path | None = None
        self.note: str | None = None
        name = hashlib.blake2b(os.fsencode(root.resolve()), digest_size=8).hexdigest()
        self._places = root / FILE_NAME, cache / f"{name}.json"
        self._entries: dict[str, _Entry] = {}
        for place in self._places:
            for key, entry in _read(place).items():
                if key not in self._entries or state_of(root / key) == entry[0]:
                    self._entries[key] = entry

    def known(self, path: Path) -> VideoInfo | None:
        """What an earlier scan has found, if the file is unchanged since."""
        state, info = self._entries.get(self._key(path), (None, None))
        return info if state is not None and state == state_of(path) else None

    def note_scan(self, path: Path, state: tuple[int, int] | None, scan: Scan) -> None:
        """Keep what a scan has found of a file that was in this state before; forget a bad one."""
        if state is None or isinstance(scan, UserError):
            self._entries.pop(self._key(path), None)
        else:
            self._entries[self._key(path)] = state, replace(scan, starts_sec=())

    def save(self) -> None:
        """Write the index, without files that have vanished. Never an error: it only saves time."""
        there = {key: _to_json(entry) for key, entry in self._entries.items() if state_of(self.root / key)}
        head = {"format": FORMAT, "version": VERSION, "decoder": DECODER}
        content = (json.dumps(head | {"videos": there}) + "\n").encode()
        for place in self._places:
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                # Two processes may write at once: each under a name of its own, and the last one stays.
                write_whole(place, content, partial=f"{place.name}.{os.getpid()}.partial")
            except (UserError, OSError):
                continue
            self.file = place
            usual = place == self._places[0]
            self.note = None if usual else f"{self.root} cannot be written; its index of videos is {place}."
            return
        self.file = None
        self.note = "No index of the videos could be written: the next run decodes them again."

    def _key(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.root)).as_posix()


def scan_indexed(
    paths: Sequence[Path],
    index: ScanIndex,
    *,
    workers: int,
    progress: Callable[[int], object],
    afresh: bool = False,
    limit_sec: float = LIMIT_SEC,
    save_every_sec: float = SAVE_EVERY_SEC,
) -> list[Scan]:
    """Scan those files that the index does not know, or all of them `afresh`; in the order of `paths`.

    When each frame starts is in no result: the index does not keep it. `progress(n)` is called after every n
    files, `limit_sec` as in scan_each. The index is saved now and then and at the end, also when the scan is
    interrupted.
    """
    results: dict[int, Scan] = {}
    for position, path in enumerate(paths):
        if not afresh and (info := told(path) or index.known(path)):
            results[position] = info
    progress(len(results))
    new = [position for position in range(len(paths)) if position not in results]
    if not new:
        return [results[position] for position in range(len(paths))]
    # Before it is decoded: a file that changes meanwhile must be scanned again.
    states = [state_of(paths[position]) for position in new]
    saved = time.monotonic()
    try:
        with closing(scan_each([paths[i] for i in new], workers=workers, limit_sec=limit_sec)) as scans:
            for place, scan in scans:
                results[new[place]] = scan if isinstance(scan, UserError) else replace(scan, starts_sec=())
                index.note_scan(paths[new[place]], states[place], scan)
                progress(1)
                if time.monotonic() - saved >= save_every_sec:
                    index.save()
                    saved = time.monotonic()
    finally:
        if any(states):  # of a pack nothing needs to be kept
            index.save()
    return [results[position] for position in range(len(paths))]


def _read(file: Path) -> dict[str, _Entry]:
    """The entries of an index file; none where it is missing, damaged or of another version."""
    try:
        data = json.loads(file.read_bytes())
        if (data["format"], data["version"], data["decoder"]) != (FORMAT, VERSION, DECODER):
            return {}
        return {str(key): _entry(values) for key, values in data["videos"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _to_json(entry: _Entry) -> dict[str, Any]:
    (size, mtime_ns), info = entry
    return {"size": size, "mtime_ns": mtime_ns, **{name: getattr(info, name) for name in _KEPT}}


def _entry(values: Any) -> _Entry:
    """An entry as read; KeyError or ValueError where a value is missing, unknown or makes no sense."""
    numbers = {name: values.pop(name) for name in ("size", "mtime_ns", *_KEPT)}
    for name, number in numbers.items():
        kinds = (int, float) if name == "duration_sec" else (int,)
        if type(number) not in kinds or not 0 <= number < math.inf:
            raise ValueError(name)
    state, info = (numbers.pop("size"), numbers.pop("mtime_ns")), VideoInfo(**numbers)
    if values or min(info.num_frames, info.width_px, info.height_px) < 1:
        raise ValueError("a video has a frame, a frame has pixels, and nothing else is told")
    return state, info
