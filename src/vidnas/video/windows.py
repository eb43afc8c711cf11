"""A window that slides over a video: pure functions on frame numbers."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Window(NamedTuple):
    """The frames numbered `start` to `stop` - 1."""

    start: int
    stop: int


def window_length(num_frames: int, duration_sec: float, window_sec: float) -> int:
    """Frames in `window_sec` at the video's mean rate: at least 1, and no more than it has."""
    return min(num_frames, max(1, round(window_sec * num_frames / duration_sec)))


def slide(num_frames: int, length: int) -> list[Window]:
    """Windows of `length` frames that start at every multiple of half a length, rounded down.

    The last ends with the last frame, wherever the grid would put it, so every frame is in a window.
    """
    assert 1 <= length <= num_frames
    last = num_frames - length
    starts = {number * length // 2 for number in range(2 * last // length + 1)} | {last}
    return [Window(start, start + length) for start in sorted(starts)]


def first_nearest(windows: Sequence[Window]) -> list[int]:
    """For each window the first frame that is nearer to its centre than to that of the window before.

    From there on, up to the next window's, the frames are its own; the first one's begin with its start.
    """
    # The centre of a window is frame (start + stop - 1) / 2, which may lie between two.
    borders = [
        (before.start + before.stop + window.start + window.stop - 2) // 4 + 1
        for before, window in pairwise(windows)
    ]
    return [windows[0].start, *borders]
