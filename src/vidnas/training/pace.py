"""How long whole runs take, from what their steps need: how many epochs fit into a time, and what is left."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch

from vidnas.training.forecast import Needs, in_words

TRIED = 8
"""Clips of which the reading is timed."""
KEPT_FREE = 0.05
"""Share of a time that is left for what is not foretold: pictures, saving, a busy moment of the machine."""


@runtime_checkable
class _Clips(Protocol):
    """Training clips: `clips[index, seed]` reads one."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: tuple[int, int]) -> object: ...


class Pace(NamedTuple):
    """How long a run takes: an epoch, and what comes once, behind the last one; seconds."""

    epoch_sec: float
    once_sec: float

    def sec(self, epochs: int) -> float:
        """Of a run of so many epochs."""
        return epochs * self.epoch_sec + self.once_sec

    def epochs_in(self, sec: float) -> int:
        """How many whole epochs fit into this time beside what comes once; 0 where none does."""
        return max(0, int((sec - self.once_sec) / self.epoch_sec))


@dataclass(frozen=True)
class Reading:
    """How clips are read: the seconds that one takes a process, and the processes beside the main one.

    `first_sec` is how much longer a video's first clip takes, whose frames then stay in memory.
    """

    clip_sec: float
    workers: int
    first_sec: float = 0.0

    @property
    def anew(self) -> "Reading":
        """The reading of clips none of whose frames is in memory."""
        return Reading(self.clip_sec + self.first_sec, self.workers)

    def beside(self, computing_sec: float, num_clips: int, device: torch.device) -> float:
        """Seconds to compute and to read so many clips, where others read what comes next.

        Whichever is slower sets the pace; and where both use the same cores, all their work together.
        """
        reading_sec = num_clips * self.clip_sec
        if self.workers == 0:
            return computing_sec + reading_sec
        threads = torch.get_num_threads() if device.type == "cpu" else 1
        work_sec = threads * computing_sec + reading_sec
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(computing_sec, reading_sec / self.workers, work_sec / cores)


def time_reading(clips: _Clips, *, workers: int, cached: bool) -> Reading:
    """Time the reading of a few clips from all over the data set, after an unmeasured first one.

    With `cached` the frames of a video stay in memory: then each is read once more.
    """
    indices = range(0, len(clips), -(-len(clips) // TRIED))
    clips[0, 0]

    def timed() -> float:
        start = time.perf_counter()
        for index in indices:
            clips[index, 0]
        return time.perf_counter() - start

    sec = timed()
    if not cached:
        return Reading(sec / len(indices), workers)
    again = timed()
    # One of them was no first clip.
    return Reading(again / len(indices), workers, max(0.0, sec - again) / max(1, len(indices) - 1))


def pace(
    needs: Needs,
    reading: Reading,
    device: torch.device,
    *,
    steps: int,
    step_clips: int,
    validated: int = 0,
    tested: int = 0,
) -> Pace:
    """The pace of epochs of so many steps that read so many clips each.

    `validated` clips are evaluated after every epoch, `tested` ones, which were not read before, after the
    last.
    """
    step_sec, first_step_sec = (
        how.beside(needs.step_sec, step_clips, device) for how in (reading, reading.anew)
    )
    validation_sec = reading.beside(validated * needs.clip_sec, validated, device)
    test_sec = reading.anew.beside(tested * needs.clip_sec, tested, device)
    return Pace(steps * step_sec + validation_sec, steps * (first_step_sec - step_sec) + test_sec)


class Countdown:
    """What is left of several works: as foretold, times how much longer those done took than foretold."""

    def __init__(self, foretold_sec: Mapping[str, float]) -> None:
        self._left = dict(foretold_sec)
        self._foretold = self._taken = 0.0

    def done(self, name: str, sec: float) -> None:
        """A work has ended after so many seconds."""
        self._foretold += self._left.pop(name, 0.0)
        self._taken += sec

    def dropped(self, name: str) -> None:
        """A work will not be done, or not to its end."""
        self._left.pop(name, None)

    @property
    def left_sec(self) -> float:
        """Of all works that are not done."""
        ratio = self._taken / self._foretold if self._foretold else 1.0
        return ratio * sum(self._left.values())

    def __str__(self) -> str:
        return f"about {in_words(self.left_sec)}"
