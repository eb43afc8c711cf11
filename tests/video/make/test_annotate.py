"""Labelled copies of videos, decoded again."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidnas.video.clips.windows import even_starts
from vidnas.video.make.annotate import annotate_video, draw_label, stamp
from vidnas.video.stores.decode import Frame, read_frames, scan_video
from vidnas.video.stores.footage import decode_frames

Write = Callable[..., Path]
CAPTIONS = [(0, "first"), (7, "the second one"), (20, "3")]


def annotate(path: Path, captions: list[tuple[int, str]] | None = None) -> Path:
    out = path.with_name("labelled.mp4")
    info = scan_video(path)
    done: list[int] = []
    size = (info.width_px, info.height_px)
    starts_sec = info.starts_sec or even_starts(info)
    annotate_video(
        path,
        out,
        captions or CAPTIONS,
        size=size,
        starts_sec=starts_sec,
        rate=25.0,
        progress=done.append,
    )
    assert sum(done) == info.num_frames
    return out


def frames_of(path: Path) -> list[Frame]:
    return list(read_frames(path, None, short_side_px=None))


def test_the_copy_has_the_same_frames_at_the_same_times(tmp_path: Path, write_video: Write) -> None:
    source = write_video(tmp_path / "clip.mp4", 30)
    before, after = frames_of(source), frames_of(annotate(source))
    assert [frame.time_sec for frame in after] == pytest.approx([frame.time_sec for frame in before])
    assert scan_video(tmp_path / "labelled.mp4") == scan_video(source)
    for old, new in zip(before, after, strict=True):
        assert np.abs(old.image[:16].astype(int) - new.image[:16]).mean() < 8  # above the label


def test_the_label_changes_with_the_captions_and_only_then(tmp_path: Path, write_video: Write) -> None:
    """Where the source does not change, the copy does where a caption begins, and is the stamped source."""
    grey = np.full((48, 64, 3), 128, dtype=np.uint8)
    source = write_video(tmp_path / "clip.mp4", 30, paint=lambda _: grey)
    images = [frame.image.astype(int) for frame in frames_of(annotate(source))]
    for first, text in CAPTIONS:
        expected = stamp(grey, draw_label(text, 64, 48))
        assert np.abs(images[first] - expected).mean() < 6
        assert np.abs(images[first + 5] - images[first]).max() < 40
        assert first == 0 or np.abs(images[first] - images[first - 1]).max() > 80


def write_uneven(path: Path, times: list[int]) -> Path:
    """An MPEG-4 video of 64 x 48 pixels, its left half white, whose frames stand at these milliseconds."""
    picture = np.zeros((48, 64, 3), dtype=np.uint8)
    picture[:, :32] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_at_uneven_times_keep_them(tmp_path: Path) -> None:
    times = [0, 40, 45, 300, 1300, 1301, 1400]
    after = frames_of(annotate(write_uneven(tmp_path / "clip.mkv", times)))
    assert [frame.time_sec for frame in after] == pytest.approx([time / 1000 for time in times], abs=1e-4)


def test_a_file_whose_times_begin_late_does_not(tmp_path: Path) -> None:
    source = write_uneven(tmp_path / "clip.mkv", [5000, 5040, 5100])
    assert frames_of(source)[0].time_sec == 5
    after = frames_of(annotate(source))
    assert [frame.time_sec for frame in after] == pytest.approx([0, 0.04, 0.1], abs=1e-4)


def test_a_file_with_reordered_frames_and_no_times_keeps_its_rate(tmp_path: Path, write_video: Write) -> None:
    after = frames_of(annotate(write_video(tmp_path / "clip.avi", 30, max_b_frames=2)))
    steps = np.diff([frame.time_sec or 0.0 for frame in after])
    assert len(after) == 30
    np.testing.assert_allclose(steps, 0.04, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(49, 65), (1, 1), (7, 300), (300, 7), (48, 64)])
def test_a_label_fits_into_a_picture_of_any_size(height: int, width: int) -> None:
    picture = np.full((height, width, 3), 200, dtype=np.uint8)
    stamped = stamp(picture, draw_label("96.5 %  BodyWeightSquats", width, height))
    assert stamped.shape == picture.shape
    assert (picture == 200).all()


@pytest.mark.parametrize("shade", [0, 90, 160, 255])
def test_a_label_can_be_read_on_any_background(shade: int) -> None:
    """White letters on what is never lighter than a third: a contrast of 7:1 and more."""
    picture = np.full((360, 640, 3), shade, dtype=np.uint8)
    label = draw_label("Прыжок – Übersprung", 640, 360)
    stamped = stamp(picture, label)
    changed = stamped[-label.shape[0] - 7 : -7, 7 : 7 + label.shape[1]]
    assert changed.max() == 255
    assert changed[label == 0].max() <= 0.3 * 255 + 1
    assert (changed == 255).mean() > 0.02
    untouched = stamped[: -label.shape[0] - 7]
    assert (untouched == shade).all()


def test_letters_grow_with_the_picture_and_shrink_with_the_text() -> None:
    small, large = draw_label("jump", 320, 240), draw_label("jump", 1280, 960)
    assert large.shape[0] == pytest.approx(4 * small.shape[0], rel=0.15)
    long = draw_label("jump " * 10, 320, 240)
    assert long.shape[0] < small.shape[0]
    assert max(draw_label("jump " * 99, 320, 240).shape[1], long.shape[1]) <= 320 - 2 * 5


def test_letters_of_many_alphabets_are_there() -> None:
    """None of them is the box that stands for a missing letter."""
    missing = draw_label(chr(0xF8FF), 640, 360)
    for letter in "aäßéñøžЖΩա؟א":
        drawn = draw_label(letter, 640, 360)
        assert drawn.shape != missing.shape or (drawn != missing).any(), letter


@pytest.mark.parametrize("matrix", [(0, 1, -1, 0), (-1, 0, 0, 1), (0, 1, 1, 0)])
def test_a_turned_or_mirrored_video_comes_out_upright(
    tmp_path: Path, write_video: Write, set_matrix: Callable[..., Path], matrix: tuple[int, ...]
) -> None:
    source = set_matrix(write_video(tmp_path / "lying.mp4", 3), matrix)
    (upright,) = decode_frames(source, [1], short_side_px=None)
    (copy,) = decode_frames(annotate(source, [(0, "x")]), [1], short_side_px=None)
    assert copy.shape == upright.shape == ((48, 64, 3) if matrix[0] else (64, 48, 3))
    assert np.abs(copy[:30].astype(int) - upright[:30]).mean() < 8


def test_pixels_that_are_not_square_come_out_square(tmp_path: Path, write_video: Write) -> None:
    source = write_video(tmp_path / "wide.mp4", 3, codec="libx264", aspect=Fraction(3, 2))
    (read,) = decode_frames(source, [1], short_side_px=None)
    (copy,) = decode_frames(annotate(source, [(0, "x")]), [1], short_side_px=None)
    assert copy.shape == read.shape == (48, 96, 3)
    assert np.abs(copy[:30].astype(int) - read[:30]).mean() < 8
