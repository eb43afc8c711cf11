"""One clip under two names or labels is told, whatever makes it one; all that is wrong is told at once."""

import os
from pathlib import Path

import pytest
from listed import index, put

from vidnas.errors import UserError
from vidnas.video.index.copies import find_copies
from vidnas.video.index.index import index_new_videos
from vidnas.video.index.sources import Source
from vidnas.video.items import Item


def listed(folder: Path, *more: str) -> Path:
    """Eight clips in a CSV file, and lines behind them: the first of these is line 10."""
    put(folder, *(f"v/{n}.mp4" for n in range(1, 9)))
    lines = [f"v/{n}.mp4,{'ab'[n > 4]}" for n in range(1, 9)]
    (folder / "list.csv").write_text("\n".join(["path,label", *lines, *more]))
    return folder / "list.csv"


def test_a_file_listed_twice_with_another_label_names_both_places(tmp_path: Path) -> None:
    file = listed(tmp_path, "./v/1.mp4,b")
    with pytest.raises(UserError) as caught:
        index(file)
    assert str(caught.value) == f"{file}:10: './v/1.mp4' is listed before, with another label, at {file}:2."


@pytest.mark.parametrize("other", ["v/1.mp4", "./v/1.mp4", "v/../v/1.mp4", "v//1.mp4", "{}/v/1.mp4", "v/1"])
def test_a_path_may_be_written_in_many_ways(tmp_path: Path, other: str) -> None:
    path = other.format(tmp_path)
    with pytest.raises(
        UserError, match=r"list\.csv:10: '.*' is listed before, with another label, at .*:2\."
    ):
        index(listed(tmp_path, f"{path},b"))
    with pytest.raises(UserError, match=r"list\.csv:10: '.*' is listed before, at .*list\.csv:2\."):
        index(listed(tmp_path, f"{path},a"))


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_with_another_label_is_the_same_file(tmp_path: Path, link: object) -> None:
    file = listed(tmp_path, "v/link.mp4,b")
    assert callable(link)
    link(tmp_path / "v/1.mp4", tmp_path / "v/link.mp4")
    with pytest.raises(UserError, match=r"list\.csv:10: 'v/link\.mp4' is listed before, with another label"):
        index(file)
    listed(tmp_path, "v/link.mp4,a")
    assert any("one clip several times" in note and "v/link.mp4" in note for note in _notes(file))


def _notes(file: Path) -> tuple[str, ...]:
    """Of the data, all of them for training."""
    test = put(file.parent, "t/1.mp4", "t/2.mp4") / "test.csv"
    test.write_text("path,label\nt/1.mp4,a\nt/2.mp4,b\n")
    return index(file, test_list=test).notes


def test_a_file_of_both_lists_with_another_label_is_told(tmp_path: Path) -> None:
    file = listed(tmp_path)
    (tmp_path / "test.csv").write_text("path,label\nv/1.mp4,b\nv/2.mp4,a\n")
    with pytest.raises(UserError, match=r"test\.csv:2: 'v/1\.mp4' is listed before, with another label, at "):
        index(file, test_list=tmp_path / "test.csv")


def test_a_copy_in_another_class_is_one_clip_with_two_labels(tmp_path: Path) -> None:
    put(
        tmp_path,
        *(f"{part}/{name}/{name}{n}.mp4" for part in ("train", "test") for name in "ab" for n in "12"),
    )
    for part in ("train", "test"):
        for path in (tmp_path / part).rglob("*.mp4"):
            path.write_text(str(path))
    copy = tmp_path / "train/b/other-name.mp4"
    copy.write_bytes((tmp_path / "train/a/a1.mp4").read_bytes())
    with pytest.raises(UserError) as caught:
        index(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/train/a/a1.mp4 and {copy} are one clip with two labels, a and b. Keep each clip in its "
        "class alone."
    )
    with pytest.raises(UserError, match="are one clip with two labels"):
        index_new_videos(Source(tmp_path / "train"), group_regex=None)


