"""Many clips of one video, read in one pass."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from vidnas.shapes import Clip
from vidnas.video.clips.transforms import center_crop, normalize, scaled_short_side, to_pixels
from vidnas.video.stores.footage import read_frames


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
            yield normalize(to_pixels(center_crop(np.stack([kept[index] for index in clip]), size_px)))
