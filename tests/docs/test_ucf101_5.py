"""An outsider can rebuild ucf101_5 from UCF101 by the command that docs/results.md names."""

from pathlib import Path

import pytest

import make_ucf101_5


def test_the_first_three_clips_of_each_group_are_kept_by_name() -> None:
    clips = [f"A/v_A_g{group:02}_c{clip:02}.avi" for group in (1, 2) for clip in (7, 2, 1, 4, 11)]
    kept = make_ucf101_5.chosen([*clips, "B/v_B_g01_c02.avi"])
    expected = {f"A/v_A_g{group:02}_c{clip:02}.avi" for group in (1, 2) for clip in (1, 2, 4)}
    assert kept == {*expected, "B/v_B_g01_c02.avi"}


def test_clips_and_lists_are_those_of_the_five_classes(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    listed: dict[str, list[str]] = {"trainlist01": [], "testlist01": []}
    for name in (*make_ucf101_5.CLASSES, "Archery"):
        for group in (1, 8):
            for clip in range(1, 6):
                path = f"{name}/v_{name}_g{group:02}_c{clip:02}.avi"
                (tmp_path / "UCF-101" / name).mkdir(parents=True, exist_ok=True)
                (tmp_path / "UCF-101" / path).write_text(path)
                part = "testlist01" if group == 1 else "trainlist01"
                listed[part].append(f"{path} 3" if group == 8 else path)
    for part, lines in listed.items():
        (lists / f"{part}.txt").write_bytes("\r\n".join([*lines, ""]).encode())
    (lists / "classInd.txt").write_text("1 Archery\n")
    make_ucf101_5.make(tmp_path / "UCF-101", lists, tmp_path / "made")
    clips = sorted((tmp_path / "made" / "videos").rglob("*.avi"))
    assert len(clips) == 5 * 2 * 3
    assert all(clip.read_text() == f"{clip.parent.name}/{clip.name}" for clip in clips)
    train, test = ((tmp_path / "made" / f"{part}.txt").read_text().splitlines() for part in listed)
    assert (len(train), len(test)) == (15, 15)
    assert train[0] == "BodyWeightSquats/v_BodyWeightSquats_g08_c01.avi 1"
    assert test[-1] == "Lunges/v_Lunges_g01_c03.avi 5"


@pytest.mark.dataset
def test_it_is_the_ucf101_5_of_the_measurements(tmp_path: Path, test_data: Path) -> None:
    """By names, of empty files: UCF101's own lists have every one of its clips."""
    lists = test_data / "ucf101_splits"
    for source in lists.glob("t*list01.txt"):
        for line in source.read_text().splitlines():
            name = line.split()[0]
            if name.split("/")[0] in make_ucf101_5.CLASSES:
                (tmp_path / "UCF-101" / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / "UCF-101" / name).touch()
    make_ucf101_5.make(tmp_path / "UCF-101", lists, tmp_path / "made")
    made, used = tmp_path / "made", test_data / "ucf101_5"
    names, real = (sorted(clip.name for clip in (root / "videos").rglob("*.avi")) for root in (made, used))
    assert names == real
    splits = [f"{part}list0{split}.txt" for part in ("train", "test") for split in "123"]
    for file in ("classInd.txt", *splits):
        assert (made / file).read_text().split() == (used / file).read_text().split(), file
