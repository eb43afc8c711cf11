"""Which frames of a video make a clip: pure functions on integers.

A video is cut into equal `segments` (the paper's N_s), of which each gives `frames_per_segment` frames (N_r).
Segment k of a video of n frames holds the frames floor(k n / N_s) to floor((k + 1) n / N_s) - 1, and at
least one: in a video of fewer frames than segments, neighbouring segments share frames.
"""

from collections.abc import Iterator

import numpy as np


def random_indices(
    num_frames: int, segments: int, frames_per_segment: int, generator: np.random.Generator
) -> list[int]:
    """A training clip: ascending frame numbers, drawn uniformly from each segment without replacement.

    A segment shorter than `frames_per_segment` gives each of its frames as often as it must, and the
    remaining places to frames drawn without replacement.
    """
    indices: list[int] = []
    for start, end in _segment_bounds(num_frames, segments):
        repeats, rest = divmod(frames_per_segment, end - start)
        drawn = start + generator.choice(end - start, rest, replace=False)
        indices += sorted([*range(start, end)] * repeats + drawn.tolist())
    return indices


def even_indices(num_frames: int, segments: int, frames_per_segment: int, *, shift: float = 0.5) -> list[int]:
    """A test clip: ascending frame numbers, evenly spaced in each segment.

    Every segment is cut into `frames_per_segment` equal slots; `shift`, 0 to below 1, says where in all of
    them the frame lies: 0.5 is the centre.
    """
    assert 0 <= shift < 1
    indices: list[int] = []
    for start, end in _segment_bounds(num_frames, segments):
        for slot in range(frames_per_segment):
            offset = int((slot + shift) * (end - start) / frames_per_segment)
            # slot + shift rounds up to the next slot where shift is closest to 1.
            indices.append(min(start + offset, end - 1))
    return indices


def multi_indices(num_frames: int, segments: int, frames_per_segment: int, num_clips: int) -> list[list[int]]:
    """Several test clips of one video: even clips whose shifts lie evenly in the slots."""
    shifts = [(clip + 0.5) / num_clips for clip in range(num_clips)]
    return [even_indices(num_frames, segments, frames_per_segment, shift=shift) for shift in shifts]


def _segment_bounds(num_frames: int, segments: int) -> Iterator[tuple[int, int]]:
    """First frame of each segment and the one behind its last."""
    assert num_frames >= 1
    for segment in range(segments):
        start = segment * num_frames // segments
        yield start, max(start + 1, (segment + 1) * num_frames // segments)
