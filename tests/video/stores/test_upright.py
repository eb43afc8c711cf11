"""Pictures come as a player shows them: upright, not mirrored, their pixels square, in FFmpeg's colours."""

import io
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from PIL import Image

from vidnas.video.stores.decode import read_frames, scan_video
from vidnas.video.stores.footage import decode_frames
from vidnas.video.stores.upright import (
    MOST_STRETCHED,
    DisplayMatrix,
    FrameScaler,
    display_matrix,
    scaled_size,
)

Write = Callable[..., Path]
SetMatrix = Callable[..., Path]
Matrix = tuple[int, int, int, int]

MATRICES: dict[str, Matrix] = {
    "as it is": (1, 0, 0, 1),
    "a quarter turn": (0, 1, -1, 0),
    "half a turn": (-1, 0, 0, -1),
    "three quarters": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}
# By EXIF's numbers, which mean the same eight ways.
ORIENTATIONS = dict(zip((1, 6, 3, 8, 2, 4, 5, 7), MATRICES.values(), strict=True))


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """12 squares of random colours: no turn and no mirror leaves it alone."""
    colours = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return np.kron(colours, np.ones((16, 16, 1), np.uint8))


def displayed(stored: np.ndarray, matrix: Matrix) -> np.ndarray:
    """The picture under a display matrix, pixel by pixel, moved to where its corner is the origin."""
    a, b, c, d = matrix
    height, width = stored.shape[:2]
    points = {(a * p + c * q, b * p + d * q): stored[q, p] for q in range(height) for p in range(width)}
    left, top = (min(point[axis] for point in points) for axis in (0, 1))
    shown = np.zeros((height, width, 3) if a else (width, height, 3), np.uint8)
    for (m, n), colour in points.items():
        shown[n - top, m - left] = colour
    return shown


# How a picture is held


@pytest.mark.parametrize("name", MATRICES)
def test_all_eight_display_matrices_are_applied(
    tmp_path: Path, write_video: Write, set_matrix: SetMatrix, picture: np.ndarray, name: str
) -> None:
    matrix = MATRICES[name]
    path = write_video(tmp_path / "lying.mp4", 3, codec="libx264", paint=lambda _: picture)
    (stored,) = decode_frames(path, [1], short_side_px=None)
    set_matrix(path, matrix)
    shown = displayed(stored, matrix)
    info = scan_video(path)
    assert (info.height_px, info.width_px) == shown.shape[:2] == ((48, 64) if matrix[0] else (64, 48))
    frames = decode_frames(path, [1, 2], short_side_px=None)
    np.testing.assert_array_equal(frames[0], shown)
    (small,) = decode_frames(path, [1], short_side_px=24)
    assert small.shape[:2] == (shown.shape[0] // 2, shown.shape[1] // 2)
    np.testing.assert_allclose(small[3:5, 3:5].mean((0, 1)), shown[6:10, 6:10].mean((0, 1)), atol=12)
    assert next(read_frames(path, None, short_side_px=None)).image.flags.c_contiguous


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_a_camera_notes_in_the_jpegs_of_a_video_is_applied_too(
    tmp_path: Path, picture: np.ndarray, orientation: int
) -> None:
    """Beside the matrix FFmpeg then notes the rest of what the camera wrote, which not every PyAV knows."""
    path = tmp_path / "camera.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj444p"
        for number in range(3):
            content, exif = io.BytesIO(), Image.Exif()
            exif[0x0112] = orientation
            Image.fromarray(picture).save(content, "jpeg", quality=95, subsampling=0, exif=exif)
            packet = av.Packet(content.getvalue())
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, number, number, True
            packet.time_base = Fraction(1, 25)
            container.mux(packet)
    (shown,) = decode_frames(path, [1], short_side_px=None)
    expected = displayed(picture, ORIENTATIONS[orientation])
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).mean() < 3


def test_a_matrix_between_the_eight_counts_as_the_nearest(tmp_path: Path, write_video: Write) -> None:
    path = write_video(tmp_path / "clip.mp4", 1, codec="libx264")
    data, at = path.read_bytes(), path.read_bytes().index(b"tkhd") + 44

    def read(a: float, b: float, c: float, d: float) -> DisplayMatrix:
        numbers = (a, b, 0, c, d)
        written = b"".join(round(65536 * number).to_bytes(4, signed=True) for number in numbers)
        path.write_bytes(data[:at] + written + data[at + 20 :])
        with av.open(str(path)) as container:
            return display_matrix(next(container.decode(video=0)))

    assert read(0.9, 0.44, -0.44, 0.9) == DisplayMatrix()
    assert read(0.1, 0.99, -0.99, 0.1) == DisplayMatrix(True, True, False)
    assert read(-0.9, 0.1, 0.1, 0.9) == DisplayMatrix(False, True, False)


