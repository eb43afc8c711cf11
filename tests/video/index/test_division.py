"""Groups are read from file names, and no group of a class stands on both sides of a division."""

from collections import Counter
from pathlib import Path

import pytest

from vidnas.errors import UsageError, UserError
from vidnas.video.index.division import SplitBy, divide
from vidnas.video.index.groups import find_groups, group_of
from vidnas.video.items import Item

CLASSES = ("bend", "jump in place")


def grouped(sizes: dict[int, int], clips: int = 3) -> list[Item]:
    """`sizes[label]` groups of `clips` videos for each class, named as in UCF101."""
    return [
        Item(Path(f"{label}/v_{label}_g{group:02d}_c{clip:02d}.avi"), label, f"g{group:02d}")
        for label, groups in sizes.items()
        for group in range(groups)
        for clip in range(clips)
    ]


def without_groups(*names: str) -> list[Item]:
    return [Item(Path(name), 0, None) for name in names]


@pytest.mark.parametrize(
    ("stem", "group"),
    [
        ("v_Bend_g08_c01", "g08"),
        ("v_Bend_g08_c01 (copy)", "g08"),
        ("v_Bend_g08", None),
        ("v_Bend_g08_class", None),
        ("daria_bend", "daria"),
        ("Zoë van 't Hof_bend", "Zoë van 't Hof"),
        ("daria_jump", None),
        ("bend", None),
        ("_bend", None),
        ("April_09_brush_hair_u_nm_np1_ba_goo_2", "April_09_brush_hair_u_nm_np1_ba_goo"),
        ("crowd_wave_u_cm_np10_ba_med_3", "crowd_wave_u_cm_np10_ba_med"),
        ("clip 7", None),
    ],
)
def test_the_group_of_a_name(stem: str, group: str | None) -> None:
    assert group_of(stem, "bend") == group


def test_a_class_name_stands_in_its_own_class_only() -> None:
    items = [Item(Path("ana_bend.avi"), 0, None), Item(Path("ana_bend.avi"), 1, None)]
    assert [item.group for item in find_groups(items, CLASSES)] == ["ana", None]


def test_a_regex_overrides_the_known_names_and_is_searched_in_the_stem() -> None:
    items = without_groups("x.avi/cam3-v_Bend_g08_c01.avi", "cam12-daria_bend.avi")
    assert [item.group for item in find_groups(items, CLASSES, r"cam(\d+)-")] == ["3", "12"]


@pytest.mark.parametrize("regex", ["(cam", "cam"])
def test_a_regex_that_is_invalid_or_captures_nothing_is_a_usage_error(regex: str) -> None:
    with pytest.raises(UsageError, match=r"--group-regex '\(?cam'"):
        find_groups([], CLASSES, regex)


@pytest.mark.parametrize("regex", [r"cam(\d+)", r"(\d*)$", r"^(cam\d)?"])
def test_a_name_that_the_regex_does_not_match_is_named(regex: str) -> None:
    with pytest.raises(UserError, match=r"'clip', the name of a/clip\.avi") as caught:
        find_groups(without_groups("a/clip.avi"), CLASSES, regex)
    assert not isinstance(caught.value, UsageError)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("fraction", "second_groups"), [(0.25, {0: 2, 1: 1}), (0.5, {0: 5, 1: 1})])
def test_no_group_of_a_class_stands_on_both_sides(
    fraction: float, second_groups: dict[int, int], seed: int
) -> None:
    items = grouped({0: 10, 1: 3})
    first, second, _ = divide(items, classes=CLASSES, by="auto", fraction=fraction, seed=seed)
    sides = [{(item.label, item.group) for item in part} for part in (first, second)]
    assert not sides[0] & sides[1]
    assert sorted((*first, *second), key=str) == sorted(items, key=str)
    assert Counter(label for label, _ in sides[1]) == second_groups
    assert {label for label, _ in sides[0]} == {0, 1}


def test_a_person_seen_in_every_class_stays_on_one_side() -> None:
    items = grouped({0: 9, 1: 9}, clips=1)
    for seed in range(10):
        first, second, _ = divide(items, classes=CLASSES, by="group", fraction=0.25, seed=seed)
        assert not {item.group for item in first} & {item.group for item in second}


