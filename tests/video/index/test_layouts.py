"""Every layout is recognised by what is there, and what is wrong with it is told by name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import pytest

from vidnas.config.data import CheckConfig
from vidnas.errors import UsageError, UserError
from vidnas.video.index import contents, layouts
from vidnas.video.index.index import direction_classes, index_videos
from vidnas.video.index.located import Contents
from vidnas.video.index.official import parse_hmdb51
from vidnas.video.index.sources import Source
from vidnas.video.index.tables import write_csv
from vidnas.video.items import Item, VideoIndex
from vidnas.video.stores.tree import Tree, local_tree


def index(
    data: Path,
    *,
    test_list: Path | None = None,
    split: int = 1,
    split_by: Literal["auto", "group", "clip"] = "auto",
    group_regex: str | None = None,
    seed: int = 0,
    layout: str = "auto",
    roots: Sequence[Path] = (),
) -> VideoIndex:
    source = Source(data, test_list=test_list, split=split, layout=layout, roots=tuple(roots))
    return index_videos(source, split_by=split_by, group_regex=group_regex, seed=seed)


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
        "No test split is given, so 4 of the 15 videos are set aside, from 2 of 9 to 1 of 2 of a class. "
        "Divided by clip, since 15 of 15 file names carry no group, for example 'clip 0.avi' (clips of "
        "one video may stand on both sides; --group-regex tells them apart): 11 + 4 videos.",
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


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ((4, 4), "so 1 of the 4 videos of each class is set aside. "),
        ((9, 9), "so 2 of the 9 videos of each class are set aside. "),
        ((3, 3), "so 1 of the 3 videos of each class is set aside. "),
        ((4, 8), "so 3 of the 12 videos are set aside, from 1 of 4 to 2 of 8 of a class. "),
        ((2, 9, 4), "so 4 of the 15 videos are set aside, from 2 of 9 to 1 of 2 of a class. "),
    ],
)
def test_what_is_set_aside_is_told_as_it_is(tmp_path: Path, sizes: Sequence[int], told: str) -> None:
    put(tmp_path, *(clip for name, size in zip("abc", sizes, strict=False) for clip in clips(name, size)))
    (note,) = [note for note in index(tmp_path).notes if note.startswith("No test split")]
    assert note.startswith(f"No test split is given, {told}")


def test_what_is_set_aside_of_few_groups_is_told_as_it_is(tmp_path: Path) -> None:
    put(
        tmp_path, *(f"{name}/v_{name}_g{g:02}_c{c:02}.avi" for name in "ab" for g in (1, 2) for c in range(5))
    )
    assert "so 5 of the 10 videos of each class are set aside." in " ".join(index(tmp_path).notes)


def test_a_made_test_part_follows_the_regex_and_the_asked_rule(tmp_path: Path) -> None:
    put(tmp_path, *(f"{action}/{cam}-{n}.avi" for action in "ab" for cam in ("k1", "k2") for n in range(4)))
    by_group = index(tmp_path, group_regex=r"^(k\d)")
    assert len({item.group for item in by_group.test}) == 1 and len(by_group.test) == 8
    assert len(index(tmp_path, group_regex=r"^(k\d)", split_by="clip").test) == 4
    with pytest.raises(UserError, match="--group-regex"):
        index(tmp_path, split_by="group")


def test_a_path_that_is_not_there_or_one_video_names_the_accepted_layouts(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"here does not exist\. Name a folder with .*docs/data\.md has all that --data takes\.$",
    ):
        index(tmp_path / "nothing here")
    with pytest.raises(UserError, match=r"x\.MP4 is a single video\. Name a folder with "):
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


def test_of_many_missing_clips_ten_are_named(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("".join(f"clip {number}.avi {number % 2}\n" for number in range(12)))
    with pytest.raises(UserError, match=r"clip 9\.avi \([^,]*list\.txt:10\) and 2 more\."):
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
        index(tmp_path, split_by="clip")


# HMDB51


def hmdb51(folder: Path, lists: str = "", root: str = "") -> Path:
    """Two classes, of each two groups for training, one for the test, one unused in split 1."""
    for name in ("wave", "brush_hair"):
        lines = []
        for video, side in (("A", 1), ("B", 1), ("C", 2), ("D", 0)):
            for clip in range(2):
                file = f"{video}_{name}_u_nm_np1_ba_goo_{clip}.avi"
                put(folder, f"{root}{name}/{file}")
                lines.append(f"{file} {side} ")
        put(folder, f"{lists}{name}_test_split1.txt", f"{lists}{name}_test_split2.txt")
        (folder / f"{lists}{name}_test_split1.txt").write_text("\n".join(lines))
        (folder / f"{lists}{name}_test_split2.txt").write_text("\n".join(reversed(lines)).replace(" 0", " 2"))
    return folder


@pytest.mark.parametrize("lists", ["", "testTrainMulti_7030_splits/"])
@pytest.mark.parametrize("root", ["", "videos/"])
def test_hmdb51_is_read_by_its_lists(tmp_path: Path, lists: str, root: str) -> None:
    read = index(hmdb51(tmp_path, lists, root))
    assert read.classes == ("brush_hair", "wave")
    assert (len(read.train), len(read.test)) == (8, 4)
    assert {item.group for item in read.test} == {f"C_{name}_u_nm_np1_ba_goo" for name in read.classes}
    assert read.notes[:2] == (
        "Read the lists of HMDB51, split 1.",
        "HMDB51, split 1: 4 clips of the lists are unused in it.",
    )
    assert "no group of a class" in read.notes[2]
    assert len(index(tmp_path, split=2).test) == 8
    with pytest.raises(UserError, match=r"--split 3: .* for K = 1, 2\."):
        index(tmp_path, split=3)


def test_what_is_wrong_in_hmdb51_lists_is_told_by_line(tmp_path: Path) -> None:
    list_file = hmdb51(tmp_path) / "wave_test_split1.txt"
    list_file.write_text("A_wave_u_nm_np1_ba_goo_0.avi 3\n")
    with pytest.raises(UserError, match=r"wave_test_split1\.txt:1: '3'; allowed are 0"):
        index(tmp_path)
    list_file.write_text("gone.avi 1\nA_wave_u_nm_np1_ba_goo_0.avi 1\nC_wave_u_nm_np1_ba_goo_0.avi 2\n")
    with pytest.raises(UserError, match=r"missing below .*: wave/gone.avi \(.*wave_test_split1.txt:1\)"):
        index(tmp_path)
    put(tmp_path, "old/wave_test_split1.txt")
    with pytest.raises(UserError, match="two lists for class 'wave', split 1"):
        index(tmp_path)


@pytest.mark.dataset
@pytest.mark.parametrize("split", [1, 2, 3])
def test_the_official_hmdb51_lists_have_70_and_30_clips_of_51_classes(test_data: Path, split: int) -> None:
    listing = parse_hmdb51(local_tree(test_data / "hmdb51_splits"), split)
    assert len(listing.classes) == 51
    for clips, count in ((listing.train, 70), (listing.test, 30)):
        assert set(Counter(clip.label for clip in clips).values()) == {count}
    assert not {(c.label, c.group) for c in listing.train} & {(c.label, c.group) for c in listing.test}


# Frames


def frames(folder: Path, *clips: str, count: int = 3) -> Path:
    for clip in clips:
        put(folder, *(f"{clip}/img_{number:05}.jpg" for number in range(1, count + 1)))
    return folder


def test_a_folder_of_frames_may_stand_for_a_video(tmp_path: Path) -> None:
    frames(tmp_path, *(f"{name}/{name}_g{g:02}_c01" for name in ("bend", "walk") for g in range(4)))
    put(tmp_path, "bend/bend_g00_c01/flow_x_00001.jpg", "notes.txt")
    read = index(tmp_path)
    assert read.classes == ("bend", "walk")
    assert len(read.train) + len(read.test) == 8
    assert all(item.path.is_dir() for item in (*read.train, *read.test))
    assert read.notes[0] == f"Read a folder of frame folders per class in {tmp_path}."
    assert {item.group for item in read.test} == {"g00"} or len({item.group for item in read.test}) == 1


def test_frames_in_train_and_test_folders(tmp_path: Path) -> None:
    frames(
        tmp_path, *(f"{part}/{name}/{part}{n}" for part in ("train", "test") for name in "ab" for n in "12")
    )
    read = index(tmp_path)
    assert paths(read.test, tmp_path) == ["test/a/test1", "test/a/test2", "test/b/test1", "test/b/test2"]


def test_videos_and_frames_in_one_folder_need_a_word(tmp_path: Path) -> None:
    put(frames(tmp_path, *(f"{name}/{n}" for name in "ab" for n in "123")), *clips("a", 3), *clips("b", 3))
    with pytest.raises(
        UserError,
        match=r"in 2 ways\. Say which one: videos such as a/clip 0\.avi \(--layout videos\); "
        r"folders of frames such as a/1 \(--layout frames\)\.",
    ):
        index(tmp_path)
    assert {item.path.suffix for item in index(tmp_path, layout="videos").train} == {".avi"}
    assert all(item.path.is_dir() for item in index(tmp_path, layout="frames").train)


def test_pictures_beside_videos_are_no_frames(tmp_path: Path) -> None:
    put(tmp_path, *clips("train/a", 3), *clips("train/b", 3), "train/a/cover1.jpg", "train/a/cover2.jpg")
    assert len(index(tmp_path).train) + len(index(tmp_path).test) == 6


def test_a_list_of_frame_folders_is_known_by_its_numbers(tmp_path: Path) -> None:
    frames(tmp_path, *(f"raw/clip {n}" for n in range(4)), "raw/x/y", count=3)
    (tmp_path / "l.txt").write_text("".join(f"raw/clip {n} 3 {n % 2}\n" for n in range(4)))
    read = index(tmp_path / "l.txt")
    assert len(read.train) + len(read.test) == 4 and read.classes == ("0", "1")
    (tmp_path / "l.txt").write_text("raw/clip 0 3 0\nraw/clip 1 3 1\nraw/clip 2 4 0\nraw/none 3 1\n")
    with pytest.raises(
        UserError, match=r"1 of 4 frames of raw/clip 2 \(.*l\.txt:3\), raw/none \(.*l\.txt:4\)"
    ):
        index(tmp_path / "l.txt")
    with pytest.raises(UserError, match=r"l\.txt:1: 'a 0' is no line of a list of frame folders"):
        (tmp_path / "l.txt").write_text("a 0\n")
        index(tmp_path / "l.txt", layout="frame-list")


def test_names_that_end_in_numbers_are_no_numbers_of_frames(tmp_path: Path) -> None:
    put(tmp_path, *(f"clip {n}.mp4" for n in range(4)))
    (tmp_path / "l.txt").write_text("".join(f"clip {n}.mp4 {n % 2}\n" for n in range(4)))
    assert len(index(tmp_path / "l.txt").train) == 2


# CSV


def test_a_csv_file_states_everything(tmp_path: Path) -> None:
    put(tmp_path, *(f"{n}.mp4" for n in range(6)))
    rows = [
        "0.mp4,run,train,p1,x",
        '"1.mp4",run,test,p2,',
        "2.mp4,bend,train,p1,",
        "3.mp4,bend,test,p3,",
        "",
        "4.mp4,run,val,,",
    ]
    (tmp_path / "my clips.csv").write_text("\ufeffPath,label,Split,group,comment\r\n" + "\r\n".join(rows))
    for data in (tmp_path, tmp_path / "my clips.csv"):
        read = index(data)
        assert read.classes == ("bend", "run")
        assert [(item.path.name, item.label, item.group) for item in read.train] == [
            ("0.mp4", 1, "p1"), ("2.mp4", 0, "p1"), ("4.mp4", 1, None)
        ]  # fmt: skip
        assert [item.group for item in read.test] == ["p2", "p3"]
        assert read.notes[:3] == (
            "Read my clips.csv.",
            "Columns that are not used: comment.",
            "Of its splits, test is the test, val joins the training videos.",
        )


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_csv_file_without_splits_is_divided_by_its_groups(tmp_path: Path, delimiter: str) -> None:
    put(tmp_path, *(f"{n}.mp4" for n in range(8)))
    rows = [("path", "label", "group"), *((f"{n}.mp4", "ab"[n % 2], f"p{n // 4}") for n in range(8))]
    (tmp_path / "l.csv").write_text("\n".join(map(delimiter.join, rows)))
    read = index(tmp_path)
    assert len({item.group for item in read.test}) == 1 and len(read.test) == 4
    assert "Divided by group" in read.notes[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\n", "has no row"),
        ("path,label\n1.mp4\n", r"l\.csv:2: 1 value, but the header has 2 columns"),
        ("path,label\n1.mp4,\n", r"l\.csv:2: the label is empty"),
        ("path,label,split\n1.mp4,a,dev\n", r"l\.csv:2: split 'dev'; allowed are train, val and test"),
        (
            "path,label\n1.mp4,a\n1.mp4,b\n",
            r"l\.csv:3: '1\.mp4' is listed before, with another label, at .*l\.csv:2",
        ),
        ("path,label,label\n1.mp4,a,a\n", r"l\.csv:1: the header must have one column 'label'"),
        ("path,label\n2.mp4,a\n1.mp4,b\n", r"missing below .*: 2\.mp4 \(.*l\.csv:2\)"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_told_by_line(tmp_path: Path, text: str, message: str) -> None:
    (put(tmp_path, "1.mp4") / "l.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        index(tmp_path / "l.csv")


def test_an_index_written_as_csv_reads_as_it_was(tmp_path: Path) -> None:
    put(tmp_path, *clips("walk, fast", 5), *clips('jump "x"', 5))
    read = index(tmp_path)
    write_csv(read, tmp_path / "all.csv", root=tmp_path)
    again = index(tmp_path / "all.csv")
    assert (again.classes, again.train, again.test) == (read.classes, read.train, read.test)


# Which layout it is


def test_lists_of_two_kinds_need_a_word(tmp_path: Path) -> None:
    data = ucf101(tmp_path)
    (data / "clips.csv").write_text("clip,label\n")
    assert len(index(data).train) == 4, "a table without a path is no list of clips"
    (data / "clips.csv").write_text("path,label\n")
    with pytest.raises(
        UserError,
        match=r"trainlist0K.txt and testlist0K.txt \(--layout ucf101\); clips\.csv \(--layout csv\)",
    ):
        index(data)
    assert len(index(data, layout="ucf101").train) == 4


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("list", "--layout list is one of files, but"),
        ("csv", "has no CSV file with the columns path and label"),
    ],
)
def test_a_layout_that_is_not_there_is_told(tmp_path: Path, layout: str, message: str) -> None:
    put(tmp_path, *clips("a", 3), *clips("b", 3))
    with pytest.raises(UserError, match=message):
        index(tmp_path, layout=layout)
    (tmp_path / "l.txt").write_text("a/clip 0.avi 0\n")
    with pytest.raises(UsageError, match="--layout videos is one of folders, but"):
        index(tmp_path / "l.txt", layout="videos")


def test_the_command_line_takes_every_layout_of_the_table() -> None:
    names = get_args(get_type_hints(CheckConfig)["layout"])
    assert names == ("auto", *(layout.name for layout in layouts.LAYOUTS))


def test_a_further_layout_is_a_row_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: Source, tree: Tree) -> Contents:
        names = (tree.root / "labels.tab").read_text().splitlines()
        items = [Item(tree.root / name, label % 2, None) for label, name in enumerate(names)]
        return Contents(VideoIndex(("even", "odd"), tuple(items), (), ("Read labels.tab.",)))

    tab = layouts.Layout(
        name="tab", rank=1, signs=lambda tree: "tab" * ("labels.tab" in tree.files), read=read
    )
    monkeypatch.setattr(contents, "LAYOUTS", (*layouts.LAYOUTS, tab))
    monkeypatch.setitem(layouts.LAYOUT_OF, "tab", tab)
    data = put(tmp_path, *clips("a", 4), *clips("b", 4))
    assert index(data).classes == ("a", "b")
    names = [path.relative_to(data).as_posix() for path in sorted(data.rglob("*.avi"))]
    (data / "labels.tab").write_text("\n".join(names))
    read_as_tab = index(data)
    assert read_as_tab.classes == ("even", "odd") and read_as_tab.notes[0] == "Read labels.tab."
    assert index(data, layout="tab") == read_as_tab and index(data, layout="videos").classes == ("a", "b")
    (data / "trainlist01.txt").touch()
    with pytest.raises(UserError, match=r"2 ways\. Say which one: .*; tab \(--layout tab\)"):
        index(data)


# Several roots


def test_folders_on_several_disks_are_one_data_set(tmp_path: Path) -> None:
    one, two = (
        put(tmp_path / "1", *clips("a", 4), *clips("b", 4)),
        put(tmp_path / "2", *clips("b", 4), *clips("c", 4)),
    )
    read = index(one, roots=[two])
    assert read.classes == ("a", "b", "c")
    counts = Counter(item.label for item in (*read.train, *read.test))
    assert counts == {0: 4, 1: 8, 2: 4}
    assert {item.path.parent.parent for item in read.train} == {one, two}
    with pytest.raises(UserError, match=r"--roots .*nowhere is no folder"):
        index(one, roots=[tmp_path / "nowhere"])


def test_the_paths_of_a_list_may_begin_at_one_of_several_roots(tmp_path: Path) -> None:
    put(tmp_path / "1", "0.avi", "1.avi"), put(tmp_path / "2", "videos/2.avi", "3.avi")
    put(tmp_path, "lists/l.txt")
    (tmp_path / "lists/l.txt").write_text("".join(f"{n}.avi {n % 2}\n" for n in range(4)))
    read = index(tmp_path / "lists/l.txt", roots=[tmp_path / "1", tmp_path / "2"])
    assert len(read.train) + len(read.test) == 4
    with pytest.raises(UserError, match="or to one of --roots"):
        index(tmp_path / "lists/l.txt", roots=[tmp_path / "1"])
