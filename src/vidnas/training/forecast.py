"""How long a run will take and how much memory it will need, foretold from a few small steps on trial.

The trial is a throw-away copy of what the run computes with, on made-up clips: nothing of the run is touched.
A step is timed, and its peak of memory measured, on two numbers of clips; the line through both leads to the
number asked for.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vidnas.errors import counted
from vidnas.training import memory
from vidnas.training.latency import synchronize
from vidnas.training.loop import Precision, evaluate_epoch

FEW_CLIPS = 2
"""Clips of the smaller step: batch norm refuses to normalise single values."""
SHORT_SEC = 0.2
"""Steps that together are shorter than this are timed again, ..."""
MOST_REPEATS = 3
"""... up to so many times, and the shortest counts."""
LONG_SEC = 15.0
"""The larger step is made no longer than this."""
MOST_STEPS = 2 * (1 + MOST_REPEATS)
"""Steps that a trial must be able to make."""
SCARCE = 0.9
"""Share of the free memory beyond which a step is warned of: reading the videos needs some too."""

Prepare = Callable[[int], Callable[[], object]]
"""prepare(num_clips): a computation on so many made-up clips at once, ready to be timed."""


class Trial(NamedTuple):
    """A throw-away copy of what a run computes with: its model, and its step (see `made_up_batch`)."""

    model: nn.Module
    prepare_step: Prepare
    inference: nn.Module | None = None
    """Another form of it, which is evaluated."""


@dataclass(frozen=True)
class Needs:
    """What computing needs: seconds of a step and of the evaluation of one clip, and bytes at most."""

    step_sec: float
    clip_sec: float
    memory_bytes: int
    """Beyond what the process holds anyway."""
    free_bytes: int | None
    """Memory that is there for it; None where the system does not tell."""
    whole: bool = True
    """Whether `memory_bytes` is all of it; else the peak cannot be told here, and it is the activations."""
    notes: tuple[str, ...] = ()
    """What else there is to say of it, in lines."""


@dataclass(frozen=True)
class Work:
    """What there is to compute: steps and clips to evaluate, of an epoch and in all that is left of a run."""

    epoch_steps: int
    epoch_clips: int
    steps_left: int
    clips_left: int


class _Seen(NamedTuple):
    """What a computation on so many clips took."""

    num_clips: int
    sec: float
    peak_bytes: int


def measure(
    make_trial: Callable[[], Trial],
    clip_shape: tuple[int, ...],
    *,
    clips_at_once: int,
    evaluated_at_once: int,
    precision: Precision,
) -> Needs:
    """Foretell what a step on `clips_at_once` clips and an evaluation of `evaluated_at_once` need.

    `clip_shape` is that of a batch of one clip. It takes about the time of such a step, or of two small ones,
    and leaves no trace, in PyTorch's random numbers neither.
    """
    device = precision.device
    can_tell = memory.can_tell_peak(device)

    def trial() -> tuple[list[_Seen], list[_Seen], int]:
        model, prepare_step, inference = make_trial()
        step = _try(prepare_step, clips_at_once, device, can_tell=can_tell)
        evaluate = partial(_prepare_evaluation, inference or model, clip_shape, precision)
        evaluation = _try(evaluate, evaluated_at_once, device, can_tell=can_tell)
        return step, evaluation, 0 if can_tell else memory.activation_bytes(model, clip_shape, device)

    with _undisturbed(device):
        step, evaluation, activations = trial()
    # What is held now, as the code and tables that PyTorch has loaded on the way, will serve the run again.
    held = memory.held_bytes(device) if can_tell else 0
    both = (clips_at_once, step), (evaluated_at_once, evaluation)
    step_sec, evaluation_sec = (_at(num_clips, seen, lambda one: one.sec) for num_clips, seen in both)
    most_bytes = max(_at(num, seen, lambda one: max(one.peak_bytes - held, 0)) for num, seen in both)
    return Needs(
        step_sec=step_sec,
        clip_sec=evaluation_sec / evaluated_at_once,
        memory_bytes=round(most_bytes) if can_tell else activations * clips_at_once,
        free_bytes=memory.free_bytes(device),
        whole=can_tell,
    )


def made_up_batch(num_clips: int, clip_shape: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """A batch as a loader brings it: pixels, of noise of the first class."""
    labels = torch.zeros(num_clips, dtype=torch.long)
    pixels = torch.randint(256, (num_clips, *clip_shape[1:]), dtype=torch.uint8)
    return pixels, labels, torch.arange(num_clips)


def _prepare_evaluation(
    model: nn.Module, clip_shape: tuple[int, ...], precision: Precision, num_clips: int
) -> Callable[[], object]:
    views, labels, indices = made_up_batch(num_clips, clip_shape)
    batch = views.unsqueeze(1), labels, indices
    return lambda: evaluate_epoch(model, [batch], precision, max_clips=num_clips)


def describe(needs: Needs, work: Work) -> str:
    """The forecast in a line."""
    validation_sec = work.epoch_clips * needs.clip_sec
    epoch_sec = work.epoch_steps * needs.step_sec + validation_sec
    left_sec = work.steps_left * needs.step_sec + work.clips_left * needs.clip_sec
    validation = f", validation {in_words(validation_sec)}" if work.epoch_clips else ""
    room = "" if needs.free_bytes is None else f"; {_size(needs.free_bytes)} are free"
    return (
        f"Forecast, for computing alone: {in_words(epoch_sec)} an epoch ({counted(work.epoch_steps, 'step')} "
        f"of {in_words(needs.step_sec)}{validation}), {in_words(left_sec)} until the end. Memory: "
        f"{_size(needs.memory_bytes)}{'' if needs.whole else ' for activations'}{room}. "
        "Reading the videos comes on top."
    )


def of_step(needs: Needs) -> str:
    """Time and memory of a step in words."""
    return f"{in_words(needs.step_sec)} a step, {_size(needs.memory_bytes)}"


def warn(needs: Needs, remedy: str) -> tuple[str, ...]:
    """A sentence and the way out if the memory will hardly suffice."""
    if needs.free_bytes is None or needs.memory_bytes <= SCARCE * needs.free_bytes:
        return ()
    return (
        f"Careful: the memory may not suffice. Computing needs about {_size(needs.memory_bytes)}, and "
        f"{_size(needs.free_bytes)} are free. Better stop, and begin another run. {remedy}",
    )


def in_words(sec: float) -> str:
    """A time in the unit that suits it."""
    for limit, unit_sec, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if sec < limit:
            value = sec / unit_sec
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:.2g} {unit}"
    return f"{sec / 86_400:.1f} days"


def _size(num_bytes: int) -> str:
    return f"{num_bytes / memory.GIB:.1f} GiB" if num_bytes >= memory.GIB else f"{num_bytes / 2**20:.0f} MiB"


@contextmanager
def _undisturbed(device: torch.device) -> Iterator[None]:
    """Afterwards PyTorch's random numbers are as before, and nothing lives on that was made within."""
    gc.freeze()  # what is there need not be searched for rubbish below, which would take longer than a step
    try:
        with torch.random.fork_rng([torch.cuda.current_device()] if device.type == "cuda" else []):
            yield
    finally:
        gc.collect()  # a schedule and its optimizer hold each other
        gc.unfreeze()


