"""Every layout is recognised by what is there, and what is wrong with it is told by name."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pytest

from vidnas.errors import UsageError, UserError
from vidnas.video.layouts import Item, VideoIndex, direction_classes, index_videos


def index(
    data: Path,
    *,
    test_list: Path | None = None,
    split: int = 1,
    split_by: Literal["auto", "group", "clip"] = "auto",
    group_regex: str | None = None,
    seed: int = 0,
) -> VideoIndex:
    return index_videos(
        data, test_list=test_list, split=split, split_by=split_by, group_regex=group_regex, seed=seed
    )


def put(folder: Path, *paths: str) -> Path:
    """Files with the given paths below the folder, no two alike; the folder."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(str(folder / path))
    return folder


def clips(folder: str, number: int, suffix: str = ".avi") -> list[str]:
    return [f"{folder}/clip {count}{suffix}" for count in range(number)]


def paths(items: Iterable[Item], folder: Path) -> list[str]:
    return [item.path.relative_to(folder).as_posix() for item in items]


def ucf101(folder: Path, root: str = "", split: int = 1) -> Path:
    """A folder in the layout of UCF101: two classes, groups g01 (test) and g08, g09 (training)."""
    lines: dict[str, list[str]] = {"train": [], "test": []}
    for number, name in enumerate(("Wave", "Bend"), 1):
        for group in ("g01", "g08", "g09"):
            clip = f"{name}/v_{name}_{group}_c01.avi"
            put(folder, root + clip)
            lines["test" if group == "g01" else "train"].append(
                clip if group == "g01" else f"{clip} {number}"
            )
    (folder / "classInd.txt").write_text("1 Wave\r\n2 Bend\r\n3 Climb\r\n")
    for part, own in lines.items():
        (folder / f"{part}list{split:02d}.txt").write_text("".join(f"{line}\r\n" for line in own))
    return folder


# Folders


def test_a_folder_per_class_gets_a_test_part(tmp_path: Path) -> None:
    data = put(tmp_path / "it's my data", *clips('прыжок "跳"', 4), *clips("bend", 2), *clips("walk", 9))
    read = index(data)
    assert read.classes == ("bend", "walk", 'прыжок "跳"')
    assert Counter(item.label for item in read.test) == {0: 1, 1: 2, 2: 1}
    assert len({*read.train, *read.test}) == 15
    assert read.notes == (
        f"Read a folder per class in {data}.",
        "No test split is given, so a quarter of each class is set aside. Divided by clip, since 15 of 15 "
        "file names carry no group, for example 'clip 0.avi' (clips of one video may stand on both sides; "
        "--group-regex tells them apart): 11 + 4 videos.",
        "3 classes; training videos from 1 (bend) to 7 (walk).",
    )


def test_reading_twice_gives_the_same_and_another_seed_another_test_part(tmp_path: Path) -> None:
    put(tmp_path, *clips("a", 40), *clips("b", 40))
    assert index(tmp_path, seed=1) == index(tmp_path, seed=1)
    assert len(index(tmp_path, seed=1).test) == 20
    assert index(tmp_path, seed=1).test != index(tmp_path, seed=2).test


def test_a_made_test_part_keeps_groups_together(tmp_path: Path) -> None:
    people = ("ana", "bo", "cy", "dee")
    put(tmp_path, *(f"{action}/{who}_{action}.avi" for who in people for action in ("bend", "wave")))
    read = index(tmp_path)
    assert len({item.group for item in read.test}) == 1 and len(read.test) == 2
    assert {item.group for item in (*read.train, *read.test)} == set(people)
    assert "Divided by group, since every file name carries one (for example 'ana'" in read.notes[1]


def test_a_made_test_part_follows_the_regex_and_the_asked_rule(tmp_path: Path) -> None:
    put(tmp_path, *(f"{action}/{cam}-{n}.avi" for action in "ab" for cam in ("k1", "k2") for n in range(4)))
    by_group = index(tmp_path, group_regex=r"^(k\d)")
    assert len({item.group for item in by_group.test}) == 1 and len(by_group.test) == 8
    assert len(index(tmp_path, group_regex=r"^(k\d)", split_by="clip").test) == 4
    with pytest.raises(UserError, match="--group-regex"):
        index(tmp_path, split_by="group")


