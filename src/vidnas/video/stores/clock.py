"""When frames are shown, from the times that a file or a stream states: pure functions on seconds.

The one rule for files, windows and live sources. Stated times are believed, whether they are even or not,
except where they cannot be time that was filmed:

- A step back is a clock that was set anew, or two recordings joined. One of less than `DISORDER_SEC` is a
  file with two frames in the wrong order; the later one then waits for its own time.
- A step ahead is taken for a leap where it is longer than any frame is likely to be shown. How long that is
  depends on who writes the times. In most files (MP4, MKV, AVI, ...) one program wrote them on one timeline,
  so that a frame may well be shown for half an hour (`LONGEST_FRAME_SEC`). An MPEG stream is sent, cut and
  joined without anyone looking at its clock: FFmpeg marks these formats as those whose times may be
  discontinuous, and there a frame is believed to be shown for a few seconds (`LONGEST_FRAME_IN_STREAM_SEC`).
- In a slow video, such as a time lapse, ten times its usual step is no leap either.

Over a leap, and where nothing is stated, a frame lasts as long as is usual in this video.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

DISORDER_SEC = 0.1
"""A shorter step back is disorder (FFmpeg's own limit for MPEG streams)."""
LONGEST_FRAME_SEC = 3600.0
LONGEST_FRAME_IN_STREAM_SEC = 5.0
LONGEST_IN_USUAL = 10
"""Nor is a step a leap that is up to so many usual ones long."""
LONG_IN_USUAL = 2
"""What a file states for its last frame is believed where it is more than so many usual ones."""
EVEN_SEC, EVEN_SHARE = 0.002, 0.1
"""Frames this close to an even grid, or by this share of a step, are even: files round their times."""


class FrameClock:
    """Seconds from the start of the first frame to that of each next one: never back, no leaps.

    `usual_sec` is how long a frame is usually shown. `leaps` says that the times come from a stream, whose
    clock may leap.
    """

    def __init__(self, usual_sec: float, *, leaps: bool) -> None:
        self._usual_sec = usual_sec
        longest_sec = LONGEST_FRAME_IN_STREAM_SEC if leaps else LONGEST_FRAME_SEC
        self._longest_sec = max(longest_sec, LONGEST_IN_USUAL * usual_sec)
        self._start_sec: float | None = None
        self._stated_at_0_sec: float | None = None

    def start(self, stated_sec: float | None, left_out: int = 0) -> float:
        """When the next frame starts, which by its source stands at `stated_sec`; `left_out` were before."""
        bridged_sec = 0.0
        if self._start_sec is not None:
            bridged_sec = self._start_sec + self._usual_sec * (1 + left_out)
        now_sec = self._believed(stated_sec)
        if now_sec is None:
            now_sec = bridged_sec
            if stated_sec is not None:
                self._stated_at_0_sec = stated_sec - bridged_sec
        self._start_sec = now_sec
        return now_sec

    def _believed(self, stated_sec: float | None) -> float | None:
        """The frame's start by its stated time; None where that is missing or leaps."""
        if stated_sec is None or self._stated_at_0_sec is None or self._start_sec is None:
            return None
        now_sec = stated_sec - self._stated_at_0_sec
        if not -DISORDER_SEC < now_sec - self._start_sec <= self._longest_sec:
            return None
        return max(now_sec, self._start_sec)


def frame_starts(stated_sec: Sequence[float | None], usual_sec: float, *, leaps: bool) -> list[float]:
    """When each frame starts, seconds from the first one's start; ascending."""
    clock = FrameClock(usual_sec, leaps=leaps)
    return [clock.start(time_sec) for time_sec in stated_sec]


def usual_step(stated_sec: Sequence[float | None]) -> float | None:
    """The median time from a frame to the next, seconds, which no leap moves; None where nothing tells it."""
    steps = [
        after - before
        for before, after in pairwise(stated_sec)
        if before is not None and after is not None and after > before
    ]
    return median(steps) if steps else None


def timeline(
    stated_sec: Sequence[float | None], *, rate: float, last_sec: float, leaps: bool
) -> tuple[float, tuple[float, ...]]:
    """(duration, seconds; when each frame starts, none of them where frames are even) of a whole video.

    `rate` is what the file states, frames a second; 0: nothing. The last frame lasts as long as a usual one,
    or `last_sec`, if the file states more for it. A video without any time has the duration 0.
    """
    usual_sec = usual_step(stated_sec) or (1 / rate if rate else 0.0)
    if not usual_sec:
        return 0.0, ()
    starts = frame_starts(stated_sec, usual_sec, leaps=leaps)
    # Writers state the usual length for a last frame of which they know none, or two fields for a frame.
    end_sec = starts[-1] + (last_sec if last_sec > LONG_IN_USUAL * usual_sec else usual_sec)
    even_sec = starts[-1] * len(starts) / (len(starts) - 1) if starts[-1] else len(starts) * usual_sec
    if _even((*starts, end_sec), even_sec):
        return round(even_sec, 9), ()
    return round(end_sec, 9), tuple(round(start, 9) for start in starts)


def _even(borders: Sequence[float], duration_sec: float) -> bool:
    """Whether the frames between these borders all last about as long."""
    step_sec = duration_sec / (len(borders) - 1)
    most_sec = max(EVEN_SEC, EVEN_SHARE * step_sec)
    return all(abs(border - number * step_sec) <= most_sec for number, border in enumerate(borders))
