"""Sliding windows against the rules spelt out frame by frame."""

from itertools import pairwise

import pytest

from vidnas.video.windows import Window, first_nearest, slide, window_length

COUNTS = [*range(1, 30), 57, 58]


@pytest.mark.parametrize("num_frames", COUNTS)
def test_windows_slide_by_half_a_length_and_cover_every_frame(num_frames: int) -> None:
    for length in range(1, num_frames + 1):
        windows = slide(num_frames, length)
        assert {window.stop - window.start for window in windows} == {length}
        assert (windows[0].start, windows[-1].stop) == (0, num_frames)
        assert {frame for window in windows for frame in range(*window)} == set(range(num_frames))
        for number, (before, after) in enumerate(pairwise(windows)):
            assert 0 < after.start - before.start <= max(1, (length + 1) // 2)
            if length > 1 and number + 2 < len(windows):
                assert 0 <= (number + 1) * length / 2 - after.start < 1  # the grid does not drift


@pytest.mark.parametrize("num_frames", COUNTS)
def test_every_frame_belongs_to_the_window_with_the_nearest_centre(num_frames: int) -> None:
    for length in range(1, num_frames + 1):
        windows = slide(num_frames, length)
        firsts = first_nearest(windows)
        for frame in range(num_frames):
            distances = [abs(2 * frame - (window.start + window.stop - 1)) for window in windows]
            nearest = distances.index(min(distances))  # of two, the earlier
            assert max(number for number, first in enumerate(firsts) if first <= frame) == nearest


def test_windows_written_out() -> None:
    assert slide(10, 4) == [Window(0, 4), Window(2, 6), Window(4, 8), Window(6, 10)]
    assert slide(11, 4) == [Window(0, 4), Window(2, 6), Window(4, 8), Window(6, 10), Window(7, 11)]
    assert slide(10, 5) == [Window(0, 5), Window(2, 7), Window(5, 10)]
    assert slide(5, 5) == [Window(0, 5)]


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