def test_a_division_depends_on_the_seed_and_on_the_set_of_videos_alone() -> None:
    items = grouped({0: 10, 1: 10})
    first, second, _ = divide(items, classes=CLASSES, by="auto", fraction=0.5, seed=1)
    again = divide(items[::-1], classes=CLASSES, by="auto", fraction=0.5, seed=1)
    other = divide(items, classes=CLASSES, by="auto", fraction=0.5, seed=2)
    assert (first, second) == (again[0][::-1], again[1][::-1])
    assert second != other[1]


@pytest.mark.parametrize("by", ["auto", "clip"])
def test_clips_are_divided_one_by_one_where_there_are_no_groups(by: SplitBy) -> None:
    items = without_groups(*(f"clip {number}.mp4" for number in range(8)))
    first, second, note = divide(items, classes=CLASSES, by=by, fraction=0.25, seed=0)
    assert (len(first), len(second)) == (6, 2)
    assert note.startswith("Divided by clip") and note.endswith(": 6 + 2 videos.")


def test_clips_may_be_divided_although_there_are_groups() -> None:
    items = grouped({0: 1}, clips=4)
    first, second, note = divide(items, classes=CLASSES, by="clip", fraction=0.5, seed=0)
    assert (len(first), len(second)) == (2, 2)
    assert "by clip, as asked" in note


def test_one_name_without_a_group_is_a_group_of_its_own_and_is_named() -> None:
    items = [*grouped({0: 4}), *without_groups("odd one.avi")]
    first, second, note = divide(items, classes=CLASSES, by="auto", fraction=0.5, seed=0)
    assert not {item.group for item in first} & {item.group for item in second}
    assert note.startswith("Divided by group, since 12 of 13 file names carry one (for example 'g00' of ")
    assert "; a group of its own is 'odd one.avi' (as with --group-regex " in note


def test_of_many_names_without_a_group_ten_are_told() -> None:
    odd = without_groups(*(f"odd {number:02}.avi" for number in range(12)))
    note = divide([*grouped({0: 5}), *odd], classes=CLASSES, by="auto", fraction=0.5, seed=0)[2]
    assert "groups of their own are 'odd 00.avi', 'odd 01.avi'" in note
    assert "'odd 09.avi' and 2 more (as with" in note


def test_names_of_which_few_carry_a_group_are_divided_by_clip() -> None:
    items = [*grouped({0: 2}), *without_groups(*(f"clip {number}.avi" for number in range(6)))]
    note = divide(items, classes=CLASSES, by="auto", fraction=0.5, seed=0)[2]
    assert "by clip, since 6 of 12 file names carry no group, for example 'clip 0.avi'" in note


def test_the_note_of_a_division_by_group_shows_a_group() -> None:
    note = divide(grouped({0: 4}), classes=CLASSES, by="auto", fraction=0.25, seed=0)[2]
    assert note == (
        "Divided by group, since every file name carries one (for example 'g00' of 'v_0_g00_c00.avi', "
        "as UCF101 names clips): 9 + 3 videos."
    )


def test_asking_for_groups_that_names_do_not_carry_explains_the_regex() -> None:
    items = [*grouped({0: 4}), *without_groups("odd one.avi")]
    with pytest.raises(UserError, match=r"1 of 13 .* 'odd one.avi'.* --group-regex .*--split-by clip"):
        divide(items, classes=CLASSES, by="group", fraction=0.5, seed=0)


def test_a_class_with_one_group_names_the_flag_for_a_division_by_clip() -> None:
    with pytest.raises(
        UserError, match=r"Class 'jump in place' has only one group \('g00'\).*--split-by clip"
    ):
        divide(grouped({0: 4, 1: 1}), classes=CLASSES, by="auto", fraction=0.5, seed=0)


def test_a_class_with_one_clip_cannot_be_divided_by_clip() -> None:
    with pytest.raises(UserError, match=r"Class 'bend' has only one video to divide, a\.avi"):
        divide(without_groups("a.avi"), classes=CLASSES, by="clip", fraction=0.5, seed=0)
