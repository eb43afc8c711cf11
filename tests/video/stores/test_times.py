"""The times of real files: uneven frames, clocks that leap, recordings that were joined."""

import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from vidnas.video.stores.decode import scan_video
from vidnas.video.stores.footage import decode_frames

Write = Callable[..., Path]
ReadNumber = Callable[[np.ndarray], int]
HOURS_10 = 25 * 36_000
CODECS = {
    ".mp4": "libx264",
    ".mkv": "libx264",
    ".mov": "mpeg4",
    ".webm": "libvpx",
    ".flv": "flv",
    ".wmv": "wmv2",
    ".ts": "libx264",
    ".avi": "mpeg4",
}
JOINED = {
    "TS of H.264": (".ts", "libx264", {}),
    "TS of H.264 with B-frames": (".ts", "libx264", {"max_b_frames": 3}),
    "TS of MPEG-2": (".ts", "mpeg2video", {}),
    "PS of MPEG-2": (".mpg", "mpeg2video", {}),
    "PS of MPEG-2 with B-frames": (".mpg", "mpeg2video", {"max_b_frames": 2}),
}


def join(out: Path, *parts: Path) -> Path:
    """As `cat` does it."""
    out.write_bytes(b"".join(part.read_bytes() for part in parts))
    return out


@pytest.mark.parametrize("clock", ["ahead", "back", "same"])
@pytest.mark.parametrize("kind", JOINED)
def test_joined_recordings_have_all_their_frames_and_no_more_time(
    kind: str, clock: str, tmp_path: Path, write_video: Write, read_number: ReadNumber
) -> None:
    suffix, codec, more = JOINED[kind]
    begins = {"ahead": (250, HOURS_10), "back": (HOURS_10, 250), "same": (250, 250)}[clock]
    parts = [
        write_video(tmp_path / f"{number}{suffix}", 50, codec=codec, times=range(first, first + 50), **more)
        for number, first in enumerate(begins)
    ]
    joined = join(tmp_path / f"joined{suffix}", *parts)
    info = scan_video(joined)
    assert (info.num_frames, info.starts_sec) == (100, ())
    assert info.duration_sec == pytest.approx(4.0)
    frames = decode_frames(joined, range(100), short_side_px=None)
    assert [read_number(frame) for frame in frames] == [*range(50)] * 2


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg to compare with")
def test_a_stream_with_lost_pieces_has_as_many_frames_as_for_ffmpeg(
    tmp_path: Path, write_video: Write
) -> None:
    """A recording over the air: pieces of 188 bytes are missing here and there, but not at the end."""
    whole = write_video(tmp_path / "whole.ts", 100, codec="mpeg2video")
    pieces = [whole.read_bytes()[at : at + 188] for at in range(0, whole.stat().st_size, 188)]
    generator = np.random.default_rng(0)
    for number in range(5):
        lost = set(generator.choice(range(30, len(pieces) - 100), size=4, replace=False).tolist())
        path = tmp_path / f"{number}.ts"
        path.write_bytes(b"".join(piece for at, piece in enumerate(pieces) if at not in lost))
        command = ["ffmpeg", "-v", "quiet", "-i", str(path)]
        command += ["-fps_mode", "passthrough", "-f", "framemd5", "-"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        expected = sum(not line.startswith("#") for line in told.splitlines())
        assert scan_video(path).num_frames == expected


@pytest.mark.parametrize("suffix", CODECS)
def test_a_lively_beginning_and_a_slow_rest_have_their_own_times(
    suffix: str, tmp_path: Path, write_video: Write
) -> None:
    """Two seconds at 25 frames a second, then a frame a second: so records a screen, a phone in the dark."""
    times = [*range(50), *range(50, 550, 25)]
    info = scan_video(write_video(tmp_path / f"clip{suffix}", 70, codec=CODECS[suffix], times=times))
    assert info.starts_sec == pytest.approx([time / 25 for time in times], abs=0.0011)
    assert info.duration_sec == pytest.approx(21.0 + 1 / 25, abs=0.0011)


@pytest.mark.parametrize("suffix", [suffix for suffix in CODECS if suffix != ".ts"])
def test_a_frame_that_stands_for_half_a_minute_is_no_leap(
    suffix: str, tmp_path: Path, write_video: Write
) -> None:
    times = [*range(50), *range(50, 50 + 7500, 750)]
    info = scan_video(write_video(tmp_path / f"clip{suffix}", 60, codec=CODECS[suffix], times=times))
    assert info.starts_sec == pytest.approx([time / 25 for time in times], abs=0.0011)


@pytest.mark.parametrize("suffix", CODECS)
def test_a_frame_every_half_minute_is_a_slow_video(suffix: str, tmp_path: Path, write_video: Write) -> None:
    info = scan_video(
        write_video(tmp_path / f"clip{suffix}", 12, codec=CODECS[suffix], times=range(0, 12 * 750, 750))
    )
    assert (info.num_frames, info.starts_sec) == (12, ())
    assert info.duration_sec == pytest.approx(360)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".flv", ".webm"])
def test_a_recorder_whose_clock_is_set_adds_no_time(suffix: str, tmp_path: Path, write_video: Write) -> None:
    times = [*range(50), *range(HOURS_10, HOURS_10 + 50)]
    path = write_video(tmp_path / f"clip{suffix}", 100, codec=CODECS[suffix], times=times)
    info = scan_video(path)
    assert (info.num_frames, info.starts_sec) == (100, ())
    assert info.duration_sec == pytest.approx(4.0)


@pytest.mark.parametrize("suffix", CODECS)
def test_even_frames_need_no_list_of_times(suffix: str, tmp_path: Path, write_video: Write) -> None:
    """Though some files round them to milliseconds; 25 frames a second are 40, so here all are exact."""
    info = scan_video(write_video(tmp_path / f"clip{suffix}", 75, codec=CODECS[suffix]))
    assert info.starts_sec == ()
    assert info.duration_sec == pytest.approx(3.0)


def test_frames_that_were_dropped_leave_a_gap(tmp_path: Path, write_video: Write) -> None:
    kept = [number for number in range(100) if number not in (13, 14, 15, 60)]
    info = scan_video(write_video(tmp_path / "clip.mp4", 96, codec="libx264", times=kept))
    assert info.duration_sec == pytest.approx(4.0)
    steps = [after - before for before, after in pairwise(info.starts_sec)]
    assert sorted(steps)[-2:] == pytest.approx([0.08, 0.16])
