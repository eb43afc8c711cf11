"""Names that trip programs up, of classes, files and folders: they work with every verb or are refused."""

import csv
import html
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from pathlib import Path

import pytest

from vidnas.cli.main import main

Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]

ODD = (
    "Grüße 日本 🎾 مرحبا",
    'it\'s a "quote"',
    "two  spaces and a tab\there",
    "new\nline",
    "-dash --data",
    "100% $HOME `pwd` $\\frac{$ \\",
    "<b>&amp;<i>",
    "*?[a-z]{x},;:#~",
)
"""Each a class, and the name of a file in every class."""


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whose path is odd, too."""
    return tmp_path_factory.mktemp("odd") / ODD[1] / ODD[0]


@pytest.fixture(scope="module")
def odd_data(odd_folder: Path, few_videos: Path) -> Path:
    """A data set of these names, in 8 classes of 8 videos; no two files are the same."""
    sources = sorted(few_videos.rglob("*.avi"))
    for name in ODD:
        for number, file in enumerate(ODD):
            path = odd_folder / "data" / name / f"{file}.avi"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sources[number].read_bytes() + name.encode())
    return odd_folder / "data"


@pytest.fixture(scope="module")
def odd_run(odd_data: Path) -> Path:
    """A search and a training on them, run by the commands that they themselves print."""
    small = (
        "--preset",
        "demo",
        "--epochs",
        "1",
        "--size-px",
        "16",
        "--num-cells",
        "1",
        "--first-channels",
        "1",
    )
    search, train = (odd_data.parent / f"{verb} {ODD[6]}" for verb in ("search", "train"))
    assert main(["search", "--data", str(odd_data), "--out", str(search), *small]) == 0
    genotype = ("--genotype", str(search))
    assert main(["train", *genotype, "--data", str(odd_data), "--out", str(train), *small]) == 0
    return train


def test_search_and_train_keep_the_names(odd_run: Path) -> None:
    assert set(json.loads((odd_run / "classes.json").read_text())) == set(ODD)


def test_check(vidnas: Vidnas, odd_data: Path) -> None:
    code, _out, err = vidnas("check", "--data", odd_data)
    assert (code, err) == (0, "")


def test_evaluate(vidnas: Vidnas, odd_run: Path, odd_data: Path) -> None:
    code, _out, _ = vidnas("evaluate", "--run", odd_run, "--data", odd_data, "--workers", 0)
    assert code == 0
    rows = list(csv.DictReader((odd_run / "evaluation-paper-predictions.csv").open(newline="")))
    assert {row["label"] for row in rows} == set(ODD)
    assert all(Path(row["path"]).is_file() for row in rows)


def test_report(vidnas: Vidnas, odd_run: Path) -> None:
    code, _, err = vidnas("report", odd_run, odd_run.parent / odd_run.name.replace("train", "search"))
    assert code == 0, err
    page = (odd_run / "report.html").read_text()
    assert "<b>&amp;<i>" not in page
    assert [
        name
        for name in ODD
        if html.escape(name, quote=False).split("\n")[0].split("\t")[0]
        not in html.escape(html.unescape(page), quote=False)
    ] == []


def test_draw(vidnas: Vidnas, odd_run: Path, tmp_path: Path) -> None:
    for number, name in enumerate(ODD):
        out = tmp_path / f"{name}{number}.svg"
        code, _, err = vidnas("draw", odd_run, f"--out={out}", f"--title={name}")
        assert (code, out.exists()) == (0, True), err


def test_predict(vidnas: Vidnas, odd_run: Path, odd_data: Path, tmp_path: Path) -> None:
    outputs = ("--csv", tmp_path / f"{ODD[5]}.csv", "--json", tmp_path / f"{ODD[3]}.json")
    code, _out, err = vidnas("predict", "--run", odd_run, odd_data, *outputs)
    assert code == 0
    assert len(err.splitlines()) == 1  # how many videos, as what
    told = json.loads(outputs[3].read_text(encoding="utf-8"))
    rows = list(csv.DictReader(outputs[1].open(newline="", encoding="utf-8")))
    videos = set(map(str, odd_data.rglob("*.avi")))
    assert {row["video"] for row in rows} == {video["path"] for video in told} == videos
    assert {row["label"] for row in rows} <= set(ODD)


def test_predict_of_single_files_and_a_labelled_copy(
    vidnas: Vidnas, odd_run: Path, odd_data: Path, tmp_path: Path
) -> None:
    """Files of the current folder, as a person names them."""
    for number, name in enumerate(ODD):
        shutil.copy(odd_data / ODD[0] / f"{ODD[number]}.avi", tmp_path / f"{name}.avi")
        given = "./" * name.startswith("-") + f"{name}.avi"
        code, _out, err = vidnas("predict", "--run", odd_run, given, "--annotate", f"{number}.mp4")
        assert (code, (tmp_path / f"{number}.mp4").exists()) == (0, True), err


def test_the_commands_that_are_printed_can_be_pasted(vidnas: Vidnas, odd_run: Path, odd_data: Path) -> None:
    """What train says about evaluate, what a shell reads of it, runs."""
    search = odd_run.parent / odd_run.name.replace("train", "search")
    small = ("--size-px", "16", "--num-cells", "1", "--first-channels", "1", "--epochs", "1")
    code, out, _ = vidnas("train", "--genotype", search, "--data", odd_data, "--preset", "demo", *small)
    assert code == 0
    program, *arguments = shlex.split(out.removeprefix("Next: "))
    assert program == "vidnas"
    code, _, err = vidnas(*arguments, "--workers", 0)
    assert code == 0, err


BYTES = os.fsdecode(b"caf\xe9 \xff")


def test_a_file_name_that_is_not_text_is_refused(
    refused: Refused, found_by_check: Callable[..., str], on_data: OnData, videos: Path
) -> None:
    path = videos / "Grow" / f"{BYTES}.avi"
    path.write_bytes((videos / "Grow" / "v_Grow_g01_c01.avi").read_bytes() + b" ")
    sentence = ("1 of 17 videos", "caf\\udce9 \\udcff.avi has a name that is not UTF-8 text. Rename it.")
    refused(*on_data("train", videos), names=sentence)
    found_by_check(videos, names=sentence[1:])


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_class_name_that_is_not_text_is_refused(
    verb: str, refused: Refused, on_data: OnData, videos: Path
) -> None:
    (videos / "Grow").rename(videos / BYTES)
    for path in (videos / BYTES).iterdir():
        path.write_bytes(path.read_bytes() + b" ")
    name = "caf\\udce9 \\udcff"
    refused(*on_data(verb, videos), names=(name,))
    refused(*on_data(verb, videos), "--on-bad", "skip", names=(name,))


def test_predict_of_a_file_whose_name_is_not_text(
    vidnas: Vidnas, few_runs: Mapping[str, Path], good_video: Path, tmp_path: Path
) -> None:
    shutil.copy(good_video, tmp_path / f"{BYTES}.avi")
    more = ("--csv", "out.csv", "--json", "out.json")
    code, out, err = vidnas("predict", "--run", few_runs["train"], tmp_path, *more)
    assert (code, out) == (1, "")
    assert "caf\\udce9 \\udcff.avi has a name that is not UTF-8 text. Rename it." in err
    assert "caf\\udce9" in (tmp_path / "out.csv").read_text()
    json.loads((tmp_path / "out.json").read_text())


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_run_folder_whose_name_is_not_text_is_refused(
    verb: str, refused: Refused, on_data: OnData, few_videos: Path, tmp_path: Path
) -> None:
    command = (part if part != "out" else tmp_path / BYTES for part in on_data(verb, few_videos))
    refused(*command, names=("caf", "the name is not UTF-8 text", "--out"))


def test_what_a_terminal_cannot_print_is_escaped(
    vidnas: Vidnas, odd_run: Path, odd_data: Path, tmp_path: Path
) -> None:
    """One that knows nothing but ASCII, and a name that no encoding knows."""

    def prepare() -> None:
        assert isinstance(sys.stdout, TextIOWrapper)
        sys.stdout.reconfigure(encoding="ascii", errors="strict")

    drawn = tmp_path / f"{BYTES}.png"
    for command, told in (
        (("draw", "random:0", "--out", drawn), "caf\\udce9 \\udcff.png"),
        (("predict", "--run", odd_run, odd_data / ODD[0]), "Gr\\xfc\\xdfe \\u65e5\\u672c"),
        (("check", "--data", odd_data), "Gr\\xfc\\xdfe \\u65e5\\u672c"),
    ):
        code, out, err = vidnas(*command, prepare=prepare)
        assert (code, told in out) == (0, True), (out, err)
    assert drawn.exists()
