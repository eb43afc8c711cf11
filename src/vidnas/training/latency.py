"""How long a forward pass takes, measured so that a busy moment of the machine is not taken for the network.

Every measured pass has a reference beside it: a small fixed computation, done again and again for about as
long as the pass takes. Where the reference takes longer than it can, something else had the machine, and the
pass does not count. Passes are repeated until enough of them count and agree; if that takes too many, the
machine is busy, and the result says so.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple

import torch
from torch import nn

Work = Callable[[], object]

WARM_UPS = 3
CALM = 1.2
"""So many times as long as when undisturbed the reference may take beside a pass that counts."""
STEADY = 0.2
"""The passes agree if their interquartile range is no larger a share of their median."""
MOST_TURNS = 3
"""The machine is busy when so many times the passes that were wanted have not brought enough, ..."""
LONG_SEC = 5.0
"""... or so many seconds for each network, once every one has had the passes that were wanted."""
MOST_BESIDE_SEC = 0.05
"""The reference takes no longer than this before a pass, and after it."""
UNITS = (3, 100)
"""Fewest and most units of it then."""
REFERENCE_SIDE = 256
"""Rows and columns of the two matrices whose product is a unit of the reference: 17 million MACs."""
BUSY = "busy machine"
"""What is said beside a latency that counts for little."""
TOO_LONG = "other work had the machine, and the time is too long. `vidnas evaluate` measures it again"
"""What a latency measured beside other work is worth, and the way out."""


@dataclass(frozen=True)
class Latency:
    """The time of a forward pass, in ms."""

    median_ms: float
    spread_ms: float
    """Interquartile range."""
    reference_ms: float
    """The undisturbed reference's, on the same machine: by it, two measurements can be compared."""
    busy: bool
    """Whether the machine had other work throughout, so that the time is too long."""


class _Turn(NamedTuple):
    """A measured pass, and the units of the reference before and after it."""

    pass_ms: float
    units_ms: tuple[float, ...]


def measure_latencies(
    modules: Sequence[nn.Module],
    video_shape: tuple[int, ...],
    device: torch.device,
    repeats: int = 10,
    *,
    reference: Work | None = None,
) -> list[Latency]:
    """The latency of each module, which lies on `device`, for one input of `video_shape`.

    They take turns, so that a machine that slows down does so for all of them; a pass that is not measured
    comes before each that is, since what ran in between has filled the caches. `repeats` passes, of two at
    least, count. `reference` stands for `reference_work(device)`.
    """
    video = torch.zeros(video_shape, device=device)
    reference = reference or reference_work(device)
    turns: list[list[_Turn]] = [[] for _ in modules]
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(evaluating(module))
        for _, module in product(range(WARM_UPS), modules):
            module(video)
        begun = time.perf_counter()
        while not _enough(turns, repeats, time.perf_counter() - begun):
            for module, own in zip(modules, turns, strict=True):
                last_ms = own[-1].pass_ms if own else 0.0
                own.append(_take_turn(partial(module, video), reference, device, last_ms))
    return _latencies(turns, repeats)


def reference_work(device: torch.device) -> Work:
    """The reference: a product of two matrices."""
    left, right = torch.ones(2, REFERENCE_SIDE, REFERENCE_SIDE, device=device).unbind()
    return lambda: left @ right


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what was asked of it: accelerators return at once."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation without gradients; afterwards every submodule is back in its own mode."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes.items():
            part.training = training


def _take_turn(work: Work, reference: Work, device: torch.device, last_ms: float) -> _Turn:
    """One pass that is measured, and the reference before and after it, for half of a pass's time each."""
    before = _time_units(reference, device, last_ms / 2)
    work()
    pass_ms = _time_ms(work, device)
    return _Turn(pass_ms, (*before, *_time_units(reference, device, pass_ms / 2)))


def _time_units(reference: Work, device: torch.device, long_ms: float) -> list[float]:
    fewest, most = UNITS
    long_ms = min(long_ms, 1000 * MOST_BESIDE_SEC)
    units_ms: list[float] = []
    while len(units_ms) < fewest or (sum(units_ms) < long_ms and len(units_ms) < most):
        units_ms.append(_time_ms(reference, device))
    return units_ms


def _time_ms(work: Work, device: torch.device) -> float:
    synchronize(device)
    start = time.perf_counter()
    work()
    synchronize(device)
    return (time.perf_counter() - start) * 1000


def _enough(turns: Sequence[Sequence[_Turn]], repeats: int, sec: float) -> bool:
    """Whether every module has the passes that were wanted, or the machine leaves no hope of them."""
    taken = len(turns[0])
    if taken < repeats:
        return False
    if taken >= MOST_TURNS * repeats or sec > LONG_SEC * len(turns):
        return True
    return not any(latency.busy for latency in _latencies(turns, repeats))


def _latencies(turns: Sequence[Sequence[_Turn]], repeats: int) -> list[Latency]:
    """From the `repeats` turns of each module that were disturbed least; the reference says which those are.

    Undisturbed is what a tenth of all units stays below: they are shorter than the slices of time that a
    system gives its programs, so that even on a busy machine some have it to themselves.
    """
    units_ms = [unit_ms for own in turns for turn in own for unit_ms in turn.units_ms]
    undisturbed_ms = statistics.quantiles(units_ms, n=10, method="inclusive")[0]
    return [_latency(sorted(own, key=_beside_ms)[:repeats], undisturbed_ms) for own in turns]


def _beside_ms(turn: _Turn) -> float:
    return statistics.fmean(turn.units_ms)


def _latency(best: Sequence[_Turn], undisturbed_ms: float) -> Latency:
    lower, median, upper = statistics.quantiles((turn.pass_ms for turn in best), n=4, method="inclusive")
    calm = _beside_ms(best[-1]) <= CALM * undisturbed_ms and upper - lower <= STEADY * median
    return Latency(median, upper - lower, undisturbed_ms, busy=not calm)
