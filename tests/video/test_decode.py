"""Decoding: the right frames of files whose frames are numbered, and clear words about bad files."""

import csv
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.frame import PictureType

from vidnas.errors import UserError
from vidnas.video.decode import VideoInfo, decode_frames, scan_video

Write = Callable[..., Path]
ReadNumber = Callable[[np.ndarray], int]

NUM_FRAMES = 90
KINDS = {
    "mp4 with B-frames": ("clip.mp4", "libx264", 3),
    "avi with B-frames": ("clip.avi", "mpeg4", 2),
    "avi": ("clip.avi", "mpeg4", 0),
}


@pytest.fixture(params=KINDS, scope="module")
def video(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, write_video: Write
) -> Path:
    name, codec, max_b_frames = KINDS[request.param]
    path = write_video(
        tmp_path_factory.mktemp("video") / name, NUM_FRAMES, codec=codec, max_b_frames=max_b_frames
    )
    assert has_b_frames(path) == (max_b_frames > 0)
    return path


def has_b_frames(path: Path) -> bool:
    with av.open(str(path)) as container:
        return any(frame.pict_type == PictureType.B for frame in container.decode(video=0))


def stated_count(path: Path) -> int:
    """How many frames the container says it holds."""
    with av.open(str(path)) as container:
        return container.streams.video[0].frames


def cut(path: Path, share: float) -> Path:
    """A copy without the end of the file."""
    copy = path.with_name(f"cut_{path.name}")
    data = path.read_bytes()
    copy.write_bytes(data[: int(share * len(data))])
    return copy


def damage(path: Path, *, packet: int) -> Path:
    """The file itself, one packet overwritten."""
    with av.open(str(path)) as container:
        target = list(container.demux(video=0))[packet]
        assert target.pos is not None
        start, end = target.pos, target.pos + target.size
    data = path.read_bytes()
    path.write_bytes(data[:start] + b"\xff" * (end - start) + data[end:])
    return path


def assert_readable_start(numbers: list[int]) -> None:
    """Every frame from the start, none twice or made up; where the cut fell, B-frames may be missing."""
    assert numbers == sorted(set(numbers))
    assert numbers[:-4] == list(range(len(numbers) - 4))
    assert numbers[-1] < len(numbers) + 4


def all_numbers(path: Path, read_number: ReadNumber) -> list[int]:
    """The numbers in all frames that the scan counts; there is none behind them."""
    num_frames = scan_video(path).num_frames
    frames = decode_frames(path, range(num_frames), short_side_px=None)
    with pytest.raises(UserError, match=f"ends before frame {num_frames},"):
        decode_frames(path, [num_frames], short_side_px=None)
    return [read_number(frame) for frame in frames]


def test_a_scan_tells_count_size_and_duration(video: Path) -> None:
    assert scan_video(video) == VideoInfo(NUM_FRAMES, 64, 48, 3.6)


@pytest.mark.parametrize(
    "indices",
    [
        [0],
        [NUM_FRAMES - 1],
        [0, NUM_FRAMES - 1],
        [0, 0, 0, 7, 7, NUM_FRAMES - 1, NUM_FRAMES - 1],
        [11, 12, 13, 14, 15],
        [NUM_FRAMES - 3, NUM_FRAMES - 2, NUM_FRAMES - 1],
        [5, 17, 29, 31, 50, 51, 76, 88],
        range(NUM_FRAMES),
    ],
)
def test_the_frames_asked_for_are_the_frames_that_come(
    video: Path, indices: list[int], read_number: ReadNumber
) -> None:
    frames = decode_frames(video, indices, short_side_px=None)
    assert frames.shape == (len(indices), 48, 64, 3)
    assert [read_number(frame) for frame in frames] == list(indices)


def test_reading_stops_at_the_last_frame_asked_for(
    tmp_path: Path, write_video: Write, read_number: ReadNumber
) -> None:
    path = damage(write_video(tmp_path / "clip.mp4", 40, codec="libx264"), packet=23)
    frames = decode_frames(path, [2, 22], short_side_px=None)
    assert [read_number(frame) for frame in frames] == [2, 22]


@pytest.mark.parametrize(("short_side_px", "height", "width"), [(24, 24, 32), (96, 96, 128), (37, 37, 49)])
def test_frames_are_resized_by_their_short_side(
    video: Path, short_side_px: int, height: int, width: int, read_number: ReadNumber
) -> None:
    frames = decode_frames(video, [0, 33, 33, 89], short_side_px=short_side_px)
    assert frames.shape == (4, height, width, 3)
    assert [read_number(frame) for frame in frames] == [0, 33, 33, 89]


def test_colours_come_as_red_green_blue(tmp_path: Path, write_video: Write) -> None:
    colour = np.array([200, 60, 20], dtype=np.uint8)
    path = write_video(tmp_path / "red.avi", 3, paint=lambda _: np.tile(colour, (48, 64, 1)))
    (frame,) = decode_frames(path, [1], short_side_px=24)
    np.testing.assert_allclose(frame.mean((0, 1)), colour, atol=6)


