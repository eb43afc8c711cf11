"""Lists of more columns than a path and a label are understood where one reading alone is right."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from listed import index, put, write

from vidnas.errors import UsageError, UserError
from vidnas.video.index.tables import parse_columns
from vidnas.video.items import VideoIndex

LABELS = ("Jump", "Run", "Wave")
CLIPS = [f"{name}/{name}_{group}_{clip}.mp4" for name in LABELS for group in (3, 8) for clip in (1, 2)]


def labelled(read: VideoIndex) -> dict[str, str]:
    """File name -> class name of all videos."""
    return {item.path.name: read.classes[item.label] for item in (*read.train, *read.test)}


RIGHT = {clip.rpartition("/")[2]: clip.partition("/")[0] for clip in CLIPS}


def label_of(clip: str) -> str:
    return clip.partition("/")[0]


def number_of(clip: str) -> int:
    return LABELS.index(label_of(clip))


@pytest.mark.parametrize("header", [(), (("VideoID", "ClassID", "File"),)], ids=["bare", "header"])
@pytest.mark.parametrize("separator", ["\t", ",", ";", " ", "   ", " \t"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)])
def test_number_label_and_path_in_any_order(
    tmp_path: Path, order: Sequence[int], separator: str, header: tuple[tuple[str, ...], ...]
) -> None:
    rows = [*header, *((n, number_of(clip), clip) for n, clip in enumerate(put_clips(tmp_path)))]
    file = write(tmp_path / "list.txt", [[row[column] for column in order] for row in rows], separator)
    read = index(file)
    assert labelled(read) == RIGHT
    assert any(note.startswith("Found out: ") for note in read.notes)


def put_clips(folder: Path) -> list[str]:
    put(folder, *CLIPS)
    return CLIPS


def test_the_flag_that_says_the_same_is_told_and_does_the_same(tmp_path: Path) -> None:
    rows = [(n, number_of(clip), clip) for n, clip in enumerate(put_clips(tmp_path))]
    file = write(tmp_path / "list.txt", rows)
    read = index(file)
    (note,) = [note for note in read.notes if note.startswith("Found out")]
    assert (
        note
        == "Found out: tabs separate, column 2 the label, column 3 the path (--columns other,label,path)."
    )
    again = index(file, columns=parse_columns("other,label,path"))
    assert (again.classes, again.train, again.test) == (read.classes, read.train, read.test)


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".lst"])
def test_two_columns_the_other_way_round(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path / f"list{suffix}", [(label_of(clip), clip) for clip in put_clips(tmp_path)], ",")
    assert labelled(index(file)) == RIGHT


def test_names_are_taken_for_classes_where_a_column_has_them_beside_numbers(tmp_path: Path) -> None:
    rows = [(n, number_of(c), label_of(c), f"x/{n}.mp4") for n, c in enumerate(CLIPS)]
    put(tmp_path, *(row[3] for row in rows))
    assert index(write(tmp_path / "list.txt", rows)).classes == LABELS


def test_a_number_of_frames_is_no_label(tmp_path: Path) -> None:
    rows = [(clip, 30 + n % 4, number_of(clip), 25) for n, clip in enumerate(put_clips(tmp_path))]
    assert labelled(index(write(tmp_path / "list.txt", rows))) == RIGHT


def test_a_header_that_calls_one_the_label_decides(tmp_path: Path) -> None:
    rows = [(clip, f"p{n % 2}", label_of(clip)) for n, clip in enumerate(put_clips(tmp_path))]
    with pytest.raises(UserError, match="2 readings are possible: --columns path,label,other or "):
        index(write(tmp_path / "list.txt", rows))
    read = index(write(tmp_path / "list.txt", [("video", "person", "Class"), *rows]))
    assert labelled(read) == RIGHT


def test_a_header_may_name_the_split_and_the_group(tmp_path: Path) -> None:
    rows = [(c, label_of(c), ("train", "test")["_8_" in c], f"g{c[-7]}") for c in put_clips(tmp_path)]
    read = index(write(tmp_path / "list.txt", [("file", "action", "Split", "Group"), *rows], ","))
    assert {item.path.stem[-3] for item in read.test} == {"8"}
    assert {item.group for item in read.train} == {"g3"}


def test_names_with_blanks_and_quoted_names(tmp_path: Path) -> None:
    clips = [f"my clips/{name} no  {n}.mp4" for name in LABELS for n in range(3)]
    put(tmp_path, *clips)
    rows = [(n, name[9], clip) for n, (clip, name) in enumerate(zip(clips, clips, strict=True))]
    right = {clip.rpartition("/")[2]: clip[9] for clip in clips}
    assert labelled(index(write(tmp_path / "last.txt", rows, " "))) == right
    first = [(clip, name, n) for n, name, clip in rows]
    assert labelled(index(write(tmp_path / "first.txt", first, " "))) == right
    quoted = [(n, f'"{clip}"', name) for n, name, clip in rows]
    assert labelled(index(write(tmp_path / "quoted.txt", quoted, " "))) == right
    commas = [(n, f'"{clip}"', name) for n, name, clip in rows]
    assert labelled(index(write(tmp_path / "commas.txt", commas, ","))) == right


def test_a_list_of_paths_and_labels_under_a_header(tmp_path: Path) -> None:
    rows = [("video", "label"), *((clip, label_of(clip)) for clip in put_clips(tmp_path))]
    assert labelled(index(write(tmp_path / "list.txt", rows, " "))) == RIGHT


def test_the_first_clip_is_no_header_although_its_file_is_missing(tmp_path: Path) -> None:
    rows = [(n, f"{label_of(c)}", c) for n, c in enumerate(["Sit/gone.mp4", *put_clips(tmp_path)])]
    with pytest.raises(UserError, match=r"Listed but missing below .*: Sit/gone\.mp4 \(.*list\.txt:1\)\."):
        index(write(tmp_path / "list.txt", rows))


def test_a_train_and_a_validate_list_have_the_same_columns(tmp_path: Path) -> None:
    put_clips(tmp_path)
    lists = []
    for name, group in (("train", "_3_"), ("validate", "_8_")):
        rows = [(n, number_of(c), c) for n, c in enumerate(CLIPS) if group in c]
        lists.append(write(tmp_path / f"{name}_list.csv", [("VideoID", "ClassID", "File"), *rows]))
    read = index(lists[0], test_list=lists[1])
    assert labelled(read) == RIGHT and {item.path.stem[-3] for item in read.test} == {"8"}


# What cannot be understood


def test_what_no_reading_explains_shows_the_columns_and_a_command_that_does(tmp_path: Path) -> None:
    put_clips(tmp_path)
    gone = [f"Jump/gone{n}.mp4" for n in range(13)]
    rows = [("a", "b", "c"), *((n, number_of(c), c) for n, c in enumerate([*CLIPS, *gone]))]
    file = write(tmp_path / "list.txt", rows)
    with pytest.raises(UserError) as caught:
        index(file)
    text = str(caught.value)
    assert "With column 3 as the path, 13 of 25 files are missing, such as Jump/gone0.mp4 (" in text
    assert "The columns, which tabs separate, begin with 1: a, 0, 1; 2: b, 0, 0; 3: c, Jump/" in text
    assert "The first lines:\n  a\\tb\\tc\n  0\\t0\\tJump/Jump_3_1.mp4\n" in text
    command = next(line for line in text.splitlines() if line.startswith("  vidnas check"))
    assert shlex.split(command)[-1] == "other,label,path"
    put(tmp_path, *gone)
    assert len(labelled(index(file, columns=parse_columns(shlex.split(command)[-1])))) == 25


def test_a_table_that_lies_elsewhere_is_shown_too(tmp_path: Path) -> None:
    rows = [(n, number_of(clip), clip) for n, clip in enumerate(CLIPS)]
    file = write(tmp_path / "list.txt", rows)
    with pytest.raises(
        UserError, match=r"12 of 12 files are missing.*--roots(.|\n)*--columns other,label,path"
    ):
        index(file)
    (tmp_path / "disk").mkdir()
    put_clips(tmp_path / "disk")
    assert labelled(index(file, roots=(tmp_path / "disk",))) == RIGHT


@pytest.mark.parametrize(
    "text", ["number,path", "path,label,path", "path,label,split,split", "label", "", "path=3,label=2"]
)
def test_columns_that_name_no_path_and_label_are_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="must name every column of the list in its order"):
        parse_columns(text)


def test_rows_that_do_not_have_the_columns_are_all_told(tmp_path: Path) -> None:
    rows: list[Sequence[object]] = [(n, label_of(clip), clip) for n, clip in enumerate(put_clips(tmp_path))]
    rows[3], rows[7] = (3, "Jump"), (7, "Run", CLIPS[7], "x")
    with pytest.raises(UserError) as caught:
        index(write(tmp_path / "list.txt", rows), columns=parse_columns("number,label,path"))
    assert str(caught.value) == (
        f"2 lines are wrong:\n  {tmp_path}/list.txt:4: 2 values, but --columns names 3 columns.\n"
        f"  {tmp_path}/list.txt:8: 4 values, but --columns names 3 columns."
    )


def test_columns_beside_folders_are_a_usage_error(tmp_path: Path) -> None:
    put_clips(tmp_path)
    with pytest.raises(UsageError, match="--columns goes with a list"):
        index(tmp_path, columns=parse_columns("label,path"))


def test_known_lists_keep_their_meaning(tmp_path: Path) -> None:
    """A path with blanks that could be columns, and a list whose clip is missing."""
    put(tmp_path, "1 a.mp4", "2 b.mp4", "3 a.mp4", "4 b.mp4")
    (tmp_path / "list.txt").write_text("1 a.mp4 x\n2 b.mp4 y\n3 a.mp4 x\n4 b.mp4 y\n")
    assert labelled(index(tmp_path / "list.txt")) == {
        "1 a.mp4": "x", "2 b.mp4": "y", "3 a.mp4": "x", "4 b.mp4": "y"
    }  # fmt: skip
    (tmp_path / "4 b.mp4").unlink()
    with pytest.raises(UserError, match=r"Listed but missing below .*: 4 b\.mp4 \("):
        index(tmp_path / "list.txt")
