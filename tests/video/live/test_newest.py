"""The newest frames of a source, against frames made up: what is due, what is kept, what is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from vidnas.errors import UserError
from vidnas.video.live import newest as newest_module
from vidnas.video.live.newest import LiveWindow, NewestFrames
from vidnas.video.live.stream import Player
from vidnas.video.stores.footage import decode_frames

Write = Callable[..., Path]
ReadNumber = Callable[[np.ndarray], int]


@pytest.fixture(scope="module")
def video(write_video: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s of numbered frames."""
    return write_video(tmp_path_factory.mktemp("video") / "live.ts", 50, codec="mpeg2video")


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Sources do not go at their own speed, but a frame further at each release of this."""
    steps = threading.Semaphore(0)

    class Hurried(Player):
        def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
            self._sleep = lambda _: None
            for frame in super().frames():
                steps.acquire()
                yield frame

    monkeypatch.setattr(newest_module, "Player", Hurried)
    return steps


def numbers(window: LiveWindow, read_number: ReadNumber) -> list[int]:
    return [read_number(frame) for frame in window.frames]


def test_windows_are_those_of_the_file(
    video: Path, hurry: threading.Semaphore, read_number: ReadNumber
) -> None:
    """25 frames each, 12.5 apart, seen as soon as their last frame is there."""
    with NewestFrames(str(video), window_sec=1.0, short_side_px=24) as newest:
        windows = newest.windows()
        for first, fresh in ((0, 25), (13, 13), (25, 12)):
            hurry.release(fresh)
            window = next(windows)
            assert numbers(window, read_number) == list(range(first, first + 25))
            assert window.end_sec == pytest.approx((first + 25) / 25)
        hurry.release(99)
        assert list(windows) == []
        assert (newest.num_windows_dropped, newest.num_frames_dropped) == (0, 0)


def test_who_is_slow_gets_the_newest_window_and_the_count_of_the_others(
    video: Path, hurry: threading.Semaphore, read_number: ReadNumber
) -> None:
    with NewestFrames(str(video), window_sec=0.4, short_side_px=24) as newest:
        windows = newest.windows()
        hurry.release(10)
        assert numbers(next(windows), read_number) == list(range(10))
        hurry.release(99)
        newest._thread.join()
        last = next(windows)
        assert numbers(last, read_number) == list(range(40, 50))
        assert last.end_sec == pytest.approx(2.0)
        # Due at 0.4, 0.6, ..., 2.0: the first and the last were seen.
        assert newest.num_windows_dropped == 7
        assert list(windows) == []


def test_no_more_is_kept_than_a_window(video: Path, hurry: threading.Semaphore) -> None:
    hurry.release(99)
    with NewestFrames(str(video), window_sec=0.4, short_side_px=24) as newest:
        newest._thread.join()
        assert len(newest._kept) == 10
        assert newest._kept[0][1].shape == (24, 32, 3)


def test_frames_are_scaled_as_those_of_files(video: Path, hurry: threading.Semaphore) -> None:
    hurry.release(99)
    with NewestFrames(str(video), window_sec=9.0, short_side_px=24) as newest:
        (window,) = newest.windows()
    assert np.array_equal(window.frames, decode_frames(video, range(50), short_side_px=24))


def test_a_stream_that_ends_before_a_window_is_full_gives_what_there_was(
    video: Path, hurry: threading.Semaphore, read_number: ReadNumber
) -> None:
    hurry.release(99)
    with NewestFrames(str(video), window_sec=60.0, short_side_px=24) as newest:
        (window,) = newest.windows()
    assert numbers(window, read_number) == list(range(50))


def test_a_source_that_falls_silent_is_named(video: Path, hurry: threading.Semaphore) -> None:
    hurry.release(12)
    with NewestFrames(str(video), window_sec=0.4, short_side_px=24, stall_sec=0.3) as newest:
        windows = newest.windows()
        next(windows)
        began = time.monotonic()
        with pytest.raises(UserError, match=r"No frame came from .*live\.ts for 0\.3 s"):
            next(windows)
        assert time.monotonic() - began < 2
        hurry.release(99)


@pytest.mark.parametrize(
    "error", [UserError("cannot be opened: no such thing"), ValueError("a mistake of ours")]
)
def test_an_error_of_the_thread_reaches_who_asks(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    @contextmanager
    def refuse(_: str, *, timeout_sec: float) -> Iterator[None]:
        assert timeout_sec > 0
        raise error
        yield

    monkeypatch.setattr(newest_module, "open_source", refuse)
    with (
        NewestFrames("x", window_sec=1.0, short_side_px=24) as newest,
        pytest.raises(type(error), match=str(error)),
    ):
        list(newest.windows())


def test_leaving_the_context_ends_the_thread(video: Path) -> None:
    with NewestFrames(str(video), window_sec=0.2, short_side_px=24) as newest:
        next(newest.windows())
    newest._thread.join(timeout=1)
    assert not newest._thread.is_alive()