def _try(prepare: Prepare, num_clips: int, device: torch.device, *, can_tell: bool) -> list[_Seen]:
    """What it took on few clips and, where time and memory allow, on about half of `num_clips`."""
    few = min(FEW_CLIPS, num_clips)
    held = memory.held_bytes(device) if can_tell else 0
    seen = [_observe(few, prepare, device, can_tell=can_tell)]
    more = _larger(seen[0], seen[0].peak_bytes - held, num_clips, memory.free_bytes(device))
    if more > few:
        seen.append(_observe(more, prepare, device, can_tell=can_tell))
    return seen


def _larger(few: _Seen, few_bytes: int, num_clips: int, free_bytes: int | None) -> int:
    """How many clips the larger step may have: half of all, or four if there are not more.

    Fewer where it would be too long, or take more than half of the free memory.
    """
    most = min(num_clips, max(2 * FEW_CLIPS, num_clips // 2))
    in_time = LONG_SEC * few.num_clips / max(few.sec, 1e-9)
    if free_bytes is None or few_bytes <= 0:
        return int(min(most, in_time))
    return int(min(most, in_time, free_bytes / 2 * few.num_clips / few_bytes))


def _observe(num_clips: int, prepare: Prepare, device: torch.device, *, can_tell: bool) -> _Seen:
    """The first time is not counted: memory is fetched, and kernels are prepared, that others then reuse."""
    if can_tell:
        memory.count_anew(device)
    computation = prepare(num_clips)
    _timed(computation, device)
    times = [_timed(computation, device)]
    while len(times) < MOST_REPEATS and sum(times) < SHORT_SEC:
        times.append(_timed(computation, device))
    return _Seen(num_clips, min(times), memory.peak_bytes(device) if can_tell else 0)


def _timed(computation: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    computation()
    synchronize(device)
    return time.perf_counter() - start


def _at(num_clips: int, seen: Sequence[_Seen], value: Callable[[_Seen], float]) -> float:
    """Where the line through a value of the two that were seen, or of one and the origin, is at `num_clips`.

    It does not fall: more clips never take less.
    """
    points = [(0, 0.0), *((one.num_clips, value(one)) for one in seen)]
    (before, lower), (last, upper) = points[-2:]
    return upper + max(upper - lower, 0.0) / (last - before) * (num_clips - last)
