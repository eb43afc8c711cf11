import io
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from vidnas.report.figures.contact import draw_contact_sheet
from vidnas.shapes import Frames

Saved = Callable[[Figure, str], bytes]


def plain_clip(colors: list[tuple[int, int, int]], height: int = 24, width: int = 32) -> Frames:
    return np.stack([np.full((height, width, 3), color, dtype=np.uint8) for color in colors])


def test_frames_lie_from_left_to_right_with_seams_between() -> None:
    clip = np.random.default_rng(0).integers(0, 256, size=(5, 24, 50, 3), dtype=np.uint8)
    shown = draw_contact_sheet([clip], ["a"]).axes[0].images[0].get_array()
    assert shown is not None
    assert shown.shape == (24, 5 * 50 + 4 * 2, 3)
    for i, frame in enumerate(clip):
        assert (shown[:, 52 * i : 52 * i + 50] == frame).all()
        assert (shown[:, 52 * i + 50 : 52 * (i + 1)] == 255).all()


def test_every_clip_is_a_row_under_its_title_in_the_given_order() -> None:
    clips = [plain_clip([(255, 0, 0)] * 8), plain_clip([(0, 255, 0)] * 4, height=40)]
    figure = draw_contact_sheet(clips, ["run", "5$ walk 6$"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["run", "5$ walk 6$"]
    first, second = (axes.get_position() for axes in figure.axes)
    assert first.y0 > second.y1
    assert second.width == pytest.approx(first.width * (4 * 32 + 3) / (8 * 32 + 7))
    assert 0 < second.y0 < first.y1 < 1


def test_the_picture_shows_the_colors_undistorted(saved: Saved) -> None:
    figure = draw_contact_sheet([plain_clip([(255, 0, 0), (0, 0, 255)])], ["a"])
    image = imread(io.BytesIO(saved(figure, ".png")))[..., :3]
    reds, blues = (np.argwhere((image == color).all(axis=2)) for color in ([1, 0, 0], [0, 0, 1]))
    assert reds[:, 1].max() < blues[:, 1].min()
    height, width = np.ptp(reds, axis=0) + 1
    assert width / height == pytest.approx(32 / 24, rel=0.03)
