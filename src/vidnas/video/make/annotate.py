"""A copy of a video with captions in its picture."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vidnas.video.make.encode import Mp4Writer
from vidnas.video.stores.footage import read_frames

Picture = npt.NDArray[np.uint8]
"""Height x width x RGB."""

_TEXT_SHARE = 0.06  # size of the letters, of the picture's short side
_SMALLEST_TEXT_PX = 8
_BOX_OPACITY = 0.7


def annotate_video(
    path: Path,
    out: Path,
    captions: Sequence[tuple[int, str]],
    *,
    size: tuple[int, int],
    starts_sec: Sequence[float],
    rate: float,
    progress: Callable[[int], object],
) -> None:
    """Write the video, upright, at its frames' times and without sound, as an H.264 MP4 file.

    A caption stands in every frame from the one that it numbers to the next caption's; the first numbers 0.
    `size` is the upright width and height, pixels. `starts_sec` is when each frame starts; where that is not
    known, all 0, frames come at `rate`, which the file is given as its usual one. `progress(1)` is called
    after each frame. `out` is replaced, once it is whole; UserError for what cannot be read or written.
    """
    starts, texts = zip(*captions, strict=True)
    # Drawing letters costs more than encoding a frame, and a text stands in many.
    label_of = lru_cache(maxsize=1)(draw_label)
    with (
        Mp4Writer(out, rate=rate, size=size) as writer,
        closing(read_frames(path, None, short_side_px=None)) as frames,
    ):
        for start_sec, frame in zip(starts_sec, frames, strict=False):  # as it was when it was scanned
            text = texts[bisect_right(starts, frame.index) - 1]
            pts_sec = start_sec if starts_sec[-1] else None
            writer.write(stamp(frame.image, label_of(text, *size)), pts_sec)
            progress(1)


def stamp(picture: Picture, label: Picture) -> Picture:
    """The picture with a label of `draw_label` in its lower left corner, over a box that darkens it."""
    margin_px = _margin_px(*picture.shape[:2])
    height_px, width_px = label.shape[:2]
    stamped = picture.copy()
    place = stamped[-height_px - margin_px : -margin_px, margin_px : margin_px + width_px]
    # White letters are lighter than any darkened picture, so each pixel is the lighter of the two.
    place[:] = np.maximum(place * (1 - _BOX_OPACITY), label).astype(np.uint8)
    return stamped


def draw_label(text: str, width_px: int, height_px: int) -> Picture:
    """White letters on black, sized for a picture of that width and height.

    The letters shrink where the text is too wide; where they would become too small to read, its end goes.
    DejaVu Sans has the letters of most alphabets, but no Chinese, Japanese or Korean.
    """
    margin_px = _margin_px(height_px, width_px)
    room_px, headroom_px = max(0, width_px - 2 * margin_px), max(0, height_px - 2 * margin_px)
    font = _font(max(_SMALLEST_TEXT_PX, round(_TEXT_SHARE * min(width_px, height_px))))
    pad_px = round(font.size / 3)
    wanted_px = font.getlength(text) + 2 * pad_px
    if wanted_px > room_px:
        font = _font(max(_SMALLEST_TEXT_PX, int(font.size * room_px / wanted_px)))
    while text.rstrip("…") and font.getlength(text) + 2 * pad_px > room_px:
        text = text.rstrip("…")[:-1] + "…"
    ascent_px, descent_px = font.getmetrics()
    box = round(font.getlength(text)) + 2 * pad_px, ascent_px + descent_px + pad_px
    image = Image.new("L", (min(room_px, box[0]), min(headroom_px, box[1])))
    ImageDraw.Draw(image).text((pad_px, pad_px // 2), text, fill=255, font=font)
    return np.repeat(np.asarray(image)[..., None], 3, axis=-1)


def _margin_px(height_px: int, width_px: int) -> int:
    return max(1, round(0.02 * min(height_px, width_px)))


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf")), size_px)
