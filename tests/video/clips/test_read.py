"""Clips read in one pass against clips read one by one."""

import weakref
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from vidnas.errors import UserError
from vidnas.video.clips import read as clips_module
from vidnas.video.clips.read import read_clips
from vidnas.video.clips.transforms import center_crop, normalize, to_pixels
from vidnas.video.stores.decode import Frame, read_frames
from vidnas.video.stores.footage import decode_frames

CLIPS = [[0, 2, 2, 9], [5, 7, 9, 14], [5, 8, 11, 14], [30, 31, 32, 39]]


@pytest.fixture(scope="module")
def video(write_video: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", 40)


def test_each_clip_is_what_decoding_it_alone_gives(video: Path) -> None:
    for clip, indices in zip(read_clips(video, CLIPS, size_px=28), CLIPS, strict=True):
        alone = normalize(to_pixels(center_crop(decode_frames(video, indices, short_side_px=32), 28)))
        assert torch.equal(clip, alone)


def test_no_more_is_read_or_kept_than_the_clips_to_come_need(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images: list[weakref.ref[np.ndarray]] = []

    def watched(path: Path, indices: Sequence[int], *, short_side_px: int) -> Generator[Frame, None, None]:
        for frame in read_frames(path, indices, short_side_px=short_side_px):
            images.append(weakref.ref(frame.image))
            yield frame

    monkeypatch.setattr(clips_module, "read_frames", watched)
    clips = [[start, start + 4, start + 9] for start in range(0, 30, 5)]
    wanted = {index for clip in clips for index in clip}
    for clip, _ in zip(clips, read_clips(video, clips, size_px=28), strict=True):
        assert len(images) == sum(index <= clip[-1] for index in wanted)
        assert sum(image() is not None for image in images) == sum(
            clip[0] <= index <= clip[-1] for index in wanted
        )


def test_a_video_that_has_become_shorter_is_named(video: Path) -> None:
    with pytest.raises(UserError, match=r"clip\.mp4 ends before frame 40"):
        list(read_clips(video, [[0, 5], [30, 40]], size_px=28))
