"""Datasets on videos in which brightness tells frame number and column."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidnas.errors import UserError
from vidnas.video.clips import datasets
from vidnas.video.clips.cache import FrameCache
from vidnas.video.clips.datasets import TestClips, TrainClips
from vidnas.video.clips.sampling import even_indices, multi_indices
from vidnas.video.items import Item
from vidnas.video.stores.decode import scan_video
from vidnas.video.stores.footage import read_frames

Write = Callable[..., Path]

# A crop of 42 px wants a short side of 48 px, which the test videos have: nothing is resized.
SHAPE: dict[str, Any] = dict(size_px=42, segments=4, frames_per_segment=2)
ROOM_X = 64 - 42
LENGTHS = (30, 17, 3)


def paint(number: int) -> np.ndarray:
    """Brightness 4 x number + column."""
    return np.tile((4 * number + np.arange(64, dtype=np.uint8))[None, :, None], (48, 1, 3))


def columns(clip: torch.Tensor) -> torch.Tensor:
    """Brightness of a clip, frames x columns."""
    return clip.float().mean((0, 2))


def numbers(clip: torch.Tensor, left: int) -> list[int]:
    """The frame numbers in an unflipped clip, cropped at column `left`."""
    painted = torch.arange(left, left + clip.shape[-1])
    return [round(value) for value in ((columns(clip) - painted).mean(1) / 4).tolist()]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory, write_video: Write) -> list[Item]:
    folder = tmp_path_factory.mktemp("videos")
    paths = [write_video(folder / f"{length}.avi", length, paint=paint) for length in LENGTHS]
    return [Item(path, label, None) for path, label in zip(paths, (2, 0, 1), strict=True)]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, write_video: Write) -> list[Item]:
    """One video whose frames are all the same."""
    path = write_video(tmp_path_factory.mktemp("still") / "still.avi", 20, paint=lambda _: paint(5))
    return [Item(path, 0, None)]


def train_clips(
    items: Sequence[Item], *, flip: bool = False, single_frame: bool = False, photometric: float = 0.0
) -> TrainClips:
    lengths = [scan_video(item.path).num_frames for item in items]
    return TrainClips(items, lengths, **SHAPE, flip=flip, single_frame=single_frame, photometric=photometric)


def left_of(clip: torch.Tensor, number: int) -> int:
    """Where a clip that shows one frame was cropped; a negative slope of brightness means mirrored."""
    profile = columns(clip)[0].sort().values
    return round((profile - torch.arange(42)).mean().item() - 4 * number)


def test_a_training_clip_holds_ascending_frames_of_every_segment(items: list[Item]) -> None:
    clips = train_clips(items)
    for index, length in enumerate(LENGTHS):
        clip, label, same_index = clips[index, 7]
        assert clip.shape == (3, 8, 42, 42)
        assert (label, same_index) == (items[index].label, index)
        # The crop's column is unknown, so only the distances of the frames are read.
        shown = [number - numbers(clip, 0)[0] for number in numbers(clip, 0)]
        assert shown == sorted(shown)
        assert shown[-1] < length
        assert (len(set(shown)) == 8) == (length >= 8)


def test_a_training_clip_depends_on_its_key_alone(items: list[Item]) -> None:
    clips, others = train_clips(items, flip=True), train_clips(items, flip=True)
    first = clips[0, 11][0]
    _ = clips[1, 3], clips[0, 12]
    assert torch.equal(first, clips[0, 11][0])
    assert torch.equal(first, others[0, 11][0])
    assert not torch.equal(first, clips[0, 12][0])


def test_one_crop_and_one_flip_hold_for_the_whole_clip(still: list[Item]) -> None:
    clips = train_clips(still, flip=True)
    lefts, flipped = set(), []
    for seed in range(200):
        clip = clips[0, seed][0]
        # Another crop would change a frame's brightness by 1 or more, another flip the sign of its slope.
        assert (columns(clip).mean(1) - columns(clip)[0].mean()).abs().max() < 0.5
        falls = columns(clip)[:, 0] > columns(clip)[:, -1]
        assert (falls == falls[0]).all()
        flipped.append(bool(falls[0]))
        lefts.add(left_of(clip, 5))
    assert 60 < sum(flipped) < 140
    assert lefts == set(range(ROOM_X + 1))


def test_without_flip_no_clip_is_mirrored(still: list[Item]) -> None:
    clips = train_clips(still)
    profiles = [columns(clips[0, seed][0])[0] for seed in range(40)]
    assert all(profile[0] < profile[-1] for profile in profiles)


def test_one_light_holds_for_the_whole_clip_and_changes_nothing_else(still: list[Item]) -> None:
    plain, lit = train_clips(still, flip=True), train_clips(still, flip=True, photometric=0.4)
    means = []
    for seed in range(30):
        clip, changed = plain[0, seed][0], lit[0, seed][0]
        assert torch.equal(changed, lit[0, seed][0])
        means.append((changed.float().mean() / clip.float().mean()).item())
        # Where frames were alike they are; crop and flip are those of the same seed without it.
        assert (changed.float().mean((0, 2, 3)) - changed[:, 0].float().mean()).abs().max() < 1
        assert torch.corrcoef(torch.stack([columns(clip)[0], columns(changed)[0]]))[0, 1] > 0.98
    assert min(means) < 0.8 and max(means) > 1.2


def test_a_single_frame_clip_repeats_one_random_frame(items: list[Item]) -> None:
    clips = train_clips(items, single_frame=True)
    shown = set()
    for seed in range(60):
        clip = clips[1, seed][0]
        assert clip.shape == (3, 8, 42, 42)
        assert all(torch.equal(clip[:, 0], clip[:, t]) for t in range(8))
        shown.add(columns(clip)[0].mean().item() // 4)
    # 17 frames and 23 crops of 1/4 frame each: about as many different brightnesses as frames.
    assert len(shown) > 12


@pytest.mark.parametrize("single_frame", [False, True])
def test_clips_of_a_cache_are_those_of_the_videos_and_decoded_once(
    items: list[Item], single_frame: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: dict[str, Any] = dict(SHAPE, single_frame=single_frame)
    cache = FrameCache((item.path for item in items), 3 * 48 * 64 * sum(LENGTHS), shared=False)
    kept = TrainClips(items, LENGTHS, **kind, flip=True, photometric=0.4, cache=cache)
    anew = TrainClips(items, LENGTHS, **kind, flip=True, photometric=0.4)
    tested = TestClips(items, LENGTHS, **kind, num_clips=3, num_crops=3, cache=cache)
    tested_anew = TestClips(items, LENGTHS, **kind, num_clips=3, num_crops=3)
    expected = [[anew[index, seed][0] for index in range(3)] for seed in range(5)]
    expected_views = [tested_anew[index][0] for index in range(3)]
    decoded = []

    def read(path: Path, *given: Any, **also: Any) -> Any:
        decoded.append(path)
        return read_frames(path, *given, **also)

    monkeypatch.setattr(datasets, "read_frames", read)
    monkeypatch.setattr(datasets, "decode_frames", None)
    for seed, clips in enumerate(expected):
        for index, clip in enumerate(clips):
            assert torch.equal(kept[index, seed][0], clip)
    for index, views in enumerate(expected_views):
        assert torch.equal(tested[index][0], views)
    assert sorted(decoded) == sorted(item.path for item in items)


@pytest.mark.parametrize("index", range(len(LENGTHS)))
def test_a_test_clip_is_the_even_clip_in_the_centre(items: list[Item], index: int) -> None:
    views, label, same_index = TestClips(items, LENGTHS, **SHAPE, single_frame=False)[index]
    assert views.shape == (1, 3, 8, 42, 42)
    assert (label, same_index) == (items[index].label, index)
    assert numbers(views[0], ROOM_X // 2) == even_indices(LENGTHS[index], 4, 2)


@pytest.mark.parametrize("index", range(len(LENGTHS)))
def test_several_views_come_clip_by_clip_and_crop_by_crop(items: list[Item], index: int) -> None:
    clips = TestClips(items, LENGTHS, **SHAPE, single_frame=False, num_clips=5, num_crops=3)
    views = clips[index][0]
    assert views.shape == (15, 3, 8, 42, 42)
    shown = [numbers(view, left) for view, left in zip(views, (0, ROOM_X // 2, ROOM_X) * 5, strict=True)]
    expected = multi_indices(LENGTHS[index], 4, 2, 5)
    assert shown == [clip for clip in expected for _ in range(3)]


def test_a_single_frame_test_clip_repeats_the_middle_frame(items: list[Item]) -> None:
    clips = TestClips(items, LENGTHS, **SHAPE, single_frame=True)
    shown = [numbers(clips[index][0][0], ROOM_X // 2) for index in range(3)]
    assert shown == [[15] * 8, [8] * 8, [1] * 8]
    several = TestClips(items, LENGTHS, **SHAPE, single_frame=True, num_clips=2)[0][0]
    assert [numbers(view, ROOM_X // 2) for view in several] == [[7] * 8, [22] * 8]


def test_frames_are_resized_before_they_are_cropped(items: list[Item]) -> None:
    shape = SHAPE | dict(size_px=21)
    test = TestClips(items, LENGTHS, **shape, single_frame=False)
    train = TrainClips(items, LENGTHS, **shape, flip=False, single_frame=False)
    for clip in (test[0][0][0], train[0, 0][0]):
        assert clip.shape == (3, 8, 21, 21)
        # Half the size: a crop of 21 px still shows two thirds of the width, so brightness climbs by 40.
        climb = columns(clip)[:, -1] - columns(clip)[:, 0]
        assert ((climb - 40).abs() < 6).all()


def test_a_file_that_changed_since_its_scan_is_named(items: list[Item]) -> None:
    clips = TestClips(items[:1], [LENGTHS[0] + 20], **SHAPE, single_frame=False)
    with pytest.raises(UserError, match=r"30\.avi ends before frame 46"):
        clips[0]


@pytest.mark.dataset
def test_real_clips_become_clips(test_data: Path) -> None:
    paths = sorted((test_data / "weizmann_4").rglob("*.avi"))[::12]
    real = [Item(path, 0, None) for path in paths]
    lengths = [scan_video(path).num_frames for path in paths]
    shape: dict[str, Any] = dict(size_px=112, segments=4, frames_per_segment=2)
    train = TrainClips(real, lengths, **shape, flip=True, single_frame=False)
    test = TestClips(real, lengths, **shape, single_frame=False, num_clips=10, num_crops=3)
    for index in range(len(real)):
        assert train[index, 0][0].shape == (3, 8, 112, 112)
        assert test[index][0].shape == (30, 3, 8, 112, 112)
        assert train[index, 0][0].float().std() > 10
