"""Of several video streams the one is read that players show: the same in a scan, when read, and live."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.stream import VideoStream

from vidnas.video.live.newest import NewestFrames
from vidnas.video.stores.decode import scan_video
from vidnas.video.stores.footage import decode_frames

NONE, DEFAULT = Disposition(0), Disposition.default


class Track(NamedTuple):
    """A video stream: its size, its number of frames and how many of them make a second."""

    size: tuple[int, int]
    frames: int
    rate: int = 25
    disposition: Disposition = NONE
    codec: str = "mpeg4"


PREVIEW, MAIN = Track((32, 32), 2, 1), Track((64, 48), 50)


def write(path: Path, tracks: Sequence[Track]) -> Path:
    """A file of these streams; each is as bright as it is wide."""
    with av.open(str(path), "w") as container:
        streams = []
        for track in tracks:
            stream = container.add_stream(track.codec, rate=track.rate)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = track.size
            stream.pix_fmt = "yuvj420p" if track.codec == "mjpeg" else "yuv420p"
            stream.disposition = track.disposition.value  # type: ignore[assignment]  # PyAV 17 wants it so
            stream.codec_context.thread_count = 1
            streams.append(stream)
        for stream, track in zip(streams, tracks, strict=True):
            picture = np.full((track.size[1], track.size[0], 3), track.size[0], np.uint8)
            for number in range(track.frames):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, track.rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


DEFAULT_MAIN = MAIN._replace(disposition=DEFAULT)
SHORT, STILL = Track((128, 96), 5), Track((240, 180), 1, codec="mjpeg", disposition=DEFAULT)
CASES: dict[str, tuple[str, list[Track], int]] = {
    "the default one": ("clip.mkv", [MAIN, PREVIEW._replace(disposition=DEFAULT)], 1),
    "the default one, though it is the second": ("clip.mkv", [PREVIEW, DEFAULT_MAIN], 1),
    "in an MP4 file too": ("clip.mp4", [PREVIEW, DEFAULT_MAIN], 1),
    "the longer of two defaults": ("clip.mkv", [SHORT._replace(disposition=DEFAULT), DEFAULT_MAIN], 1),
    "the longer of two that are none": ("clip.mkv", [SHORT, MAIN], 1),
    "the longer in a transport stream": (
        "clip.ts",
        [SHORT._replace(codec="mpeg2video"), MAIN._replace(codec="mpeg2video")],
        1,
    ),
    "the larger of two that are as long": ("clip.mkv", [Track((32, 32), 51), MAIN], 1),
    "the first of two cameras": ("clip.mp4", [MAIN, MAIN], 0),
    "the film beside a still in a motion photo": ("clip.mp4", [STILL, DEFAULT_MAIN], 1),
    "the film, though the still alone is the default": ("clip.mp4", [STILL, MAIN], 1),
    "the longer in an AVI file, which has no defaults": ("clip.avi", [SHORT, MAIN], 1),
}


@pytest.mark.parametrize("case", CASES)
def test_the_stream_that_is_read_is(tmp_path: Path, case: str) -> None:
    name, tracks, expected = CASES[case]
    path, right = write(tmp_path / name, tracks), tracks[expected]
    info = scan_video(path)
    assert (info.width_px, info.height_px, info.num_frames) == (*right.size, right.frames)
    assert (info.num_streams, info.stream) == (len(tracks), expected)
    frames = decode_frames(path, [0, right.frames - 1], short_side_px=None)
    assert frames.shape == (2, right.size[1], right.size[0], 3)
    assert np.abs(frames.astype(int) - right.size[0]).max() < 6


def test_a_cover_is_no_video_and_needs_no_word(tmp_path: Path) -> None:
    cover = Track((240, 180), 1, codec="mjpeg", disposition=Disposition.attached_pic)
    info = scan_video(write(tmp_path / "clip.mp4", [MAIN, cover]))
    assert (info.num_frames, info.width_px, info.num_streams, info.stream) == (50, 64, 1, 0)


def test_watched_live_it_is_the_same(tmp_path: Path) -> None:
    """A stream in real time: 2 s of 25 frames."""
    path = write(tmp_path / "clip.mkv", [PREVIEW, MAIN._replace(disposition=DEFAULT)])
    with NewestFrames(str(path), window_sec=0.4, short_side_px=24) as newest:
        window = next(newest.windows())
    assert window.frames.shape[1:] == (24, 32, 3)
    assert np.abs(window.frames.astype(int) - 64).max() < 6


def test_a_live_source_is_held_and_stretched_like_a_file(
    tmp_path: Path, write_video: Callable[..., Path], set_matrix: Callable[..., Path]
) -> None:
    path = write_video(tmp_path / "clip.mp4", 20, codec="libx264", aspect=Fraction(3, 2))
    set_matrix(path, (0, 1, 1, 0))
    with NewestFrames(str(path), window_sec=0.4, short_side_px=24) as newest:
        window = next(newest.windows())
    read = decode_frames(path, range(20), short_side_px=24)
    assert window.frames.shape[1:] == read.shape[1:] == (48, 24, 3)
    np.testing.assert_array_equal(window.frames[0], read[0])