def test_a_path_that_is_not_there_or_one_video_names_the_accepted_layouts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing here does not exist\. Accepted are: "):
        index(tmp_path / "nothing here")
    with pytest.raises(UserError, match=r"x\.MP4 is a single video\. Accepted are: "):
        index(put(tmp_path, "x.MP4") / "x.MP4")


def test_the_classes_are_checked_before_anything_is_divided(tmp_path: Path) -> None:
    put(tmp_path, *clips("a", 3), "b/1.avi")
    with pytest.raises(UserError, match=r"^Only one video in class b: "):
        index(tmp_path)


def test_given_parts_stay_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, *clips("train/a", 3), *clips("train/b", 2), *clips("test/b", 2), *clips("test/a", 1))
    read = index(tmp_path)
    assert paths(read.test, tmp_path) == ["test/a/clip 0.avi", "test/b/clip 0.avi", "test/b/clip 1.avi"]
    assert [item.label for item in read.train] == [0, 0, 0, 1, 1]
    assert read.notes[1].startswith("Test split as given: 5 training and 3 test videos; no clip is in both;")
    assert read.notes[2] == "2 classes; training videos from 2 (b) to 3 (a)."


def test_given_parts_that_share_a_group_of_the_regex_are_refused(tmp_path: Path) -> None:
    put(tmp_path, *(f"{part}/{name}/{part} {name}{part}.avi" for part in ("train", "test") for name in "ab"))
    put(tmp_path, "train/a/train k7.avi", "test/a/test k7.avi")
    assert len(index(tmp_path).test) == 3
    with pytest.raises(UserError, match="group k7 of a"):
        index(tmp_path, group_regex=r" (\w+)$")
    assert len(index(tmp_path, group_regex=r" (\w+)$", split_by="clip").test) == 3


# UCF101's layout


@pytest.mark.parametrize("root", ["", "videos/"])
def test_the_layout_of_ucf101(tmp_path: Path, root: str) -> None:
    read = index(ucf101(tmp_path, root))
    assert read.classes == ("Wave", "Bend")
    assert paths(read.test, tmp_path) == [f"{root}Wave/v_Wave_g01_c01.avi", f"{root}Bend/v_Bend_g01_c01.avi"]
    assert [(item.label, item.group) for item in read.train] == [
        (0, "g08"),
        (0, "g09"),
        (1, "g08"),
        (1, "g09"),
    ]
    assert read.notes == (
        "Read trainlist01.txt and testlist01.txt.",
        "classInd.txt lists 3 classes; the 2 that occur are used.",
        "Test split as given: 4 training and 2 test videos; no clip is in both, and no group of a class.",
        "2 classes with 2 training videos each.",
    )


def test_split_chooses_the_lists(tmp_path: Path) -> None:
    ucf101(tmp_path)
    ucf101(tmp_path, split=3)
    (tmp_path / "testlist03.txt").write_text("Wave/v_Wave_g01_c01.avi\nBend/v_Bend_g01_c01.avi 2\n")
    (tmp_path / "trainlist02.txt").write_text("")
    assert index(tmp_path, split=3).notes[0] == "Read trainlist03.txt and testlist03.txt."
    for split in (2, 4):
        with pytest.raises(
            UserError, match=rf"testlist0{split}\.txt in .*; both are there for --split 1, 3\."
        ):
            index(tmp_path, split=split)


def test_a_list_without_its_other_half_is_told(tmp_path: Path) -> None:
    (ucf101(tmp_path) / "testlist01.txt").unlink()
    with pytest.raises(UserError, match="no such pair is there"):
        index(tmp_path)


def test_split_without_lists_is_a_usage_error(tmp_path: Path) -> None:
    put(tmp_path, *clips("a", 2), *clips("b", 2))
    with pytest.raises(UsageError, match=r"--split 2: .* has no lists trainlist0K\.txt"):
        index(tmp_path, split=2)


def test_a_listed_clip_that_is_missing_is_named_with_its_line(tmp_path: Path) -> None:
    (ucf101(tmp_path) / "Bend/v_Bend_g09_c01.avi").unlink()
    with pytest.raises(
        UserError, match=r"missing below .*: Bend/v_Bend_g09_c01\.avi \(.*trainlist01\.txt:4\)\."
    ):
        index(tmp_path)


