"""What the benchmarks share: steps in processes of their own, timed in turn, and their peak memory."""

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import torch

from vidnas.cli.threads import waiting
from vidnas.training.cores import Others

Step = Callable[[], float]
"""One repetition of what is measured. Its result, such as a loss, shows that rivals compute the same."""

Build = Callable[[], Step]
"""Makes the step inside its process: a module's function, or a partial of one, since it travels there."""


@dataclass(frozen=True)
class Measured:
    """What one contestant took: seconds of a step in every round, and its peak memory."""

    sec: list[float]
    peak_bytes: int
    """Beyond what the process held when torch and the code were imported. With an optimizer some 70 MiB of it
    are code that torch imports late."""
    result: float
    """Of the very first step."""

    @property
    def median_sec(self) -> float:
        """Median over the rounds."""
        return median(self.sec)


@dataclass(frozen=True)
class Comparison:
    """A rival against ours: ratios are rival / ours, so that more is better."""

    time_ratio: float
    memory_ratio: float
    lowest_pair_ratio: float
    highest_pair_ratio: float
    rival_median_sec: float
    ours_median_sec: float
    rival_sec: list[float]
    ours_sec: list[float]
    rival_bytes: int
    ours_bytes: int
    difference: float | None
    """Relative difference of the first steps' results; None where rivals compute different things."""
    bars: dict[str, float] = field(default_factory=dict)


class Contestant:
    """A step in a process of its own: pinned threads, and memory that is nobody else's.

    Between its turns the process waits for a message and takes no time from the others.
    """

    def __init__(
        self, build: Build, *, threads: int, calls: int, least_sec: float, env: Mapping[str, str]
    ) -> None:
        """Start the process and wait until it has warmed up.

        A turn will be the median of `calls` steps or, where they take less than `least_sec`, of more.
        """
        context = get_context("spawn")
        self._pipe, far_end = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(build, threads, calls, least_sec, far_end), daemon=True
        )
        own = {"OMP_NUM_THREADS": str(threads), **env}
        os.environ.update(own)  # the child's torch reads it when it is imported
        self._process.start()
        for name in own:
            del os.environ[name]
        far_end.close()
        self.result = float(self._pipe.recv())
        self.sec: list[float] = []

    def take_turn(self) -> None:
        """Time the step once more."""
        self._pipe.send(True)
        self.sec.append(self._pipe.recv())

    def finish(self) -> Measured:
        """Ask for the peak memory."""
        self._pipe.send(False)
        return Measured(self.sec, self._pipe.recv(), self.result)

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _serve(build: Build, threads: int, calls: int, least_sec: float, pipe: Connection) -> None:
    """A contestant's process: build, warm up, then a turn for every True that is sent."""
    torch.set_num_threads(threads)
    forget_peak()
    imported = peak_bytes()
    step = build()
    first, *_ = [step() for _ in range(calls)]
    pipe.send(first)
    while pipe.recv():
        seen: list[float] = []
        while len(seen) < calls or sum(seen) < least_sec:
            seen.append(_seconds(step))
        pipe.send(median(seen))
    pipe.send(peak_bytes() - imported)


def _seconds(step: Step) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def forget_peak() -> None:
    """Let the peak of this process begin anew at what it holds now, where the system can do that (Linux)."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def peak_bytes() -> int:
    """The most memory that this process has held, as resident set."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def in_turn(
    builds: Mapping[str, Build], *, rounds: int, threads: int, calls: int = 1, least_sec: float = 0.0
) -> dict[str, Measured]:
    """Measure all contestants: a turn of each in every round, so that a slow spell hits all.

    A turn is the median of `calls` steps or, where they take less than `least_sec`, of more.
    The threads of "ours" wait for one another as the command line's do on a machine as busy as this one is
    now, those of "begun idle" as the command line's on an idle one, all others as PyTorch's by themselves.
    """
    with _contestants(builds, threads, calls, least_sec) as contestants:
        for _ in range(rounds):
            for contestant in contestants.values():
                contestant.take_turn()
        return {name: contestant.finish() for name, contestant in contestants.items()}


@contextmanager
def _contestants(
    builds: Mapping[str, Build], threads: int, calls: int, least_sec: float
) -> Iterator[Mapping[str, Contestant]]:
    contestants: dict[str, Contestant] = {}
    busy = Others().lastingly_busy_cores()
    environments = {"ours": waiting(threads, busy), "begun idle": waiting(threads, 0.0)}
    try:
        for name, build in builds.items():
            env = environments.get(name, {})
            contestants[name] = Contestant(build, threads=threads, calls=calls, least_sec=least_sec, env=env)
        yield contestants
    finally:
        for contestant in contestants.values():
            contestant.close()


def compare(
    rival: Measured, ours: Measured, *, same_results: bool = True, bars: Mapping[str, float] | None = None
) -> Comparison:
    """The ratios of a rival to ours; `bars`: what time_ratio and memory_ratio are to reach."""
    pair_ratios = [r / o for r, o in zip(rival.sec, ours.sec, strict=True)]
    return Comparison(
        time_ratio=rival.median_sec / ours.median_sec,
        memory_ratio=rival.peak_bytes / ours.peak_bytes,
        lowest_pair_ratio=min(pair_ratios),
        highest_pair_ratio=max(pair_ratios),
        rival_median_sec=rival.median_sec,
        ours_median_sec=ours.median_sec,
        rival_sec=rival.sec,
        ours_sec=ours.sec,
        rival_bytes=rival.peak_bytes,
        ours_bytes=ours.peak_bytes,
        difference=abs(rival.result - ours.result) / abs(rival.result) if same_results else None,
        bars=dict(bars or {}),
    )
