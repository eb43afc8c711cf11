"""Decoding: the right frames of files whose frames are numbered, and clear words about bad files."""

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.frame import PictureType

from vidnas.errors import UserError, shown
from vidnas.video.stores.decode import VideoInfo, read_frames, scan_video
from vidnas.video.stores.footage import decode_frames

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


def cut(path: Path, share: float) -> Path:
    """A copy without the end of the file."""
    copy = path.with_name(f"cut_{path.name}")
    data = path.read_bytes()
    copy.write_bytes(data[: int(share * len(data))])
    return copy


def cut_at_packet(path: Path, number: int, inside: float) -> Path:
    """A copy that ends at, or inside, that packet of the video."""
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size > 0][number]
        assert packet.pos is not None
        return cut(path, (packet.pos + inside * packet.size) / path.stat().st_size)


def damage(path: Path, *, packet: int) -> Path:
    """The file itself, one packet overwritten."""
    with av.open(str(path)) as container:
        target = list(container.demux(video=0))[packet]
        assert target.pos is not None
        start, end = target.pos, target.pos + target.size
    data = path.read_bytes()
    path.write_bytes(data[:start] + b"\xff" * (end - start) + data[end:])
    return path


def test_a_scan_tells_count_size_and_duration(video: Path) -> None:
    assert scan_video(video) == VideoInfo(NUM_FRAMES, 64, 48, 3.6)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_duration_of_uneven_frames_comes_from_their_times(
    suffix: str, write_video: Write, tmp_path: Path
) -> None:
    """Ten frames of which each comes later than the one before: 90 25ths of a second to the last one."""
    times = [number * (number + 1) for number in range(10)]
    video = write_video(tmp_path / f"uneven{suffix}", 10, times=times)
    assert scan_video(video).duration_sec == pytest.approx(90 / 25 * 10 / 9, abs=0.01)


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


TRUNCATED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "avi": ("clip.avi", "mpeg4", {}),
    "avi with B-frames": ("clip.avi", "mpeg4", {"max_b_frames": 2}),
    "avi of JPEGs": ("clip.avi", "mjpeg", {"pix_fmt": "yuvj420p"}),
    "mp4 with its index in front": ("clip.mp4", "libx264", {"options": {"movflags": "faststart"}}),
    "mp4 in fragments": ("clip.mp4", "libx264", {"options": {"movflags": "frag_keyframe+empty_moov"}}),
    "mkv": ("clip.mkv", "mpeg4", {}),
    "flv": ("clip.flv", "flv", {}),
}


@pytest.mark.parametrize("kind", TRUNCATED)
def test_a_truncated_file_is_named_with_what_is_left(tmp_path: Path, write_video: Write, kind: str) -> None:
    name, codec, more = TRUNCATED[kind]
    whole = write_video(tmp_path / name, 100, codec=codec, **more)
    assert scan_video(whole).num_frames == 100
    for number, inside in ((15, 0.5), (30, 0.0), (55, 0.9), (80, 0.0), (92, 0.5)):
        path = cut_at_packet(whole, number, inside)
        with pytest.raises(UserError, match=r"cut_clip\.... is truncated: it ends after ") as caught:
            scan_video(path)
        left = re.search(r"after (\d+) frames \((\d\.\d) of 4\.[01] s\)", str(caught.value))
        assert left is not None, str(caught.value)
        assert number - 4 <= int(left[1]) <= number + 1
        assert abs(int(left[1]) / 25 - float(left[2])) < 0.2


def test_an_end_amid_the_last_frame_is_found(tmp_path: Path, write_video: Write) -> None:
    whole = write_video(tmp_path / "clip.mp4", 40, codec="libx264", options={"movflags": "faststart"})
    path = tmp_path / "short.mp4"
    path.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(
        UserError, match=r"short\.mp4 is truncated: it ends amid a frame, after 39 whole ones\."
    ):
        scan_video(path)


