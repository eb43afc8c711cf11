"""Videos to test with: written on the spot, each frame painted with its number."""

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

HEIGHT, WIDTH, BLOCK = 48, 64, 16

Paint = Callable[[int], np.ndarray]
WriteVideo = Callable[..., Path]
ReadNumber = Callable[[np.ndarray], int]
SetMatrix = Callable[[Path, Sequence[int]], Path]


def paint_number(number: int) -> np.ndarray:
    """The number in binary, as 12 black or white blocks: it survives compression and scaling."""
    bits = np.array([number >> bit & 1 for bit in range(12)], dtype=np.uint8).reshape(3, 4)
    picture = 255 * np.kron(bits, np.ones((BLOCK, BLOCK), dtype=np.uint8))
    return np.repeat(picture[..., None], 3, axis=-1)


@pytest.fixture(scope="session")
def read_number() -> ReadNumber:
    """read_number(frame): the number painted into a decoded frame of any size."""

    def read(frame: np.ndarray) -> int:
        height, width = frame.shape[0] // 3, frame.shape[1] // 4
        blocks = frame[: 3 * height, : 4 * width, 0].reshape(3, height, 4, width).mean((1, 3))
        return int(sum(1 << bit for bit, value in enumerate(blocks.ravel()) if value > 128))

    return read


@pytest.fixture(scope="session")
def write_video() -> WriteVideo:
    """write_video(path, num_frames, ...): path, after writing a 64 x 48 video at 25 frames a second.

    `times`, in 25ths of a second, are when the frames begin, where they do not follow at once; `aspect` is
    the width of a pixel over its height.
    """

    def write(
        path: Path,
        num_frames: int,
        *,
        codec: str = "mpeg4",
        max_b_frames: int = 0,
        paint: Paint = paint_number,
        options: dict[str, str] | None = None,
        title: str | None = None,
        pix_fmt: str = "yuv420p",
        times: Sequence[int] | None = None,
        aspect: Fraction | None = None,
    ) -> Path:
        if codec not in av.codecs_available:
            pytest.skip(f"this PyAV cannot encode with {codec}")
        with av.open(str(path), "w", container_options=options) as container:
            if title is not None:
                container.metadata["title"] = title
            stream = container.add_stream(codec, rate=25)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
            stream.codec_context.max_b_frames = max_b_frames
            stream.codec_context.bit_rate = 10_000_000
            stream.codec_context.thread_count = 1
            if aspect is not None:
                stream.codec_context.sample_aspect_ratio = aspect
            for number in range(num_frames):
                frame = av.VideoFrame.from_ndarray(paint(number), format="rgb24")
                if times is not None:
                    frame.pts, frame.time_base = times[number], Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture(scope="session")
def set_matrix() -> SetMatrix:
    """set_matrix(path, (a, b, c, d)): the path of a 64 x 48 MP4 file that now has this display matrix.

    By ISO 14496-12 the point (p, q) is shown at (ap + cq + x, bp + dq + y); x and y keep it in the picture.
    """

    def write(path: Path, matrix: Sequence[int]) -> Path:
        a, b, c, d = matrix
        data = path.read_bytes()
        place = data.index(b"tkhd") + 44
        x, y = WIDTH * (a < 0) + HEIGHT * (c < 0), WIDTH * (b < 0) + HEIGHT * (d < 0)
        one = 1 << 16
        written = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, x * one, y * one, 1 << 30)
        path.write_bytes(data[:place] + written + data[place + 36 :])
        return path

    return write


@pytest.fixture(scope="session")
def write_audio() -> Callable[[Path], Path]:
    """write_audio(path): path, after writing a fifth of a second of silence without any picture."""

    def write(path: Path) -> Path:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
            silence = np.zeros((1, 1600), dtype=np.int16)
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write