def test_of_many_such_clips_ten_are_named(tmp_path: Path) -> None:
    for number in range(12):
        for name in "ab":
            put(tmp_path, f"{name}/{name}{number:02}.mp4")
            (tmp_path / f"{name}/{name}{number:02}.mp4").write_text(f"clip {number}")
    with pytest.raises(UserError) as caught:
        index(tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "12 clips have two labels:"
    assert len(lines) == 12 and "b09.mp4" in lines[10] and lines[11].startswith("  ... and 2 more.")


def test_a_copy_under_the_same_label_is_a_note(tmp_path: Path) -> None:
    put(tmp_path, *(f"{part}/{name}/{n}.mp4" for part in ("train", "test") for name in "ab" for n in "12"))
    copy = tmp_path / "train/a/copy.mp4"
    copy.write_bytes((tmp_path / "train/a/1.mp4").read_bytes())
    note = f"Careful: one clip several times: {tmp_path}/train/a/1.mp4 and {copy}."
    assert note in index(tmp_path).notes


def test_clips_that_differ_in_the_middle_alone_are_two(tmp_path: Path) -> None:
    """As videos without compression that begin and end in black."""
    items = []
    for number, middle in enumerate((b"1", b"2", b"1")):
        path = tmp_path / f"{number}.avi"
        path.write_bytes(bytes(1 << 17) + middle + bytes(1 << 17))
        items.append(Item(path, 0, None))
    assert find_copies(items) == [[items[0], items[2]]]


def test_all_that_is_wrong_in_a_list_is_told_in_the_order_of_the_lines(tmp_path: Path) -> None:
    file = listed(tmp_path, "v/9.mp4,a", "./v/1.mp4,b", "x.mp4,3", ",a", "v/2.mp4,a", "v/3.mp4")
    with pytest.raises(UserError) as caught:
        index(file)
    assert str(caught.value).splitlines() == [
        "6 lines are wrong:",
        f"  {file}:10: v/9.mp4 is missing.",
        f"  {file}:11: './v/1.mp4' is listed before, with another label, at {file}:2.",
        f"  {file}:12: label '3': labels must be all integers or all names.",
        f"  {file}:13: the path is empty.",
        f"  {file}:14: 'v/2.mp4' is listed before, at {file}:3.",
        f"  {file}:15: 1 value, but the header has 2 columns.",
    ]


def test_of_many_wrong_lines_ten_are_told(tmp_path: Path) -> None:
    put(tmp_path, "1.mp4", "2.mp4")
    (tmp_path / "l.txt").write_text("1.mp4 a\n2.mp4 b\n" + "".join(f"{n}.mp4 {n}\n" for n in range(3, 16)))
    with pytest.raises(UserError) as caught:
        index(tmp_path / "l.txt")
    lines = str(caught.value).splitlines()
    assert lines[0] == "13 lines are wrong:" and lines[-1] == "  ... and 3 more." and len(lines) == 12


def test_the_faults_of_both_lists_are_told_the_training_list_s_first(tmp_path: Path) -> None:
    put(tmp_path, *(f"{n}.mp4" for n in range(6)))
    (tmp_path / "z.txt").write_text("0.mp4 a\n1.mp4 b\ngone.mp4 a\n")
    (tmp_path / "a.txt").write_text("2.mp4 c\n3.mp4 a\n")
    with pytest.raises(
        UserError, match=r"2 lines are wrong:\n.*z\.txt:3: gone\.mp4 is missing\.\n.*a\.txt:1: label"
    ):
        index(tmp_path / "z.txt", test_list=tmp_path / "a.txt")


def test_what_is_wrong_in_official_lists_is_told_at_once(tmp_path: Path) -> None:
    put(tmp_path, "Wave/1.avi", "Bend/1.avi")
    (tmp_path / "classInd.txt").write_text("1 Wave\n2 Bend\n")
    (tmp_path / "trainlist01.txt").write_text("Wave/1.avi 2\nBend/1.avi 7\n")
    (tmp_path / "testlist01.txt").write_text("Walk/1.avi\n")
    with pytest.raises(
        UserError, match=r"3 lines are wrong:\n.*01\.txt:1.*\n.*01\.txt:2.*\n.*testlist01\.txt:1"
    ):
        index(tmp_path)
    (tmp_path / "classInd.txt").write_text("Wave\nBend\n")
    with pytest.raises(UserError, match=r"2 lines are wrong:\n.*classInd\.txt:1.*\n.*classInd\.txt:2"):
        index(tmp_path)
