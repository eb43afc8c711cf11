"""A contact sheet: the frames of some clips in rows, to see what the network sees."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from vidnas.report.geometry.palette import INK
from vidnas.shapes import Frames

# Inches.
FRAME_WIDTH = 1.15
TITLE_HEIGHT = 0.30
MARGIN = 0.12

SEAM = 0.04
"""White between two frames, as a share of a frame's width."""


def draw_contact_sheet(clips: Sequence[npt.NDArray[np.uint8]], titles: Sequence[str]) -> Figure:
    """Draw one row for each clip, which is Frames: its title, and below it the frames from left to right.

    Clips may differ in length and size; all frames are drawn equally wide.
    """
    assert len(clips) == len(titles) > 0
    strips = [_strip(clip) for clip in clips]
    scales = [FRAME_WIDTH / clip.shape[2] for clip in clips]  # inches a pixel
    heights = [strip.shape[0] * scale for strip, scale in zip(strips, scales, strict=True)]
    widths = [strip.shape[1] * scale for strip, scale in zip(strips, scales, strict=True)]
    size = (max(widths) + 2 * MARGIN, sum(heights) + TITLE_HEIGHT * len(clips) + MARGIN)
    figure = Figure(figsize=size, facecolor="white")
    top = size[1]
    for strip, width, height, title in zip(strips, widths, heights, titles, strict=True):
        top -= TITLE_HEIGHT + height
        axes = figure.add_axes((MARGIN / size[0], top / size[1], width / size[0], height / size[1]))
        axes.imshow(strip, aspect="auto")
        axes.set_axis_off()
        axes.set_title(title, loc="left", fontsize=9, color=INK, pad=4, parse_math=False)
    return figure


def _strip(clip: Frames) -> npt.NDArray[np.uint8]:
    """The frames side by side with white seams."""
    seam = np.full((clip.shape[1], max(1, round(SEAM * clip.shape[2])), 3), 255, dtype=np.uint8)
    pieces = [piece for frame in clip for piece in (seam, frame)]
    return np.concatenate(pieces[1:], axis=1)