def test_of_many_missing_clips_five_are_named(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("".join(f"clip {number}.avi {number % 2}\n" for number in range(12)))
    with pytest.raises(UserError, match=r"clip 4\.avi \([^,]*list\.txt:5\) and 7 more\."):
        index(tmp_path / "list.txt")


# List files


def test_a_list_file_alone_gets_a_test_part(tmp_path: Path) -> None:
    put(tmp_path, *clips("my videos", 8))
    (tmp_path / "list.txt").write_text("".join(f"my videos/clip {n}.avi {n % 2}\n" for n in range(8)))
    read = index(tmp_path / "list.txt")
    assert (read.classes, len(read.train), len(read.test)) == (("0", "1"), 6, 2)
    assert read.notes[:2] == ("Read list.txt.", "Integer labels count from 0: 0 to 1.")


def test_a_list_file_with_a_test_list_elsewhere(tmp_path: Path) -> None:
    put(tmp_path, *clips("one", 4), *clips("two", 4))
    (tmp_path / "one/l.txt").write_text(f"clip 0.avi run\n{tmp_path}/one/clip 1.avi run\nclip 2.avi bend\n")
    (tmp_path / "two/l.txt").write_text("clip 0.avi run\n../one/clip 3.avi bend\n")
    read = index(tmp_path / "one/l.txt", test_list=tmp_path / "two/l.txt")
    assert [item.label for item in read.train] == [1, 1, 0]
    assert [item.path.resolve() for item in read.test] == [
        tmp_path / "two/clip 0.avi",
        tmp_path / "one/clip 3.avi",
    ]


def test_a_clip_in_both_lists_is_named(tmp_path: Path) -> None:
    put(tmp_path, *clips("v", 4))
    (tmp_path / "v/clip 0.avi").write_bytes(b"")
    (tmp_path / "a.txt").write_text("v/clip 0.avi x\nv/clip 1.avi x\nv/clip 2.avi y\n")
    (tmp_path / "b.txt").write_text("v/../v/clip 0.avi x\nv/clip 3.avi y\n")
    with pytest.raises(UserError, match=r"both training and test: clip .*clip 0\.avi"):
        index(tmp_path / "a.txt", test_list=tmp_path / "b.txt")


def test_a_test_list_beside_a_folder_and_a_split_beside_a_list_are_usage_errors(tmp_path: Path) -> None:
    put(tmp_path, *clips("a", 2), *clips("b", 2), "list.txt")
    with pytest.raises(UsageError, match=r"--test-list goes with a list file"):
        index(tmp_path, test_list=tmp_path / "list.txt")
    with pytest.raises(UsageError, match="--split 2"):
        index(tmp_path / "list.txt", split=2)


# The real thing


@pytest.mark.dataset
def test_weizmann_4_as_listed_shares_no_person(test_data: Path) -> None:
    read = index(test_data / "weizmann_4")
    assert (read.classes, len(read.train), len(read.test)) == (("bend", "pjump", "wave1", "wave2"), 24, 12)
    train, test = ({item.group for item in part} for part in (read.train, read.test))
    assert len(train | test) == 9 and not train & test


@pytest.mark.dataset
def test_weizmann_4_without_its_lists_is_divided_by_person(test_data: Path) -> None:
    read = index(test_data / "weizmann_4" / "videos")
    train, test = ({item.group for item in part} for part in (read.train, read.test))
    assert (len(train), len(test), len(read.test)) == (7, 2, 8) and not train & test


@pytest.mark.dataset
@pytest.mark.parametrize("split", [1, 2, 3])
def test_ucf101_5_reads_every_official_split(test_data: Path, split: int) -> None:
    read = index(test_data / "ucf101_5", split=split)
    assert (len(read.classes), len(read.train), len(read.test)) == (5, 270, 105)
    assert read.notes[1].endswith("and no group of a class.")


def test_classes_with_a_direction_in_their_name_are_found() -> None:
    names = ("Turn Left", "swipe_right", "TurnRIGHT", "rotate-counterclockwise", "AntiClockwise", "leftwards")
    others = ("bright", "leftover", "upright", "clock", "Copyright", "walk")
    assert direction_classes((*names, *others)) == names


def test_a_copy_that_a_made_split_would_put_on_both_sides_is_told(tmp_path: Path) -> None:
    for name in ("bend", "walk"):
        (tmp_path / name).mkdir()
        for number in range(4):
            content = b"one recording" if name == "bend" else f"walk {number}".encode()
            (tmp_path / name / f"{number}.mp4").write_bytes(content)
    with pytest.raises(UserError, match=r"In both training and test: .*bend.*Keep one of the two"):
        index_videos(tmp_path, test_list=None, split=1, split_by="clip", group_regex=None, seed=0)
