"""Run folders that earlier versions have written: they are read, judged, pictured, and gone on with.

`old_runs/COMMIT.tar.xz` holds a search and a training, finished and begun, a comparison and a pack, each made
by that commit of tiny videos that lie beside them. Their pictures are left out.
"""

import csv
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from little import LITTLE, flags

from vidnas.cli.main import main

ARCHIVES = sorted(Path(__file__).with_name("old_runs").glob("*.tar.xz"))
UNCHANGED = ("top1", "top5", "per_class", "confusion", "interval")
"""The scores that have had one name in all versions."""
Vidnas = Callable[..., str]


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.partition(".")[0])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the runs that one version has written."""
    with lzma.open(request.param) as file, tarfile.open(fileobj=file) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.fixture
def vidnas(old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vidnas:
    """vidnas(verb, ...): all that it prints, in the folder of the runs; it must end well."""
    monkeypatch.chdir(old)

    def run(*words: str) -> str:
        code, printed = main(words), capsys.readouterr()
        assert code == 0, printed.err
        return printed.out + printed.err

    return run


def answers(file: Path) -> list[tuple[str, str]]:
    """Video and answer, line by line."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [(Path(row["path"]).name, row["predicted"]) for row in csv.DictReader(lines)]


def scores_of(comparison: dict[str, Any]) -> dict[str, list[object]]:
    """Row by row, the scores of its trainings."""
    return {
        row["name"]: [run["scores"][name] for run in row["runs"] for name in UNCHANGED]
        for row in comparison["rows"]
    }


def test_there_are_some() -> None:
    assert len(ARCHIVES) == 2


def test_a_training_is_judged_as_it_was(old: Path, vidnas: Vidnas) -> None:
    before = json.loads((old / "training/evaluation-paper.json").read_text())
    told = answers(old / "training/evaluation-paper-predictions.csv")
    vidnas("evaluate", "--data", "videos", "--run", "training", "--workers", "0", "--protocol", "paper")
    again = json.loads((old / "training/evaluation-paper.json").read_text())
    assert [again["scores"][name] for name in UNCHANGED] == [before["scores"][name] for name in UNCHANGED]
    assert answers(old / "training/evaluation-paper-predictions.csv") == told


def test_it_predicts_and_is_pictured(old: Path, vidnas: Vidnas) -> None:
    said = vidnas("predict", "videos/Grow", "--run", "training", "--csv", "told.csv")
    assert "Grow" in said and (old / "told.csv").exists()
    vidnas("report", "training", "--out", "training.html")
    vidnas("report", "search", "--out", "search.html")
    vidnas("draw", "search", "--out", "cell.svg")
    assert all((old / name).stat().st_size > 1000 for name in ("training.html", "search.html", "cell.svg"))


@pytest.mark.parametrize("verb", [pytest.param("search", marks=pytest.mark.slow), "train"])
def test_one_that_was_interrupted_goes_on(verb: str, old: Path, vidnas: Vidnas) -> None:
    begun = old / f"begun-{verb}" / "metrics.jsonl"
    first = begun.read_text().splitlines()
    vidnas(verb, "--resume", f"begun-{verb}")
    lines = begun.read_text().splitlines()
    assert lines[: len(first)] == first
    assert sum(json.loads(line)["kind"] == verb for line in lines) == 40


def test_a_comparison_keeps_its_rows(old: Path, vidnas: Vidnas) -> None:
    before = json.loads((old / "comparison/comparison.json").read_text())
    vidnas("compare", "--resume", "comparison")
    again = json.loads((old / "comparison/comparison.json").read_text())
    assert scores_of(again) == scores_of(before)


def test_a_pack_is_read(vidnas: Vidnas) -> None:
    vidnas("pack", "--out", "packed", "--verify")
    vidnas("train", "--data", "packed", "--genotype", "search", *flags(**LITTLE), "--out", "of-a-pack")
