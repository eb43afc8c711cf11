"""Folders of videos are recognised, in whatever order and with whatever else lies there."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.video.index.contents import read_contents
from vidnas.video.index.folders import FRAMES, read_folders
from vidnas.video.index.sources import Source
from vidnas.video.items import Item
from vidnas.video.stores.tree import Tree, local_tree, videos_in


def put(folder: Path, *paths: str) -> Path:
    """Empty files with the given paths below the folder; the folder."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


def local_put(folder: Path, *paths: str) -> Tree:
    return local_tree(put(folder, *paths))


def paths(items: Iterable[Item], folder: Path) -> list[tuple[str, int]]:
    return [(item.path.relative_to(folder).as_posix(), item.label) for item in items]


def test_a_folder_per_class_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    put(tmp_path, "walk/2.MP4", "walk/1.avi", 'прыжок "跳"/it\'s 1.avi', "bend/a/b.mkv", "bend/c.ts")
    read = read_folders(local_tree(tmp_path))
    assert read.classes == ("bend", "walk", 'прыжок "跳"')
    assert paths(read.train, tmp_path) == [
        ("bend/a/b.mkv", 0),
        ("bend/c.ts", 0),
        ("walk/1.avi", 1),
        ("walk/2.MP4", 1),
        ('прыжок "跳"/it\'s 1.avi', 2),
    ]
    assert read.test == ()
    assert read.notes == (f"Read a folder per class in {tmp_path}.",)


def test_every_usual_video_suffix_is_accepted(tmp_path: Path) -> None:
    suffixes = "mp4 avi mov mkv webm m4v mpg mpeg wmv flv 3gp ts MP4 Avi"
    put(tmp_path, *(f"a/1.{suffix}" for suffix in suffixes.split(" ")))
    assert len(read_folders(local_tree(tmp_path)).train) == 14


def test_the_class_folders_may_stand_in_videos(tmp_path: Path) -> None:
    put(tmp_path, "videos/walk/1.avi", "videos/bend/1.avi")
    read = read_folders(local_tree(tmp_path))
    assert read.classes == ("bend", "walk")
    assert read.notes == (f"Read a folder per class in {tmp_path / 'videos'}.",)


def test_a_class_may_be_called_videos_or_train(tmp_path: Path) -> None:
    put(tmp_path, "videos/1.avi", "train/1.avi", "test/1.avi", "bus/1.avi")
    assert read_folders(local_tree(tmp_path)).classes == ("bus", "test", "train", "videos")


def test_what_is_not_taken_is_told_and_hidden_files_are_not_there(tmp_path: Path) -> None:
    put(tmp_path, "a/1.avi", "b/1.avi", "a/notes.txt", "README", "loose.avi", "empty/x.csv")
    put(tmp_path, "a/._1.avi", ".cache/x.avi", ".DS_Store", "a/.hidden/y.avi")
    read = read_folders(local_tree(tmp_path))
    assert paths(read.train, tmp_path) == [("a/1.avi", 0), ("b/1.avi", 1)]
    assert read.notes[1:] == (
        "Ignored, since without a video suffix: README and 2 more.",
        "Ignored, since outside the class folders: loose.avi.",
        f"Folders without videos in {tmp_path} are no classes: empty.",
    )


def test_links_are_followed_and_those_to_nowhere_are_told(tmp_path: Path) -> None:
    put(tmp_path, "a/1.avi", "b/1.avi", "elsewhere.dat")
    for name, target in (("a/2.avi", "elsewhere.dat"), ("a/3.avi", "gone.avi"), ("a/3.txt", "gone.txt")):
        (tmp_path / name).symlink_to(tmp_path / target)
    assert local_tree(tmp_path).dead_links == ("a/3.avi",)
    assert videos_in(local_tree(tmp_path)) == ["a/1.avi", "a/2.avi", "b/1.avi"]
    read = read_folders(local_tree(tmp_path))
    assert paths(read.train, tmp_path) == [("a/1.avi", 0), ("a/2.avi", 0), ("b/1.avi", 1)]
    assert read.notes[-1] == "Ignored, since a link to nowhere: a/3.avi."


def test_a_name_that_does_not_print_is_told_escaped(tmp_path: Path) -> None:
    """As a note of a run it goes to a file in UTF-8."""
    put(tmp_path, "a/1.avi", "b/1.avi", "line\nbreak.txt")
    assert "line\\nbreak.txt" in read_folders(local_tree(tmp_path)).notes[-1]
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.txt")).touch()
    assert all(note.encode() for note in read_folders(local_tree(tmp_path)).notes)


