"""The verbs on a pack, beside the same ones on the videos it was made of."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from vidnas.cli.main import main

SETTINGS = {"preset": "demo", "size-px": 16, "segments": 2, "batch-size": 8, "workers": 0, "epochs": 2}
SETTINGS |= {"num-cells": 2, "first-channels": 2, "device": "cpu"}
SMALL = [part for name, value in SETTINGS.items() for part in (f"--{name}", str(value))]


def vidnas(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def folder(tiny_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack, and trainings on it and on the videos with the same settings."""
    folder = tmp_path_factory.mktemp("runs")
    vidnas("pack", "--data", tiny_videos, "--out", folder / "pack", "--quality", 100, "--workers", 1)
    for data, run in ((tiny_videos, "on videos"), (folder / "pack", "on pack")):
        vidnas("train", "--genotype", "random:0", "--data", data, "--out", folder / run, *SMALL)
    return folder


def read(file: Path) -> Any:
    return json.loads(file.read_text())


def test_a_training_on_a_pack_learns_from_the_same_clips(folder: Path) -> None:
    videos, pack = (read(folder / run / "videos.json") for run in ("on videos", "on pack"))
    assert pack == videos
    first, second = (
        [json.loads(line) for line in (folder / run / "metrics.jsonl").read_text().splitlines()]
        for run in ("on videos", "on pack")
    )
    for a, b in zip(first, second, strict=True):
        if a["kind"] == "train":
            assert b["loss"] == pytest.approx(a["loss"], rel=0.1), "but for what JPEG loses"


def test_either_tests_the_other(folder: Path, tiny_videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same videos, wherever they are read from, are in the test part, and none that was learnt from."""
    vidnas(
        "evaluate",
        "--run",
        folder / "on videos",
        "--data",
        folder / "pack",
        "--split-by",
        "auto",
        "--workers",
        0,
    )
    vidnas(
        "evaluate", "--run", folder / "on pack", "--data", tiny_videos, "--split-by", "auto", "--workers", 0
    )
    tested = [line for line in capsys.readouterr().out.splitlines() if "videos; protocol" in line]
    assert len(tested) == 2


def test_a_pack_of_a_run_s_videos_is_divided_as_the_run_divided_them(
    few_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a test split in the data, too."""
    data = tmp_path / "data"
    shutil.copytree(few_videos, data)
    for name in data.glob("*.txt"):
        name.unlink()
    vidnas("pack", "--data", data, "--out", tmp_path / "pack", "--workers", 1)
    vidnas("train", "--genotype", "random:0", "--data", data, "--out", tmp_path / "run", *SMALL)
    vidnas("evaluate", "--run", tmp_path / "run", "--data", tmp_path / "pack", "--workers", 0)
    vidnas("evaluate", "--run", tmp_path / "run", "--data", data, "--workers", 0)
    tested = [line.split(";")[0] for line in capsys.readouterr().out.splitlines() if "; protocol" in line]
    assert len(tested) == 2


def test_a_pack_of_smaller_frames_than_the_thumbnails_can_be_evaluated(
    folder: Path, tiny_videos: Path, tmp_path: Path
) -> None:
    """Frames of 18 px are all that clips of 16 px need; the pictures of answers take what is there."""
    vidnas("pack", "--data", tiny_videos, "--out", tmp_path / "pack", "--short-side-px", 18, "--workers", 1)
    shutil.copytree(folder / "on videos", tmp_path / "run")
    vidnas("evaluate", "--run", tmp_path / "run", "--data", tmp_path / "pack", "--workers", 0)
    assert any((tmp_path / "run" / "evaluation-paper-clips").glob("*-1.jpg"))


def test_clips_larger_than_the_pack_are_refused_before_there_is_a_run(
    tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vidnas("pack", "--data", tiny_videos, "--out", tmp_path / "pack", "--short-side-px", 12, "--workers", 1)
    for verb in (("search",), ("train", "--genotype", "random:0")):
        command = [*verb, "--data", str(tmp_path / "pack"), "--out", str(tmp_path / "run"), *SMALL]
        assert main(command) == 1
        assert "was packed with a short side of 12 px" in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


def test_a_search_on_a_pack_ends_with_a_cell(folder: Path) -> None:
    vidnas("search", "--data", folder / "pack", "--out", folder / "search", *SMALL)
    assert (folder / "search" / "genotype.json").is_file() and (folder / "search" / "clips.png").is_file()
    vidnas("check", "--data", folder / "pack")
    assert not (folder / "pack" / ".vidnas-index.json").exists()
