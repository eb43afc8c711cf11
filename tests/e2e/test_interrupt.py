"""Ctrl-C and SIGTERM: the step is finished, the run is saved, the command that resumes it is printed."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vidnas.runs.checkpoint import load_checkpoint

CTRL_C = {"does": "send", "number": int(signal.SIGINT)}
TERMINATE = {"does": "send", "number": int(signal.SIGTERM)}
WEIGHT_STEP, WITHIN = "vidnas.training.loop:WeightStep.__call__", "vidnas.training.loop:WeightStep._update"
INSTANTS = {
    "in a step": ("train", {"target": WITHIN, "nth": 3}, (0, 3)),
    "between two steps": ("train", {"target": WEIGHT_STEP, "nth": 4}, (0, 4)),
    "in the last step of an epoch": ("search", {"target": WITHIN, "nth": 4}, (0, 4)),
    "in alpha's step": ("search", {"target": "vidnas.nas.methods.darts:Architect.loss", "nth": 6}, (1, 2)),
    "in the validation": ("search", {"target": "vidnas.training.loop:_mean_over_views", "nth": 3}, (1, 4)),
    "between the record and the checkpoint": (
        "search",
        {"target": "vidnas.runs.log:RunLog.record", "after": True},
        (1, 0),
    ),
    "while saving": ("train", {"target": "pathlib:Path.replace", "name": "checkpoint.pt"}, (1, 0)),
    "in the test": ("train", {"target": "vidnas.training.loop:_mean_over_views", "nth": 2}, (2, 0)),
}
"""Where in which verb, and how many epochs and steps of the next are done when it has stopped."""

Small = Mapping[str, Sequence[str]]
RunVidnas = Callable[..., Any]
Outcome = Callable[[Path], dict[str, object]]
Uninterrupted = Callable[..., Path]


def next_command(printed: str) -> list[str]:
    """What to type behind `vidnas`, from the last line that a stopped run has printed."""
    return shlex.split(printed.splitlines()[-1].partition(": vidnas ")[2])


@pytest.mark.parametrize(("verb", "instant", "position"), INSTANTS.values(), ids=INSTANTS)
def test_ctrl_c_finishes_the_step_saves_and_prints_the_command_that_goes_on(
    verb: str,
    instant: dict[str, Any],
    position: tuple[int, int],
    small: Small,
    run_vidnas: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    out = tmp_path / 'it\'s a "run"'
    stopped = run_vidnas([*small[verb], "--out", out, "--workers", 0], instant | CTRL_C)
    assert stopped.code == 130
    assert stopped.printed.count("Stopping after this step; Ctrl-C again stops at once.") == 1
    assert "Traceback" not in stopped.printed
    state = load_checkpoint(out / "checkpoint.pt")
    assert (state["epoch"], state["step"]) == position
    resumed = run_vidnas(next_command(stopped.printed))
    assert resumed.code == 0, resumed.printed
    assert outcome(out) == outcome(uninterrupted(verb))


def test_sigterm_does_the_same(small: Small, run_vidnas: RunVidnas, tmp_path: Path) -> None:
    instant = {"target": WITHIN, "nth": 3}
    stopped = run_vidnas([*small["train"], "--out", tmp_path, "--workers", 0], instant | TERMINATE)
    assert stopped.code == 143
    assert load_checkpoint(tmp_path / "checkpoint.pt")["step"] == 3
    assert next_command(stopped.printed) == ["train", "--resume", str(tmp_path)]


@pytest.mark.parametrize("first", [CTRL_C, TERMINATE], ids=["Ctrl-C", "SIGTERM"])
def test_ctrl_c_again_stops_at_once(
    first: dict[str, Any],
    small: Small,
    run_vidnas: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    """What was done since the last checkpoint is done again."""
    instants = {"target": WEIGHT_STEP, "nth": 9} | first, {"target": WITHIN, "nth": 9} | CTRL_C
    stopped = run_vidnas([*small["train"], "--out", tmp_path, "--workers", 0], *instants)
    assert stopped.code == 130
    assert "Stopped at once. To go on from the last checkpoint: vidnas train --resume" in stopped.printed
    assert "Traceback" not in stopped.printed
    assert load_checkpoint(tmp_path / "checkpoint.pt")["epoch"] == 1
    assert run_vidnas(next_command(stopped.printed)).code == 0
    assert outcome(tmp_path) == outcome(uninterrupted("train"))


def test_ctrl_c_when_all_is_learnt_lets_the_result_be_written(
    small: Small, run_vidnas: RunVidnas, uninterrupted: Uninterrupted, outcome: Outcome, tmp_path: Path
) -> None:
    instant = {"target": "vidnas.verbs.train:_write_result"} | CTRL_C
    assert run_vidnas([*small["train"], "--out", tmp_path, "--workers", 0], instant).code == 0
    assert outcome(tmp_path) == outcome(uninterrupted("train"))


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_workers_that_get_the_signal_too_leave_it_to_the_main_process(
    sent: signal.Signals,
    code: int,
    small: Small,
    run_vidnas: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    """As a terminal or a cluster sends it: to a whole process group, here once the first step is saved."""
    settings = ["--out", "a run", "--workers", "2", "--checkpoint-minutes", "0", "--epochs", "15"]
    command = [sys.executable, "-m", "vidnas", *small["train"], *settings]
    with (tmp_path / "printed.txt").open("w") as printed:
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=printed, stderr=printed, start_new_session=True
        )
    until = time.monotonic() + 100
    while not (tmp_path / "a run" / "checkpoint.pt").exists() and time.monotonic() < until:
        time.sleep(0.001)
    os.killpg(process.pid, sent)
    assert process.wait(60) == code
    text = (tmp_path / "printed.txt").read_text()
    assert "Traceback" not in text
    assert next_command(text) == ["train", "--resume", "a run"]
    state = load_checkpoint(tmp_path / "a run" / "checkpoint.pt")
    assert 0 < 6 * state["epoch"] + state["step"] < 90
    resumed = run_vidnas(["train", "--resume", tmp_path / "a run"])
    assert resumed.code == 0
    assert outcome(tmp_path / "a run") == outcome(uninterrupted("train", "--epochs", "15"))


def test_a_run_of_which_a_worker_is_killed_says_what_to_do_and_how_to_go_on(
    small: Small, run_vidnas: RunVidnas, uninterrupted: Uninterrupted, outcome: Outcome, tmp_path: Path
) -> None:
    """PyTorch may print more, since the signal of the death interrupts the run wherever it is."""
    killed = {"target": WITHIN, "nth": 8, "does": "kill_worker"}
    stopped = run_vidnas([*small["train"], "--out", tmp_path, "--workers", 2], killed)
    assert stopped.code == 1
    assert "vidnas: A process that decodes videos died: " in stopped.printed
    assert "If the memory ran out, use fewer --workers" in stopped.printed
    command = next(line for line in stopped.printed.splitlines() if " To go on: " in line)
    assert run_vidnas(next_command(command)).code == 0
    assert outcome(tmp_path) == outcome(uninterrupted("train"))
