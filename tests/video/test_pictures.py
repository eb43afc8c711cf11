"""Folders of frames are read as videos are, and what is wrong with one is told by name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidnas.errors import UserError
from vidnas.video import footage
from vidnas.video.decode import VideoInfo
from vidnas.video.footage import decode_frames, fingerprint, read_frames, size_bytes, state_of
from vidnas.video.pictures import MOST_PIXELS, picture_names
from vidnas.video.upright import scaled_size


def write_frames(
    folder: Path, count: int = 12, *, name: str = "img_{}.png", size: tuple[int, int] = (40, 30)
) -> Path:
    """Frames whose red is ten times their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", size, (10 * number, 100, 200)).save(folder / name.format(number))
    return folder


def test_frames_come_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a clip")
    assert footage.scan(folder) == VideoInfo(12, 40, 30, 0.0)
    frames = decode_frames(folder, [0, 2, 2, 11], short_side_px=None)
    assert frames.shape == (4, 30, 40, 3) and frames.dtype == np.uint8
    assert frames[:, 0, 0, 0].tolist() == [0, 20, 20, 110]
    assert [frame.index for frame in read_frames(folder, None, short_side_px=None)] == list(range(12))


@pytest.mark.parametrize("short_side_px", [15, 24, 60])
def test_they_are_resized_as_a_video_s_are(tmp_path: Path, short_side_px: int) -> None:
    folder = write_frames(tmp_path, 2, name="{}.jpg")
    frames = decode_frames(folder, [0, 1], short_side_px=short_side_px)
    assert frames.shape == (2, short_side_px, round(short_side_px * 4 / 3), 3)
    assert np.abs(frames[1, :, :, 1].astype(int) - 100).max() <= 2


def test_all_frames_take_the_size_of_the_first(tmp_path: Path) -> None:
    write_frames(tmp_path, 2)
    Image.new("RGB", (11, 70)).save(tmp_path / "img_2.png")
    assert decode_frames(tmp_path, [0, 2], short_side_px=None).shape == (2, 30, 40, 3)


def test_every_kind_of_picture_becomes_rgb(tmp_path: Path) -> None:
    for number, mode in enumerate(("L", "P", "RGBA", "1", "I;16")):
        Image.new(mode, (8, 8)).save(tmp_path / f"{number}.png")
    assert decode_frames(tmp_path, range(5), short_side_px=None).shape == (5, 8, 8, 3)


def test_a_picture_is_held_upright(tmp_path: Path) -> None:
    picture, turned = Image.new("RGB", (40, 30)), Image.Exif()
    turned[0x0112] = 6
    for number in range(2):
        picture.save(tmp_path / f"{number}.jpg", exif=turned)
    assert footage.scan(tmp_path) == VideoInfo(2, 30, 40, 0.0)


def test_flow_and_hidden_files_are_no_frames(tmp_path: Path) -> None:
    write_frames(tmp_path, 3)
    for name in ("flow_x_00001.jpg", "flow_y_00001.jpg", "._img_0.png", "thumbs.db"):
        (tmp_path / name).write_bytes(b"x")
    assert picture_names(tmp_path) == ["img_0.png", "img_1.png", "img_2.png"]


def test_a_folder_has_the_size_of_its_frames_and_changes_with_each(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "clip", 3)
    before = state_of(folder)
    assert size_bytes(folder) == sum(file.stat().st_size for file in folder.iterdir())
    assert before is not None and before[0] == size_bytes(folder)
    head = fingerprint(folder)
    Image.new("RGB", (40, 30), (1, 2, 3)).save(folder / "img_0.png")
    assert state_of(folder) != before and fingerprint(folder) != head
    assert state_of(tmp_path / "nothing") is None


def test_a_folder_that_has_got_shorter_is_told(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "clip", 3)
    with pytest.raises(UserError, match=r"clip ends before frame 3, which was there"):
        decode_frames(folder, [1, 3], short_side_px=None)


def test_what_is_wrong_with_a_frame_is_told_by_name(tmp_path: Path) -> None:
    content = (write_frames(tmp_path / "good", 1, name="0.jpg", size=(640, 480)) / "0.jpg").read_bytes()
    for name, broken, cause in (
        ("empty", b"", "1.jpg is no picture that can be read"),
        ("text", b"hello", "1.jpg is no picture that can be read"),
        ("cut", content[: len(content) // 2], "1.jpg is damaged: image file is truncated"),
        ("huge", b"P6 65535 65535 255\n", "1.jpg has more pixels than any frame"),
        ("large", b"P6 10000 10000 255\n", f"10000 x 10000 pixels; frames have {MOST_PIXELS} at most"),
    ):
        folder = write_frames(tmp_path / name, 1, name="0.jpg")
        (folder / "1.jpg").write_bytes(broken)
        with pytest.raises(UserError, match=cause):
            footage.scan(folder)
        with pytest.raises(UserError, match=cause):
            decode_frames(folder, [1], short_side_px=16)


def test_two_series_in_one_folder_are_an_error(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip", 3)
    write_frames(tmp_path / "clip", 3, name="depth_{}.png")
    with pytest.raises(
        UserError, match=r"more than one series of frames: depth_#\.png, img_#\.png\. Give each a folder"
    ):
        footage.scan(tmp_path / "clip")
    with pytest.raises(UserError, match="has no frame"):
        footage.scan(tmp_path)


def test_a_short_side_keeps_the_shape() -> None:
    assert scaled_size((320, 240), 128) == (171, 128)
    assert scaled_size((240, 320), 128) == (128, 171)
    assert scaled_size((240, 320), None) == (240, 320)
