"""Files, folders and patterns as they are typed."""

from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.video.index.names import find_videos

FRAMES = ("odd/grey16", "odd/walk", "odd/seen", "odd/seen/deep", "all", "all/more")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "b.mp4",
        "a.MOV",
        "notes.txt",
        "sub/deep/c.avi",
        "sub/d.webm",
        "odd.dat",
        "x[1].mp4",
        "x1.mp4",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.mp4").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["b.mp4", "a.MOV"], ["b.mp4", "a.MOV"]),
        (["odd.dat", "notes.txt"], ["odd.dat", "notes.txt"]),
        (["sub"], ["sub/d.webm", "sub/deep/c.avi"]),
        (["."], ["a.MOV", "b.mp4", "sub/d.webm", "sub/deep/c.avi", "x1.mp4", "x[1].mp4"]),
        (["*.mp4"], ["b.mp4", "x1.mp4", "x[1].mp4"]),
        (["x[1].mp4"], ["x[1].mp4"]),
        (["x[0-9].mp4"], ["x1.mp4"]),
        (["**/*.avi"], ["sub/deep/c.avi"]),
        (["s*"], ["sub/d.webm", "sub/deep/c.avi"]),
        (["*o*"], []),
        (["b.mp4", "*.mp4", "./b.mp4"], ["b.mp4", "x1.mp4", "x[1].mp4"]),
    ],
)
def test_names_stand_for_files(folder: Path, names: list[str], found: list[str]) -> None:
    if found:
        assert find_videos(names) == [Path(name) for name in found]
        absolute = [name if name == "./b.mp4" else f"{folder}/{name}" for name in names if name != "./b.mp4"]
        assert find_videos(absolute) == [folder / name for name in found]
    else:
        with pytest.raises(UserError, match="matches no video"):
            find_videos(names)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mp4", r"missing\.mp4 does not exist"),
        ("empty", "The folder empty holds no video.*ends in .3gp .avi"),
        ("*.mpg", r"The pattern \*\.mpg matches no video"),
        ("missing/*", "matches no video"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_name_that_stands_for_nothing_is_named(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_videos(["b.mp4", name])


def test_the_home_folder_may_be_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert find_videos(["~/b.mp4", "~/x?.mp4"]) == [folder / "b.mp4", folder / "x1.mp4"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("odd", ["odd/b.mp4", "odd/grey16", "odd/seen/c.avi", "odd/seen/deep", "odd/walk"]),
        ("odd/*", ["odd/b.mp4", "odd/grey16", "odd/seen/c.avi", "odd/seen/deep", "odd/walk"]),
        ("odd/grey*", ["odd/grey16"]),
        ("odd/grey16", ["odd/grey16"]),
        ("odd/seen", ["odd/seen/c.avi", "odd/seen/deep"]),
        ("all", ["all", "all/more"]),
    ],
)
def test_folders_of_frames_are_found_beside_videos(
    name: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the stills beside a video, nor a single picture."""
    monkeypatch.chdir(tmp_path)
    frames = [f"{folder}/{number}.png" for folder in FRAMES for number in range(3)]
    for file in ("odd/b.mp4", "odd/seen/c.avi", "odd/one/1.png", *frames):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert find_videos([name]) == [Path(one) for one in found]
