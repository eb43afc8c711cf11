"""Transforms on frames whose pixels hold their own coordinates."""

import numpy as np
import pytest
import torch

from vidnas.video.clips.transforms import (
    MEAN,
    STD,
    center_crop,
    normalize,
    random_crop,
    random_flip,
    random_light,
    scaled_short_side,
    three_crops,
    to_frames,
    to_pixels,
)


def coordinates(time: int, height: int, width: int) -> np.ndarray:
    """Frames whose pixel (t, y, x) is the colour (t, y, x)."""
    return np.moveaxis(np.indices((time, height, width), dtype=np.uint8), 0, -1)


def corner(frames: np.ndarray) -> tuple[int, int]:
    """Top and left of a crop of coordinates, the same in every frame."""
    _, height, width, _ = frames.shape
    top, left = (int(value) for value in frames[0, 0, 0, 1:])
    expected = coordinates(len(frames), top + height, left + width)[:, top:, left:]
    np.testing.assert_array_equal(frames, expected)
    return top, left


@pytest.mark.parametrize(("size_px", "short_side_px"), [(112, 128), (224, 256), (64, 73), (32, 37), (1, 1)])
def test_the_short_side_keeps_the_papers_ratio(size_px: int, short_side_px: int) -> None:
    assert scaled_short_side(size_px) == short_side_px


def test_a_random_crop_is_one_place_for_all_frames_and_every_place_comes() -> None:
    generator = np.random.default_rng(0)
    crops = [random_crop(coordinates(3, 6, 8), 4, generator) for _ in range(300)]
    assert all(crop.shape == (3, 4, 4, 3) for crop in crops)
    assert {corner(crop) for crop in crops} == {(top, left) for top in range(3) for left in range(5)}


def test_a_crop_as_large_as_the_frame_is_the_frame() -> None:
    frames = coordinates(2, 4, 4)
    np.testing.assert_array_equal(random_crop(frames, 4, np.random.default_rng(0)), frames)
    np.testing.assert_array_equal(center_crop(frames, 4), frames)


def test_the_center_crop_lies_in_the_middle() -> None:
    assert corner(center_crop(coordinates(2, 6, 10), 4)) == (1, 3)


def test_a_crop_larger_than_the_frame_is_refused() -> None:
    with pytest.raises(AssertionError, match="5 px"):
        center_crop(coordinates(2, 4, 8), 5)


@pytest.mark.parametrize(
    ("height", "width", "corners"),
    [(6, 10, [(1, 0), (1, 3), (1, 6)]), (10, 6, [(0, 1), (3, 1), (6, 1)])],
)
def test_three_crops_lie_along_the_long_side(height: int, width: int, corners: list[tuple[int, int]]) -> None:
    assert [corner(crop) for crop in three_crops(coordinates(2, height, width), 4)] == corners


def test_a_flip_mirrors_the_whole_clip_left_to_right_half_of_the_time() -> None:
    frames = coordinates(3, 4, 5)
    mirrored = frames[:, :, [4, 3, 2, 1, 0]]
    generator = np.random.default_rng(0)
    results = [random_flip(frames, generator) for _ in range(1000)]
    flipped = [np.array_equal(result, mirrored) for result in results]
    assert all(flip or np.array_equal(result, frames) for flip, result in zip(flipped, results, strict=True))
    # 500 expected, standard deviation 16.
    assert abs(sum(flipped) - 500) < 80


def test_a_normalised_clip_is_standardised_by_colour_and_has_colours_first() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    pixels = to_pixels(frames[:, :, ::-1])
    assert pixels.dtype == torch.uint8 and np.array_equal(to_frames(pixels), frames[:, :, ::-1])
    clip = normalize(pixels)
    assert torch.equal(normalize(torch.stack([pixels, pixels])), torch.stack([clip, clip]))
    assert clip.shape == (3, 2, 4, 5)
    assert clip.dtype == torch.float32
    assert clip.is_contiguous()
    for t, y, x, c in np.ndindex(2, 4, 5, 3):
        expected = (frames[t, y, 4 - x, c] / 255 - MEAN[c]) / STD[c]
        assert clip[c, t, y, x].item() == pytest.approx(expected, abs=1e-5)


def test_a_change_of_light_is_one_curve_for_all_pixels_of_the_clip() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    for seed in range(20):
        changed = random_light(frames, 0.4, np.random.default_rng(seed))
        assert changed.dtype == np.uint8
        for level in np.unique(frames):
            assert len(np.unique(changed[frames == level])) == 1
        curve = [int(changed[frames == level][0]) for level in np.unique(frames)]
        assert curve == sorted(curve)


def test_a_change_of_light_is_what_its_formula_says() -> None:
    frames = np.random.default_rng(1).integers(60, 120, (2, 6, 6, 3), dtype=np.uint8)
    for seed in range(50):
        draw = np.random.default_rng(seed)
        brightness, contrast = draw.uniform(0.7, 1.3, size=2)
        gamma = 1.3 ** draw.uniform(-1, 1)
        lit = brightness * (frames / 255) ** gamma
        expected = np.clip(contrast * (lit - lit.mean()) + lit.mean(), 0, 1) * 255
        changed = random_light(frames, 0.3, np.random.default_rng(seed))
        assert np.abs(changed - expected).max() <= 0.5 + 1e-9


def test_light_is_changed_up_and_down_but_not_by_an_amount_of_0() -> None:
    frames = np.random.default_rng(2).integers(0, 256, (2, 6, 6, 3), dtype=np.uint8)
    assert np.array_equal(random_light(frames, 0.0, np.random.default_rng(0)), frames)
    means = [random_light(frames, 0.4, np.random.default_rng(seed)).mean() for seed in range(200)]
    assert min(means) < 0.75 * frames.mean() and max(means) > 1.2 * frames.mean()
