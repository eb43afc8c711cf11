"""Runs whose videos have moved or whose checkpoint is gone: nothing that was written is overwritten."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

RunVidnas = Callable[..., Any]


@pytest.fixture
def moved_run(
    small: Mapping[str, Sequence[str]], few_videos: Path, run_vidnas: RunVidnas, tmp_path: Path
) -> tuple[Path, Path]:
    """A training that was killed after its first epoch, and the new folder of its videos."""
    videos, moved, run = tmp_path / "videos", tmp_path / "moved", tmp_path / "run"
    shutil.copytree(few_videos, videos)
    killed = {"target": "vidnas.runs.keeper:Keeper.epoch_done", "after": True}
    settings = [*small["train"], "--data", videos, "--out", run, "--workers", 0]
    assert run_vidnas(settings, killed).code == -9
    return run, videos.rename(moved)


def test_a_run_whose_videos_have_moved_knows_where_they_are_now(
    moved_run: tuple[Path, Path], run_vidnas: RunVidnas
) -> None:
    run, moved = moved_run
    again = {"target": "vidnas.training.loop:WeightStep.__call__"}
    assert run_vidnas(["train", "--resume", run, "--data", moved], again).code == -9
    assert json.loads((run / "config.json").read_text())["data"] == str(moved)
    ended = run_vidnas(["train", "--resume", run])
    assert ended.code == 0, ended.printed
    assert run_vidnas(["evaluate", "--run", run, "--data", moved]).code == 0


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_finished_run_without_its_checkpoint_is_not_begun_anew(
    verb: str,
    run_vidnas: RunVidnas,
    uninterrupted: Callable[..., Path],
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted(verb), run)
    (run / "checkpoint.pt").unlink()
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "log.txt"}
    ended = run_vidnas([verb, "--resume", run])
    assert ended.code == 1
    assert "no checkpoint.pt any more. Restore that file, or begin another run with --out" in ended.printed
    assert {path: path.read_bytes() for path in before} == before
