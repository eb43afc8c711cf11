"""The run folder: settings, metrics, console lines and TensorBoard events of one run, all in one place."""

import errno
import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from vidnas import console
from vidnas.atomic import write_whole, writing
from vidnas.errors import UserError
from vidnas.runs.events import add_points, new_event_file
from vidnas.runs.files import CONFIG, EVENTS, LOCK, LOG, METRICS, require_unused
from vidnas.runs.stop import StopRequest

ORPHANS_SEC = 15
"""Longer than workers outlive a killed run, and with them its lock: a moment, or 10 s after SIGTERM."""
T = TypeVar("T")


class RunLog:
    """Writes one run folder: config.json, log.txt, metrics.jsonl and tensorboard/.

    The folder must be new or empty, so that no earlier run is ever overwritten, unless that run is to be
    gone on with (`resume`); UserError otherwise, where another process is writing it, and wherever the disk
    refuses. `records` are the lines of metrics.jsonl, from `begin` on. `waiting_share` is the share of the
    last `progress` spent waiting for data.
    """

    def __init__(self, folder: Path, config_json: str, *, resume: bool = False) -> None:
        self.folder = folder
        self.records: list[dict[str, Any]] = []
        self.waiting_share = 0.0
        self._start = time.perf_counter()
        self._events: Path | None = None
        self._stop = StopRequest()
        self._lock = _claim(folder, config_json, resume=resume)

    def __enter__(self) -> "RunLog":
        self._stop.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.__exit__(*error)
        self._lock.release()

    def begin(self, records: Sequence[Mapping[str, Any]] = (), *, elapsed_sec: float = 0.0) -> None:
        """Start metrics.jsonl and tensorboard/ with these records: whatever was written behind them goes.

        `elapsed_sec` is the time that the run has taken up to here.
        """
        self.records = [dict(record) for record in records]
        self._start = time.perf_counter() - elapsed_sec
        self.write(METRICS, "".join(json.dumps(record) + "\n" for record in self.records))
        shutil.rmtree(self.path(EVENTS), ignore_errors=True)
        with writing(self.path(EVENTS)):
            self._events = new_event_file(self.path(EVENTS))
        for record in self.records:
            self._add_events(record)

    @property
    def elapsed_sec(self) -> float:
        """Seconds that the run has taken, those before an interruption among them."""
        return time.perf_counter() - self._start

    def path(self, name: str) -> Path:
        """Where the file `name` of this run lies."""
        return self.folder / name

    def say(self, text: str) -> None:
        """Tell it, and keep it in log.txt."""
        console.say(text)
        self._append(LOG, text)

    def record(self, kind: str, epoch: int, **numbers: int | float) -> None:
        """Add a line to metrics.jsonl and a point per number to TensorBoard, as `kind/name` at step `epoch`.

        `time_sec` counts from the start of the run. JSON knows no NaN and no infinity: they become null.
        """
        finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        record = {"kind": kind, "epoch": epoch, **finite, "time_sec": round(self.elapsed_sec, 3)}
        self.records.append(record)
        self._append(METRICS, json.dumps(record))
        self._add_events(record)

    def progress(self, batches: Iterable[T], *, total: int, label: str, done: int = 0) -> Iterator[T]:
        """Hand `batches` through under a bar with speed, time left and the share of time waited for data.

        `waiting_share` is set once the batches are exhausted. After a request to stop no further batch comes
        but Interrupted. `done` of `total` were handed out before.
        """
        waited = 0.0
        start = mark = time.perf_counter()
        with console.bar(total=total, label=label, unit="batch", done=done) as bar:
            for batch in batches:  # the first wait includes iter(), where a loader starts its workers
                self._stop.check()
                waited += time.perf_counter() - mark
                yield batch
                mark = time.perf_counter()
                bar.set_postfix_str(f"waiting for data {_share(waited, mark - start):.0%}", refresh=False)
                bar.update()
        self._stop.check()
        end = time.perf_counter()
        self.waiting_share = _share(waited + end - mark, end - start)

    def check_stop(self) -> None:
        """Interrupted, if a stop has been asked for: for work that has parts between which it can stop."""
        self._stop.check()

    def write(self, name: str, text: str) -> None:
        """Write the text file `name`, which may name a subfolder, whole or not at all."""
        path = self.path(name)
        with writing(path.parent):
            path.parent.mkdir(exist_ok=True)
        write_whole(path, text.encode())

    def _add_events(self, record: Mapping[str, Any]) -> None:
        assert self._events is not None, "begin() comes first"
        values = {
            f"{record['kind']}/{name}": math.nan if value is None else value
            for name, value in record.items()
            if name not in ("kind", "epoch", "time_sec")
        }
        wall_time = time.time() - self.elapsed_sec + record["time_sec"]
        with writing(self.path(EVENTS)):
            add_points(self._events, values, step=record["epoch"], wall_time=wall_time)

    def _append(self, name: str, line: str) -> None:
        path = self.path(name)
        with writing(path), path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(line + "\n")


def default_folder(verb: str) -> Path:
    """A run folder that does not exist yet: runs/VERB-YYYYMMDD-HHMMSS in the current folder."""
    return unused_path(Path("runs") / f"{verb}-{datetime.now():%Y%m%d-%H%M%S}")


def unused_path(path: Path) -> Path:
    """`path` itself, or the first of name-2.ext, name-3.ext, ... that does not exist."""
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(candidate for candidate in chain([path], numbered) if not candidate.exists())


def require_writable(folder: Path) -> None:
    """UserError where the folder cannot be made or written; whatever is made to find out is gone again."""
    new: list[Path] = []
    try:
        str(folder).encode()  # TensorBoard asks for it
        way = (folder, *folder.absolute().parents)
        new = [path for path in way if not path.exists()]
        there = way[len(new)]
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{there} is a file")
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"no permission in {there}")
        folder.mkdir(parents=True, exist_ok=True)  # what else is not allowed shows in no other way
    except (OSError, UnicodeEncodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "the name is not UTF-8 text"
        raise UserError(f"Cannot write {folder}: {cause}. Name another folder with --out.") from error
    finally:
        for path in new:
            with suppress(OSError):
                path.rmdir()


def _claim(folder: Path, config_json: str, *, resume: bool) -> FileLock:
    """Make the folder this process's own until the lock is released or the process ends, however it ends."""
    if not resume:
        require_unused(folder)  # before a lock is put into it
    with writing(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / LOCK)
            lock.acquire(timeout=ORPHANS_SEC if resume else 0)
        except NotImplementedError as error:
            raise UserError(
                f"{folder} is on a file system without locks. Name another with --out."
            ) from error
        except Timeout as error:
            raise UserError(
                f"Another process is writing the run in {folder}; wait for it or stop it."
            ) from error
        if not resume:
            require_unused(folder)
    if not (folder / CONFIG).exists():
        write_whole(folder / CONFIG, config_json.encode())
    return lock


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