# Square pixels


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(16, 15), (68, 48)),  # PAL's 4:3
        (Fraction(8, 9), (57, 48)),  # NTSC's 4:3
        (Fraction(64, 45), (91, 48)),  # PAL's 16:9
        (Fraction(2), (128, 48)),
        (Fraction(1, 3), (21, 48)),
        (Fraction(1), (64, 48)),
        (Fraction(5), (64, 48)),  # nothing is stored so
        (Fraction(1, 1000), (64, 48)),
        (Fraction(60000, 1), (64, 48)),
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_the_width_is_stretched_until_pixels_are_square(
    tmp_path: Path, write_video: Write, name: str, aspect: Fraction, size: tuple[int, int]
) -> None:
    left_red = np.zeros((48, 64, 3), np.uint8)
    left_red[:, :32, 0] = 255
    path = write_video(tmp_path / name, 2, codec="libx264", paint=lambda _: left_red, aspect=aspect)
    info = scan_video(path)
    assert (info.width_px, info.height_px) == size
    (whole,) = decode_frames(path, [1], short_side_px=None)
    assert whole.shape == (*size[::-1], 3)
    assert abs((whole[24, :, 0] > 128).mean() - 0.5) < 0.05
    (small,) = decode_frames(path, [1], short_side_px=12)
    assert small.shape[:2] == scaled_size(size, 12)[::-1]


def test_a_video_that_lies_is_stretched_before_it_is_turned(
    tmp_path: Path, write_video: Write, set_matrix: SetMatrix
) -> None:
    path = write_video(tmp_path / "clip.mp4", 2, codec="libx264", aspect=Fraction(3, 2))
    set_matrix(path, (0, 1, -1, 0))
    info = scan_video(path)
    assert (info.width_px, info.height_px) == (48, 96)
    assert decode_frames(path, [0], short_side_px=24).shape == (1, 48, 24, 3)


def test_pictures_keep_a_pixel() -> None:
    line = av.VideoFrame.from_ndarray(np.full((9, 1), 200, np.uint8), format="gray")
    for short_side_px, shape in ((None, (9, 1, 3)), (2, (18, 2, 3))):
        picture = FrameScaler(short_side_px, Fraction(1, MOST_STRETCHED))(line)
        assert picture.shape == shape
        assert np.abs(picture.astype(int) - 200).max() <= 2


def test_a_short_side_keeps_the_shape() -> None:
    assert scaled_size((320, 240), 128) == (171, 128)
    assert scaled_size((240, 320), 128) == (128, 171)
    assert scaled_size((240, 320), None) == (240, 320)


# Colours

GREYS = {
    "gray": (np.uint8, 255),
    "gray10le": (np.uint16, 1023),
    "gray12le": (np.uint16, 4095),
    "gray16le": (np.uint16, 65535),
    "gray16be": (np.uint16, 65535),
}


@pytest.mark.parametrize("pix_fmt", GREYS)
def test_grey_of_any_depth_is_as_bright(pix_fmt: str) -> None:
    kind, white = GREYS[pix_fmt]
    ramp = np.tile(np.linspace(0, 1, 64), (48, 1))
    stored = av.VideoFrame.from_ndarray((ramp * white).astype(kind), format=pix_fmt)
    picture = FrameScaler(None, Fraction(1))(stored)
    assert np.abs(picture - 255 * ramp[..., None]).max() <= 2


FORMATS = """
    gray gray10le gray12le gray16be gray16le grayf32le ya8 ya16le monob monow pal8 rgb24 bgra rgb48le rgba64be
    rgb565le gbrp gbrp10le gbrp16le gbrpf32le yuv420p yuv420p10le yuv422p yuv422p10le yuv444p12le yuv410p
    yuv411p yuva420p yuvj420p yuvj422p nv12 p010le yuyv422
"""


@pytest.mark.parametrize("pix_fmt", FORMATS.split())
def test_every_pixel_format_has_the_colours_of_ffmpeg(tmp_path: Path, pix_fmt: str) -> None:
    path = tmp_path / "clip.nut"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:r=5",
        "-frames:v",
        "2",
        "-pix_fmt",
        pix_fmt,
        "-c:v",
        "rawvideo",
        path,
    )
    compare(path, (160, 120))


@pytest.mark.parametrize("matrix", ["bt709", "bt470bg", "bt2020nc"])
@pytest.mark.parametrize("colour_range", ["tv", "pc"])
def test_the_colours_that_a_file_states_are_those_of_ffmpeg(
    tmp_path: Path, matrix: str, colour_range: str
) -> None:
    path = tmp_path / "clip.mp4"
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=5", "-frames:v", "2", "-pix_fmt", "yuv420p")
    ffmpeg(*source, "-c:v", "libx264", "-colorspace", matrix, "-color_range", colour_range, path)
    compare(path, (160, 120))


@pytest.mark.parametrize("name", MATRICES)
def test_ffmpeg_holds_a_picture_the_same_way(
    tmp_path: Path, write_video: Write, set_matrix: SetMatrix, picture: np.ndarray, name: str
) -> None:
    path = write_video(tmp_path / "clip.mp4", 3, codec="libx264", paint=lambda _: picture)
    set_matrix(path, MATRICES[name])
    compare(path, (64, 48) if MATRICES[name][0] else (48, 64))


def compare(path: Path, size: tuple[int, int]) -> None:
    """Compare the first frame with what the program `ffmpeg` makes of it; its scaler differs by a little."""
    raw = ffmpeg("-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    theirs = np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)
    (ours,) = decode_frames(path, [0], short_side_px=None)
    apart = np.abs(ours.astype(int) - theirs)
    assert (apart.mean() <= 2, apart.max() <= 8) == (True, True), (apart.mean(), apart.max())


def ffmpeg(*arguments: str | Path) -> bytes:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("there is no program ffmpeg")
    done = subprocess.run(
        [program, "-v", "error", "-y", *map(str, arguments)], check=False, capture_output=True, timeout=60
    )
    if done.returncode and "pixel format" in done.stderr.decode():
        pytest.skip("this ffmpeg does not know the format")
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
