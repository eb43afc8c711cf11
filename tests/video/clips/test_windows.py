"""Sliding windows against the rules spelt out: frame by frame and, of uneven ones, moment by moment."""

from itertools import pairwise

import numpy as np
import pytest

from vidnas.video.clips.windows import Window, first_nearest, slide, window_length
from vidnas.video.stores.decode import VideoInfo

COUNTS = [*range(1, 30), 57, 58]


def even(num_frames: int, length: int) -> tuple[VideoInfo, list[Window]]:
    """A video of as many seconds, and its windows of `length` frames."""
    info = VideoInfo(num_frames, 2, 2, float(num_frames))
    return info, slide(info, float(length))


def uneven(*starts_sec: float, end_sec: float) -> VideoInfo:
    return VideoInfo(len(starts_sec), 2, 2, end_sec, starts_sec)


def frames(windows: list[Window]) -> list[tuple[int, int]]:
    return [(window.start, window.stop) for window in windows]


@pytest.mark.parametrize("num_frames", COUNTS)
def test_windows_slide_by_half_a_length_and_cover_every_frame(num_frames: int) -> None:
    for length in range(1, num_frames + 1):
        _, windows = even(num_frames, length)
        assert {window.stop - window.start for window in windows} == {length}
        assert (windows[0].start, windows[-1].stop) == (0, num_frames)
        assert {frame for start, stop in frames(windows) for frame in range(start, stop)} == set(
            range(num_frames)
        )
        for number, (before, after) in enumerate(pairwise(windows)):
            assert 0 < after.start - before.start <= max(1, (length + 1) // 2)
            if length > 1 and number + 2 < len(windows):
                assert 0 <= (number + 1) * length / 2 - after.start < 1  # the grid does not drift


@pytest.mark.parametrize("num_frames", COUNTS)
def test_every_frame_belongs_to_the_window_with_the_nearest_centre(num_frames: int) -> None:
    for length in range(1, num_frames + 1):
        info, windows = even(num_frames, length)
        firsts = first_nearest(info, windows)
        for frame in range(num_frames):
            distances = [abs(2 * frame - (window.start + window.stop - 1)) for window in windows]
            nearest = distances.index(min(distances))  # of two, the earlier
            assert max(number for number, first in enumerate(firsts) if first <= frame) == nearest


def test_windows_written_out() -> None:
    def written(num_frames: int, length: int) -> list[tuple[int, int]]:
        return frames(even(num_frames, length)[1])

    assert written(10, 4) == [(0, 4), (2, 6), (4, 8), (6, 10)]
    assert written(11, 4) == [(0, 4), (2, 6), (4, 8), (6, 10), (7, 11)]
    assert written(10, 5) == [(0, 5), (2, 7), (5, 10)]
    assert written(5, 5) == [(0, 5)]


@pytest.mark.parametrize(
    ("num_frames", "duration_sec", "window_sec", "length"),
    [
        (250, 10.0, 4.0, 100),
        (250, 10.0, 10.0, 250),
        (250, 10.0, 99.0, 250),
        (250, 10.0, 0.001, 1),
        (3, 0.1, 0.06, 2),
    ],
)
def test_a_window_has_the_frames_of_its_duration(
    num_frames: int, duration_sec: float, window_sec: float, length: int
) -> None:
    assert window_length(num_frames, duration_sec, window_sec) == length
    windows = slide(VideoInfo(num_frames, 2, 2, duration_sec), window_sec)
    assert {stop - start for start, stop in frames(windows)} == {length}


@pytest.mark.parametrize("rate", [10, 23.976, 24, 25, 30000 / 1001, 50, 59.94, 1000, 1 / 30])
@pytest.mark.parametrize("window_sec", [0.05, 0.5, 1.0, 2.03, 7.0, 60.0])
def test_even_frames_make_windows_by_number_at_any_rate(rate: float, window_sec: float) -> None:
    """As whole numbers of frames, whose times follow: so no rounding of seconds moves a window."""
    num_frames = 247
    info = VideoInfo(num_frames, 2, 2, num_frames / rate)
    length = window_length(num_frames, info.duration_sec, window_sec)
    last = num_frames - length
    starts = sorted({number * length // 2 for number in range(2 * last // length + 1)} | {last})
    windows = slide(info, window_sec)
    assert frames(windows) == [(start, start + length) for start in starts]
    assert [window.start_sec for window in windows] == pytest.approx([start / rate for start in starts])
    assert [window.end_sec for window in windows] == pytest.approx(
        [(start + length) / rate for start in starts]
    )


def test_windows_of_uneven_frames_span_time_and_hold_what_is_shown_meanwhile() -> None:
    """Two seconds at 50 frames a second, then a frame a second."""
    starts = [*(number / 50 for number in range(100)), *(2.0 + number for number in range(20))]
    windows = slide(uneven(*starts, end_sec=22.0), 2.0)
    assert [window.start_sec for window in windows] == pytest.approx(list(range(21)))
    assert [window.end_sec for window in windows] == pytest.approx(list(range(2, 23)))
    assert frames(windows)[:4] == [(0, 100), (50, 101), (100, 102), (101, 103)]
    assert frames(windows)[-1] == (118, 120)
    assert slide(uneven(*starts, end_sec=21.02), 2.0)[-1] == Window(117, 120, 19.0, 21.02)


def test_a_frame_that_is_shown_for_long_is_in_every_window_meanwhile() -> None:
    windows = slide(uneven(0.0, 1.0, 31.0, 31.5, end_sec=32.0), 4.0)
    assert frames(windows) == [(0, 2), *[(1, 2)] * 13, (1, 4)]
    assert [window.start_sec for window in windows] == [0.0, 1.0, *range(4, 28, 2), 28.0]
    assert windows[-1].end_sec == 32.0
    assert {window.end_sec - window.start_sec for window in windows} == {4.0}


def test_a_window_begins_with_a_frame_and_the_last_ends_with_the_video() -> None:
    """So that what is told of it is the time of what was looked at."""
    starts = [0.0, 0.9, 1.1, 2.2, 2.9, 3.3, 4.5, 5.15, 5.8]
    windows = slide(uneven(*starts, end_sec=7.0), 2.0)
    assert [window.start_sec for window in windows] == [0.0, 0.9, 1.1, 2.9, 3.3, 5.0]
    assert frames(windows) == [(0, 3), (1, 4), (2, 5), (4, 7), (5, 8), (6, 9)]
    assert {round(window.end_sec - window.start_sec, 9) for window in windows} == {2.0}
    close = slide(uneven(*starts, end_sec=7.2), 2.0)
    assert close[-1] == Window(7, 9, 5.15, 7.2)


def test_a_long_frame_counts_though_it_began_before_the_window_or_ends_behind_it() -> None:
    windows = slide(uneven(0.0, 1.9, 4.1, 4.2, 4.3, end_sec=6.0), 2.0)
    assert [window.start_sec for window in windows] == [0, 1, 1.9, 3, 4]
    assert frames(windows) == [(0, 2), (0, 2), (1, 2), (1, 5), (1, 5)]


@pytest.mark.parametrize("seed", range(20))
def test_uneven_windows_hold_exactly_what_is_shown_within(seed: int) -> None:
    """But for 2 ms: nobody sees so little of a frame."""
    generator = np.random.default_rng(seed)
    steps = generator.choice([0.02, 0.033, 0.04, 0.5, 7.0], size=80, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    borders = [0.0, *np.cumsum(steps).tolist()]
    info, window_sec = uneven(*borders[:-1], end_sec=borders[-1]), float(generator.uniform(0.3, 3.0))
    windows = slide(info, window_sec)
    assert windows[0].start_sec == 0 and windows[-1].end_sec == pytest.approx(info.duration_sec)
    assert {frame for start, stop in frames(windows) for frame in range(start, stop)} == set(range(80))
    for window in windows:
        longest = 1.1 if window is windows[-1] else 1
        assert window_sec - 0.005 <= window.end_sec - window.start_sec <= longest * window_sec + 0.005
        for frame, (begin, end) in enumerate(pairwise(borders)):
            shared_sec = min(end, window.end_sec) - max(begin, window.start_sec)
            if shared_sec > 0.005:
                assert window.start <= frame < window.stop
            elif shared_sec < -1e-6:
                assert not window.start <= frame < window.stop
        late_sec = window.start_sec - borders[window.start]
        most_sec = window_sec / 10 if window is windows[-1] else window_sec / 2
        assert late_sec == 0 or late_sec >= most_sec - 2e-6
    for before, after in pairwise(windows):
        assert 0 < after.start_sec - before.start_sec <= window_sec + 0.005


def test_uneven_frames_belong_to_the_window_whose_centre_is_nearest_to_their_middle() -> None:
    info = uneven(0.0, 1.0, 2.0, 6.0, 6.1, 6.2, end_sec=8.0)
    windows = slide(info, 2.0)
    firsts = first_nearest(info, windows)
    middles = [0.5, 1.5, 4.0, 6.05, 6.15, 7.1]
    for frame, middle in enumerate(middles):
        distances = [abs(middle - (window.start_sec + window.end_sec) / 2) for window in windows]
        assert max(number for number, first in enumerate(firsts) if first <= frame) == distances.index(
            min(distances)
        )


def test_a_video_no_longer_than_a_window_or_of_unknown_length_has_one() -> None:
    assert slide(uneven(0.0, 0.1, 3.0, end_sec=3.5), 4.0) == [Window(0, 3, 0.0, 3.5)]
    assert slide(uneven(0.0, 0.1, 3.0, end_sec=3.5), 3.5) == [Window(0, 3, 0.0, 3.5)]
    assert slide(uneven(0.0, 0.1, 3.0, end_sec=3.5), 3.3) == [
        Window(0, 3, 0.0, 3.3),
        Window(1, 3, 0.1, 3.5),
    ]
    unknown = VideoInfo(7, 2, 2, 0.0)
    assert slide(unknown, 4.0) == [Window(0, 7, 0.0, 0.0)]
    assert first_nearest(unknown, slide(unknown, 4.0)) == [0]
