import errno
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidnas.errors import UserError
from vidnas.video.make.encode import Mp4Writer

GREYS = (20, 60, 100, 140, 180, 220)


def plain(value: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    width_px, height_px = size
    return np.full((height_px, width_px, 3), value, dtype=np.uint8)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(240, 320, 3), dtype=np.uint8)


def read(path: Path) -> tuple[list[np.ndarray], list[float], float]:
    """The decoded frames, when they are shown, and how long the video lasts, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None and stream.time_base is not None
        duration_sec = float(stream.duration * stream.time_base)
        frames = list(container.decode(stream))
    return (
        [frame.to_ndarray(format="rgb24") for frame in frames],
        [float(f.time or 0) for f in frames],
        duration_sec,
    )


@pytest.mark.parametrize("rate", [0.5, 2.0, 25, Fraction(30000, 1001)])
def test_frames_come_back_in_order_one_after_the_other(tmp_path: Path, rate: float | Fraction) -> None:
    path = tmp_path / "a b'c.mp4"
    with Mp4Writer(path, rate=rate, size=(64, 48)) as video:
        for grey in GREYS:
            video.write(plain(grey))
    frames, times, duration_sec = read(path)
    assert [round(float(frame.mean())) for frame in frames] == pytest.approx(GREYS, abs=2)
    assert times == pytest.approx([i / float(rate) for i in range(6)], abs=1e-4)
    assert duration_sec == pytest.approx(6 / float(rate), abs=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_frames_stand_at_the_times_given(tmp_path: Path) -> None:
    wished = [0.0, 0.5, 0.6, 0.61, 2.0, 5.0]
    with Mp4Writer(tmp_path / "a.mp4", rate=2, size=(64, 48)) as video:
        for grey, pts_sec in zip(GREYS, wished, strict=True):
            video.write(plain(grey), pts_sec)
    frames, times, duration_sec = read(tmp_path / "a.mp4")
    assert [round(float(frame.mean())) for frame in frames] == pytest.approx(GREYS, abs=2)
    assert times == pytest.approx(wished, abs=1e-4)
    assert duration_sec >= 5.0


def test_a_time_that_goes_back_costs_no_frame(tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "a.mp4", rate=2, size=(64, 48)) as video:
        for pts_sec in (0.0, 1.0, 1.0, 0.4, 2.0):
            video.write(plain(100), pts_sec)
    assert read(tmp_path / "a.mp4")[1] == pytest.approx([0, 1, 1, 1, 2], abs=1e-3)


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (1, 1)])
def test_odd_sizes_are_filled_up_at_the_right_and_at_the_bottom(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    width_px, height_px = size
    frame = plain(200, size)
    frame[: height_px // 2] = 40
    with Mp4Writer(tmp_path / "a.mp4", rate=2, size=size) as video:
        video.write(frame)
    (shown,), _, _ = read(tmp_path / "a.mp4")
    assert shown.shape == (height_px + height_px % 2, width_px + width_px % 2, 3)
    filled = np.pad(frame, ((0, height_px % 2), (0, width_px % 2), (0, 0)), mode="edge")
    assert np.abs(shown.astype(int) - filled).mean() < 4


def test_colors_survive_and_their_matrix_is_named(tmp_path: Path) -> None:
    """An unnamed matrix is guessed from the size: a large video would look greener than its frames."""
    color = (213, 94, 0)
    with Mp4Writer(tmp_path / "a.mp4", rate=2, size=(1280, 720)) as video:
        video.write(np.full((720, 1280, 3), color, dtype=np.uint8))
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
    assert frame.colorspace == av.video.reformatter.Colorspace.ITU601
    assert frame.format.name == "yuv420p"
    assert frame.to_ndarray(format="rgb24")[360, 640] == pytest.approx(color, abs=3)


def test_nothing_has_the_name_before_the_end_or_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"

    def fail_midway() -> None:
        with Mp4Writer(path, rate=2, size=(64, 48)) as video:
            video.write(plain(100))
            assert not path.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_midway()
    assert not list(tmp_path.iterdir())


@pytest.mark.full_disk
def test_a_full_disk_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"Cannot write .*a\.mp4: (File too large|No space left on device)"),
        Mp4Writer(tmp_path / "a.mp4", rate=2, size=(320, 240)) as video,
    ):
        for seed in range(12):
            video.write(noise(seed))
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=rf"Cannot write .*gone.a\.mp4: {os.strerror(errno.ENOENT)}"),
        Mp4Writer(tmp_path / "gone" / "a.mp4", rate=2, size=(64, 48)),
    ):
        pass


def test_a_browser_can_play_it_while_it_loads(tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "a.mp4", rate=2, size=(64, 48)) as video:
        video.write(plain(100))
    content = (tmp_path / "a.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
