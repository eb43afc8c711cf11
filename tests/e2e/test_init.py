"""`train --init RUN`: a training that begins with another run's weights."""

import json
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from vidnas.runs.checkpoint import load_checkpoint

Small = Mapping[str, Sequence[str]]
RunVidnas = Callable[..., Any]
Outcome = Callable[[Path], dict[str, object]]
Uninterrupted = Callable[..., Path]

BEFORE_THE_FIRST_STEP = {"target": "vidnas.assembly.trainings:train_epoch"}
CTRL_C = {"does": "send", "number": int(signal.SIGINT)}


@pytest.fixture
def learnt(uninterrupted: Uninterrupted) -> Path:
    """The run whose weights are taken over: of 2 classes, Grow and Shrink."""
    return uninterrupted("train")


@pytest.fixture
def other_videos(few_videos: Path, tmp_path: Path) -> Path:
    """Videos of the same classes that nobody has learnt from."""
    for path in few_videos.glob("*/*.avi"):
        copy = tmp_path / "other videos" / path.parent.name / path.name.replace("_g0", "_g1")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes() + b"another")
    return tmp_path / "other videos"


@pytest.fixture
def settings(small: Small) -> list[str]:
    """The small training's settings but for its genotype and its videos."""
    given = list(small["train"])
    for name in ("--genotype", "--data"):
        del given[given.index(name) : given.index(name) + 2]
    return given


def first_weights(run_vidnas: RunVidnas, command: Sequence[object], out: Path) -> dict[str, torch.Tensor]:
    """What a training begins with: Ctrl-C before its first step has it saved."""
    told = run_vidnas([*command, "--out", out, "--workers", 0], BEFORE_THE_FIRST_STEP | CTRL_C)
    assert told.code == 130, told.printed
    state = load_checkpoint(out / "checkpoint.pt")
    assert (state["epoch"], state["step"]) == (0, 0)
    weights: dict[str, torch.Tensor] = state["network"]
    return weights


def test_with_the_same_classes_all_weights_are_taken_over(
    learnt: Path, other_videos: Path, settings: list[str], run_vidnas: RunVidnas, tmp_path: Path
) -> None:
    command = [*settings, "--init", learnt, "--data", other_videos]
    weights = first_weights(run_vidnas, command, tmp_path / "run")
    expected = load_checkpoint(learnt / "checkpoint.pt")["network"]
    assert weights.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights.items())
    assert (tmp_path / "run" / "genotype.json").read_text() == (learnt / "genotype.json").read_text()
    assert f"Weights from {learnt}.\n" in (tmp_path / "run" / "log.txt").read_text()


def test_with_other_classes_all_weights_but_the_head_s_are_taken_over(
    learnt: Path, other_videos: Path, settings: list[str], run_vidnas: RunVidnas, tmp_path: Path
) -> None:
    shutil.copytree(other_videos / "Grow", other_videos / "Hop")
    for path in (other_videos / "Hop").iterdir():
        path.write_bytes(path.read_bytes() + b"hop")
    command = [*settings, "--init", learnt, "--data", other_videos]
    weights = first_weights(run_vidnas, command, tmp_path / "run")
    expected = load_checkpoint(learnt / "checkpoint.pt")["network"]
    new = {name for name, tensor in weights.items() if not torch.equal(tensor, expected[name])}
    assert new == {name for name in weights if name.startswith("head.")}
    assert {len(weights[name]) for name in new} == {3}
    assert "; the head is new, since the classes are others." in (tmp_path / "run" / "log.txt").read_text()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--num-cells", 2], "was trained with num_cells 1, not 2; use --num-cells 1"),
        (["--first-channels", 3], "was trained with first_channels 1, not 3; use --first-channels 1"),
        (["--stem-stride", 1], "was trained with stem_stride 2, not 1; use --stem-stride 2"),
        (["--clip-norm", "frames"], "was trained with clip_norm off, not frames; use --clip-norm off"),
        (["--genotype", "random:2"], "was trained with another genotype; leave --genotype away"),
    ],
)
def test_another_network_is_refused_by_the_flag_before_anything_is_written(
    flags: list[object],
    told: str,
    learnt: Path,
    other_videos: Path,
    settings: list[str],
    run_vidnas: RunVidnas,
    tmp_path: Path,
) -> None:
    command = [*settings, "--init", learnt, "--data", other_videos, "--out", tmp_path / "run", *flags]
    refused = run_vidnas(command)
    assert refused.code == 1
    assert f"{learnt} {told}" in refused.printed
    assert not (tmp_path / "run").exists()


def test_a_run_that_cannot_be_read_is_refused_before_anything_is_written(
    learnt: Path, other_videos: Path, settings: list[str], run_vidnas: RunVidnas, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    for name in ("checkpoint.pt", "classes.json", "genotype.json", "config.json"):
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(learnt, damaged)
        (damaged / name).write_bytes((damaged / name).read_bytes()[:-3])
        command = [*settings, "--init", damaged, "--data", other_videos, "--out", tmp_path / "run"]
        refused = run_vidnas(command)
        assert (refused.code, f"{damaged / name}" in refused.printed) == (1, True), refused.printed
        assert not (tmp_path / "run").exists(), name


def test_what_the_first_run_has_learnt_from_is_never_tested_on(
    learnt: Path,
    few_videos: Path,
    other_videos: Path,
    settings: list[str],
    run_vidnas: RunVidnas,
    tmp_path: Path,
) -> None:
    """Neither by a training that begins with its weights, nor by any that begins with that one's."""
    seen = tmp_path / "seen"
    for name, _size in json.loads((learnt / "videos.json").read_text())["train"]:
        (seen / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(few_videos / name, seen / name)
    train = [*settings, "--epochs", 1, "--workers", 0]
    refused = run_vidnas([*train, "--init", learnt, "--data", seen, "--out", tmp_path / "never"])
    assert (refused.code, f"are among those that {learnt} has learnt from" in refused.printed) == (1, True)
    assert not (tmp_path / "never").exists()
    for number, before in ((1, learnt), (2, tmp_path / "1")):
        run = tmp_path / str(number)
        assert run_vidnas([*train, "--init", before, "--data", other_videos, "--out", run]).code == 0
        refused = run_vidnas(["evaluate", "--run", run, "--data", seen, "--workers", 0])
        assert (refused.code, f"are among those that {run} has learnt from" in refused.printed) == (1, True)


def test_a_run_that_began_with_another_s_weights_is_resumed_like_any(
    learnt: Path,
    other_videos: Path,
    settings: list[str],
    run_vidnas: RunVidnas,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    """Before the first checkpoint the weights are taken over again; later the first run is needed no more."""
    source = shutil.copytree(learnt, tmp_path / "source")
    command = [*settings, "--init", source, "--data", other_videos, "--workers", 0]
    assert run_vidnas([*command, "--out", tmp_path / "expected"]).code == 0
    run = tmp_path / "run"
    for nth in (3, 9):
        killed = {"target": "vidnas.training.loop:WeightStep._update", "nth": nth}
        assert run_vidnas([*command, "--resume", run], killed).code == -signal.SIGKILL
    shutil.rmtree(source)
    assert run_vidnas(["train", "--resume", run]).code == 0
    assert outcome(run) == outcome(tmp_path / "expected")
