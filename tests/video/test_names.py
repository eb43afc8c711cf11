"""Files, folders and patterns as they are typed."""

from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.video.names import find_videos


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
