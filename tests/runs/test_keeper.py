"""Where a run stands: saved when it should be, and gone on with exactly there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch
from torch import nn

from vidnas.errors import Interrupted, UserError
from vidnas.runs.checkpoint import load_checkpoint, save_checkpoint
from vidnas.runs.files import CHECKPOINT
from vidnas.runs.keeper import Keeper
from vidnas.runs.log import RunLog
from vidnas.training.loop import Stateful, Tally

STEPS, EPOCHS = 3, 4


class Clock(Protocol):
    def sleep(self, sec: float) -> None: ...


class Training:
    """A small training with all that a checkpoint must keep: momentum, a schedule, random numbers, a mean."""

    def __init__(self, folder: Path, *, resume: bool = False, every_sec: float = 1e9) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.optimizer = torch.optim.Adam(self.model.parameters(), 0.1)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, STEPS * EPOCHS)
        self.log = RunLog(folder, "{}", resume=resume)
        parts: dict[str, Stateful] = {
            "model": self.model,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
        }
        self.keeper = Keeper(self.log, parts, every_sec=every_sec)

    def run(self, after_step: Callable[[Keeper], None] = lambda _: None) -> None:
        with self.log, self.keeper as keeper:
            if (self.log.folder / CHECKPOINT).exists():
                keeper.restore(load_checkpoint(self.log.folder / CHECKPOINT))
            else:
                self.log.begin()
            while keeper.epoch < EPOCHS:
                while keeper.step < STEPS:
                    loss = self.model(torch.rand(8, 4)).square().mean()
                    loss.backward()
                    self.optimizer.step()
                    self.optimizer.zero_grad()
                    self.schedule.step()
                    keeper.tally.add(torch.eye(4), torch.arange(4), loss.item())
                    keeper.step_done()
                    after_step(keeper)
                self.log.record("train", keeper.epoch + 1, loss=keeper.tally.loss)
                keeper.epoch_done()

    def outcome(self) -> dict[str, object]:
        losses: dict[str, object] = {f"loss {record['epoch']}": record["loss"] for record in self.log.records}
        return losses | {name: tensor.tolist() for name, tensor in self.model.state_dict().items()}


def stop_at(epoch: int, step: int, error: BaseException) -> Callable[[Keeper], None]:
    def stop(keeper: Keeper) -> None:
        if (keeper.epoch, keeper.step) == (epoch, step):
            raise error

    return stop


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, object]:
    training = Training(tmp_path / "uninterrupted")
    training.run()
    return training.outcome()


@pytest.mark.parametrize("step", range(1, STEPS + 1))
@pytest.mark.parametrize("epoch", range(EPOCHS))
def test_an_interrupted_run_is_saved_where_it_stands_and_goes_on_from_there(
    tmp_path: Path, expected: dict[str, object], epoch: int, step: int
) -> None:
    with pytest.raises(Interrupted):
        Training(tmp_path / "run").run(stop_at(epoch, step, Interrupted("")))
    state = load_checkpoint(tmp_path / "run" / CHECKPOINT)
    assert (state["epoch"], state["step"], state["tally"]["num_clips"]) == (epoch, step, 4 * step)
    again = Training(tmp_path / "run", resume=True)
    again.run()
    assert again.outcome() == expected


@pytest.mark.parametrize("every_sec", [0.0, 1e9])
def test_a_run_that_dies_goes_on_from_its_last_checkpoint(
    tmp_path: Path, expected: dict[str, object], every_sec: float
) -> None:
    with pytest.raises(ZeroDivisionError):
        Training(tmp_path / "run", every_sec=every_sec).run(stop_at(2, 2, ZeroDivisionError()))
    state = load_checkpoint(tmp_path / "run" / CHECKPOINT)
    assert (state["epoch"], state["step"]) == ((2, 2) if every_sec == 0 else (2, 0))
    again = Training(tmp_path / "run", resume=True)
    again.run()
    assert again.outcome() == expected


@pytest.mark.parametrize(("step_sec", "saved_steps"), [(4, ()), (6, (3,)), (11, (2, 3))])
def test_steps_are_saved_when_it_is_time_and_epochs_always(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    step_sec: float,
    saved_steps: tuple[int, ...],
) -> None:
    """At every step but the first of an epoch, before which the last one was saved, if 10 s have passed."""
    positions: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "vidnas.runs.keeper.save_checkpoint",
        lambda _, state: positions.append((state["epoch"], state["step"])),
    )
    Training(tmp_path, every_sec=10.0).run(lambda _: clock.sleep(step_sec))
    expected = [[*((epoch, step) for step in saved_steps), (epoch + 1, 0)] for epoch in range(EPOCHS)]
    assert positions == [position for epoch in expected for position in epoch]


def test_saving_itself_takes_no_part_of_the_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Were it counted, a slow disk would have every step saved."""
    count = 0

    def slow_save(*_: object) -> None:
        nonlocal count
        count += 1
        clock.sleep(100)

    monkeypatch.setattr("vidnas.runs.keeper.save_checkpoint", slow_save)
    Training(tmp_path, every_sec=10.0).run(lambda _: clock.sleep(1))
    assert count == EPOCHS