def test_the_start_of_a_truncated_file_can_be_read(
    tmp_path: Path, write_video: Write, read_number: ReadNumber
) -> None:
    path = cut_at_packet(write_video(tmp_path / "clip.avi", 100, max_b_frames=2), 70, 0.5)
    frames = decode_frames(path, range(60), short_side_px=None)
    assert [read_number(frame) for frame in frames] == list(range(60))
    with pytest.raises(UserError, match=r"cut_clip\.avi ends before frame 99,"):
        decode_frames(path, [0, 99], short_side_px=None)


def test_a_file_whose_sound_is_longer_is_not_truncated(tmp_path: Path, write_video: Write) -> None:
    source = write_video(tmp_path / "clip.avi", 25)
    for name in ("long.mkv", "long.mp4", "long.avi"):
        path = with_sound(source, tmp_path / name, seconds=8)
        assert scan_video(path).num_frames == 25
    data = (tmp_path / "long.mkv").read_bytes()
    (tmp_path / "long.mkv").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="is truncated"):
        scan_video(tmp_path / "long.mkv")


def test_pictures_that_end_early_are_found_though_the_sound_goes_on(
    tmp_path: Path, write_video: Write
) -> None:
    source = write_video(tmp_path / "clip.avi", 50)
    whole = with_sound(source, tmp_path / "clip.mp4", seconds=3, first=True)
    assert scan_video(whole).num_frames == 50
    with pytest.raises(UserError, match=r"is truncated: it ends after 2\d frames \(1\.\d of 2\.0 s\)"):
        scan_video(cut_at_packet(whole, 26, 0))


def test_a_length_that_ffmpeg_guesses_is_not_missed(tmp_path: Path, write_video: Write) -> None:
    """It guesses that of a bare MPEG stream from the bit rate, which is here made too small."""
    path = write_video(tmp_path / "clip.m1v", 40, codec="mpeg1video").rename(tmp_path / "clip.mpg")
    data = bytearray(path.read_bytes())
    for header in re.finditer(b"\0\0\1\xb3", data):
        data[header.start() + 8 : header.start() + 10] = bytes(2)
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert container.duration is not None and container.duration / av.time_base > 3
    assert scan_video(path).num_frames == 40


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_file_of_uneven_frames_is_not_truncated(tmp_path: Path, write_video: Write, name: str) -> None:
    times = [number * number for number in range(40)]
    assert scan_video(write_video(tmp_path / name, 40, times=times)).num_frames == 40


def test_a_file_that_begins_late_is_not_truncated(tmp_path: Path, write_video: Write) -> None:
    for name, codec in (("a.mp4", "libx264"), ("b.mkv", "libx264"), ("c.flv", "flv"), ("d.ts", "libx264")):
        path = write_video(tmp_path / name, 40, codec=codec, times=range(250, 290))
        assert scan_video(path).num_frames == 40


def test_a_recording_that_states_no_length_is_not_truncated(tmp_path: Path, write_video: Write) -> None:
    path = write_video(tmp_path / "live.mkv", 40, options={"live": "1"})
    assert scan_video(cut(path, 0.6)).num_frames < 30


@pytest.mark.parametrize(("begin_sec", "length_sec", "num_frames"), [(1, 2, 50), (0, 1, 25), (1, 60, 75)])
def test_a_file_trimmed_by_its_edit_list_is_not_truncated(
    tmp_path: Path,
    write_video: Write,
    read_number: ReadNumber,
    begin_sec: int,
    length_sec: int,
    num_frames: int,
) -> None:
    """As a phone trims; the last one's list asks for more than there is."""
    path = write_video(tmp_path / "clip.mp4", 100, codec="libx264")
    data = path.read_bytes()
    in_movie, in_track = (
        int.from_bytes(data[at : at + 4]) for at in (data.index(b"mvhd") + 16, data.index(b"mdhd") + 16)
    )
    # version and flags, number of entries, then: length (movie's ticks), begin (track's ticks), rate
    entry = data.index(b"elst") + 12
    shift = int.from_bytes(data[entry + 4 : entry + 8])
    edit = (length_sec * in_movie).to_bytes(4) + (begin_sec * in_track + shift).to_bytes(4)
    path.write_bytes(data[:entry] + edit + data[entry + 8 :])
    assert scan_video(path).num_frames == num_frames
    (first,) = decode_frames(path, [0], short_side_px=None)
    assert read_number(first) == 25 * begin_sec


