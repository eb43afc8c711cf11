"""The two parts of a given split hold every class and share no clip and no group."""

from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.video.index.checks import check_classes, check_copies, check_given_split
from vidnas.video.index.copies import find_copies
from vidnas.video.index.groups import find_groups
from vidnas.video.items import Item, VideoIndex

CLASSES = ("a", "b")


def items(folder: Path, *names: str) -> tuple[Item, ...]:
    """Files `class/name.avi` below the folder, no two alike, with the groups of their names."""
    found = []
    for name in names:
        path = folder / f"{name}.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path))
        found.append(Item(path, CLASSES.index(path.parent.name), None))
    return find_groups(found, CLASSES)


def given(folder: Path, train: tuple[str, ...], test: tuple[str, ...]) -> VideoIndex:
    return VideoIndex(CLASSES, items(folder / "train", *train), items(folder / "test", *test), ())


def one_each(folder: Path) -> VideoIndex:
    return given(folder, ("a/0", "b/0"), ("a/1", "b/1"))


def ucf101(folder: Path, train: str, test: str) -> VideoIndex:
    """Two classes with g08 to train and g01 to test, and one more clip of class a in either."""
    return given(
        folder,
        ("a/v_a_g08_c01", "b/v_b_g08_c01", f"a/{train}"),
        ("a/v_a_g01_c01", "b/v_b_g01_c01", f"a/{test}"),
    )


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="only one class, 'a'"):
        check_classes(VideoIndex(("a",), items(tmp_path, "a/0", "a/1"), (), ()))


def test_classes_with_one_clip_in_all_are_named(tmp_path: Path) -> None:
    check_classes(one_each(tmp_path))
    with pytest.raises(UserError, match=r"^Only one video in class b: "):
        check_classes(given(tmp_path, ("a/0", "b/0"), ("a/1",)))
    with pytest.raises(UserError, match=r"^Only one video in 2 classes \(a, b\): "):
        check_classes(given(tmp_path, ("a/0",), ("b/1",)))


@pytest.mark.parametrize(("part", "other"), [("training", "test"), ("test", "training")])
def test_a_class_absent_from_a_part_is_named(tmp_path: Path, part: str, other: str) -> None:
    names = {part: ("a/0", "a/1"), other: ("a/2", "b/0")}
    with pytest.raises(UserError, match=f"^No {part} videos in class b: "):
        check_given_split(given(tmp_path, names["training"], names["test"]), "auto", own_groups=False)


def test_a_clip_copied_into_the_other_part_is_named(tmp_path: Path) -> None:
    index = one_each(tmp_path)
    index.test[1].path.write_bytes(index.train[0].path.read_bytes())
    with pytest.raises(
        UserError, match=r"^In both training and test: clip .*b/1\.avi \(trained on as .*a/0\.avi\)\."
    ):
        check_copies(find_copies((*index.train, *index.test)), index)


def test_a_linked_clip_is_the_same_clip_even_if_it_is_empty(tmp_path: Path) -> None:
    index = one_each(tmp_path)
    index.train[0].path.write_bytes(b"")
    index.test[0].path.unlink()
    index.test[0].path.symlink_to(index.train[0].path)
    with pytest.raises(UserError, match=r"^In both training and test: clip "):
        check_copies(find_copies((*index.train, *index.test)), index)


def test_neither_files_of_one_size_nor_empty_files_are_copies(tmp_path: Path) -> None:
    index = one_each(tmp_path)
    for item, content in zip((*index.train, *index.test), (b"1234", b"", b"5678", b""), strict=True):
        item.path.write_bytes(content)
    assert find_copies((*index.train, *index.test)) == []
    assert "no clip is in both" in check_given_split(index, "auto", own_groups=False)


def test_a_group_in_both_parts_is_named_and_may_be_accepted(tmp_path: Path) -> None:
    index = ucf101(tmp_path, "v_a_g05_c01", "v_a_g05_c02")
    with pytest.raises(UserError, match=r"^In both training and test: group g05 of a\..*--split-by clip"):
        check_given_split(index, "auto", own_groups=False)
    assert check_given_split(index, "clip", own_groups=False) == (
        "Test split as given: 3 training and 3 test videos; no clip is in both; groups are not checked, "
        "as asked (--split-by clip)."
    )


def test_one_group_number_in_two_classes_is_two_groups(tmp_path: Path) -> None:
    index = given(tmp_path, ("a/v_a_g01_c01", "b/v_b_g02_c01"), ("a/v_a_g02_c01", "b/v_b_g01_c01"))
    note = check_given_split(index, "auto", own_groups=False)
    assert note.endswith("; no clip is in both, and no group of a class.")


def test_at_most_five_groups_are_named(tmp_path: Path) -> None:
    train, test = (
        tuple(f"{name}/v_{name}_g{group}_c0{clip}" for name in CLASSES for group in range(10, 14))
        for clip in (1, 2)
    )
    five = r"g10 of a, g11 of a, g12 of a, g13 of a, g10 of b, \.\.\."
    with pytest.raises(UserError, match=rf"test: 8 groups \({five}\)\."):
        check_given_split(given(tmp_path, train, test), "auto", own_groups=False)


def test_numbers_that_each_part_may_count_anew_are_only_told(tmp_path: Path) -> None:
    index = given(tmp_path, ("a/7_a", "b/7_b"), ("a/7_a", "b/8_b"))
    assert "going by file names, group 7 of a would be in both" in check_given_split(
        index, "auto", own_groups=False
    )


def test_they_count_as_groups_where_groups_are_asked_for(tmp_path: Path) -> None:
    index = given(tmp_path, ("a/7_a", "b/7_b"), ("a/7_a", "b/8_b"))
    with pytest.raises(UserError, match="test: group 7 of a"):
        check_given_split(index, "group", own_groups=False)
    with pytest.raises(UserError, match="test: group 7 of a"):
        check_given_split(index, "auto", own_groups=True)


def test_names_without_groups_are_told_and_refused_where_groups_are_asked_for(tmp_path: Path) -> None:
    index = ucf101(tmp_path, "v_a_g05_c01", "odd one")
    note = check_given_split(index, "auto", own_groups=False)
    assert note.endswith(
        "; no clip is in both, and no group of a class; a group of its own is 'odd one.avi' (as with "
        "--group-regex '^.*_(g\\d+)_c\\d+|^(.+)$')."
    )
    note = check_given_split(given(tmp_path, ("a/x", "b/y"), ("a/z", "b/1_b")), "auto", own_groups=False)
    assert note.endswith("groups are not known for every file name.")
    with pytest.raises(UserError, match=r"1 of 6 file names carry no group.*'odd one\.avi'.*--group-regex"):
        check_given_split(index, "group", own_groups=False)
