"""The run folder: settings, metrics, console lines and TensorBoard events of one run, all in one place."""

import json
import math
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from vidnas.engine.atomic import write_whole
from vidnas.errors import UserError

T = TypeVar("T")


class RunLog:
    """Writes one run folder: config.json, log.txt, metrics.jsonl and tensorboard/.

    The folder must be new or empty, so that no earlier run is ever overwritten; UserError otherwise and
    wherever the disk refuses. `waiting_share` is the share of the last `progress` spent waiting for data.
    """

    def __init__(self, folder: Path, config_json: str) -> None:
        self.folder = folder
        self.waiting_share = 0.0
        self._start = time.perf_counter()
        _claim(folder, config_json)
        try:
            self._events = SummaryWriter(str(folder / "tensorboard"))
        except OSError as error:
            raise _refused(folder, error) from error

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.close()

    def path(self, name: str) -> Path:
        """Where the file `name` of this run lies."""
        return self.folder / name

    def say(self, text: str) -> None:
        """Print a line to stderr, above any progress bar, and keep it in log.txt."""
        tqdm.write(text, file=sys.stderr)
        self._append("log.txt", text)

    def record(self, kind: str, epoch: int, **numbers: int | float) -> None:
        """Add a line to metrics.jsonl and a point per number to TensorBoard, as `kind/name` at step `epoch`.

        `time_sec` counts from the start of the run. JSON knows no NaN and no infinity: they become null.
        """
        finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        elapsed = round(time.perf_counter() - self._start, 3)
        self._append(
            "metrics.jsonl", json.dumps({"kind": kind, "epoch": epoch, **finite, "time_sec": elapsed})
        )
        for name, value in numbers.items():
            self._events.add_scalar(f"{kind}/{name}", value, epoch)
        self._events.flush()

    def progress(self, batches: Iterable[T], *, total: int, label: str) -> Iterator[T]:
        """Hand `batches` through under a bar with speed, time left and the share of time waited for data.

        Without a terminal nothing is printed. `waiting_share` is set once the batches are exhausted.
        """
        waited = 0.0
        start = mark = time.perf_counter()
        with tqdm(total=total, desc=label, unit="batch", leave=False, file=sys.stderr, disable=None) as bar:
            for batch in batches:  # the first wait includes iter(), where a loader starts its workers
                waited += time.perf_counter() - mark
                yield batch
                mark = time.perf_counter()
                bar.set_postfix_str(f"waiting for data {_share(waited, mark - start):.0%}", refresh=False)
                bar.update()
        end = time.perf_counter()
        self.waiting_share = _share(waited + end - mark, end - start)

    def write(self, name: str, text: str) -> None:
        """Write the text file `name`, which may name a subfolder, whole or not at all."""
        path = self.path(name)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise _refused(path.parent, error) from error
        write_whole(path, text.encode())

    def _append(self, name: str, line: str) -> None:
        try:
            with self.path(name).open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise _refused(self.path(name), error) from error


def default_folder(verb: str) -> Path:
    """A run folder that does not exist yet: runs/VERB-YYYYMMDD-HHMMSS in the current folder."""
    return unused_path(Path("runs") / f"{verb}-{datetime.now():%Y%m%d-%H%M%S}")


def require_unused(folder: Path) -> None:
    """UserError where the folder holds something, or is a file."""
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(
            f"The run folder {folder} is not empty, and vidnas overwrites no run. "
            "Name a new folder with --out, or leave --out away."
        )
    if folder.exists() and not folder.is_dir():
        raise UserError(f"The run folder {folder} is a file. Name a new folder with --out.")


def unused_path(path: Path) -> Path:
    """`path` itself, or the first of name-2.ext, name-3.ext, ... that does not exist."""
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(candidate for candidate in chain([path], numbered) if not candidate.exists())


def _claim(folder: Path, config_json: str) -> None:
    try:
        require_unused(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # "x" settles a race: of two runs that found the folder empty, one gets it.
        with (folder / "config.json").open("x", encoding="utf-8") as file:
            file.write(config_json)
    except OSError as error:
        raise _refused(folder, error) from error


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _refused(path: Path, error: OSError) -> UserError:
    return UserError(f"Cannot write {path}: {error.strerror or error}.")
