"""Time is told by a clock of the test's own, and what a pass or the reference takes by a schedule."""

from collections.abc import Callable, Iterator
from itertools import chain, count, repeat
from typing import Protocol

import pytest
import torch
from torch import Tensor, nn

from vidnas.training.latency import MOST_TURNS, WARM_UPS, measure_latencies

CPU = torch.device("cpu")
VIDEO = (1, 3, 1, 1, 1)


class Clock(Protocol):
    now_sec: float

    def sleep(self, sec: float) -> None: ...


class Sleeper(nn.Module):
    """Takes as long as its schedule says, call by call, and notes how it was called."""

    def __init__(self, schedule_ms: Iterator[float], clock: Clock) -> None:
        super().__init__()
        self.schedule_ms = schedule_ms
        self.clock = clock
        self.graded: list[bool] = []

    def forward(self, video: Tensor) -> Tensor:
        self.graded.append(self.training or torch.is_grad_enabled())
        self.clock.sleep(next(self.schedule_ms) / 1000)
        return video


def takes(clock: Clock, schedule_ms: Iterator[float]) -> Callable[[], None]:
    """A reference that takes as long as its schedule says."""
    return lambda: clock.sleep(next(schedule_ms) / 1000)


def measured(*passes_ms: float) -> Iterator[float]:
    """A schedule: warm-ups, and before each of these passes one that must not count; then the last again."""
    counting = chain(passes_ms, repeat(passes_ms[-1]))
    return chain(repeat(999.0, WARM_UPS), chain.from_iterable((999.0, each_ms) for each_ms in counting))


def test_latency_is_the_median_of_the_passes_that_caches_were_filled_for(clock: Clock) -> None:
    sleeper = Sleeper(measured(12, 12.5, 13, 13.5, 50), clock)
    (latency,) = measure_latencies([sleeper], VIDEO, CPU, 5, reference=takes(clock, repeat(1.0)))
    assert latency.median_ms == pytest.approx(13)
    assert latency.spread_ms == pytest.approx(1)  # from 12.5 to 13.5: one outlier does not move the quartiles
    assert latency.reference_ms == pytest.approx(1)
    assert not latency.busy
    assert sleeper.graded == [False] * (WARM_UPS + 2 * 5)


@pytest.mark.parametrize("slower", [1.5, 4.0])
def test_a_busy_moment_does_not_count(clock: Clock, slower: float) -> None:
    """While it lasts everything takes longer, the reference too; afterwards the passes are made up for."""
    ends_sec = 0.6

    def each_ms(calm_ms: float) -> Iterator[float]:
        while True:
            yield calm_ms * (slower if clock.now_sec < ends_sec else 1)

    sleeper = Sleeper(each_ms(20), clock)
    (latency,) = measure_latencies([sleeper], VIDEO, CPU, 10, reference=takes(clock, each_ms(0.5)))
    assert latency.median_ms == pytest.approx(20)
    assert latency.spread_ms == pytest.approx(0)
    assert not latency.busy
    assert len(sleeper.graded) > WARM_UPS + 2 * 10


def test_a_machine_that_is_busy_throughout_is_marked_after_a_limit(clock: Clock) -> None:
    """Every second slice of time belongs to another program; single units fall into one of ours whole."""

    def shared(calm_ms: float, slice_ms: float = 4.0) -> Iterator[float]:
        while True:
            done_ms = 0.0
            start_ms = now_ms = clock.now_sec * 1000
            while done_ms < calm_ms - 1e-9:
                into = now_ms % (2 * slice_ms)
                if into >= slice_ms - 1e-9:
                    now_ms += 2 * slice_ms - into
                    continue
                step_ms = min(calm_ms - done_ms, slice_ms - into)
                done_ms, now_ms = done_ms + step_ms, now_ms + step_ms
            yield now_ms - start_ms

    sleeper = Sleeper(shared(30), clock)
    (latency,) = measure_latencies([sleeper], VIDEO, CPU, 10, reference=takes(clock, shared(0.3)))
    assert latency.busy
    assert latency.median_ms > 45
    assert latency.reference_ms < 0.31
    assert WARM_UPS + 2 * 10 < len(sleeper.graded) <= WARM_UPS + 2 * 10 * MOST_TURNS


def test_passes_that_do_not_agree_are_marked_though_the_reference_is_calm(clock: Clock) -> None:
    """As where bursts hit the long passes and miss the short reference."""
    sleeper = Sleeper(measured(*[100.0, 180.0] * 40), clock)
    (latency,) = measure_latencies([sleeper], VIDEO, CPU, 10, reference=takes(clock, repeat(0.3)))
    assert latency.busy


def test_a_limit_in_time_ends_a_long_measurement(clock: Clock) -> None:
    busy = (1.0 + number % 2 for number in count())
    sleeper = Sleeper(repeat(3000.0), clock)
    (latency,) = measure_latencies([sleeper], VIDEO, CPU, 10, reference=takes(clock, busy))
    assert latency.busy
    assert len(sleeper.graded) == WARM_UPS + 2 * 10


def test_one_module_s_passes_are_made_up_for_by_all_in_turn(clock: Clock) -> None:
    calls: list[str] = []

    class Named(Sleeper):
        def __init__(self, name: str, each_ms: float) -> None:
            super().__init__(repeat(each_ms), clock)
            self.name = name

        def forward(self, video: Tensor) -> Tensor:
            calls.append(self.name)
            return super().forward(video)

    first, second = measure_latencies(
        [Named("a", 5), Named("b", 7)], VIDEO, CPU, 4, reference=takes(clock, repeat(0.5))
    )
    assert first.median_ms == pytest.approx(5)
    assert second.median_ms == pytest.approx(7)
    assert "".join(calls) == "ab" * WARM_UPS + "aabb" * 4
    assert first.reference_ms == second.reference_ms


def test_the_reference_lasts_about_as_long_as_a_pass(clock: Clock) -> None:
    """A short one beside a long pass would miss what hits the pass."""
    units = [0]

    def reference() -> None:
        units[0] += 1
        clock.sleep(0.001)

    measure_latencies([Sleeper(repeat(40.0), clock)], VIDEO, CPU, 10, reference=reference)
    assert 0.8 * 40 * 10 < units[0] < 1.2 * 40 * 10


def test_the_own_reference_is_measured_too() -> None:
    latency, _ = measure_latencies([nn.Identity(), nn.Identity()], VIDEO, CPU, 2)
    assert latency.reference_ms > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_an_accelerator_is_waited_for() -> None:
    cuda = torch.device("cuda")
    network = nn.Sequential(*[nn.Conv3d(64, 64, 3, padding=1) for _ in range(20)]).to(cuda)
    (small,) = measure_latencies([network], (1, 64, 8, 8, 8), cuda)
    (large,) = measure_latencies([network], (1, 64, 16, 112, 112), cuda)
    assert large.median_ms > 5 * small.median_ms
