"""The pictures of the built-in clips: a bright shape whose place, size and turn can be seen."""

import dataclasses

import numpy as np

from vidnas.video.make.drawing import draw_appearance, draw_frames

Array = np.ndarray


def bright(frames: Array) -> Array:
    """Where the shape is: brighter than any background in every colour."""
    return np.asarray(frames.min(axis=-1) > 115)


def test_the_angle_turns_the_shape_clockwise_on_the_screen() -> None:
    for seed in range(5):
        look = draw_appearance(np.random.default_rng(seed))
        plain = dataclasses.replace(look, waves=np.zeros((3, 3, 3)))
        first, quarter_later = draw_frames(plain, np.array([[0.5, 0.5, 0.1, 0.7], [0.5, 0.5, 0.35, 0.7]]), 40)
        np.testing.assert_allclose(np.rot90(first, k=-1).astype(int), quarter_later.astype(int), atol=1)


def test_no_quarter_or_half_turn_maps_a_shape_onto_itself() -> None:
    turns = np.array([[0.5, 0.5, angle, 1.0] for angle in (0, 0.25, 1 / 3, 0.5)])
    for seed in range(50):
        masks = bright(draw_frames(draw_appearance(np.random.default_rng(seed)), turns, 40))
        for turned in masks[1:]:
            assert (masks[0] ^ turned).sum() > 0.2 * masks[0].sum()


def test_the_shape_stays_in_view_of_every_training_crop() -> None:
    corners = np.array([[x, y, angle / 8, 1.0] for x in (0, 1) for y in (0, 1) for angle in range(8)])
    kept_px = round(40 * 32 / 37)
    for seed in range(20):
        masks = bright(draw_frames(draw_appearance(np.random.default_rng(seed)), corners, 40))
        for top in (0, 40 - kept_px):
            for left in (0, 40 - kept_px):
                seen = masks[:, top : top + kept_px, left : left + kept_px].sum(axis=(1, 2))
                assert (seen > 0.5 * masks.sum(axis=(1, 2))).all()


def test_the_shape_is_brighter_than_a_smooth_background() -> None:
    small = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
    for seed in range(50):
        near, far = draw_frames(draw_appearance(np.random.default_rng(seed)), small, 40)
        background = np.where(bright(near)[..., None], far, near)
        assert 4 < bright(near).sum() < 160
        assert not bright(background).any()
        inside = far[:20, :20].astype(int)
        assert max(np.abs(np.diff(inside, axis=axis)).max() for axis in (0, 1)) < 10


def test_x_y_and_size_are_where_and_how_large_the_shape_is() -> None:
    look = draw_appearance(np.random.default_rng(0))
    poses = np.array([[x, y, 0.0, size] for x in (0, 1) for y in (0, 1) for size in (0, 1)])
    masks = bright(draw_frames(look, poses, 200)).reshape(2, 2, 2, 200, 200)
    rows, columns = np.arange(200)[:, None], np.arange(200)
    areas = masks.sum(axis=(-1, -2))
    across, down = (masks * columns).sum(axis=(-1, -2)) / areas, (masks * rows).sum(axis=(-1, -2)) / areas
    np.testing.assert_allclose(across[1] - across[0], 200 * 0.44, atol=1)
    np.testing.assert_allclose(down[:, 1] - down[:, 0], 200 * 0.44, atol=1)
    np.testing.assert_allclose(areas[..., 1] / areas[..., 0], (0.3 / 0.13) ** 2, rtol=0.03)
