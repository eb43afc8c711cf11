"""A list that most lines fit in one way is read that way; the other lines are its faults, told at once."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from listed import index, put, write

from vidnas.errors import UsageError, UserError
from vidnas.video.index.tables import parse_columns

CLIPS = [f"clips/{who}_{name}.avi" for name in ("bend", "jump", "wave") for who in ("ana", "bo", "cy", "dee")]
GOOD = [(n, clip.rpartition("_")[2].removesuffix(".avi"), clip) for n, clip in enumerate(CLIPS)]
NAMED = parse_columns("number,label,path")
FAULTS = {
    "missing": (
        (12, "bend", "clips/gone.avi"), "Listed but missing below {0}: clips/gone.avi ({0}/list.txt:{1})"
    ),
    "too few columns": ((12, "bend"), "{0}/list.txt:{1}: 2 values, but "),
    "a path alone": (("clips/ana_bend.avi",), "{0}/list.txt:{1}: 1 value, but "),
    "no label": ((12, "", "clips/spare.avi"), "{0}/list.txt:{1}: the label is empty."),
    "listed twice": (GOOD[0], "{0}/list.txt:{1}: 'clips/ana_bend.avi' is listed before, at {0}/list.txt:"),
    "another label": (
        (12, "wave", "clips/ana_bend.avi"), "{0}/list.txt:{1}: 'clips/ana_bend.avi' is listed before, with"
    ),
}  # fmt: skip


def refusal(data: Path, **more: object) -> str:
    with pytest.raises(UserError) as caught:
        index(data, **more)
    return str(caught.value)


@pytest.mark.parametrize("place", [0, 5, 12])
@pytest.mark.parametrize("header", [(), (("VideoID", "ClassName", "Video"),)], ids=["bare", "header"])
@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_faulty_line_is_told_however_the_list_is_given(
    tmp_path: Path, fault: str, separator: str, header: Sequence[Sequence[object]], place: int
) -> None:
    put(tmp_path, *CLIPS, "clips/spare.avi")
    row, told = FAULTS[fault]
    if fault in ("listed twice", "another label"):
        place = 12  # what comes second is the repetition
    rows = [*header, *GOOD[:place], row, *GOOD[place:]]
    file = write(tmp_path / "list.txt", rows, separator)
    start = told.format(tmp_path, len(header) + place + 1)
    for data, more in (
        (tmp_path, {}),
        (file, {}),
        (tmp_path, {"layout": "list"}),
        (tmp_path, {"columns": NAMED}),
        (file, {"columns": NAMED}),
    ):
        text = refusal(data, **more)
        assert text.startswith(start) and "\n" not in text, (data, more)


def test_several_faulty_lines_are_told_at_once(tmp_path: Path) -> None:
    put(tmp_path, *CLIPS)
    rows = [*GOOD[:3], (20, "bend"), *GOOD[3:], (21, "bend", "clips/gone.avi"), ("clips/ana_bend.avi",)]
    file = write(tmp_path / "list.txt", rows)
    for data in (tmp_path, file):
        assert refusal(data) == (
            f"3 lines are wrong:\n  {file}:4: 2 values, but the others have 3 columns.\n"
            f"  {file}:14: clips/gone.avi is missing.\n"
            f"  {file}:15: 1 value, but the others have 3 columns."
        )


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0), (2, 1), (1, 2)])
@pytest.mark.parametrize("separator", [" ", "\t", ",", ";"])
def test_other_columns_and_separators(tmp_path: Path, order: Sequence[int], separator: str) -> None:
    put(tmp_path, *CLIPS)
    rows = [*GOOD, (12, "bend", "clips/gone.avi")]
    file = write(tmp_path / "list.txt", [[row[n] for n in order] for row in rows], separator)
    for data in (tmp_path, file):
        assert refusal(data).startswith(f"Listed but missing below {tmp_path}: clips/gone.avi ({file}:13).")


def test_faulty_lines_of_a_list_beside_flat_parts(tmp_path: Path) -> None:
    put(tmp_path, *(f"{'train' if n < 6 else 'validate'}/{n}.mp4" for n in range(10)))
    rows = [("Video", "Class", "Part"), *((n, "ab"[n % 2], "xy"[n > 5]) for n in range(10))]
    file = write(tmp_path / "labels.csv", [*rows, (10, "a", "x"), (3,)], ",")
    for data in (tmp_path, file):
        assert refusal(data).startswith(
            f"2 lines are wrong:\n  {file}:12: 10 is missing.\n  {file}:13: 1 value"
        )


def test_a_list_that_is_asked_for_is_read_whatever_its_faults(tmp_path: Path) -> None:
    put(tmp_path, *CLIPS[:2])
    file = write(tmp_path / "list.txt", GOOD)
    for more in ({"layout": "list"}, {}):
        assert "With column 3 as the path, 10 of 12 files are missing" in refusal(tmp_path, **more)
    named = f"Listed but missing below {tmp_path}: clips/cy_bend.avi ({file}:3)"
    assert refusal(tmp_path, columns=NAMED).startswith(named)
    (tmp_path / "README.txt").write_text("Clips of three classes.\n")
    assert refusal(tmp_path, columns=NAMED).startswith(named), "prose is no list"
    file.write_text("nothing of use\n")
    (tmp_path / "README.txt").unlink()
    assert "list.txt:1" in refusal(tmp_path, layout="list")


def test_columns_beside_class_folders_mean_the_list(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{n}.mp4" for name in "ab" for n in range(4)))
    rows = [(n, f"class {name}", f"{name}/{n}.mp4") for name in "ab" for n in range(4)]
    write(tmp_path / "list.txt", rows)
    assert index(tmp_path, columns=NAMED).classes == ("class a", "class b")
    (tmp_path / "list.txt").unlink()
    with pytest.raises(UsageError, match="--columns goes with a list"):
        index(tmp_path, columns=NAMED)


def test_where_several_readings_are_possible_the_columns_are_shown(tmp_path: Path) -> None:
    put(tmp_path, *CLIPS)
    rows = [(clip, f"p{n % 2}", label) for n, label, clip in GOOD]
    file = write(tmp_path / "list.txt", [*rows, ("clips/gone.avi", "p1", "bend")])
    for data in (tmp_path, file):
        text = refusal(data)
        assert "2 readings are possible: --columns path,label,other or --columns path,other,label" in text
        assert f"  vidnas check --data {file} --columns path,label,other" in text
    write(tmp_path / "list.txt", [("clip", "who", "Label"), *rows, ("clips/gone.avi", "p1", "bend")])
    assert refusal(tmp_path).startswith("Listed but missing below ")


def test_a_text_that_names_a_video_is_no_list(tmp_path: Path) -> None:
    put(tmp_path, *CLIPS)
    (tmp_path / "README.txt").write_text("Clips of three classes.\nThe best is ana_bend.avi\nBy me.\n")
    assert refusal(tmp_path).startswith("There is only one class, 'clips'")
