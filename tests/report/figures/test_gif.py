import io
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from vidnas.report.figures.gif import Picture, encode_gif
from vidnas.report.geometry.palette import HIGHLIGHT, INK, mixed, primitive_colors


def areas(number: int) -> Picture:
    """The colours that fill areas of the figures, behind a bar at a place that tells the number."""
    colors = [to_rgb("white"), to_rgb(HIGHLIGHT), to_rgb(INK)]
    for color in primitive_colors().values():
        colors += [
            to_rgb(color),
            mixed(color, "white", 0.3),
            mixed(color, "white", 0.87),
            mixed(color, "black", 0.55),
        ]
    row = np.repeat(np.round(255 * np.array(colors)).astype(np.uint8), 4, axis=0)
    picture = np.repeat(row[None], 20, axis=0)
    picture[number] = 0
    return picture


def decoded(content: bytes) -> Iterator[tuple[Picture, float]]:
    """Every picture and how long it is shown, in seconds."""
    with Image.open(io.BytesIO(content)) as gif:
        for number in range(gif.n_frames):  # type: ignore[attr-defined]
            gif.seek(number)
            yield np.asarray(gif.convert("RGB")), gif.info["duration"] / 1000


def test_every_picture_comes_back_in_order_in_its_colors() -> None:
    pictures = [areas(number) for number in (3, 7, 8, 15)]
    found = [picture for picture, _ in decoded(encode_gif(iter(pictures), [0.5] * 4))]
    assert len(found) == 4
    for picture, expected in zip(found, pictures, strict=True):
        assert np.abs(picture.astype(int) - expected).max() < 25
        assert np.abs(picture.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("fps", [0.1, 2, 3, 7, 30, 50])
def test_rounded_durations_add_up(fps: float) -> None:
    durations = [1 / fps] * 12 + [1 / fps + 3]
    found = [duration for _, duration in decoded(encode_gif(map(areas, range(13)), durations))]
    assert sum(found) == pytest.approx(sum(durations), abs=0.011)
    assert found == pytest.approx(durations, abs=0.011)


def test_it_begins_again_at_its_end() -> None:
    with Image.open(io.BytesIO(encode_gif([areas(0), areas(1)], [1.0, 1.0]))) as gif:
        assert gif.info["loop"] == 0


def test_a_single_picture_is_a_gif_too() -> None:
    assert len(list(decoded(encode_gif([areas(0)], [3.0])))) == 1


def test_equal_pictures_give_equal_files() -> None:
    assert encode_gif([areas(0), areas(1)], [1.0, 1.0]) == encode_gif([areas(0), areas(1)], [1.0, 1.0])