@pytest.mark.parametrize("share", [0.66, 0.69, 0.72, 0.75])
@pytest.mark.parametrize("max_b_frames", [0, 2])
def test_a_truncated_avi_counts_the_frames_that_are_there(
    tmp_path: Path, write_video: Write, read_number: ReadNumber, share: float, max_b_frames: int
) -> None:
    path = cut(write_video(tmp_path / "clip.avi", 200, max_b_frames=max_b_frames), share)
    numbers = all_numbers(path, read_number)
    assert stated_count(path) == 200
    assert 50 < len(numbers) < 195
    assert_readable_start(numbers)


@pytest.mark.parametrize("share", [0.75, 0.9])
def test_a_half_downloaded_mp4_counts_the_frames_that_are_there(
    tmp_path: Path, write_video: Write, read_number: ReadNumber, share: float
) -> None:
    whole = write_video(tmp_path / "clip.mp4", 90, codec="libx264", options={"movflags": "faststart"})
    numbers = all_numbers(cut(whole, share), read_number)
    assert stated_count(cut(whole, share)) == 90
    assert 10 < len(numbers) < 89
    assert_readable_start(numbers)


def test_a_file_damaged_in_the_middle_is_named_with_what_was_readable(
    tmp_path: Path, write_video: Write
) -> None:
    path = damage(write_video(tmp_path / "clip.mp4", 40, codec="libx264"), packet=23)
    with pytest.raises(UserError, match=r"clip\.mp4 is damaged: .* after 23 readable frames"):
        scan_video(path)
    with pytest.raises(UserError, match=r"clip\.mp4 is damaged: .* after 23 readable frames"):
        decode_frames(path, [2, 30], short_side_px=None)


def test_a_file_without_a_video_is_named_with_the_cause(
    tmp_path: Path, write_video: Write, write_audio: Callable[[Path], Path]
) -> None:
    empty, notes, text = (tmp_path / name for name in ("empty.mp4", "notes.txt", "text.avi"))
    empty.touch()
    for path in (notes, text):
        path.write_text("Not a video.\n" * 100)
    audio = write_audio(tmp_path / "sound.avi")
    cover = write_cover(tmp_path / "cover.mp4")
    without_index = cut(write_video(tmp_path / "clip.mp4", 40, codec="libx264"), 0.5)
    causes = {
        empty: "0 bytes",
        text: "Invalid data",
        without_index: "Invalid data",
        notes: "no video stream",
        audio: "no video stream",
        cover: "no video stream",
        tmp_path / "missing.mp4": "No such file",
        tmp_path: "Is a directory",
    }
    for path, cause in causes.items():
        for read in (scan_video, lambda path: decode_frames(path, [0], short_side_px=None)):
            with pytest.raises(UserError, match=cause) as caught:
                read(path)
            assert str(path) in str(caught.value)


def test_a_video_without_a_frame_is_named(tmp_path: Path, write_video: Write) -> None:
    path = write_video(tmp_path / "clip.mp4", 3, codec="libx264", options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 8])
    with pytest.raises(UserError, match=r"clip\.mp4 holds no frame"):
        scan_video(path)


def test_a_title_in_another_encoding_does_not_matter(tmp_path: Path, write_video: Write) -> None:
    path = write_video(tmp_path / "clip.mkv", 5, title="Grusse aus Zurich")
    path.write_bytes(path.read_bytes().replace(b"Grusse", b"Gr\xfcsse"))
    assert scan_video(path).num_frames == 5


def write_cover(path: Path) -> Path:
    """A sound file with a cover picture, which FFmpeg presents as a video of one frame."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
        container.mux(sound.encode())
        container.mux(cover.encode(av.VideoFrame(64, 48, "yuvj420p")))
        container.mux(cover.encode())
    return path


@pytest.mark.dataset
def test_the_counts_of_real_clips_are_those_in_their_table(test_data: Path) -> None:
    with (test_data / "ucf101_5" / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::40]:
        info = scan_video(test_data / "ucf101_5" / "videos" / row["clip"])
        assert (info.num_frames, info.width_px, info.height_px) == (
            int(row["frames"]),
            int(row["width"]),
            int(row["height"]),
        )
        assert info.duration_sec == pytest.approx(int(row["frames"]) / float(row["fps"]), rel=1e-3)


@pytest.mark.dataset
def test_the_last_frame_of_a_real_clip_can_be_read(test_data: Path) -> None:
    for path in sorted((test_data / "weizmann_4").rglob("*.avi"))[::9]:
        num_frames = scan_video(path).num_frames
        frames = decode_frames(path, [0, num_frames - 1], short_side_px=128)
        assert frames.shape[:2] == (2, 128)
