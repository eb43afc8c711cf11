"""A window that slides over a video: pure functions on frame numbers and on seconds.

Windows are stretches of time. Where all frames last equally long, a window is a whole number of them; where
they do not, it holds the frames shown meanwhile, many or one.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from vidnas.video.stores.clock import EVEN_SEC, EVEN_SHARE
from vidnas.video.stores.decode import VideoInfo

_SAME = 1e-6  # times, in seconds or windows, are sums of rounded steps


class Window(NamedTuple):
    """A stretch of a video, seconds, and the frames shown within it, numbered `start` to `stop` - 1."""

    start: int
    stop: int
    start_sec: float
    end_sec: float


def slide(info: VideoInfo, window_sec: float) -> list[Window]:
    """The windows of a video; a single one where it is not longer, or its length in time is unknown.

    Each spans `window_sec`; of even frames the nearest whole number of them, at least one. They begin at
    every multiple of half of that, rounded down to the start of a frame, and the last one ends with the video
    wherever the grid would put it. Every frame is in a window, and every window has a frame.
    """
    if not info.duration_sec:
        return [Window(0, info.num_frames, 0.0, 0.0)]
    if info.starts_sec:
        return _uneven(info.starts_sec, info.duration_sec, window_sec)
    frame_sec = info.duration_sec / info.num_frames
    length = window_length(info.num_frames, info.duration_sec, window_sec)
    starts = map(int, _grid(info.num_frames, length))
    return [
        Window(start, start + length, start * frame_sec, (start + length) * frame_sec) for start in starts
    ]


def _uneven(starts: Sequence[float], duration_sec: float, window_sec: float) -> list[Window]:
    """The windows over frames that start at these times.

    One that would begin amid a frame begins with it. Where that is shown for half a window already (a tenth,
    for the last window, which cannot move), it begins there.
    """
    usual_sec = median(after - before for before, after in pairwise([*starts, duration_sec]))
    slack_sec = min(EVEN_SEC, EVEN_SHARE * usual_sec)
    half_sec = window_sec / 2
    *begins, last = _grid(duration_sec / half_sec, 2)
    windows = {}
    for begin, most_sec in [*((begin, half_sec) for begin in begins), (last, window_sec / 10)]:
        start_sec = begin * half_sec
        start = _frame_at(starts, start_sec, slack_sec)
        if start_sec - starts[start] < most_sec - _SAME:
            start_sec = starts[start]
        end_sec = duration_sec if begin == last else start_sec + window_sec
        stop = max(start + 1, bisect_left(starts, end_sec - slack_sec))
        windows[start_sec] = Window(start, stop, start_sec, end_sec)
    return list(windows.values())


def _frame_at(starts: Sequence[float], time_sec: float, slack_sec: float) -> int:
    """The frame that starts then, to within `slack_sec`, or is shown already."""
    index = bisect_left(starts, time_sec - slack_sec)
    return index if index < len(starts) and starts[index] <= time_sec + slack_sec else index - 1


def even_starts(info: VideoInfo) -> list[float]:
    """When each of a video's even frames starts, seconds."""
    frame_sec = info.duration_sec / info.num_frames
    return [number * frame_sec for number in range(info.num_frames)]


def window_length(num_frames: int, duration_sec: float, window_sec: float) -> int:
    """Even frames in `window_sec`: at least 1, and no more than the video has."""
    return min(num_frames, max(1, round(window_sec * num_frames / duration_sec)))


def _grid(total: int | float, length: int) -> list[int | float]:
    """Where windows of `length` units begin that slide over `total` units by half a length, rounded down."""
    last = total - length
    if last <= 0:
        return [0]
    begins = (number * length // 2 for number in range(int(2 * last / length) + 1))
    return [*dict.fromkeys(begin for begin in begins if begin < last - _SAME), last]


def first_nearest(info: VideoInfo, windows: list[Window]) -> list[int]:
    """For each window the first frame that is nearer to its centre than to that of the window before.

    From there on, up to the next window's, the frames are its own; the first one's begin with the video. A
    frame is where the middle of the time is in which it is shown.
    """
    starts = info.starts_sec or even_starts(info)
    middles = [(before + after) / 2 for before, after in pairwise([*starts, info.duration_sec])]
    centres = [(window.start_sec + window.end_sec) / 2 for window in windows]
    borders = [(before + after) / 2 for before, after in pairwise(centres)]
    return [0, *(bisect_left(middles, border + _SAME) for border in borders)]
