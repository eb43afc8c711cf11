"""List files are read as people write them, and every contradiction is named by file and line."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from vidnas.errors import UserError
from vidnas.video.index.faults import Fault, require_none
from vidnas.video.index.groups import group_of
from vidnas.video.index.labels import listing_of
from vidnas.video.index.lists import Listing, read_list

CLASS_LIST = "1 Bend\r\n2 Jump Rope\r\n3 Wave\r\n"


def parse_lists(train_list: Path, test_list: Path | None = None) -> Listing:
    faults: list[Fault] = []
    train, test = (read_list(file, faults) if file else () for file in (train_list, test_list))
    listing = listing_of(train, test, train_list.parent)
    return replace(listing, faults=(*faults, *listing.faults))


def parse(folder: Path, train: str, test: str | None = None, class_list: str | None = None) -> Listing:
    files = {"train.txt": train, "test.txt": test, "classInd.txt": class_list}
    for name, text in files.items():
        if text is not None:
            (folder / name).write_bytes(text.encode())
    listing = parse_lists(folder / "train.txt", folder / "test.txt" if test is not None else None)
    require_none(listing.faults)
    return listing


def pairs(listing: Listing) -> list[tuple[str, str]]:
    return [(clip.path, listing.classes[clip.label]) for clip in (*listing.train, *listing.test)]


def test_official_lists_have_crlf_a_class_list_and_no_labels_in_the_test_list(tmp_path: Path) -> None:
    listing = parse(
        tmp_path,
        "Bend/v_Bend_g08_c01.avi 1\r\nJump Rope/v_JumpRope_g08_c01.avi 2\r\n",
        "Bend/v_Bend_g01_c01.avi\r\nJump Rope/v_JumpRope_g01_c01.avi\r\n",
        CLASS_LIST,
    )
    assert listing.classes == ("Bend", "Jump Rope")
    assert [(clip.path, clip.label) for clip in listing.train] == [
        ("Bend/v_Bend_g08_c01.avi", 0),
        ("Jump Rope/v_JumpRope_g08_c01.avi", 1),
    ]
    assert [(clip.path, clip.label) for clip in listing.test] == [
        ("Bend/v_Bend_g01_c01.avi", 0),
        ("Jump Rope/v_JumpRope_g01_c01.avi", 1),
    ]
    assert listing.notes == ("classInd.txt lists 3 classes; the 2 that occur are used.",)
    assert listing.test[1].where == f"{tmp_path / 'test.txt'}:2"


def test_classes_stand_in_the_order_of_the_class_list(tmp_path: Path) -> None:
    listing = parse(tmp_path, "Bend/a.avi 10\nWave/b.avi 9\n", class_list="10 Bend\n9 Wave\n")
    assert listing.classes == ("Wave", "Bend")


@pytest.mark.dataset
@pytest.mark.parametrize(
    ("split", "num_train", "num_test"), [(1, 9537, 3783), (2, 9586, 3734), (3, 9624, 3696)]
)
def test_the_official_ucf101_lists_parse(test_data: Path, split: int, num_train: int, num_test: int) -> None:
    folder = test_data / "ucf101_splits"
    listing = parse_lists(folder / f"trainlist0{split}.txt", folder / f"testlist0{split}.txt")
    assert (len(listing.train), len(listing.test), len(listing.classes)) == (num_train, num_test, 101)
    groups = [
        {(clip.label, group_of(PurePosixPath(clip.path).stem, "")) for clip in part}
        for part in (listing.train, listing.test)
    ]
    assert not groups[0] & groups[1]
    assert None not in {group for _, group in groups[0] | groups[1]}
    assert len(groups[0] | groups[1]) == 101 * 25


def test_the_label_is_the_last_token(tmp_path: Path) -> None:
    names = ["a b/my clip  2.MP4", 'it\'s "quoted".avi', "прыжок 跳.webm", "no\u00a0break.avi"]
    listing = parse(
        tmp_path, "\ufeff" + "".join(f"{name} \t walk\n\n" for name in names) + "other.avi run\u00a0fast"
    )
    assert pairs(listing) == [*((name, "walk") for name in names), ("other.avi", "run\u00a0fast")]


def test_a_last_token_that_is_a_video_file_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a/my clip.AVI\na/b.3gp\nclip.xyz 3\n")
    assert [(line.path, line.label) for line in read_list(tmp_path / "list.txt", [])] == [
        ("a/my clip.AVI", None),
        ("a/b.3gp", None),
        ("clip.xyz", "3"),
    ]


@pytest.mark.parametrize("base", [0, 1])
def test_the_base_of_integer_labels_is_found_and_noted(tmp_path: Path, base: int) -> None:
    lines = [f"{number}.avi {base + number}" for number in range(12)]
    listing = parse(tmp_path, "\n".join(lines), "x.avi " + str(base + 11))
    assert [clip.label for clip in listing.train] == list(range(12))
    assert listing.test[0].label == 11
    assert listing.classes == tuple(str(base + number) for number in range(12))
    assert listing.notes == (f"Integer labels count from {base}: {base} to {base + 11}.",)


def test_integer_labels_are_named_after_folders_that_stand_for_them(tmp_path: Path) -> None:
    listing = parse(tmp_path, "x/walk/1.avi 1\nx/bend/2.avi 2\n", "y/walk/3.avi 1\n")
    assert listing.classes == ("walk", "bend")


@pytest.mark.parametrize(
    "train", ["a/1.avi 0\nb/2.avi 1\nb/3.avi 0\n", "a/1.avi 0\na/2.avi 1\n", "1.avi 0\nb/2.avi 1"]
)
def test_integer_labels_keep_their_numbers_where_folders_do_not_stand_for_them(
    tmp_path: Path, train: str
) -> None:
    assert parse(tmp_path, train).classes == ("0", "1")


def test_string_labels_are_the_sorted_classes(tmp_path: Path) -> None:
    listing = parse(tmp_path, "1.avi walk\n2.avi bend\n3.avi walk\n")
    assert listing.classes == ("bend", "walk")
    assert [clip.label for clip in listing.train] == [1, 0, 1]


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ("1.avi 0\n2.avi 1\n3.avi 3\n4.avi 4", None, r"train\.txt:3: label 3, but no line has label 2\."),
        ("1.avi 2\n2.avi 3", None, r"train\.txt:1: label 2, but no line has label 1\."),
        ("1.avi 0\n2.avi -1", None, r"train\.txt:2: label -1, but the lowest may be 0 or 1\."),
        (
            "1.avi 0\n2.avi 1",
            "3.avi 1\n4.avi 2",
            r"test\.txt:2: label '2' is not in .* 2 labels are 0 to 1\.",
        ),
        ("1.avi 1\n2.avi 2", "3.avi 0", r"test\.txt:1: label '0' is not in .* 2 labels are 1 to 2\."),
        ("1.avi run\n2.avi walk", "3.avi wlak", r"test\.txt:1: label 'wlak' is not in the training list"),
        ("1.avi 0\n2.avi run", None, r"train\.txt:2: label 'run': labels must be all integers or all names"),
        ("1.avi run\n2.avi walk", "3.avi 0", r"test\.txt:1: label '0': labels must be all integers or all"),
        ("1.avi 0\n2.avi", None, r"train\.txt:2: '2\.avi' has no label\. A line is a path and a label"),
        (
            "1.avi 0\n\n1.avi 1",
            None,
            r"train\.txt:3: '1\.avi' is listed before, with another label, at .*train\.txt:1\.",
        ),
        ("1.avi 0\n2.avi 1\n1.avi", None, r"train\.txt:3: '1\.avi' has no label\. A line is a path and"),
        ("1.avi\n2.avi 1\n1.avi 0", None, r"^.*train\.txt:1: '1\.avi' has no label\. A line is a path and"),
        ("1.avi 3\n2.avi run\n3.avi walk", None, r"^.*train\.txt:1: label '3': labels must be all integers"),
        ("1.avi run\n2.avi 0\n3.avi 1", None, r"^.*train\.txt:1: label 'run': labels must be all integers"),
        ("\r\n \n", None, r"train\.txt is empty"),
    ],
)
def test_a_contradiction_in_a_list_names_its_line(
    tmp_path: Path, train: str, test: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        parse(tmp_path, train, test)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("Bend/1.avi 7", r"test\.txt:1: label '7' is not in .*classInd\.txt, which has 1 to 3\."),
        ("Bend/1.avi 3", r"test\.txt:1: label '3' is class 'Wave' in .*classInd\.txt, .* is in 'Bend'\."),
        ("Bend/1.avi Wave", r"test\.txt:1: label 'Wave' is class 'Wave' .* is in 'Bend'\."),
        ("Bends/1.avi 1", r"test\.txt:1: label '1' is class 'Bend' .* is in 'Bends'\."),
        ("Bends/1.avi", r"test\.txt:1: the folder 'Bends' is not a class of .*classInd\.txt\."),
        ("1.avi", r"test\.txt:1: '1\.avi' has neither a label nor a class folder\."),
    ],
)
def test_a_label_that_contradicts_the_class_list_names_its_line(
    tmp_path: Path, test: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        parse(tmp_path, "Bend/0.avi 1\nJump Rope/0.avi 2\n", test, CLASS_LIST)


def test_beside_a_class_list_labels_may_be_names_and_folders_may_be_left_out(tmp_path: Path) -> None:
    listing = parse(tmp_path, "a.avi 3\nBend/b.avi Bend\n", class_list=CLASS_LIST)
    assert pairs(listing) == [("a.avi", "Wave"), ("Bend/b.avi", "Bend")]


@pytest.mark.parametrize(
    ("class_list", "message"),
    [
        ("1 Bend\nWave\n", r"classInd\.txt:2: 'Wave' is not a number and a class name"),
        ("1 Bend\n1 Wave\n", r"classInd\.txt:2: '1 Wave' repeats"),
        ("1 Bend\n2 Bend\n", r"classInd\.txt:2: '2 Bend' repeats"),
        ("\n", r"classInd\.txt is empty"),
    ],
)
def test_a_class_list_that_is_none_is_told(tmp_path: Path, class_list: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(tmp_path, "Bend/0.avi 1\n", class_list=class_list)


def test_a_list_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"list\.txt does not exist"):
        parse_lists(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"list\.txt cannot be read as UTF-8 text"):
        parse_lists(tmp_path / "list.txt")
