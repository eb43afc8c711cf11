"""Pictures -> an animated GIF in the colours of the figures."""

import io
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from vidnas.report.geometry.palette import HIGHLIGHT, INK, mixed, primitive_colors

Picture = npt.NDArray[np.uint8]
"""RGB, (height, width, 3)."""


def encode_gif(pictures: Iterable[Picture], durations_sec: Sequence[float]) -> bytes:
    """Encode pictures of one size, each shown for its duration; the GIF begins again at its end.

    A GIF counts in 1/100 s: durations are rounded so that their sum stays right.
    """
    palette = Image.new("P", (1, 1))
    palette.putpalette(_colors().tobytes())
    indexed = (
        Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures
    )
    ends = np.round(100 * np.cumsum([0.0, *durations_sec]))
    file = io.BytesIO()
    next(indexed).save(
        file,
        format="GIF",
        save_all=True,
        append_images=indexed,
        duration=(10 * np.diff(ends)).astype(int).tolist(),
        loop=0,
    )
    return file.getvalue()


def _colors() -> npt.NDArray[np.uint8]:
    """At most 256 colours: one palette for all pictures, so that none flickers and only changes are stored.

    They are the tints of the figures' colours that areas and soft edges have, the shades of labels, and the
    mixtures of the highlight with what lies on it.
    """
    primitives = primitive_colors().values()
    tints = min(15, (256 - 36) // len(primitives) - 8)  # beside 8 other colours each, and 36 of no primitive
    colors = [mixed(color, "white", i / (tints - 1)) for color in primitives for i in range(tints)]
    colors += [mixed(color, "black", i / 8) for color in primitives for i in range(1, 6)]
    colors += [mixed(HIGHLIGHT, color, i / 4) for color in primitives for i in range(1, 4)]
    colors += [mixed(INK, "white", i / 24) for i in range(24)]
    colors += [mixed(HIGHLIGHT, "white", i / 5) for i in range(5)]
    colors += [mixed(HIGHLIGHT, INK, i / 8) for i in range(1, 8)]
    return np.round(255 * np.array(colors)).astype(np.uint8)
