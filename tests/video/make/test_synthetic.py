"""The built-in clips: they differ by motion only, and they are written whole or not at all."""

from pathlib import Path

import numpy as np
import pytest

from vidnas.errors import UsageError, UserError
from vidnas.video.clips.sampling import random_indices
from vidnas.video.index.index import index_videos
from vidnas.video.index.sources import Source
from vidnas.video.make.drawing import draw_appearance, draw_frames
from vidnas.video.make.synthetic import CLASSES, Plan, draw_poses, encode_clip, write_clips
from vidnas.video.stores.decode import scan_video
from vidnas.video.stores.footage import decode_frames

PAIRS = tuple(zip(CLASSES[::2], CLASSES[1::2], strict=True))
X, Y, ANGLE, SIZE = range(4)
Array = np.ndarray
TINY = Plan(groups_per_class=2, clips_per_group=1, test_groups=1)


def write_few(folder: Path, *, seed: int = 0, test_groups: int = 1) -> Path:
    write_clips(folder, Plan(seed=seed, groups_per_class=3, clips_per_group=2, test_groups=test_groups))
    return folder


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of each of three groups of every class."""
    return write_few(tmp_path_factory.mktemp("clips") / "few")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def read_clip(folder: Path, name: str, group: int) -> Array:
    path = folder / "videos" / name / f"v_{name}_g{group:02d}_c01.avi"
    return decode_frames(path, range(16), short_side_px=None)


def bright(frames: Array) -> Array:
    """Where the shape is: brighter than any background in every colour."""
    return np.asarray(frames.min(axis=-1) > 115)


def centre(mask: Array) -> Array:
    """x and y of the shape's centre in pixels."""
    return np.asarray(np.argwhere(mask).mean(axis=0)[::-1])


# What the clips show.


@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_the_classes_of_a_pair_are_each_other_played_backwards(forward: str, backward: str) -> None:
    for seed in range(20):
        there = draw_poses(forward, 16, np.random.default_rng(seed))
        back = draw_poses(backward, 16, np.random.default_rng(seed))
        np.testing.assert_array_equal(there, back[::-1])
        assert not np.array_equal(there, back)


def test_a_class_moves_one_attribute_steadily_and_holds_the_others() -> None:
    for name, moving in zip(CLASSES, (X, X, Y, Y, ANGLE, ANGLE, SIZE, SIZE), strict=True):
        poses = draw_poses(name, 16, np.random.default_rng(0))
        steps = np.diff(poses, axis=0)
        assert np.ptp(steps[:, moving]) < 1e-12 < abs(steps[0, moving])
        assert not np.delete(steps, moving, axis=1).any()


def test_a_random_frame_has_the_same_distribution_in_every_class() -> None:
    # Kolmogorov-Smirnov distance of each class from all the others together, along the four attributes
    # and along sums and differences of two, which see how they hang together.
    num_clips, generator = 1500, np.random.default_rng(0)
    draws = [[draw_poses(name, 16, generator) for _ in range(num_clips)] for name in CLASSES]
    frames = np.array([[poses[generator.integers(16)] for poses in clips] for clips in draws])
    frames[..., ANGLE] %= 1
    directions = np.array(
        [np.eye(4)[a] + sign * np.eye(4)[b] for a in range(4) for b in range(a) for sign in (1, -1)]
    )
    for direction in np.concatenate([np.eye(4), directions]):
        values = frames @ direction
        for label, name in enumerate(CLASSES):
            own, others = np.sort(values[label]), np.sort(np.delete(values, label, axis=0).ravel())
            grid = np.concatenate([own, others])
            distance = np.abs(
                np.searchsorted(own, grid, side="right") / own.size
                - np.searchsorted(others, grid, side="right") / others.size
            ).max()
            assert distance < 2.2 / num_clips**0.5, (name, direction)


def test_poses_stay_in_range() -> None:
    for name in CLASSES:
        for seed in range(100):
            poses = draw_poses(name, 16, np.random.default_rng(seed))[:, [X, Y, SIZE]]
            assert poses.min() >= 0
            assert poses.max() <= 1


def test_between_sampled_frames_a_turn_stays_below_half_of_180_degrees() -> None:
    generator = np.random.default_rng(0)
    for _ in range(500):
        angles = draw_poses("TurnClockwise", 16, generator)[:, ANGLE]
        steps = np.diff(angles[random_indices(16, 4, 2, generator)])
        assert steps.max() < 0.25
        assert angles[-1] - angles[0] > 0.4


def test_clips_move_as_their_classes_say(few: Path) -> None:
    signs = dict(zip(CLASSES, (1, -1) * 4, strict=True))
    for group in (1, 2, 3):
        for name in CLASSES[:4]:
            masks = bright(read_clip(few, name, group))
            way = signs[name] * (centre(masks[-1]) - centre(masks[0]))
            along, across = way if name in ("MoveRight", "MoveLeft") else way[::-1]
            assert along > 8
            assert abs(across) < 1.5
        for name in CLASSES[6:]:
            areas = bright(read_clip(few, name, group)).sum(axis=(1, 2))
            assert (areas[-1] / areas[0]) ** signs[name] > 1.8


