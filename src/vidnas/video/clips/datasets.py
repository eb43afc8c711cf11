"""Videos as datasets: training clips by chance, test clips by rule."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeVar

import numpy as np
import torch
from torch.utils.data import Dataset

from vidnas.shapes import Frames, Pixels, Views
from vidnas.video.clips.cache import FrameCache
from vidnas.video.clips.sampling import multi_indices, random_indices
from vidnas.video.clips.transforms import (
    center_crop,
    random_crop,
    random_flip,
    random_light,
    scaled_short_side,
    three_crops,
    to_pixels,
)
from vidnas.video.items import Item
from vidnas.video.stores.footage import decode_frames, read_frames, require_side

SampleKey = tuple[int, int]
"""Which clip: the index of a video, and the seed of this clip's frames, crop, light and flip."""


T = TypeVar("T")


@dataclass(eq=False)
class _Clips(Dataset[T]):
    """Clips of `size_px` pixels each way. `num_frames` holds every item's frame count, as a scan found it.

    With a `cache`, of this size and these videos, a video is decoded whole once, and else for every clip.
    UserError if a file changed since its scan, and at once if a pack has frames that are too small.
    """

    items: Sequence[Item]
    num_frames: Sequence[int]
    _: KW_ONLY
    size_px: int
    segments: int
    frames_per_segment: int
    single_frame: bool
    cache: FrameCache | None = None

    def __post_init__(self) -> None:
        assert len(self.items) == len(self.num_frames)
        require_side((item.path for item in self.items), self._short_side_px)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def item_bytes(self) -> int:
        """Of a clip."""
        return 3 * self.segments * self.frames_per_segment * self.size_px**2

    def _frames(self, index: int, wanted: Sequence[int]) -> Frames:
        """These frames (ascending, repeats allowed) of a video, at the short side that crops are cut from."""
        path, whole = self.items[index].path, None
        if self.cache is not None:
            whole = self.cache.frames(path, self.num_frames[index], lambda: self._images(index))
        if whole is not None:
            return whole[wanted]
        return decode_frames(path, wanted, short_side_px=self._short_side_px)

    def _images(self, index: int) -> Iterator[np.ndarray]:
        """All frames of a video, one after the other."""
        path, numbers = self.items[index].path, range(self.num_frames[index])
        with closing(read_frames(path, numbers, short_side_px=self._short_side_px)) as frames:
            for frame in frames:
                yield frame.image

    @property
    def _short_side_px(self) -> int:
        return scaled_short_side(self.size_px)


@dataclass(eq=False)
class TrainClips(_Clips[tuple[Pixels, int, int]]):
    """Randomly sampled, cropped and, with `flip`, mirrored clips: `clips[key]` is (clip, label, index).

    With `single_frame` a clip is one random frame repeated; `photometric` is the amount of `random_light`, 0
    for none. A clip depends on its key alone.
    """

    _: KW_ONLY
    flip: bool
    photometric: float = 0.0

    def __getitem__(self, key: SampleKey) -> tuple[Pixels, int, int]:
        index, seed = key
        generator = np.random.default_rng(seed)
        num_frames = self.num_frames[index]
        if self.single_frame:
            indices = [int(generator.integers(num_frames))] * (self.segments * self.frames_per_segment)
        else:
            indices = random_indices(num_frames, self.segments, self.frames_per_segment, generator)
        frames = self._frames(index, indices)
        frames = random_crop(frames, self.size_px, generator)
        if self.flip:
            frames = random_flip(frames, generator)
        if self.photometric:
            frames = random_light(frames, self.photometric, generator)
        return to_pixels(frames), self.items[index].label, index


@dataclass(eq=False)
class TestClips(_Clips[tuple[Views, int, int]]):
    """Evenly sampled clips: `clips[index]` is (views, label, index), clip by clip, crop by crop.

    `num_clips` positions in time times `num_crops` in space are the views of one video. With `single_frame` a
    clip is one frame repeated: the middle one of the video if there is one clip.
    """

    __test__ = False  # pytest would take the name for a test class

    _: KW_ONLY
    num_clips: int = 1
    num_crops: Literal[1, 3] = 1

    @property
    def item_bytes(self) -> int:
        """Of the views of a video."""
        return self.num_clips * self.num_crops * super().item_bytes

    def __getitem__(self, index: int) -> tuple[Views, int, int]:
        clips = self._clip_indices(self.num_frames[index])
        wanted = sorted({frame for clip in clips for frame in clip})
        frames = self._frames(index, wanted)
        views = []
        for clip in clips:
            of_clip = frames[np.searchsorted(wanted, clip)]
            three = self.num_crops == 3
            crops = three_crops(of_clip, self.size_px) if three else [center_crop(of_clip, self.size_px)]
            views += [to_pixels(crop) for crop in crops]
        return torch.stack(views), self.items[index].label, index

    def _clip_indices(self, num_frames: int) -> list[list[int]]:
        if self.single_frame:
            length = self.segments * self.frames_per_segment
            return [frame * length for frame in multi_indices(num_frames, 1, 1, self.num_clips)]
        return multi_indices(num_frames, self.segments, self.frames_per_segment, self.num_clips)
