"""Decoded frames -> pictures as a player shows them: square pixels, upright, not mirrored, in RGB."""

import struct
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideData, Type
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

MOST_STRETCHED = 4
"""No format in use has pixels that are longer than this one way than the other: what states more is wrong."""

_NEWER_SIDE_DATA = range(len(Type), 48)


@dataclass(frozen=True)
class DisplayMatrix:
    """How a stored picture is to be shown: its axes perhaps swapped, then mirrored; one of eight ways."""

    swapped: bool = False
    mirrored_x: bool = False
    mirrored_y: bool = False

    def turn(self, size: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) under the matrix or, for it is its own inverse, before it."""
        return (size[1], size[0]) if self.swapped else size

    def show(self, stored: np.ndarray) -> np.ndarray:
        """The picture (height x width x RGB) under the matrix."""
        picture = stored.swapaxes(0, 1) if self.swapped else stored
        picture = picture[:, ::-1] if self.mirrored_x else picture
        return np.ascontiguousarray(picture[::-1] if self.mirrored_y else picture)


def display_matrix(frame: av.VideoFrame) -> DisplayMatrix:
    """What a frame says of how it is to be held, to the nearest of the eight ways; without a word, as it is.

    By ISO 14496-12 a stored point (p, q) is shown at (a p + c q, b p + d q). A phone that is held upright
    stores its pictures lying; front cameras and editors mirror them.
    """
    data = _matrix_data(frame)
    if data is None:
        return DisplayMatrix()
    a, b, _, c, d = struct.unpack_from("5i", data)
    if abs(b) + abs(c) > abs(a) + abs(d):
        return DisplayMatrix(True, c < 0, b < 0)
    return DisplayMatrix(False, a < 0, d < 0)


def _matrix_data(frame: av.VideoFrame) -> SideData | None:
    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV 17 and 18 refuse all that FFmpeg notes of a frame where a note is newer than they are.
        data = _without_newer_side_data(frame).side_data.get("DISPLAYMATRIX")
    assert data is None or isinstance(data, SideData)
    return data


def _without_newer_side_data(frame: av.VideoFrame) -> av.VideoFrame:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1)
    )
    steps = [graph.add("sidedata", f"mode=delete:type={number}") for number in _NEWER_SIDE_DATA]
    graph.link_nodes(source, *steps, graph.add("buffersink")).configure()
    graph.push(frame)
    clean = graph.pull()
    assert isinstance(clean, av.VideoFrame)
    return clean


def pixel_aspect(stream: VideoStream) -> Fraction:
    """A stored pixel's width over its height; 1 where a stream says nothing or what cannot be.

    DV, DVDs and much of television store pixels that are not square.
    """
    stated = stream.sample_aspect_ratio
    aspect = (
        Fraction(stated.numerator, stated.denominator) if stated else Fraction(1)
    )  # PyAV 19 has its own kind
    return aspect if 1 <= max(aspect, 1 / aspect) <= MOST_STRETCHED else Fraction(1)


def scaled_size(size: tuple[int, int], short_side_px: int | None) -> tuple[int, int]:
    """(width, height) with this short side, pixels, and the same shape; None leaves it alone."""
    scale = 1.0 if short_side_px is None else short_side_px / min(size)
    return round(size[0] * scale), round(size[1] * scale)


class FrameScaler:
    """Makes RGB pictures of decoded frames: as a player shows them, their short side `short_side_px`.

    None leaves their height as it is stored; the width is stretched by `aspect` (`pixel_aspect`). Call it
    with the frames of one stream. Some change their size midway; all pictures are held like the first and
    have its size.
    """

    def __init__(self, short_side_px: int | None, aspect: Fraction) -> None:
        self._short_side_px = short_side_px
        self._aspect = aspect
        self._size: tuple[int, int] | None = None
        self._matrix = DisplayMatrix()
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """The picture, height x width x RGB."""
        if self._size is None:
            self._matrix = display_matrix(frame)
            square = max(1, round(frame.width * self._aspect)), frame.height
            self._size = self._matrix.turn(scaled_size(self._matrix.turn(square), self._short_side_px))
        width_px, height_px = self._size
        # What keeps its size has only its colours interpolated: then as FFmpeg does it.
        kept = self._size == (frame.width, frame.height)
        # One thread: by default each frame would start one per core, which costs more than the scaling.
        image = self._reformatter.reformat(
            frame,
            width=width_px,
            height=height_px,
            format="rgb24",
            interpolation="BICUBIC" if kept else "BILINEAR",
            threads=1,
        )
        return self._matrix.show(image.to_ndarray())
