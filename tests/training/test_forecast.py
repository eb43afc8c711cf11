"""How long a run will take and how much memory it will need, before it begins."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
import torch
from torch import nn

from vidnas.training import forecast, memory
from vidnas.training.forecast import Needs, Trial, Work
from vidnas.training.loop import Precision

CPU = Precision(torch.device("cpu"))
SHAPE = (1, 3, 2, 8, 8)
GIB = 2**30
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "forecast.py"


class Clock(Protocol):
    """That of conftest.py."""

    def sleep(self, sec: float) -> None: ...


class Slow(nn.Module):
    """Takes 0.5 s and 0.25 s a clip, and counts the clips that it has seen at once."""

    def __init__(self, clock: Clock, fixed_sec: float = 0.5, clip_sec: float = 0.25) -> None:
        super().__init__()
        self.clock, self.fixed_sec, self.clip_sec = clock, fixed_sec, clip_sec
        self.weight = nn.Parameter(torch.ones(5))
        self.sizes: list[int] = []

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(video))
        self.clock.sleep(self.fixed_sec + self.clip_sec * len(video))
        return video.mean(dim=(1, 2, 3, 4))[:, None] * self.weight


def trial_of(model: nn.Module) -> Callable[[], Trial]:
    def prepare_step(num_clips: int) -> Callable[[], object]:
        videos, _ = CPU.to_device(forecast.made_up_batch(num_clips, SHAPE))
        return lambda: model(videos).sum().backward()

    return lambda: Trial(model, prepare_step)


def measure(model: nn.Module, clips_at_once: int = 40) -> Needs:
    return forecast.measure(
        trial_of(model), SHAPE, clips_at_once=clips_at_once, evaluated_at_once=clips_at_once, precision=CPU
    )


@pytest.mark.parametrize("num_clips", [1, 2, 3, 4, 40, 41])
def test_time_is_what_the_line_through_two_numbers_of_clips_says(clock: Clock, num_clips: int) -> None:
    needs = measure(Slow(clock), num_clips)
    assert needs.step_sec == pytest.approx(0.5 + 0.25 * num_clips)
    assert needs.clip_sec == pytest.approx((0.5 + 0.25 * num_clips) / num_clips)


@pytest.mark.parametrize("num_clips", [1, 2, 3, 4, 5, 16, 72])
def test_a_trial_takes_no_more_clips_than_the_run_and_little_longer_than_a_step(
    clock: Clock, num_clips: int
) -> None:
    model = Slow(clock, fixed_sec=0.0)
    measure(model, num_clips)
    assert max(model.sizes) <= max(4, num_clips // 2)
    assert max(model.sizes) <= num_clips
    both = sum(model.sizes)  # of steps and evaluations
    assert both / 2 <= max(1.6 * num_clips, 12)


def test_where_a_step_is_long_few_clips_stand_for_all(clock: Clock) -> None:
    model = Slow(clock, fixed_sec=0.0, clip_sec=10.0)
    assert measure(model).step_sec == pytest.approx(400)
    assert set(model.sizes) == {forecast.FEW_CLIPS}


def test_where_memory_is_scarce_few_clips_stand_for_all(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _device: 1000)
    monkeypatch.setattr(memory, "held_bytes", lambda _device: 0)
    model = Slow(clock)
    measure(model)
    assert set(model.sizes) == {forecast.FEW_CLIPS}


def test_short_steps_are_timed_several_times_and_the_shortest_counts(clock: Clock) -> None:
    class Faster(Slow):
        def forward(self, video: torch.Tensor) -> torch.Tensor:
            self.clip_sec = max(self.clip_sec / 2, 0.01)
            return super().forward(video)

    assert measure(Faster(clock, fixed_sec=0.0, clip_sec=0.08), 2).step_sec == pytest.approx(0.02)


def test_more_clips_never_take_less(clock: Clock) -> None:
    assert measure(Slow(clock, fixed_sec=9.0, clip_sec=-0.01)).step_sec >= 8.5


def test_a_trial_leaves_no_trace() -> None:
    """It is given a model made within, and draws random numbers as it likes."""
    torch.manual_seed(3)
    own = nn.Linear(2, 2)
    before, random = own.weight.clone(), torch.get_rng_state()
    made: list[nn.Module] = []

    def make_trial() -> Trial:
        torch.rand(100)
        model = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
        made.append(model)
        return trial_of(model)()

    forecast.measure(make_trial, SHAPE, clips_at_once=4, evaluated_at_once=4, precision=CPU)
    assert len(made) == 1
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(own.weight, before) and own.weight.grad is None


def test_without_the_system_s_peak_memory_is_what_autograd_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "can_tell_peak", lambda _device: False)
    model = nn.Sequential(nn.Conv3d(3, 3, 1), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    model(torch.zeros(SHAPE))
    needs = measure(model, 10)
    assert needs.memory_bytes == 10 * memory.activation_bytes(model, SHAPE, CPU.device)
    assert "for activations; " in forecast.describe(needs, Work(1, 1, 1, 1))


def test_the_line_tells_an_epoch_what_is_left_and_the_memory() -> None:
    needs = Needs(step_sec=2.5, clip_sec=0.5, memory_bytes=3 * GIB, free_bytes=20 * GIB)
    search = Work(epoch_steps=100, epoch_clips=60, steps_left=900, clips_left=540)
    assert forecast.describe(needs, search) == (
        "Forecast, for computing alone: 4.7 min an epoch (100 steps of 2.5 s, validation 30 s), 42 min until "
        "the end. Memory: 3.0 GiB; 20.0 GiB are free. Reading the videos comes on top."
    )
    train = Work(epoch_steps=100, epoch_clips=0, steps_left=40_000, clips_left=60)
    assert "4.2 min an epoch (100 steps of 2.5 s), 28 h until the end." in forecast.describe(needs, train)


@pytest.mark.parametrize(
    ("sec", "words"),
    [
        (0.0123, "0.012 s"),
        (9.4, "9.4 s"),
        (9.96, "10 s"),
        (119.0, "119 s"),
        (150.0, "2.5 min"),
        (7000.0, "117 min"),
        (9000.0, "2.5 h"),
        (40 * 3600.0, "40 h"),
        (86_400 * 3.5, "3.5 days"),
    ],
)
def test_times_are_told_in_the_unit_that_suits_them(sec: float, words: str) -> None:
    assert forecast.in_words(sec) == words


def test_memory_that_may_not_suffice_is_warned_of_with_the_way_out() -> None:
    def warned(needed: int, free: int | None) -> tuple[str, ...]:
        return forecast.warn(Needs(1.0, 1.0, needed, free), "Use less.")

    assert warned(8 * GIB, 10 * GIB) == () == warned(8 * GIB, None)
    assert warned(95 * GIB, 100 * GIB) == (
        "Careful: the memory may not suffice. Computing needs about 95.0 GiB, and 100.0 GiB are free. Better "
        "stop, and begin another run. Use less.",
    )


@pytest.mark.skipif(
    not memory.can_tell_peak(CPU.device), reason="this system does not tell the peak of memory"
)
@pytest.mark.parametrize(
    "case", ["first_order", pytest.param("second_order", marks=pytest.mark.slow), "train"]
)
def test_the_memory_of_a_real_step_is_foretold_to_30_percent(case: str) -> None:
    """In a process of its own, where nothing else takes memory or gives it back."""
    size = ["--size-px", "48", "--batch-size", "16" if case == "train" else "8"]
    command = [sys.executable, str(BENCHMARK), "--case", case, "--threads", "1", "--steps", "1", *size]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=100).stdout
    found = json.loads(printed)
    assert found["real_bytes"] > 100 * 2**20
    assert abs(found["memory_error"]) < 0.3
