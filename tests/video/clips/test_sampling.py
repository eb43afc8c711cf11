"""Sampling against brute force, for every length of a video that is likely and many that are not."""

from collections import Counter
from fractions import Fraction
from math import floor, nextafter

import numpy as np
import pytest

from vidnas.video.clips.sampling import even_indices, multi_indices, random_indices

LENGTHS = range(1, 301)
SHAPES = [(4, 2), (1, 1), (1, 16), (8, 1), (3, 5), (16, 4)]


def frames_of_segment(num_frames: int, segments: int, segment: int) -> list[int]:
    """By the definition: those between the two cuts; the frame at the cut if there is none between them."""
    low, high = (Fraction(cut * num_frames, segments) for cut in (segment, segment + 1))
    return [f for f in range(num_frames) if floor(low) <= f < floor(high)] or [floor(low)]


@pytest.mark.parametrize(("segments", "frames_per_segment"), SHAPES)
def test_random_clips_are_right_for_every_length(segments: int, frames_per_segment: int) -> None:
    generator = np.random.default_rng(0)
    for num_frames in LENGTHS:
        indices = random_indices(num_frames, segments, frames_per_segment, generator)
        assert len(indices) == segments * frames_per_segment
        assert indices == sorted(indices)
        assert all(0 <= index < num_frames and isinstance(index, int) for index in indices)
        for segment in range(segments):
            allowed = frames_of_segment(num_frames, segments, segment)
            drawn = indices[segment * frames_per_segment : (segment + 1) * frames_per_segment]
            counts = Counter(drawn)
            assert set(drawn) <= set(allowed)
            assert max(counts.values()) <= -(-frames_per_segment // len(allowed))
            assert len(counts) == min(frames_per_segment, len(allowed))


def test_the_segments_share_out_every_video_evenly() -> None:
    for num_frames in LENGTHS:
        for segments in (1, 3, 4, 16):
            parts = [frames_of_segment(num_frames, segments, k) for k in range(segments)]
            assert {f for part in parts for f in part} == set(range(num_frames))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("num_frames", [*range(1, 40), 300])
def test_every_frame_can_be_drawn(num_frames: int) -> None:
    generator = np.random.default_rng(1)
    missing = set(range(num_frames))
    for _ in range(2000):
        missing -= set(random_indices(num_frames, 4, 2, generator))
        if not missing:
            return
    raise AssertionError(f"never drawn of {num_frames}: {sorted(missing)}")


def test_the_frames_of_a_segment_are_equally_likely() -> None:
    generator = np.random.default_rng(2)
    counts = Counter(f for _ in range(3000) for f in random_indices(20, 4, 2, generator))
    # Each frame is in a clip with probability 2/5: 1200 times, with a standard deviation of 27.
    assert all(abs(counts[frame] - 1200) < 5 * 27 for frame in range(20))


def test_the_generator_decides() -> None:
    first, again, other = (random_indices(200, 4, 2, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize(("segments", "frames_per_segment"), SHAPES)
@pytest.mark.parametrize("shift", [Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(7, 8)])
def test_even_clips_are_right_for_every_length(
    segments: int, frames_per_segment: int, shift: Fraction
) -> None:
    for num_frames in LENGTHS:
        expected = []
        for segment in range(segments):
            allowed = frames_of_segment(num_frames, segments, segment)
            slot = Fraction(len(allowed), frames_per_segment)
            expected += [allowed[floor((j + shift) * slot)] for j in range(frames_per_segment)]
        indices = even_indices(num_frames, segments, frames_per_segment, shift=float(shift))
        assert indices == expected == sorted(expected)


def test_an_even_clip_lies_in_the_centre_of_its_slots() -> None:
    assert even_indices(80, 4, 2) == [5, 15, 25, 35, 45, 55, 65, 75]
    assert even_indices(8, 4, 2) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert even_indices(3, 4, 2) == [0, 0, 0, 0, 1, 1, 2, 2]
    assert even_indices(9, 1, 1) == [4]


@pytest.mark.parametrize(("segments", "frames_per_segment"), SHAPES)
def test_the_largest_shift_stays_in_range(segments: int, frames_per_segment: int) -> None:
    for num_frames in LENGTHS:
        indices = even_indices(num_frames, segments, frames_per_segment, shift=nextafter(1, 0))
        for segment in range(segments):
            of_segment = indices[segment * frames_per_segment : (segment + 1) * frames_per_segment]
            assert set(of_segment) <= set(frames_of_segment(num_frames, segments, segment))


@pytest.mark.parametrize("num_clips", [1, 3, 10])
def test_several_clips_are_even_clips_spread_over_the_slots(num_clips: int) -> None:
    for num_frames in LENGTHS:
        clips = multi_indices(num_frames, 4, 2, num_clips)
        assert len(clips) == num_clips
        for k, clip in enumerate(clips):
            assert clip == even_indices(num_frames, 4, 2, shift=(2 * k + 1) / (2 * num_clips))
    # Ten clips of a video with 10 frames a slot show every frame once.
    assert sorted(f for clip in multi_indices(80, 4, 2, 10) for f in clip) == list(range(80))
    assert multi_indices(77, 4, 2, 1) == [even_indices(77, 4, 2)]
