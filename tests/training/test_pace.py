"""How long whole runs take, and how many epochs fit into a time."""

import pytest
import torch

from vidnas.training import pace
from vidnas.training.forecast import Needs
from vidnas.training.pace import Countdown, Pace, Reading

CPU = torch.device("cpu")
NEEDS = Needs(step_sec=2.0, clip_sec=0.5, memory_bytes=0, free_bytes=None)
UNREAD = Reading(clip_sec=0.0, workers=0)


@pytest.mark.parametrize(
    ("sec", "epochs"), [(0.0, 0), (4.9, 0), (14.9, 0), (15.0, 1), (24.9, 1), (25.0, 2), (1005.0, 100)]
)
def test_as_many_whole_epochs_fit_as_the_time_holds_beside_what_comes_once(sec: float, epochs: int) -> None:
    training = Pace(epoch_sec=10.0, once_sec=5.0)
    assert training.epochs_in(sec) == epochs
    assert epochs == 0 or training.sec(epochs) <= sec < training.sec(epochs + 1)


def test_an_epoch_is_its_steps_and_its_validation_and_the_test_comes_once() -> None:
    found = pace.pace(NEEDS, UNREAD, CPU, steps=7, step_clips=4, validated=10, tested=6)
    assert found == Pace(epoch_sec=7 * 2.0 + 10 * 0.5, once_sec=6 * 0.5)


@pytest.mark.parametrize(
    ("workers", "cores", "threads", "clip_sec", "expected"),
    [
        (0, 8, 1, 1.0, 2.0 + 4.0),  # one after the other
        (2, 8, 1, 0.1, 2.0),  # the reading keeps up
        (2, 8, 1, 3.0, 6.0),  # it does not: two processes for 4 clips of 3 s
        (2, 2, 2, 1.0, 4.0),  # 2 x 2 s of computing and 4 s of reading on two cores
    ],
)
def test_whoever_is_slower_sets_the_pace(
    workers: int, cores: int, threads: int, clip_sec: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert Reading(clip_sec, workers).beside(2.0, 4, CPU) == pytest.approx(expected)


@pytest.mark.parametrize(("num_clips", "read"), [(1, 1), (8, 8), (9, 5), (100, 8)])
def test_the_reading_is_timed_on_clips_from_all_over_the_data_set(
    num_clips: int, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    seen: list[int] = []

    class Clips:
        def __len__(self) -> int:
            return num_clips

        def __getitem__(self, key: tuple[int, int]) -> None:
            now[0] += 3.0 if not seen else 0.5  # the first wakes the decoder
            seen.append(key[0])

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    assert pace.time_reading(Clips(), workers=2, cached=False) == Reading(0.5, 2)
    assert len(seen) == 1 + read
    assert max(seen) >= num_clips - -(-num_clips // 8)


@pytest.mark.parametrize("num_clips", [1, 2, 8, 100])
def test_where_frames_stay_in_memory_a_clip_is_foretold_as_all_but_the_first_are(
    num_clips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    seen: set[int] = set()

    class Clips:
        def __len__(self) -> int:
            return num_clips

        def __getitem__(self, key: tuple[int, int]) -> None:
            now[0] += 0.25 if key[0] in seen else 2.25
            seen.add(key[0])

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    expected = Reading(0.25, 2, 2.0 if num_clips > 1 else 0.0)
    assert pace.time_reading(Clips(), workers=2, cached=True) == expected


def test_what_the_first_clips_of_all_videos_take_longer_comes_once() -> None:
    reading = Reading(0.25, 0, first_sec=2.0)
    found = pace.pace(NEEDS, reading, CPU, steps=7, step_clips=4, validated=10, tested=6)
    assert found == Pace(
        epoch_sec=7 * (2.0 + 4 * 0.25) + 10 * (0.5 + 0.25),
        once_sec=7 * 4 * 2.0 + 6 * (0.5 + 2.25),
    )


def test_what_is_left_grows_with_how_much_longer_the_first_works_took() -> None:
    countdown = Countdown({"a": 60.0, "b": 60.0, "c": 30.0, "d": 10.0})
    assert str(countdown) == "about 2.7 min"
    countdown.done("a", 120.0)
    assert countdown.left_sec == pytest.approx(200)
    countdown.dropped("b")
    assert countdown.left_sec == pytest.approx(80)
    countdown.done("c", 15.0)
    assert countdown.left_sec == pytest.approx(10 * 135 / 90)
    countdown.done("not foretold", 5.0)
    countdown.done("d", 10.0)
    assert countdown.left_sec == 0
