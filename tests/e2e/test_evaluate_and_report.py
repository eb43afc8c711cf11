"""From a trained network to its page: what `evaluate` stores, and that `report` shows it."""

import base64
import csv
import io
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vidnas.cli.main import main
from vidnas.config.learning import EvaluateConfig
from vidnas.runs.read import read_run
from vidnas.verbs.evaluate import run_evaluate
from vidnas.verbs.train import run_train

SMALL = {"preset": "demo", "size-px": 16, "segments": 2, "batch-size": 8, "workers": 0, "epochs": 1}
SMALL |= {"num-cells": 2, "first-channels": 2}


def vidnas_main(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def evaluated(tiny_training: Path, tiny_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training, evaluated once by either protocol."""
    run = tmp_path_factory.mktemp("runs") / "a training"
    shutil.copytree(tiny_training, run)
    for protocol in ("paper", "multi"):
        vidnas_main("evaluate", "--run", run, "--data", tiny_videos, "--workers", 0, "--protocol", protocol)
    return run


READ = ("config.json", "checkpoint.pt", "classes.json", "genotype.json", "videos.json")


@pytest.mark.parametrize("verb", ["evaluate", "train --init"])
def test_a_run_is_read_once(
    verb: str, evaluated: Path, tiny_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, opened, real = tmp_path / "learnt", Counter[str](), Path.open
    shutil.copytree(evaluated, run)
    training = read_run(run).training

    def counted(path: Path, *given: Any, **named: Any) -> Any:
        opened.update([path.name] if path.parent == run else [])
        return real(path, *given, **named)

    monkeypatch.setattr(Path, "open", counted)
    if verb == "evaluate":
        run_evaluate(EvaluateConfig(run=str(run), data=str(tiny_videos), workers=0))
    else:
        run_train(replace(training, genotype=None, init=str(run), out=str(tmp_path / "run")))
    read = (*READ, "metrics.jsonl") if verb == "evaluate" else READ
    assert {name: opened[name] for name in read} == dict.fromkeys(read, 1)


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8", "surrogateescape"), newline="")))


@pytest.mark.parametrize("protocol", ["paper", "multi"])
def test_every_prediction_is_in_the_table_and_they_make_up_the_scores(
    evaluated: Path, tiny_videos: Path, protocol: str
) -> None:
    rows = table(evaluated / f"evaluation-{protocol}-predictions.csv")
    result = json.loads((evaluated / f"evaluation-{protocol}.json").read_text())
    listed = (tiny_videos / "testlist01.txt").read_text().split()
    assert sorted(row["path"] for row in rows) == sorted(
        str(tiny_videos / "videos" / name) for name in listed
    )
    assert all(Path(row["path"]).parent.name == row["label"] for row in rows)
    assert all(f"_{row['group']}_" in row["path"] for row in rows)
    classes = result["classes"]
    confusion = Counter((row["label"], row["predicted"]) for row in rows)
    assert [[confusion[true, other] for other in classes] for true in classes] == result["scores"][
        "confusion"
    ]
    assert sum(row["right"] == "true" for row in rows) / len(rows) == result["scores"]["top1"]
    for row in rows:
        probabilities = {name: float(row[f"p({name})"]) for name in classes}
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-4)
        assert float(row["score"]) == max(probabilities.values()) == probabilities[row["predicted"]]


def test_the_surest_right_and_wrong_clips_are_kept_as_small_pictures(evaluated: Path) -> None:
    rows = table(evaluated / "evaluation-paper-predictions.csv")
    clips = json.loads((evaluated / "evaluation-paper.json").read_text())["clips"]
    for right in (True, False):
        scores = sorted(
            (float(row["score"]) for row in rows if (row["right"] == "true") == right), reverse=True
        )
        shown = [clip for clip in clips if clip["right"] == right]
        assert [clip["score"] for clip in shown] == pytest.approx(scores[:8], rel=1e-5)
    assert {clip["path"] for clip in clips} <= {row["path"] for row in rows}
    for clip in clips:
        with Image.open(evaluated / clip["file"]) as image:
            assert image.format == "JPEG"
            assert max(image.size) == 160


def test_an_evaluation_takes_a_number_under_which_nothing_lies(
    evaluated: Path, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where only a part of an earlier one is left. What it says of its files are their whole paths."""
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    (run / "evaluation-paper.json").unlink()
    (run / "evaluation-paper-2-predictions.csv").write_text("mine")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    vidnas_main("evaluate", "--run", run, "--data", tiny_videos, "--workers", 0)
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert {path: after[path] for path in before} == before
    new = {path.relative_to(run).parts[0] for path in after.keys() - before.keys()}
    endings = (".json", "-confusion.png", "-predictions.csv", "-clips")
    assert new == {f"evaluation-paper-3{ending}" for ending in endings}
    (told,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("Written: "))
    paths = [part.partition(": ")[2] for part in told.split("   ")]
    assert paths == [str(run / f"evaluation-paper-3{ending}") for ending in endings]


def test_the_page_shows_what_the_evaluation_stored(
    evaluated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vidnas_main("report", evaluated)
    assert capsys.readouterr().out == f"Written: {evaluated / 'report.html'}\n"
    page = (evaluated / "report.html").read_text()
    for clip in json.loads((evaluated / "evaluation-multi.json").read_text())["clips"]:
        assert base64.b64encode((evaluated / clip["file"]).read_bytes()).decode() in page
    assert "mean of 10 clips x 3 crops a video" in page
    assert "Not finished" not in page
    assert "cannot be read" not in page


def test_a_bad_test_video_is_told_or_left_out_as_asked(
    evaluated: Path, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = tmp_path / "videos", tmp_path / "run"
    shutil.copytree(tiny_videos, data)
    shutil.copytree(evaluated, run)
    bad = data / "videos" / (data / "testlist01.txt").read_text().split()[0]
    bad.write_bytes(b"")
    arguments = [*map(str, ("evaluate", "--run", run, "--data", data, "--workers", "1"))]
    assert main(arguments) == 1
    assert bad.name in capsys.readouterr().err
    assert not (run / "evaluation-paper-2.json").exists()
    assert main([*arguments, "--on-bad", "skip"]) == 0
    assert bad.name in capsys.readouterr().out.rpartition("Written: ")[2]
    listed = [row["path"] for row in table(run / "evaluation-paper-2-predictions.csv")]
    assert str(bad) not in listed
    assert len(listed) == 15
