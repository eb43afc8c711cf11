"""The times of frames, whatever a file or a stream says of them."""

from itertools import pairwise

import numpy as np
import pytest

from vidnas.video.stores.clock import (
    LONGEST_FRAME_IN_STREAM_SEC,
    LONGEST_FRAME_SEC,
    frame_starts,
    timeline,
    usual_step,
)

Stated = list[float | None]
STEP = 0.04


def even(number: int, first: float = 0.0, step: float = STEP) -> Stated:
    return [first + i * step for i in range(number)]


def of(stated: Stated, *, leaps: bool = False, rate: float = 25.0, last: float = 0.0) -> tuple[float, Stated]:
    duration_sec, starts = timeline(stated, rate=rate, last_sec=last, leaps=leaps)
    return duration_sec, list(starts)


def assert_even(told: tuple[float, Stated], duration_sec: object) -> None:
    assert told[0] == duration_sec
    assert told[1] == []


LEAPS: dict[str, Stated] = {
    "ahead by 10 hours": [*even(50, 11.4), *even(50, 36001.4)],
    "back to 0": [*even(50, 36001.4), *even(50)],
    "back by a second": [*even(50, 5.0), *even(50, 6.0)],
    "there and back": [*even(50), *even(1, 90_000.0), *even(49, 2.04)],
    "to and fro, many times": [*even(25, 7.0), *even(25, 50_000.0), *even(25, 3.0), *even(25, 9e6)],
    "over a frame without a time": [*even(50), None, *even(49, 8000.0)],
    "to below 0": [*even(50), *even(50, -40_000.0)],
}


@pytest.mark.parametrize("leaps", [True, False])
@pytest.mark.parametrize("kind", LEAPS)
def test_a_clock_that_leaps_adds_no_time_and_loses_none(kind: str, leaps: bool) -> None:
    """In whatever kind of file: these steps are longer than any frame is shown, or go back."""
    assert_even(of(LEAPS[kind], leaps=leaps), pytest.approx(4.0))
    starts = frame_starts(LEAPS[kind], STEP, leaps=leaps)
    assert starts == pytest.approx([i * STEP for i in range(100)])


@pytest.mark.parametrize("long_sec", [30.0, 600.0, 1800.0])
def test_a_frame_that_is_shown_for_long_is_no_leap_in_a_file_with_one_timeline(long_sec: float) -> None:
    """A screen recording: two lively seconds, then a frame now and then."""
    stated: Stated = [*even(50), *even(10, 2.0, long_sec)]
    duration_sec, starts = of(stated)
    assert starts == pytest.approx(stated)
    assert duration_sec == pytest.approx(2.0 + 9 * long_sec + STEP)


@pytest.mark.parametrize("leaps", [True, False])
@pytest.mark.parametrize("step_sec", [1.0, 30.0, 3600.0, 86_400.0])
def test_a_slow_video_is_no_leap_in_any_file(step_sec: float, leaps: bool) -> None:
    """A time lapse at its true times, with pauses of up to ten of its steps."""
    assert_even(of(even(12, 7.0, step_sec), leaps=leaps), pytest.approx(12 * step_sec))
    paused = [*even(12, 0.0, step_sec), *even(12, 20 * step_sec, step_sec)]
    assert of(paused, leaps=leaps)[0] == pytest.approx(32 * step_sec)


def test_in_a_stream_a_shorter_step_is_a_leap_than_in_a_file() -> None:
    for leaps, longest_sec in ((True, LONGEST_FRAME_IN_STREAM_SEC), (False, LONGEST_FRAME_SEC)):
        shorter, longer = (
            frame_starts([*even(10), *even(10, 0.36 + step)], STEP, leaps=leaps)
            for step in (longest_sec - 0.01, longest_sec + 0.01)
        )
        assert shorter[10] == pytest.approx(0.36 + longest_sec - 0.01)
        assert longer[10] == pytest.approx(0.4)


def test_frames_in_the_wrong_order_wait_and_the_end_stays() -> None:
    stated: Stated = [0.0, 0.08, 0.04, 0.12, 0.2, 0.16, 0.24]
    assert frame_starts(stated, STEP, leaps=False) == pytest.approx([0, 0.08, 0.08, 0.12, 0.2, 0.2, 0.24])


def test_where_nothing_is_stated_frames_come_at_the_rate_and_without_one_time_is_unknown() -> None:
    assert_even(of([None] * 50), pytest.approx(2.0))
    assert of([None] * 50, rate=0.0) == (0.0, [])
    assert of([3.0], rate=0.0) == (0.0, [])
    assert_even(of([3.0]), pytest.approx(STEP))


def test_times_that_are_stated_now_and_then_are_kept() -> None:
    """As in MPEG files, where not every frame has one; here the frames between last 40 ms."""
    stated: Stated = [t if i % 5 == 0 else None for i, t in enumerate(even(50))]
    assert_even(of(stated), pytest.approx(2.0))


@pytest.mark.parametrize("rate", [10, 23.976, 24, 25, 30000 / 1001, 50, 60, 120])
@pytest.mark.parametrize("tick_sec", [1e-3, 1 / 600, 1 / 90_000])
def test_times_that_a_file_has_rounded_are_even(rate: float, tick_sec: float) -> None:
    stated: Stated = [5.0 + round(i / rate / tick_sec) * tick_sec for i in range(1000)]
    assert_even(of(stated), pytest.approx(1000 / rate, abs=2 * tick_sec))


def test_a_single_frame_left_out_makes_a_video_uneven() -> None:
    stated = even(100)
    del stated[60]
    duration_sec, starts = of(stated)
    assert duration_sec == pytest.approx(4.0)
    assert starts == pytest.approx(stated)


@pytest.mark.parametrize(
    ("last", "duration_sec"), [(0.0, 2.0), (0.02, 2.0), (0.04, 2.0), (0.08, 2.0), (10.0, 11.96)]
)
def test_a_last_frame_of_which_the_file_states_more_lasts_longer(last: float, duration_sec: float) -> None:
    """The end of a slide show. Half or twice the usual length is how fields are told."""
    assert of(even(50), last=last)[0] == pytest.approx(duration_sec)


def test_the_usual_step_is_one_that_no_pause_and_no_leap_moves() -> None:
    assert usual_step([*even(60), *even(20, 100.0, 30.0), *even(3, 90_000.0)]) == pytest.approx(STEP)
    assert usual_step([None, 1.0, None]) is None
    assert usual_step([2.0, 2.0, 1.0]) is None


@pytest.mark.parametrize("seed", range(50))
def test_starts_never_run_back_whatever_is_stated(seed: int) -> None:
    generator = np.random.default_rng(seed)
    stated: Stated = [
        None if generator.random() < 0.1 else float(generator.normal(0, 10.0 ** generator.integers(-2, 6)))
        for _ in range(200)
    ]
    for leaps in (True, False):
        starts = frame_starts(stated, STEP, leaps=leaps)
        assert starts[0] == 0
        assert all(before <= after for before, after in pairwise(starts))
        duration_sec, uneven = of(stated, leaps=leaps)
        assert duration_sec >= max([0.0, *(start for start in uneven if start is not None)])
