"""Frames -> an MP4 file that players and browsers show."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from vidnas.errors import UserError

_TICK = Fraction(1, 90_000)  # seconds; the usual frame rates are whole numbers of it, 30000/1001 too


class Mp4Writer:
    """A context that writes H.264 frames of `size` (width_px, height_px) at `rate` frames a second.

    The file appears whole at the end of the context or, after an error, not at all. It replaces what is
    there: refuse an existing file before. UserError names the path and the cause (a full disk, say).
    """

    def __init__(self, path: Path, *, rate: int | float | Fraction, size: tuple[int, int]) -> None:
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._rate = Fraction(rate).limit_denominator(1001)
        self._size = size
        self._pts: int | None = None

    def __enter__(self) -> "Mp4Writer":
        with self._told():
            # Faststart puts the index first, so that a browser plays the file while it loads.
            self._container = av.open(
                str(self._partial.absolute()), "w", format="mp4", container_options={"movflags": "faststart"}
            )
        stream = self._container.add_stream("libx264", rate=self._rate)
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = "yuv420p"
        # That format stores colours for blocks of 2 x 2 pixels: an odd size is filled up by one line.
        stream.width, stream.height = (length + length % 2 for length in self._size)
        # Where a file does not say it, players guess from its size by which matrix its colours were made.
        stream.codec_context.colorspace = Colorspace.ITU601
        stream.codec_context.time_base = _TICK
        # Where frames are reordered and stand at uneven times, the file's duration comes out wrong.
        stream.codec_context.max_b_frames = 0
        self._stream = stream
        return self

    def write(self, frame: npt.NDArray[np.uint8], pts_sec: float | None = None) -> None:
        """Add an RGB frame (height, width, 3), shown from `pts_sec` on, else 1 / rate after the last.

        Times ascend; one that does not is put right behind the frame before.
        """
        width_px, height_px = self._size
        assert frame.shape == (height_px, width_px, 3)
        filled = np.pad(frame, ((0, height_px % 2), (0, width_px % 2), (0, 0)), mode="edge")
        picture = av.VideoFrame.from_ndarray(filled, format="rgb24")
        picture.pts, picture.time_base = self._next_pts(pts_sec), _TICK
        self._encode(picture)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._encode(None)
                with self._told():
                    self._container.close()
                    self._partial.replace(self._path)
        finally:
            with suppress(av.FFmpegError, OSError):  # a second cause says no more than the first
                self._container.close()
            self._partial.unlink(missing_ok=True)

    def _next_pts(self, pts_sec: float | None) -> int:
        """When the next frame is shown, in ticks."""
        step = round(1 / (self._rate * _TICK))
        if self._pts is None:
            self._pts = 0 if pts_sec is None else round(pts_sec / _TICK)
        else:
            wished = self._pts + step if pts_sec is None else round(pts_sec / _TICK)
            self._pts = max(wished, self._pts + 1)
        return self._pts

    def _encode(self, picture: av.VideoFrame | None) -> None:
        """Write a picture or, for None, those that the encoder still holds."""
        with self._told():
            self._container.mux(self._stream.encode(picture))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What fails within the block, as a UserError."""
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            cause = getattr(error, "strerror", None) or error
            raise UserError(f"Cannot write {self._path}: {cause}.") from error