@pytest.mark.parametrize("names", [(), ("a.txt", "b/c.csv")])
def test_a_folder_without_classes_of_videos_names_the_accepted_layouts(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    accepted = r"no folder with videos\. Accepted are: a folder with a .* \.wmv, frames in \.jpeg"
    local_put(tmp_path, *names)
    with pytest.raises(UserError, match=accepted):
        read_contents(Source(tmp_path))


@pytest.mark.parametrize(
    ("names", "start"),
    [
        (("1.avi", "2.avi", "notes.txt"), "2 videos lie right in {}, without a class, as 1.avi. Put them "),
        (("1.avi",), "1 video lies right in {}, without a class, as 1.avi. Put it into a folder per class"),
    ],
)
def test_loose_clips_are_counted_and_the_way_out_is_short(
    tmp_path: Path, names: tuple[str, ...], start: str
) -> None:
    with pytest.raises(UserError) as caught:
        read_folders(local_put(tmp_path, *names))
    assert str(caught.value).startswith(start.format(tmp_path)) and len(str(caught.value)) < 300 + len(
        str(tmp_path)
    )


def test_loose_folders_of_frames_are_told_as_such(tmp_path: Path) -> None:
    tree = local_put(tmp_path, *(f"{clip}/{n}.jpg" for clip in "ab" for n in range(3)))
    with pytest.raises(UserError, match=r"^2 folders of frames lie right in .*, without a class, as a\."):
        read_folders(tree, FRAMES)


def test_train_and_test_folders_are_the_two_parts(tmp_path: Path) -> None:
    put(tmp_path, "Train/a/1.avi", "Train/b/2.avi", "Test/b/3.avi", "Test/c/4.avi", "Test/empty/x.txt")
    read = read_folders(local_tree(tmp_path))
    assert read.classes == ("a", "b", "c")
    assert paths(read.train, tmp_path) == [("Train/a/1.avi", 0), ("Train/b/2.avi", 1)]
    assert paths(read.test, tmp_path) == [("Test/b/3.avi", 1), ("Test/c/4.avi", 2)]
    assert read.notes == (
        f"Read Test/, Train/ of {tmp_path}.",
        "Ignored, since without a video suffix: Test/empty/x.txt.",
        f"Folders without videos in {tmp_path / 'Test'} are no classes: empty.",
    )


def test_val_joins_the_training_where_there_is_a_test(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.avi", "val/b/2.avi", "test/a/3.avi", "extra/a/4.avi")
    read = read_folders(local_tree(tmp_path))
    assert paths(read.train, tmp_path) == [("train/a/1.avi", 0), ("val/b/2.avi", 1)]
    assert paths(read.test, tmp_path) == [("test/a/3.avi", 0)]
    assert read.notes[0].endswith(": test/ is the test, val/ joins the training videos.")
    assert read.notes[1] == "Ignored, since outside the class folders: extra/a/4.avi."


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_val_is_the_test_where_there_is_no_other(tmp_path: Path, name: str) -> None:
    read = read_folders(local_put(tmp_path, "train/a/1.avi", f"{name}/a/2.avi"))
    assert paths(read.train, tmp_path) == [("train/a/1.avi", 0)]
    assert paths(read.test, tmp_path) == [(f"{name}/a/2.avi", 0)]
    assert read.notes[0].endswith(f": {name}/ is the test.")


def test_train_alone_has_no_test_part(tmp_path: Path) -> None:
    read = read_folders(local_put(tmp_path, "train/a/1.avi", "train/b/2.avi"))
    assert (read.classes, len(read.train), read.test) == (("a", "b"), 2, ())


@pytest.mark.parametrize("empty", ["train", "test", "val"])
def test_an_empty_part_is_named(tmp_path: Path, empty: str) -> None:
    put(tmp_path, *(f"{part}/a/1.avi" for part in {"train", "test", "val"} - {empty}), f"{empty}/1.avi")
    with pytest.raises(UserError, match=f"{empty} has no class folder with videos"):
        read_folders(local_tree(tmp_path))


def test_two_folders_for_one_part_or_classes_beside_train_are_an_error(tmp_path: Path) -> None:
    put(tmp_path / "1", "train/a/1.avi", "Train/a/2.avi", "test/a/3.avi")
    with pytest.raises(UserError, match="two folders for one part"):
        read_folders(local_tree(tmp_path / "1"))
    put(tmp_path / "2", "bus/1.avi", "train/steam/1.avi")
    with pytest.raises(UserError, match=r"may be a split, for it has train/, or .* it has bus/\. Rename"):
        read_folders(local_tree(tmp_path / "2"))
