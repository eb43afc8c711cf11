"""Thumbnails of clips: four moments of a video as one small JPEG."""

import io

import numpy as np
from PIL import Image

from vidnas.shapes import Frames

MOMENTS = 4
SIZE_PX = 160
"""Width and height that no thumbnail exceeds."""

SEAM_PX = 2
QUALITY = 80


def thumbnail(frames: Frames) -> bytes:
    """The four frames, two by two in reading order on white, as a JPEG."""
    assert len(frames) == MOMENTS
    height_px, width_px = frames.shape[1:3]
    scale = (SIZE_PX - SEAM_PX) // 2 / max(width_px, height_px)
    width_px, height_px = (max(1, round(side * scale)) for side in (width_px, height_px))
    sheet = Image.new("RGB", (2 * width_px + SEAM_PX, 2 * height_px + SEAM_PX), "white")
    for index, frame in enumerate(frames):
        row, column = divmod(index, 2)
        small = Image.fromarray(np.ascontiguousarray(frame)).resize((width_px, height_px))
        sheet.paste(small, (column * (width_px + SEAM_PX), row * (height_px + SEAM_PX)))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
