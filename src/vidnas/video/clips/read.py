"""Many clips of one video, read in one pass."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vidnas.shapes import Clip, Frames
from vidnas.video.clips.transforms import center_crop, normalize, scaled_short_side, to_pixels
from vidnas.video.stores.footage import read_frames
from vidnas.video.stores.upright import FrameScaler


def read_clips(path: Path, clips: Sequence[Sequence[int]], *, size_px: int) -> Iterator[Clip]:
    """The centre-cropped clip of each list of frame numbers, as a test clip of the data sets is made.

    The numbers ascend within a list (repeats are allowed), and so do the lists' first and last ones. Held in
    memory are only the frames that a later clip needs, already scaled. UserError if the file ends before.
    """
    wanted = sorted({index for clip in clips for index in clip})
    kept: dict[int, np.ndarray] = {}
    with closing(read_frames(path, wanted, short_side_px=scaled_short_side(size_px))) as frames:
        for clip in clips:
            kept = {index: image for index, image in kept.items() if index >= clip[0]}
            while clip[-1] not in kept:
                frame = next(frames)
                kept[frame.index] = frame.image
            yield test_clip(np.stack([kept[index] for index in clip]), size_px)


def test_clip(frames: np.ndarray, size_px: int) -> Clip:
    """The normalised centre of frames whose short side is scaled as `scaled_short_side(size_px)` says."""
    return normalize(to_pixels(center_crop(frames, size_px)))


def scaled(frames: np.ndarray, size_px: int) -> Frames:
    """Frames of any size as a file's are read: upright they are already, their short side is scaled."""
    scale = FrameScaler(scaled_short_side(size_px), Fraction(1))
    return np.stack([scale(av.VideoFrame.from_ndarray(frame, "rgb24")) for frame in frames])