def test_a_group_has_one_look_in_every_class_and_another_group_another(few: Path) -> None:
    corner = {(n, g): read_clip(few, n, g)[0, :3, :3].mean(axis=(0, 1)) for n in CLASSES for g in (1, 2, 3)}
    for group in (1, 2, 3):
        looks = np.array([corner[name, group] for name in CLASSES])
        assert np.ptp(looks, axis=0).max() < 8
    assert np.abs(corner["Grow", 1] - corner["Grow", 2]).max() > 8


# Files.


def test_files_are_videos_of_the_promised_length_and_size(few: Path) -> None:
    files = sorted(few.rglob("*.avi"))
    assert len(files) == 8 * 3 * 2
    for path in files:
        info = scan_video(path)
        assert (info.num_frames, info.width_px, info.height_px) == (16, 40, 40)
        assert info.duration_sec == pytest.approx(1.6)


def test_encoding_keeps_the_picture_and_does_not_tell_the_direction_of_time(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    frames = draw_frames(draw_appearance(generator), draw_poses("TurnClockwise", 16, generator), 40)
    encode_clip(tmp_path / "there.avi", frames)
    encode_clip(tmp_path / "back.avi", frames[::-1])
    there = decode_frames(tmp_path / "there.avi", range(16), short_side_px=None)
    back = decode_frames(tmp_path / "back.avi", range(16), short_side_px=None)
    np.testing.assert_array_equal(there, back[::-1])
    assert np.abs(there.astype(int) - frames).mean() < 4


def test_the_folder_is_read_as_ucf101_with_groups_kept_apart(few: Path) -> None:
    index = index_videos(Source(few), split_by="auto", group_regex=None, seed=0)
    assert index.classes == CLASSES
    assert len(index.train) == 8 * 2 * 2
    assert len(index.test) == 8 * 1 * 2
    for item in index.train + index.test:
        assert item.path.is_file()
        assert item.path.parent.name == CLASSES[item.label]
    assert all("_g01_" in item.path.name for item in index.test)
    assert not any("_g01_" in item.path.name for item in index.train)


def test_by_default_there_are_over_600_training_and_160_test_clips(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips", Plan(num_frames=2, size_px=16))
    assert len((tmp_path / "clips/trainlist01.txt").read_text().splitlines()) == 608
    assert len((tmp_path / "clips/testlist01.txt").read_text().splitlines()) == 192


def test_equal_seeds_give_equal_files_and_other_seeds_other_clips(few: Path, tmp_path: Path) -> None:
    again, other = write_few(tmp_path / "again"), write_few(tmp_path / "other", seed=1)
    assert contents(again) == contents(few)
    clips = [path for path in contents(few) if path.endswith(".avi")]
    assert all(contents(other)[path] != contents(few)[path] for path in clips)
    here, there = (np.array([centre(bright(read_clip(f, c, 2)[0])) for c in CLASSES]) for f in (few, other))
    assert np.abs(here - there).mean() > 3, "another look must come with other motions"


def test_all_clips_differ(few: Path) -> None:
    clips = [data for path, data in contents(few).items() if path.endswith(".avi")]
    assert len(set(clips)) == len(clips)


# Whole or not at all.


def test_an_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    calls = []

    def interrupt(num_clips: int) -> None:
        calls.append(num_clips)
        if len(calls) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clips(tmp_path / "clips", progress=interrupt)
    assert calls == [1] * 5
    assert not any(tmp_path.iterdir())


def test_a_second_call_writes_nothing(tmp_path: Path) -> None:
    calls: list[int] = []
    for _ in range(2):
        write_clips(tmp_path / "c", TINY, progress=calls.append)
    assert calls == [1] * 16, "one for every clip, all from the first call"
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_two_processes_that_write_the_same_clips_do_not_disturb_one_another(tmp_path: Path) -> None:
    folder, calls = tmp_path / "clips", []

    def other_process(num_clips: int) -> None:
        calls.append(num_clips)
        if len(calls) == 1:
            write_clips(folder, TINY)

    write_clips(folder, TINY, progress=other_process)
    assert len(calls) == len(list(folder.rglob("*.avi"))) == 16
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    assert len(list(write_few(tmp_path / "clips").rglob("*.avi"))) == 48


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").write_bytes(b"precious")
    with pytest.raises(
        UserError, match=r"holds something other than the built-in clips.*another folder"
    ) as error:
        write_few(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert contents(tmp_path) == {"holiday.mp4": b"precious"}


def test_clips_of_another_seed_are_refused(tmp_path: Path) -> None:
    folder = write_few(tmp_path / "clips")
    with pytest.raises(UserError, match="of seed 3"):
        write_few(folder, seed=3)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write the built-in clips to .*file.clips"):
        write_few(tmp_path / "file" / "clips")


@pytest.mark.parametrize("test_groups", [0, 3])
def test_both_parts_need_a_group(tmp_path: Path, test_groups: int) -> None:
    with pytest.raises(UsageError, match=f"test_groups is {test_groups}; allowed are 1 to 2"):
        write_few(tmp_path / "clips", test_groups=test_groups)
