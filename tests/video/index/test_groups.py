"""Groups in names like Jump_11_1, and the --group-regex that finds them; false ones are not believed."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from vidnas.video.index.division import divide
from vidnas.video.index.groups import find_groups, regex_for_all
from vidnas.video.items import Item

CLASSES = ("Jump", "Run Fast")


def items_of(*names: str, classes: Sequence[str] = CLASSES, label: int | None = None) -> list[Item]:
    """Files named as given, of the class whose name, without blanks, they begin with."""
    begins = [name.replace(" ", "") for name in classes]
    return [
        Item(
            Path(f"{name}.mp4"),
            next(n for n, begin in enumerate(begins) if name.startswith(begin)) if label is None else label,
            None,
        )
        for name in names
    ]


def named(*pattern: str, groups: Sequence[object] = (1, 2, 3), clips: int = 3) -> list[str]:
    return [one.format(group, clip) for one in pattern for group, clip in product(groups, range(clips))]


ARID = named("Jump_{}_{}", "RunFast_{}_{}")


def note_of(items: Sequence[Item], classes: Sequence[str] = CLASSES) -> str:
    found = find_groups(items, classes)
    return divide(found, classes=classes, by="auto", fraction=0.4, seed=0)[2]


def test_what_stands_between_the_class_and_the_number_of_the_clip_is_the_group() -> None:
    found = find_groups(items_of(*ARID), CLASSES)
    assert [item.group for item in found] == [name.split("_")[1] for name in ARID]
    assert note_of(items_of(*ARID)) == (
        "Divided by group, since every file name carries one (for example '1' of 'Jump_1_0.mp4', what stands "
        "between the class and the number of the clip): 12 + 6 videos."
    )


def test_a_group_may_be_a_name_and_the_class_be_written_otherwise() -> None:
    names = named("jump-{}-{}", "run_fast-{}-{}", groups=("ana", "bo"))
    items = [Item(Path(f"{name}.mp4"), int(name[0] == "r"), None) for name in names]
    assert {item.group for item in find_groups(items, CLASSES)} == {"ana", "bo"}


def test_classes_that_are_numbers_are_known_by_what_their_names_begin_with() -> None:
    items = [Item(Path(f"{name}.mp4"), int(name[0] == "R"), None) for name in ARID]
    assert {item.group for item in find_groups(items, ("0", "1"))} == {"1", "2", "3"}


def test_a_list_s_own_groups_and_the_known_names_come_first() -> None:
    items = [Item(Path("Jump_1_2.mp4"), 0, "own"), *items_of(*ARID)]
    assert find_groups(items, CLASSES)[0].group == "own"
    hmdb51 = "April_09_brush_hair_u_nm_np1_ba_goo_2"
    found = find_groups(items_of("v_Jump_g01_c02", hmdb51, label=0), CLASSES)
    assert [item.group for item in found] == ["g01", hmdb51[:-2]]


@pytest.mark.parametrize(
    "names",
    [
        named("clip_{}_{}"),
        named("IMG_{}_{}", groups=(20240101, 20240102)),
        [f"Jump {n}" for n in range(9)],
        named("Jump{}_{}"),
        [*named("Jump_{}_{}", groups=(1,), clips=2), *(f"take {n}" for n in range(5))],
    ],
    ids=["of no class", "dates", "numbers alone", "class and number in one", "few of them"],
)
def test_other_numbers_are_no_groups(names: Sequence[str]) -> None:
    items = [*items_of(*names, label=0), *items_of(*names, label=1)]
    assert not any(item.group for item in find_groups(items, CLASSES))
    assert f"by clip, since {len(items)} of {len(items)} file names carry no group" in note_of(items)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (named("Jump_{}_{}", "RunFast_{}_{}", groups=range(6), clips=1), "another one for every clip"),
        (named("Jump_{}_{}", "RunFast_{}_{}", groups=(7,), clips=6), "the same for all of a class"),
        ([*named("Jump_a{}_{}", groups=range(6), clips=1), "RunFast_b_1", "RunFast_c_2"], "another one for"),
    ],
)
def test_groups_that_would_divide_nothing_are_not_used_and_that_is_said(
    names: Sequence[str], why: str
) -> None:
    items = items_of(*names)
    assert not any(item.group for item in find_groups(items, CLASSES))
    note = note_of(items)
    assert note.startswith("Divided by clip, since what could be the group in file names, as ")
    assert why in note


def test_persons_seen_once_in_every_class_are_groups() -> None:
    people = ("ana", "bo", "cy", "dee")
    items = items_of(*named("Jump_{}_{}", "RunFast_{}_{}", groups=people, clips=1))
    assert {item.group for item in find_groups(items, CLASSES)} == set(people)


@pytest.mark.parametrize(
    "names",
    [
        ARID,
        named("Jump/v_Jump_g{:02}_c{:02}", "RunFast/v_RunFast_g{:02}_c{:02}"),
        named("Jump/A{}_jump_f_nm_np1_ba_goo_{}", "RunFast/A{}_run_f_cm_np2_fr_bad_{}"),
        [f"{name}/p{n}_{name}" for name in ("Jump", "RunFast") for n in range(8)],
    ],
    ids=["numbered", "UCF101", "HMDB51", "person and class"],
)
def test_the_regex_that_is_told_finds_the_same_and_takes_odd_names_whole(names: Sequence[str]) -> None:
    classes = ("Jump", "RunFast")
    items = items_of(*names, "Jump again", "RunFast (2)", classes=classes)
    found = find_groups(items, classes)
    assert [item.path.stem for item in found if item.group is None] == ["Jump again", "RunFast (2)"]
    regex = regex_for_all(found, classes)
    again = find_groups(items, classes, regex)
    assert [item.group for item in again] == [item.group or item.path.stem for item in found]
    assert f"(as with --group-regex '{regex}')" in note_of(items, classes)


def test_one_odd_name_does_not_put_a_group_on_both_sides() -> None:
    found = find_groups(items_of(*ARID, "Jump again"), CLASSES)
    for seed in range(10):
        first, second, note = divide(found, classes=CLASSES, by="auto", fraction=0.4, seed=seed)
        sides = [{(item.label, item.group) for item in part if item.group} for part in (first, second)]
        assert not sides[0] & sides[1]
        assert "a group of its own is 'Jump again.mp4'" in note