def with_sound(path: Path, copy: Path, *, seconds: int, first: bool = False) -> Path:
    """A copy of a video with a hiss beside it or, with `first`, before it in the file."""
    rng = np.random.default_rng(0)
    options = {"max_interleave_delta": "1", "movflags": "faststart"} if first else {}
    with av.open(str(path)) as source, av.open(str(copy), "w", container_options=options) as container:
        pictures = source.streams.video[0]
        video = container.add_stream_from_template(pictures)
        sound = container.add_stream("mp2", rate=32000, layout="mono")
        packets = [packet for packet in source.demux(pictures) if packet.size > 0]
        for second in range(seconds):
            hiss = rng.integers(-3000, 3000, (1, 32000), dtype=np.int16)
            frame = av.AudioFrame.from_ndarray(hiss, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 32000, 32000 * second
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
        for packet in packets:
            packet.pts = packet.dts
            packet.stream = video
            container.mux(packet)
    return copy


def test_frames_come_one_by_one_with_number_and_time(video: Path, read_number: ReadNumber) -> None:
    frames = list(read_frames(video, [3, 7], short_side_px=24))
    assert [(frame.index, read_number(frame.image)) for frame in frames] == [(3, 3), (7, 7)]
    assert frames[1].image.shape == (24, 32, 3)
    every = list(read_frames(video, None, short_side_px=None))
    assert [frame.index for frame in every] == list(range(NUM_FRAMES))


def test_frames_of_an_mp4_tell_when_they_are_shown(tmp_path: Path, write_video: Write) -> None:
    path = write_video(tmp_path / "clip.mp4", 5, codec="libx264", times=[0, 1, 5, 6, 20])
    times = [frame.time_sec for frame in read_frames(path, None, short_side_px=None)]
    assert times == pytest.approx([0, 0.04, 0.2, 0.24, 0.8])


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
        for read in (scan_video, lambda path: next(read_frames(path, [0], short_side_px=None))):
            with pytest.raises(UserError, match=cause) as caught:
                read(path)
            assert str(path) in str(caught.value)


def test_a_video_without_a_frame_is_named(tmp_path: Path, write_video: Write) -> None:
    path = write_video(tmp_path / "clip.mp4", 3, codec="libx264", options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 8])
    with pytest.raises(UserError, match=r"clip\.mp4 holds no frame"):
        scan_video(path)


def test_a_name_that_is_not_utf_8_is_refused_in_words_that_print(tmp_path: Path, write_video: Write) -> None:
    video = write_video(tmp_path / "clip.avi", 3)
    path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.avi"))
    video.rename(path)
    with pytest.raises(UserError, match="not UTF-8") as caught:
        scan_video(path)
    assert "caf" in str(caught.value).encode().decode()


def test_odd_but_valid_names_are_fine(tmp_path: Path, write_video: Write) -> None:
    video = write_video(tmp_path / "clip.avi", 3)
    for name in (
        "a b.avi",
        'it\'s "one".avi',
        "line\nbreak.avi",
        "Füße 走る.avi",
        "-i.avi",
        "%03d.avi",
        "a:b.avi",
    ):
        path = video.rename(tmp_path / name)
        assert scan_video(path).num_frames == 3
        video = path
    assert shown(Path("line\nbreak ü.avi")) == "line\\nbreak ü.avi"


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
        cover.disposition = Disposition.attached_pic.value  # type: ignore[assignment]  # PyAV 17 wants it so
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
