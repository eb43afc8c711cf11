"""train/ and validate/ with their clips flat, and lists that give the labels, wherever their paths begin."""

from pathlib import Path

import pytest
from listed import index, put

from vidnas.errors import UserError
from vidnas.video.items import VideoIndex


def flat(folder: Path, val: str = "validate", *, same_names: bool = False) -> Path:
    """Six clips in train/ and four in another folder, numbered on or anew."""
    first = 0 if same_names else 6
    put(folder, *(f"train/{n}.mp4" for n in range(6)), *(f"{val}/{n}.mp4" for n in range(first, first + 4)))
    return folder


def parts(read: VideoIndex, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    train, test = (
        {item.path.relative_to(folder).as_posix(): read.classes[item.label] for item in part}
        for part in (read.train, read.test)
    )
    return train, test


def right(val: str = "validate", first: int = 6) -> tuple[dict[str, str], dict[str, str]]:
    train = {f"train/{n}.mp4": "ab"[n % 2] for n in range(6)}
    return train, {f"{val}/{n}.mp4": "ab"[n % 2] for n in range(first, first + 4)}


def write(file: Path, numbers: range, path: str) -> Path:
    file.write_text("path,label\n" + "".join(f"{path.format(n)},{'ab'[n % 2]}\n" for n in numbers))
    return file


@pytest.mark.parametrize("val", ["validate", "validation", "valid", "val", "Validate"])
def test_validate_and_its_like_beside_train_are_the_test(tmp_path: Path, val: str) -> None:
    put(tmp_path, *(f"{part}/{name}/{part}{n}.mp4" for part in ("train", val) for name in "ab" for n in "12"))
    read = index(tmp_path)
    assert {item.path.parent.parent.name for item in read.test} == {val}
    assert read.notes[0].endswith(f"{val}/ is the test.")


@pytest.mark.parametrize("path", ["{}.mp4", "{}", "train/{}.mp4"])
def test_one_list_of_both_parts_takes_the_folders_for_the_parts(tmp_path: Path, path: str) -> None:
    flat(tmp_path)
    lines = [path.format(n) if n < 6 else path.format(n).replace("train", "validate") for n in range(10)]
    (tmp_path / "labels.csv").write_text(
        "path,label\n" + "".join(f"{line},{'ab'[n % 2]}\n" for n, line in enumerate(lines))
    )
    for data in (tmp_path, tmp_path / "labels.csv"):
        read = index(data)
        assert parts(read, tmp_path) == right()
        assert "Its clips lie in train/ and validate/, which are the parts." in read.notes


@pytest.mark.parametrize("same_names", [False, True])
@pytest.mark.parametrize("path", ["{}.mp4", "{}"])
def test_a_list_of_each_part(tmp_path: Path, path: str, same_names: bool) -> None:
    first = 0 if same_names else 6
    flat(tmp_path, same_names=same_names)
    train = write(tmp_path / "train.csv", range(6), path)
    test = write(tmp_path / "validate.csv", range(first, first + 4), path)
    assert parts(index(train, test_list=test), tmp_path) == right(first=first)
    assert parts(index(tmp_path), tmp_path) == right(first=first), "the folder, whose lists say what they are"


def test_lists_that_lie_in_the_parts(tmp_path: Path) -> None:
    flat(tmp_path, same_names=True)
    for part, count in (("train", 6), ("validate", 4)):
        lines = "".join(f"{n} {'ab'[n % 2]} {n}.mp4\n" for n in range(count))
        (tmp_path / part / "labels.txt").write_text(lines)
    assert parts(index(tmp_path), tmp_path) == right(first=0)


def test_a_split_column_and_flat_folders(tmp_path: Path) -> None:
    flat(tmp_path, same_names=True)
    rows = [f"{n},{'ab'[n % 2]},{part}" for part, num in (("train", 6), ("valid", 4)) for n in range(num)]
    (tmp_path / "l.csv").write_text("path,label,split\n" + "\n".join(rows))
    with pytest.raises(UserError, match=r"l\.csv:8: '0' is listed before, at .*l\.csv:2"):
        index(tmp_path / "l.csv")  # one name for two files is too little in one list


def test_a_name_that_two_folders_have_is_not_guessed(tmp_path: Path) -> None:
    flat(tmp_path, same_names=True)
    write(tmp_path / "l.csv", range(6), "{}.mp4")
    with pytest.raises(UserError, match=r"'0\.mp4' may be .*train/0\.mp4 or .*validate/0\.mp4\. Write which"):
        index(tmp_path / "l.csv")
    put(tmp_path, "train/0.avi")
    write(tmp_path / "m.csv", range(6), "train/{}")
    with pytest.raises(UserError, match=r"'train/0' may be .*train/0\.avi or .*train/0\.mp4"):
        index(tmp_path / "m.csv")


def test_flat_parts_without_a_list_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train/ and validate/ of .* hold videos, but no folder per class"):
        index(flat(tmp_path))


def test_a_list_beside_class_folders_is_told_and_read_where_asked(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{name}{n}.mp4" for name in "ab" for n in range(4)))
    for part, numbers in (("train", (0, 1, 2)), ("val", (3,))):
        lines = [f"{n} {name} {name}/{name}{n}.mp4\n" for n in numbers for name in "ab"]
        (tmp_path / f"{part}.txt").write_text("".join(lines))
    note = "Not used: train.txt and val.txt, for the folders tell the classes; --layout list reads lists."
    assert note in index(tmp_path).notes
    read = index(tmp_path, layout="list")
    assert sorted(item.path.name for item in read.test) == ["a3.mp4", "b3.mp4"]


def test_other_texts_are_no_lists(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{name}{n}.mp4" for name in "ab" for n in range(4)))
    (tmp_path / "README.txt").write_text("Clips of a and b.\nTaken in May.\n\nBy me, and you, too.\n")
    (tmp_path / "classes.txt").write_text("1 a\n2 b\n")
    assert not any("Not used" in note for note in index(tmp_path).notes)


def test_lists_of_one_part_are_named(tmp_path: Path) -> None:
    flat(tmp_path)
    for number in (1, 2):
        write(tmp_path / f"train{number}.csv", range(6), "{}.mp4")
    with pytest.raises(UserError, match=r"has train1\.csv and train2\.csv\. Name the one to be read"):
        index(tmp_path)


def test_loose_videos_with_a_list_beside_them(tmp_path: Path) -> None:
    put(tmp_path, *(f"{n}.mp4" for n in range(8)))
    (tmp_path / "list.txt").write_text("".join(f"{n}.mp4 {'ab'[n % 2]}\n" for n in range(8)))
    assert len(index(tmp_path).train) == 6