def test_the_time_that_a_run_has_taken_counts_on(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError):
        Training(tmp_path, every_sec=0.0).run(
            lambda keeper: clock.sleep(7) if keeper.epoch < 2 else stop_at(2, 1, ZeroDivisionError())(keeper)
        )
    clock.sleep(1000)  # nobody at the machine
    again = Training(tmp_path, resume=True)
    again.run(lambda _: clock.sleep(7))
    times = [record["time_sec"] for record in again.log.records]
    assert times == [21.0, 42.0, 56.0, 77.0]


def test_an_epoch_takes_the_time_of_all_its_parts(tmp_path: Path, clock: Clock) -> None:
    def work(keeper: Keeper) -> None:
        clock.sleep(7)
        stop_at(1, 2, Interrupted(""))(keeper)

    interrupted = Training(tmp_path)
    with pytest.raises(Interrupted):
        interrupted.run(work)
    clock.sleep(1000)
    taken = []

    def go_on(keeper: Keeper) -> None:
        clock.sleep(5)
        taken.append(keeper.epoch_sec)

    Training(tmp_path, resume=True).run(go_on)
    assert taken[0] == 7 + 7 + 5  # of the epoch that was interrupted
    assert taken[1:4] == [5, 10, 15]


@pytest.mark.parametrize(
    "lost",
    [
        "model",
        "optimizer",
        "epoch",
        "step",
        "tally",
        "records",
        "elapsed_sec",
        "epoch_sec",
        "cpu_random",
        "machine",
    ],
)
def test_a_checkpoint_without_a_part_is_refused_before_anything_is_cut(tmp_path: Path, lost: str) -> None:
    Training(tmp_path).run()
    state = load_checkpoint(tmp_path / CHECKPOINT) | {"records": []}
    save_checkpoint(tmp_path / CHECKPOINT, {name: part for name, part in state.items() if name != lost})
    before = (tmp_path / "metrics.jsonl").read_text()
    with pytest.raises(
        UserError, match=rf"checkpoint\.pt does not fit the settings of its run, or .*'{lost}'"
    ):
        Training(tmp_path, resume=True).run()
    assert (tmp_path / "metrics.jsonl").read_text() == before


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    Training(tmp_path).run()
    state = load_checkpoint(tmp_path / CHECKPOINT)
    state["model"]["0.weight"] = torch.zeros(5, 5)
    save_checkpoint(tmp_path / CHECKPOINT, state)
    with pytest.raises(UserError, match=r"does not fit the settings of its run, or an older vidnas wrote it"):
        Training(tmp_path, resume=True).run()


@pytest.mark.usefixtures("shown")
def test_it_is_told_where_a_run_goes_on_and_that_the_machine_is_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Interrupted):
        Training(tmp_path).run(stop_at(1, 2, Interrupted("")))
    Training(tmp_path, resume=True).run()
    told = capsys.readouterr().err
    assert "Going on after 1 whole epoch and 2 steps." in told
    assert "Careful" not in told
    state: dict[str, Any] = load_checkpoint(tmp_path / CHECKPOINT)
    save_checkpoint(tmp_path / CHECKPOINT, {**state, "machine": "PyTorch 1.0 with 64 threads"})
    Training(tmp_path, resume=True).run()
    assert "Careful: it was saved by PyTorch 1.0 with 64 threads, this is PyTorch" in capsys.readouterr().err


def test_a_full_disk_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, object]
) -> None:
    def refuse(*_: object) -> None:
        raise UserError("Cannot write checkpoint.pt: No space left on device.")

    with monkeypatch.context() as full, pytest.raises(UserError, match="No space left"):
        Training(tmp_path / "run").run(
            lambda keeper: (
                full.setattr("vidnas.runs.keeper.save_checkpoint", refuse) if keeper.epoch == 1 else None
            )
        )
    assert load_checkpoint(tmp_path / "run" / CHECKPOINT)["epoch"] == 1
    again = Training(tmp_path / "run", resume=True)
    again.run()
    assert again.outcome() == expected


def test_an_epoch_begins_with_an_empty_tally(tmp_path: Path) -> None:
    training = Training(tmp_path)
    training.run()
    assert (training.keeper.tally, training.keeper.step) == (Tally(), 0)
