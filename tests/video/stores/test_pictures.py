"""Folders of frames are read as videos are, and what is wrong with one is told by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidnas.errors import UserError
from vidnas.video.stores import footage
from vidnas.video.stores.decode import VideoInfo
from vidnas.video.stores.footage import decode_frames, fingerprint, read_frames, size_bytes, state_of
from vidnas.video.stores.pictures import MOST_PIXELS
from vidnas.video.stores.tree import picture_names


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


RAMP = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
DEEP = RAMP.astype(np.uint16) * 256 + 37
SHOWN = Image.fromarray(RAMP)


def saved(folder: Path, picture: Image.Image, **how: Any) -> Path:
    """The path of a frame, by default a PNG; Pillow goes by the content, not by the name."""
    folder.mkdir(exist_ok=True)
    picture.save(folder / "0.png", **{"format": "PNG", **how})
    return folder


KINDS: dict[str, tuple[Image.Image, dict[str, Any]]] = {
    "8 bits": (SHOWN, {}),
    "16 bits": (Image.fromarray(DEEP), {}),
    "16 bits in a TIFF": (Image.fromarray(DEEP), {"format": "TIFF"}),
    "16 bits the other way round": (Image.fromarray(DEEP.astype(">u2")), {"format": "TIFF"}),
    "16 bits in 32": (Image.fromarray(DEEP.astype(np.int32)), {"format": "PPM"}),
    "floating point": (Image.fromarray((RAMP / 255).astype(np.float32)), {"format": "TIFF"}),
    "a palette": (SHOWN.convert("P"), {}),
    "a palette, some of it transparent": (SHOWN.convert("P"), {"transparency": bytes(range(64))}),
    "a palette, a colour of it transparent": (SHOWN.convert("P"), {"transparency": 5}),
    "grey, a level of it transparent": (SHOWN, {"transparency": 12}),
    "grey with opacity": (Image.merge("LA", (SHOWN, SHOWN)), {}),
    "a colour that is transparent": (SHOWN.convert("RGB"), {"transparency": (12, 12, 12)}),
    "colours with opacity": (Image.merge("RGBA", (SHOWN, SHOWN, SHOWN, SHOWN)), {}),
    "inks": (SHOWN.convert("RGB").convert("CMYK"), {"format": "TIFF"}),
    "inks in a JPEG": (SHOWN.convert("RGB").convert("CMYK"), {"format": "JPEG", "quality": 99}),
    "grey in a JPEG": (SHOWN, {"format": "JPEG", "quality": 99}),
    "colours in a JPEG": (SHOWN.convert("RGB"), {"format": "JPEG", "quality": 99}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_every_kind_are_as_bright(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, kind: str
) -> None:
    picture, how = KINDS[kind]
    (frame,) = decode_frames(saved(tmp_path / "clip", picture, **how), [0], short_side_px=None)
    assert frame.shape == (48, 64, 3)
    assert np.abs(frame.astype(int) - RAMP[..., None]).max() <= 3
    assert not recwarn.list


def test_sixteen_bits_are_read_by_the_upper_eight_whatever_else_a_frame_holds(tmp_path: Path) -> None:
    """Ten dark frames stay dark: nothing is stretched to what a frame has."""
    for number in range(2):
        Image.fromarray(DEEP // (1 + 7 * number)).save(tmp_path / f"{number}.png")
    frames = decode_frames(tmp_path, [0, 1], short_side_px=None)
    np.testing.assert_array_equal(frames[0, ..., 0], DEEP >> 8)
    np.testing.assert_array_equal(frames[1, ..., 0], (DEEP // 8) >> 8)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bits_are_held_upright_too(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    deep, flat = (
        decode_frames(saved(tmp_path / name, picture, exif=exif), [0], short_side_px=None)
        for name, picture in (("deep", Image.fromarray(DEEP)), ("flat", SHOWN))
    )
    np.testing.assert_array_equal(deep, flat)
    assert deep.shape == ((1, 48, 64, 3) if orientation < 5 else (1, 64, 48, 3))


def test_black_and_white_stay_so(tmp_path: Path) -> None:
    stripes = Image.fromarray(np.tile([[0], [255]], (8, 16)).astype(np.uint8)).convert("1")
    (frame,) = decode_frames(saved(tmp_path / "clip", stripes), [0], short_side_px=None)
    assert frame[:, 3, 1].tolist() == [0, 255] * 8


REFUSED: dict[str, tuple[Image.Image, str]] = {
    "levels up to 255": (
        Image.fromarray(RAMP.astype(np.float32)),
        r"floating-point numbers from 0 to 252\. In",
    ),
    "levels below 0": (Image.fromarray((RAMP / 255 - 0.5).astype(np.float32)), "numbers from -0.5 to 0.48"),
    "no number": (Image.fromarray(np.full((4, 4), np.nan, np.float32)), "from nan to nan"),
    "32 bits": (
        Image.fromarray(DEEP.astype(np.int32)),
        "pixels that Pillow calls I, and nothing tells how bright",
    ),
    "a space of colours": (Image.new("LAB", (8, 8)), "pixels that Pillow calls LAB"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_nobody_knows_how_bright_it_is_is_refused(tmp_path: Path, kind: str) -> None:
    picture, cause = REFUSED[kind]
    folder = saved(tmp_path / "clip", picture, format="TIFF")
    for read in (footage.scan, lambda path: decode_frames(path, [0], short_side_px=16)):
        with pytest.raises(UserError, match=rf"0\.png .*{cause}"):
            read(folder)


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
