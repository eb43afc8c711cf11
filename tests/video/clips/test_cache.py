"""Decoded frames that stay in memory, shared by the processes that read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from vidnas.video.clips.cache import FrameCache, can_share
from vidnas.video.processes.workers import CONTEXT

PATHS = [Path(name) for name in "abc"]
FRAMES, HEIGHT, WIDTH = 5, 4, 6
VIDEO_BYTES = FRAMES * HEIGHT * WIDTH * 3


def video(number: int) -> np.ndarray:
    """Frame by frame another grey, and another video."""
    greys = 10 * number + np.arange(FRAMES, dtype=np.uint8)
    return np.broadcast_to(greys[:, None, None, None], (FRAMES, HEIGHT, WIDTH, 3))


def decoding(number: int) -> Callable[[], Iterator[np.ndarray]]:
    return lambda: iter(video(number))


def refuse() -> Iterator[np.ndarray]:
    raise AssertionError("it was decoded before")


def holds(cache: FrameCache, path: Path, number: int) -> bool:
    """Whether the frames of a video are there, without decoding it."""
    frames = cache.frames(path, FRAMES, refuse)
    return frames is not None and np.array_equal(frames, video(number))


def test_a_video_is_decoded_once() -> None:
    cache = FrameCache(PATHS, 3 * VIDEO_BYTES, shared=False)
    for number, path in enumerate(PATHS):
        frames = cache.frames(path, FRAMES, decoding(number))
        assert frames is not None and np.array_equal(frames, video(number))
    assert all(holds(cache, path, number) for number, path in enumerate(PATHS))


def test_a_video_without_room_is_not_kept_and_the_others_stay() -> None:
    cache = FrameCache(PATHS, 2 * VIDEO_BYTES + 1, shared=False)
    for number, path in enumerate(PATHS):
        cache.frames(path, FRAMES, decoding(number))
    assert holds(cache, PATHS[0], 0) and holds(cache, PATHS[1], 1)
    assert cache.frames(PATHS[2], FRAMES, refuse) is None


def test_a_video_whose_decoding_fails_is_not_there() -> None:
    cache = FrameCache(PATHS, 3 * VIDEO_BYTES, shared=False)

    def broken() -> Iterator[np.ndarray]:
        yield video(0)[0]
        raise OSError

    with pytest.raises(OSError):
        cache.frames(PATHS[0], FRAMES, broken)
    assert cache.frames(PATHS[0], FRAMES, refuse) is None


def test_a_video_that_another_decodes_meanwhile_is_not_there_until_it_has() -> None:
    cache = FrameCache(PATHS, 3 * VIDEO_BYTES, shared=False)

    def meanwhile() -> Iterator[np.ndarray]:
        for frame in video(0):
            yield frame
            assert cache.frames(PATHS[0], FRAMES, refuse) is None

    cache.frames(PATHS[0], FRAMES, meanwhile)
    assert holds(cache, PATHS[0], 0)
    both = iter(video(1))

    def later() -> Iterator[np.ndarray]:
        cache.frames(PATHS[1], FRAMES, decoding(1))  # another has begun since this one has looked
        return both

    assert cache.frames(PATHS[1], FRAMES, later) is None
    assert holds(cache, PATHS[1], 1)


@pytest.mark.skipif(not can_share(), reason="processes do not begin as copies here")
def test_what_another_process_has_decoded_is_there() -> None:
    cache = FrameCache(PATHS, 3 * VIDEO_BYTES, shared=True)
    cache.frames(PATHS[0], FRAMES, decoding(0))

    def fill() -> None:
        assert holds(cache, PATHS[0], 0)
        cache.frames(PATHS[1], FRAMES, decoding(1))

    worker = CONTEXT.Process(target=fill)
    worker.start()
    worker.join()
    assert worker.exitcode == 0
    cache.frames(PATHS[2], FRAMES, decoding(2))
    assert all(holds(cache, path, number) for number, path in enumerate(PATHS))
