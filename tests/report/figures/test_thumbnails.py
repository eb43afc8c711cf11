import io

import numpy as np
import pytest
from PIL import Image

from vidnas.report.figures.thumbnails import SIZE_PX, thumbnail

COLORS = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (240, 240, 20)]


def draw(height_px: int, width_px: int) -> Image.Image:
    frames = [np.full((height_px, width_px, 3), color, dtype=np.uint8) for color in COLORS]
    content = thumbnail(np.stack(frames))
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    assert len(content) < 10_000
    return image


@pytest.mark.parametrize(
    ("height_px", "width_px"), [(240, 320), (320, 180), (24, 24), (2, 1000), (1080, 1920)]
)
def test_no_thumbnail_is_larger_than_160_px_and_its_longer_side_uses_them(
    height_px: int, width_px: int
) -> None:
    image = draw(height_px, width_px)
    assert max(image.size) == SIZE_PX == 160
    assert (image.width > image.height) == (width_px > height_px)


def test_the_frames_stand_in_reading_order_and_keep_their_aspect() -> None:
    image = draw(240, 320)
    width, height = image.size
    assert height / width == pytest.approx(240 / 320, abs=0.02)
    places = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    for place, color in zip(places, COLORS, strict=True):
        assert image.getpixel(place) == pytest.approx(color, abs=12)
