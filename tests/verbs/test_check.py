"""Checking a data set: everything that is wrong is named, and nothing else fails it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from av.video.stream import VideoStream

from vidnas.cli.main import main
from vidnas.config.data import CheckConfig
from vidnas.errors import UserError
from vidnas.verbs.check import CheckResult, run_check
from vidnas.video.make.synthetic import Plan, write_clips

Spoil = Callable[[Path], object]


@pytest.fixture
def data(tiny_videos: Path, tmp_path: Path) -> Path:
    """The tiny videos in the UCF101 layout: 8 of each of 8 classes, in 4 groups, 8 frames of 24 x 24 each."""
    return Path(
        shutil.copytree(tiny_videos, tmp_path / "my videos", ignore=shutil.ignore_patterns(".vidnas*"))
    )


@pytest.fixture
def folders(data: Path) -> Path:
    """The same videos in a folder per class, without lists."""
    return data / "videos"


def check(data: Path, **more: str) -> CheckResult:
    return run_check(CheckConfig(data=str(data), **more))  # type: ignore[arg-type]


def video(data: Path, name: str) -> Path:
    return next(data.rglob(f"v_Grow_{name}.avi"))


def table(text: str) -> dict[str, list[str]]:
    """The cells of each row of the table."""
    lines = text.splitlines()
    header = next(number for number, line in enumerate(lines) if line.startswith("class "))
    rows = lines[header : lines.index("", header)]
    cells = [[cell.strip() for cell in row.split("  ") if cell.strip()] for row in rows]
    return {row[0]: row[1:] for row in cells}


def test_good_videos_pass_and_are_described(data: Path) -> None:
    result = check(data)
    assert result.passed and result.faults == ()
    rows = table(result.text)
    assert rows["class"] == ["videos", "groups", "frames", "seconds", "pixels"]
    assert rows["Grow"] == ["8", "4", "8", "0.8", "24 x 24"]
    assert rows["all"] == ["64", "32", "8", "0.8", "24 x 24"]
    assert len(rows) == 10
    assert "All 64 videos are good." in result.text
    assert "48 training and 16 test videos" in result.text
    assert str(data / ".vidnas-index.json") in result.text
    assert len(json.loads((data / ".vidnas-index.json").read_text())["videos"]) == 64


def test_which_of_several_video_streams_is_read_is_told_and_no_fault(folders: Path) -> None:
    path = video(folders, "g01_c01")
    with av.open(str(path)) as source, av.open(str(folders / "two.avi"), "w") as container:
        preview = container.add_stream("mpeg4", rate=10)
        assert isinstance(preview, VideoStream)
        preview.width = preview.height = 8
        main = container.add_stream_from_template(source.streams.video[0])
        container.mux(preview.encode(av.VideoFrame(8, 8, "yuv420p")))
        container.mux(preview.encode())
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = main
                container.mux(packet)
    (folders / "two.avi").replace(path)
    result = check(folders)
    assert result.passed
    told = "Files with several video streams, of which one is read:\n"
    assert f"{told}  {path}: of 2 that with the number 1, which is 24 x 24.\n" in result.text
    assert table(result.text)["Grow"][2] == "8"
    path.unlink()
    assert "several video streams" not in check(folders).text


def test_lengths_and_sizes_that_differ_are_told(folders: Path) -> None:
    other = folders.parent / "other"
    plan = Plan(groups_per_class=2, clips_per_group=1, test_groups=1, num_frames=12, size_px=32)
    write_clips(other, plan)
    for path in sorted((folders / "Grow").iterdir())[1:]:
        path.unlink()
    for number, path in enumerate(sorted((other / "videos" / "Grow").iterdir())):
        path.rename(folders / "Grow" / f"v_Grow_g9{number}_c01.avi")
    rows = table(check(folders).text)
    assert rows["Grow"][2] == "8 to 12, median 12"
    assert rows["Grow"][4] == "32 x 32 and 1 other"
    assert rows["Shrink"][2] == "8"


def test_videos_without_groups_have_none(folders: Path) -> None:
    for path in folders.rglob("*.avi"):
        path.rename(path.with_name(path.name.replace("_g0", "x").replace("_c0", "y")))
    assert table(check(folders).text)["Grow"][1] == "-"
    assert table(check(folders, group_regex=r"x(\d)y").text)["Grow"][1] == "4"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])


WAVE = b"RIFF\x24\x04\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\4\0\0" + bytes(
    1024
)
FAULTS: dict[str, tuple[Spoil, str]] = {
    "empty": (lambda path: path.write_bytes(b""), r"cannot be opened as a video: it is empty \(0 bytes\)"),
    "text": (lambda path: path.write_text("I am no video."), "cannot be opened as a video: Invalid data"),
    "truncated": (cut, "is truncated: it ends"),
    "sound alone": (lambda path: path.write_bytes(WAVE), "has no video stream"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_bad_video_is_named_with_its_cause(data: Path, kind: str) -> None:
    spoil, cause = FAULTS[kind]
    path = video(data, "g02_c01")
    spoil(path)
    result = check(data)
    (fault,) = result.faults
    assert not result.passed
    assert fault.startswith(f"{path} ")
    with pytest.raises(AssertionError, match=cause):
        raise AssertionError(fault)
    assert f"63 of 64 videos are good. Wrong:\n  {fault}\n" in result.text
    assert table(result.text)["Grow"][0] == "8"
    assert str(path.relative_to(data)) not in (data / ".vidnas-index.json").read_text()


def test_every_bad_video_is_named(data: Path) -> None:
    paths = sorted(data.rglob("*.avi"))[:30]
    for path in paths:
        path.write_bytes(b"")
    text = check(data).text
    assert [path for path in paths if f"{path} cannot be opened" not in text] == []


def test_nothing_known_is_believed(data: Path) -> None:
    check(data)
    path = video(data, "g02_c01")
    state = path.stat()
    path.write_bytes(bytes(state.st_size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert len(check(data).faults) == 1


def test_where_lists_and_folder_disagree_both_sides_are_named(data: Path) -> None:
    gone, extra = video(data, "g02_c01"), data / "videos" / "Grow" / "v_Grow_g09_c01.avi"
    gone.rename(extra)
    result = check(data)
    where = next(
        number
        for number, line in enumerate((data / "trainlist01.txt").read_text().splitlines(), 1)
        if gone.name in line
    )
    assert result.faults == (
        f"Grow/{gone.name} ({data / 'trainlist01.txt'}:{where}) is listed, but missing.",
        f"{extra} is in no list.",
    )
    assert table(result.text)["Grow"][0] == "7"


def test_a_list_that_leaves_videos_out_is_a_choice(data: Path) -> None:
    lines = (data / "trainlist01.txt").read_text().splitlines()
    (data / "mine.txt").write_text("\n".join(lines[1:]))
    result = check(data / "mine.txt", test_list=str(data / "testlist01.txt"))
    assert result.passed
    assert "Videos beside the listed ones that are in no list: 1." in result.text
    (data / "mine.txt").write_text("\n".join([*lines[1:], lines[0].replace("_g", "_x")]))
    (fault,) = check(data / "mine.txt", test_list=str(data / "testlist01.txt")).faults
    assert "is listed, but missing" in fault


def test_all_listed_videos_missing_is_told_too(data: Path) -> None:
    shutil.rmtree(data / "videos")
    result = check(data)
    assert len(result.faults) == 64
    assert table(result.text)["all"] == ["0", "0", "-", "-", "-"]


def test_a_link_to_nowhere_is_named(folders: Path) -> None:
    (folders / "Grow" / "v_Grow_g02_c09.avi").symlink_to(folders / "away.avi")
    (folders / "Grow" / "good.txt").symlink_to(folders / "away.txt")
    result = check(folders)
    assert result.faults == (f"{folders / 'Grow' / 'v_Grow_g02_c09.avi'} is a link to nowhere.",)


def test_other_files_and_folders_named_like_videos_are_no_fault(folders: Path) -> None:
    (folders / "readme.txt").write_text("Read me.")
    (folders / "Grow" / "folder.mp4").mkdir()
    result = check(folders)
    assert result.passed
    assert "Ignored, since without a video suffix: readme.txt." in result.text


def test_what_keeps_the_videos_from_being_trained_on_is_a_fault_after_the_videos(folders: Path) -> None:
    for path in sorted((folders / "Grow").iterdir())[1:]:
        path.unlink()
    video(folders.parent, "g01_c01").write_bytes(b"")
    bad, layout = check(folders).faults
    assert "0 bytes" in bad
    assert "Only one video in class Grow" in layout


def test_what_is_no_data_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        check(tmp_path / "missing")
    with pytest.raises(UserError, match="no folder with videos"):
        check(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the super-user may read everything")
def test_a_video_that_may_not_be_read_is_named(data: Path) -> None:
    video(data, "g02_c01").chmod(0)
    (fault,) = check(data).faults
    assert "Permission denied" in fault


def test_odd_names_are_shown_so_that_they_print(folders: Path) -> None:
    names = ["a b.avi", "it's.avi", 'a "quote".avi', "line\nbreak.avi", "Füße 走る.avi"]
    source = video(folders.parent, "g02_c01").read_bytes()
    for name in names:
        (folders / "Grow" / name).write_bytes(source + name.encode())
    assert check(folders).passed
    (folders / "Grow" / names[3]).write_bytes(b"")
    odd = Path(os.fsdecode(bytes(folders / "Grow") + b"/caf\xe9.avi"))
    odd.write_bytes(source + b"1")
    result = check(folders)
    result.text.encode("utf-8")
    assert len(result.faults) == 2
    assert "line\\nbreak.avi cannot be opened" in result.text
    assert "caf\\udce9.avi has a name that is not UTF-8 text" in result.text


def test_the_command_says_it_all_and_fails(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data", str(data)]) == 0
    assert "All 64 videos are good." in capsys.readouterr().out
    video(data, "g02_c01").write_bytes(b"")
    assert main(["check", "--data", str(data), "--workers", "1"]) == 1
    assert "v_Grow_g02_c01.avi cannot be opened as a video" in capsys.readouterr().out


def test_without_workers_it_finds_the_same(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video(data, "g02_c01").write_bytes(b"")
    expected = check(data)
    monkeypatch.setattr("vidnas.video.scan.scans.ProcessPool", None)
    found = run_check(CheckConfig(data=str(data), workers=0))
    assert (found.infos, found.faults, found.text) == (expected.infos, expected.faults, expected.text)
    assert len(found.faults) == 1


@pytest.mark.slow
@pytest.mark.dataset
def test_real_videos_are_all_good(test_data: Path, tmp_path: Path) -> None:
    """No false alarm: these files are known to be whole."""
    for name, count in (("weizmann_4", 36), ("ucf101_5", 375)):
        copy = tmp_path / name
        copy.mkdir()
        for path in (test_data / name).iterdir():
            (copy / path.name).symlink_to(path)
        result = check(copy)
        assert result.faults == ()
        assert f"All {count} videos are good." in result.text
