"""Data sets as their authors lay them out give predictions, and no file of theirs is edited."""

import csv
import hashlib
import json
import shlex
import shutil
from pathlib import Path

import pytest

from vidnas.cli.main import main
from vidnas.config import presets

SETTINGS = {"preset": "demo", "size-px": 16, "segments": 2, "batch-size": 8, "workers": 0, "epochs": 1}
SETTINGS |= {"num-cells": 1, "first-channels": 2}
SMALL = [part for name, value in SETTINGS.items() for part in (f"--{name}", str(value))]
CLASSES = ("Grow", "Shrink")


def vidnas(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def clips(tiny_videos: Path) -> list[tuple[str, Path]]:
    """(name as in Grow_1_2.avi, video) of 16 videos of two classes, each of 4 recordings."""
    found = []
    for name in CLASSES:
        for path in sorted((tiny_videos / "videos" / name).iterdir()):
            _, _, group, clip = path.stem.split("_")
            found.append((f"{name}_{int(group[1:])}_{int(clip[1:])}.avi", path))
    return found


def is_test(name: str) -> bool:
    return name.split("_")[1] == "4"


@pytest.fixture
def three_columns(tiny_videos: Path, tmp_path: Path) -> Path:
    """Lists of number, label and path below a header, tabs between them, beside the folder of all clips."""
    folder = tmp_path / "dark actions"
    rows: dict[str, list[str]] = {part: ["VideoID\tClassID\tVideo"] for part in ("train", "validate")}
    for number, (name, path) in enumerate(clips(tiny_videos)):
        label = CLASSES.index(name.split("_")[0])
        (folder / "clips" / CLASSES[label]).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / "clips" / CLASSES[label] / name)
        part = "validate" if is_test(name) else "train"
        rows[part].append(f"{number}\t{label}\tclips/{CLASSES[label]}/{name}")
    for part, lines in rows.items():
        (folder / f"list_{part}.csv").write_text("\r\n".join(lines) + "\r\n")
    return folder


@pytest.fixture
def train_and_validate(tiny_videos: Path, tmp_path: Path) -> Path:
    """train/ and validate/, each with a folder per class."""
    folder = tmp_path / "actions"
    for name, path in clips(tiny_videos):
        target = folder / ("validate" if is_test(name) else "train") / name.split("_")[0] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


@pytest.fixture
def flat(train_and_validate: Path, tmp_path: Path) -> Path:
    """The same without class folders; a list in each part gives numbers, labels and names without suffix."""
    folder = tmp_path / "flat actions"
    for part in ("train", "validate"):
        (folder / part).mkdir(parents=True)
        names = sorted((train_and_validate / part).rglob("*.avi"))
        for path in names:
            shutil.copyfile(path, folder / part / path.name)
        lines = [f"{number} {path.parent.name} {path.stem}\n" for number, path in enumerate(names)]
        (folder / f"{part}.txt").write_text("".join(lines))
    return folder


def digests(folder: Path) -> dict[Path, str]:
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".vidnas")
    }


@pytest.mark.parametrize("data", ["three_columns", "train_and_validate", "flat", "two lists"])
def test_check_train_evaluate_and_predict(
    data: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder: Path = request.getfixturevalue("three_columns" if data == "two lists" else data)
    before = digests(folder)
    given: list[object] = ["--data", folder]
    if data == "two lists":
        given = ["--data", folder / "list_train.csv", "--test-list", folder / "list_validate.csv"]
    assert vidnas("check", *given) == 0
    assert "12 training and 4 test videos" in capsys.readouterr().out
    run = tmp_path / "a network"
    assert vidnas("train", *given, "--genotype", "random:0", "--out", run, *SMALL) == 0
    following = capsys.readouterr().out.removeprefix("Next: ")
    assert json.loads((run / "classes.json").read_text()) == list(CLASSES)
    assert vidnas(*shlex.split(following)[1:], "--workers", 0) == 0
    rows = csv.DictReader((run / "evaluation-paper-predictions.csv").open(newline=""))
    assert {Path(row["path"]).name for row in rows} == {
        p.name for p in folder.rglob("*.avi") if is_test(p.name)
    }
    assert (
        vidnas("predict", "--run", run, next(folder.rglob("*.avi")), "--csv", tmp_path / "answers.csv") == 0
    )
    (answer, *_) = csv.DictReader((tmp_path / "answers.csv").open(newline=""))
    assert answer["label"] in CLASSES
    assert digests(folder) == before


def test_a_csv_file_that_check_has_written_is_the_same_data(
    three_columns: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert vidnas("check", "--data", three_columns, "--write-csv", tmp_path / "all.csv") == 0
    assert f"Written: {tmp_path / 'all.csv'}, 16 videos" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "all.csv").open(newline="")))
    assert rows[0] == {
        "path": "dark actions/clips/Grow/Grow_1_1.avi", "label": "Grow", "split": "train", "group": "1"
    }  # fmt: skip
    assert sum(row["split"] == "test" for row in rows) == 4
    assert vidnas("check", "--data", tmp_path / "all.csv") == 0
    assert "12 training and 4 test videos" in capsys.readouterr().out
    text = (tmp_path / "all.csv").read_text()
    assert vidnas("check", "--data", three_columns, "--write-csv", tmp_path / "all.csv") == 1
    assert "--write-csv" in capsys.readouterr().err and (tmp_path / "all.csv").read_text() == text


def test_a_csv_file_fixes_the_division_that_was_made(
    train_and_validate: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = train_and_validate / "train"
    assert vidnas("check", "--data", data, "--write-csv", tmp_path / "all.csv") == 0
    assert "Divided by group" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "all.csv").open(newline="")))
    groups = {row["group"] for row in rows if row["split"] == "test"}
    assert len(groups) == 1 and not groups & {row["group"] for row in rows if row["split"] == "train"}


def test_columns_that_were_named_stay_with_the_runs(
    three_columns: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lists = ["--data", three_columns / "list_train.csv", "--test-list", three_columns / "list_validate.csv"]
    columns = "number,label,path"
    run = tmp_path / "a network"
    train = ("train", *lists, "--columns", columns, "--genotype", "random:0", "--out", run, *SMALL)
    assert vidnas(*train) == 0
    assert json.loads((run / "config.json").read_text())["columns"] == columns
    assert vidnas("evaluate", "--run", run, "--data", lists[1], "--workers", 0) == 0
    assert "Read list_train.csv and list_validate.csv." in capsys.readouterr().out
    config = presets.search_preset("demo", data="x", columns=columns)
    assert ["--columns", columns] == presets.same_clips(config, "demo")[-2:]
