"""Folders of frames: a clip as one picture after the other, read with Pillow."""

import re
import warnings
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vidnas.errors import UserError, shown
from vidnas.video.processes.heartbeat import beat
from vidnas.video.stores.decode import Frame, VideoInfo, ends_before
from vidnas.video.stores.store import Footage, Store
from vidnas.video.stores.tree import picture_names
from vidnas.video.stores.upright import scaled_size

MOST_PIXELS = 1 << 26
"""Pictures of more are refused before they are unpacked; 8K video has half as many."""

_AS_SHOWN = frozenset(("1", "L", "P", "LA", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"))
_AT_MOST_16_BITS = frozenset(("PNG", "PPM"))


def _scan(folder: Path) -> VideoInfo:
    """Read every frame of a folder once: how many there are, and the size of the first one.

    UserError where the folder has none, holds two series of frames, or one of them cannot be read.
    """
    names = picture_names(folder)
    if not names:
        raise UserError(f"{shown(folder)} has no frame.")
    series = sorted({re.sub(r"\d+", "#", name) for name in names})
    if len(series) > 1:
        raise UserError(
            f"{shown(folder)} holds more than one series of frames: {', '.join(series[:5])}. "
            "Give each a folder."
        )
    sizes = []
    for name in names:
        sizes.append(open_picture(folder / name).size)
        beat()
    return VideoInfo(len(names), *sizes[0], duration_sec=0.0)


def _read_frames(
    folder: Path, indices: Sequence[int] | None, short_side_px: int | None
) -> Generator[Frame, None, None]:
    """The frames with these ascending numbers, or all for None, as decode.read_frames gives a video's.

    They are all resized to the size that the first one comes to.
    """
    names = picture_names(folder)
    wanted = range(len(names)) if indices is None else sorted(set(indices))
    size: tuple[int, int] | None = None
    for index in wanted:
        if index >= len(names):
            raise ends_before(folder, index)
        picture = open_picture(folder / names[index])
        size = size or scaled_size(picture.size, short_side_px)
        resized = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        beat()
        yield Frame(index, None, np.asarray(resized))


def open_picture(file: Path) -> Image.Image:
    """A picture, upright and in RGB; UserError where it is none, is damaged, or is larger than any frame.

    Of 16 bits the upper 8 count, as in FFmpeg; floating-point numbers go from 0 (black) to 1 (white). What is
    transparent is shown.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # it is refused below
            opened = Image.open(file)
        with opened as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise UserError(
                    f"{shown(file)} has {picture.width} x {picture.height} pixels; "
                    f"frames have {MOST_PIXELS} at most."
                )
            return _in_rgb(ImageOps.exif_transpose(picture), picture.format, file)
    except UnidentifiedImageError as error:
        raise UserError(f"{shown(file)} is no picture that can be read.") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{shown(file)} has more pixels than any frame: {error}") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{shown(file)} is damaged: {error}.") from error


def _in_rgb(picture: Image.Image, file_format: str | None, file: Path) -> Image.Image:
    """By a rule for every mode, none of which goes by how bright this one picture is."""
    mode = picture.mode
    if mode in _AS_SHOWN:
        # A colour that stands for transparency would make Pillow warn, but change nothing.
        picture.info.pop("transparency", None)
        return picture.convert("RGB")
    # Pillow before 11.3 gives 16 bits in 32, where only the format tells that there are no more.
    if mode.startswith("I;16") or (mode == "I" and file_format in _AT_MOST_16_BITS):
        return _grey(np.asarray(picture) >> 8)
    if mode == "F":
        levels = np.asarray(picture)
        if np.all((levels >= 0) & (levels <= 1)):  # not where one is not a number
            return _grey(np.rint(255 * levels))
        raise UserError(
            f"{shown(file)} holds floating-point numbers from {levels.min():g} to {levels.max():g}. In "
            "frames 0 is black and 1 is white: scale them all alike, or save them with 8 or 16 bits."
        )
    raise UserError(
        f"{shown(file)} has pixels that Pillow calls {mode}, and nothing tells how bright they are. Save the "
        "frames in RGB, or in grey levels of 8 or 16 bits."
    )


def _grey(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(levels.astype(np.uint8)).convert("RGB")


def _footage(folder: Path) -> Footage | None:
    if not folder.is_dir():
        return None
    return Footage(
        exists=lambda: bool(picture_names(folder)),
        scan=partial(_scan, folder),
        read_frames=partial(_read_frames, folder),
        files=lambda: [folder / name for name in picture_names(folder)],
        num_pictures=lambda: len(picture_names(folder)),
    )


PICTURES = Store(footage=_footage)
"""Folders of frames."""
