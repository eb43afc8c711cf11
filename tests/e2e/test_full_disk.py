"""A disk that is full, for every file that a run writes: told in a sentence, and nothing is lost."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vidnas.runs.checkpoint import load_checkpoint

pytest.importorskip("resource")

LOG = "vidnas.runs.log:RunLog"
INSTANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "metrics.jsonl": (f"{LOG}.record", {"nth": 2}),
    "tensorboard": (f"{LOG}._add_events", {"nth": 2}),
    "log.txt": (f"{LOG}._append", {"name": "Epoch 2/2"}),
    "checkpoint.pt": ("vidnas.runs.keeper:Keeper.epoch_done", {"nth": 2}),
    "result.json": ("vidnas.verbs.train:_write_result", {}),
}
"""A moment before each of these files is written in the second epoch or after it: a checkpoint is there."""

Small = Mapping[str, Sequence[str]]
RunVidnas = Callable[..., Any]
Outcome = Callable[[Path], dict[str, object]]
Uninterrupted = Callable[..., Path]


def limited(room: int) -> str:
    """What is said of a shell's limit, which stands here for a full disk."""
    return f"The shell limits a file to {room:,} bytes: `ulimit -f unlimited` allows more."


@pytest.mark.parametrize(("name", "room"), [*((name, 1) for name in INSTANTS), ("checkpoint.pt", 20_000)])
def test_a_full_disk_ends_a_run_that_can_be_resumed_when_there_is_room_again(
    name: str,
    room: int,
    small: Small,
    run_vidnas: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    target, when = INSTANTS[name]
    run = tmp_path / "run"
    full = {"target": target, "does": "fill_disk", "number": room, **when}
    stopped = run_vidnas([*small["train"], "--out", run, "--workers", 0], full)
    assert stopped.code == 1
    again = ["vidnas", "train", "--resume", str(run)]
    sentence = (
        f"vidnas: Cannot write {run / name}: File too large. {limited(room)} When this is mended, go on: "
    )
    assert stopped.printed.splitlines()[-1] == sentence + shlex.join(again)
    assert "Traceback" not in stopped.printed
    assert load_checkpoint(run / "checkpoint.pt")["epoch"] == (2 if name == "result.json" else 1)
    resumed = run_vidnas(again[1:])
    assert resumed.code == 0, resumed.printed
    assert outcome(run) == outcome(uninterrupted("train"))


def test_on_a_disk_that_is_full_from_the_start_nothing_begins(
    small: Small, run_vidnas: RunVidnas, tmp_path: Path
) -> None:
    command = [*small["train"], "--out", tmp_path / "run", "--workers", 0]
    full = {"target": "vidnas.runs.log:_claim", "does": "fill_disk", "number": 1}
    told = run_vidnas(command, full)
    assert (told.code, told.printed) == (
        1,
        f"vidnas: Cannot write {tmp_path}/run/config.json: File too large. {limited(1)}\n",
    )
    assert run_vidnas(command).code == 0
