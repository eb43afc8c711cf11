"""What containers state of their end: whole files pass, however short they are, and cut ones do not."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from vidnas.errors import UserError
from vidnas.video.stores.decode import scan_video
from vidnas.video.stores.whole import STATED

RATE, SOUND_RATE = 25, 48000


class Kind(NamedTuple):
    """A container as FFmpeg names it where it reads and where it writes it, and codecs that it may hold."""

    format: str
    muxer: str
    video: str
    audio: str
    options: Mapping[str, str] = MappingProxyType({})


FRONT = {"movflags": "faststart"}
KINDS = {
    "clip.avi": Kind("avi", "avi", "mpeg4", "mp2"),
    "clip.mp4": Kind("mov", "mp4", "libx264", "aac", FRONT),
    "clip.m4v": Kind("mov", "mp4", "mpeg4", "aac", FRONT),
    "clip.mov": Kind("mov", "mov", "mjpeg", "pcm_s16le", FRONT),
    "clip.3gp": Kind("mov", "3gp", "mpeg4", "aac", FRONT),
    "clip.mkv": Kind("matroska", "matroska", "libx264", "mp2"),
    "clip.webm": Kind("matroska", "webm", "libvpx", "libopus"),
    "clip.flv": Kind("flv", "flv", "flv", "libmp3lame"),
    "clip.wmv": Kind("asf", "asf", "wmv2", "wmav2"),
    "clip.asf": Kind("asf", "asf", "msmpeg4", "mp2"),
    "clip.ts": Kind("mpegts", "mpegts", "mpeg2video", "mp2"),
    "clip.mpg": Kind("mpeg", "mpeg", "mpeg2video", "mp2"),
    "clip.ogg": Kind("ogg", "ogg", "libvpx", "libopus"),
    "clip.nut": Kind("nut", "nut", "ffv1", "mp2"),
}
STATING = [name for name, kind in KINDS.items() if kind.format in STATED]
SILENT = [name for name in KINDS if name not in STATING]


def write(path: Path, num_frames: int, *, sound_sec: float = 0, pipe: bool = False) -> Path:
    """A video with so many frames of noise and so long a hiss; a `pipe` has no beginning to go back to."""
    kind, rng = KINDS[path.name], np.random.default_rng(0)
    if any(codec not in av.codecs_available for codec in (kind.video, kind.audio)):
        pytest.skip("this PyAV has no such encoder")
    with (
        path.open("wb") as file,
        av.open(
            Pipe(file) if pipe else str(path), "w", format=kind.muxer, container_options=dict(kind.options)
        ) as container,
    ):
        pictures = container.add_stream(kind.video, rate=RATE)
        assert isinstance(pictures, VideoStream)
        pictures.width, pictures.height = 64, 48
        pictures.pix_fmt = "yuvj420p" if kind.video == "mjpeg" else "yuv420p"
        pictures.codec_context.thread_count = 1
        sound = container.add_stream(kind.audio, rate=SOUND_RATE, layout="mono") if sound_sec else None
        if sound is not None:
            sound.codec_context.bit_rate = 128_000
        for number in range(max(num_frames, round(sound_sec * RATE))):
            if number < num_frames:
                noise = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
                frame = av.VideoFrame.from_ndarray(noise, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                container.mux(pictures.encode(frame))
            if isinstance(sound, AudioStream) and number < sound_sec * RATE:
                hiss = rng.integers(-3000, 3000, (1, SOUND_RATE // RATE), dtype=np.int16)
                heard = av.AudioFrame.from_ndarray(hiss, format="s16", layout="mono")
                heard.sample_rate, heard.pts = SOUND_RATE, number * (SOUND_RATE // RATE)
                container.mux(sound.encode(heard))
        container.mux(pictures.encode())
        if isinstance(sound, AudioStream):
            container.mux(sound.encode())
    return path


class Pipe:
    """A file that can only be written on."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def test_the_table_says_what_is_tested_here() -> None:
    assert {KINDS[name].format for name in STATING} == set(STATED)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("sound_sec", [0, 1, 2, 5])
def test_a_whole_file_passes_whether_its_sound_is_shorter_or_longer(
    tmp_path: Path, name: str, sound_sec: float
) -> None:
    path = write(tmp_path / name, 50, sound_sec=sound_sec)
    assert scan_video(path).num_frames == 50


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("num_frames", [1, 2, 3])
@pytest.mark.parametrize("sound_sec", [0, 1])
def test_a_file_of_few_frames_passes(tmp_path: Path, name: str, num_frames: int, sound_sec: float) -> None:
    assert scan_video(write(tmp_path / name, num_frames, sound_sec=sound_sec)).num_frames == num_frames


@pytest.mark.parametrize("name", STATING)
@pytest.mark.parametrize("sound_sec", [0, 1, 2])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_a_cut_file_is_refused_where_its_header_states_its_end(
    tmp_path: Path, name: str, sound_sec: float, share: float
) -> None:
    # A decoder may stumble over the last frame of what is left.
    stumbles = "|is damaged: .* after" if name == "clip.asf" else ""
    with pytest.raises(UserError, match=rf"is truncated: it ends after \d+ frames \(.* of .*\)\.{stumbles}"):
        scan_video(cut(write(tmp_path / name, 50, sound_sec=sound_sec), share))


@pytest.mark.parametrize("name", SILENT)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_a_cut_file_passes_or_ends_amid_a_frame_where_nothing_is_stated(
    tmp_path: Path, name: str, share: float
) -> None:
    path = cut(write(tmp_path / name, 50, sound_sec=1), share)
    try:
        assert 0 < scan_video(path).num_frames < 50
    except UserError as error:
        assert "amid a frame" in str(error) or "is damaged" in str(error)


@pytest.mark.parametrize(
    "name", ["clip.avi", "clip.mkv", "clip.webm", "clip.flv", "clip.asf", "clip.wmv", "clip.ts"]
)
@pytest.mark.parametrize("sound_sec", [0, 2])
def test_a_recording_from_a_pipe_whose_length_nobody_filled_in_passes(
    tmp_path: Path, name: str, sound_sec: float
) -> None:
    """FFmpeg then guesses a length from the bit rates, of which it may know one alone."""
    path = write(tmp_path / name, 50, sound_sec=sound_sec, pipe=True)
    assert scan_video(path).num_frames == 50


def test_a_cut_wmv_is_told_by_its_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.wmv", 50)
    size = path.stat().st_size
    with pytest.raises(UserError, match=rf"frames \({size // 2:,} of {size:,} bytes\)"):
        scan_video(cut(path, 0.5))
