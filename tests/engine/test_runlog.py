import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from vidnas.engine.runlog import RunLog, default_folder, unused_path
from vidnas.errors import UserError


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RunLog]:
    with RunLog(tmp_path / "runs" / "a", '{"lr": 0.1}\n') as log:
        yield log


def test_a_run_starts_with_its_config_in_a_new_folder(log: RunLog) -> None:
    assert log.path("config.json").read_text() == '{"lr": 0.1}\n'


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    with RunLog(tmp_path, "{}") as log:
        assert log.folder == tmp_path


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match=rf"The run folder {re.escape(str(tmp_path))} is not empty"):
        RunLog(tmp_path, "{}")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*file.run: Not a directory"):
        RunLog(tmp_path / "file" / "run", "{}")
    with pytest.raises(UserError, match=r"The run folder .*file is a file"):
        RunLog(tmp_path / "file", "{}")


def test_what_is_said_goes_to_stderr_and_to_the_log(log: RunLog, capsys: pytest.CaptureFixture[str]) -> None:
    log.say("Searching on 5 classes.")
    log.say("α is learnt.")
    expected = "Searching on 5 classes.\nα is learnt.\n"
    assert capsys.readouterr() == ("", expected)
    assert log.path("log.txt").read_text(encoding="utf-8") == expected


def test_a_record_is_a_line_of_strict_json_at_once(log: RunLog) -> None:
    log.record("train", 0, loss=1.5, top1=0.25)
    log.record("val", 1, loss=float("nan"), norm=float("inf"))
    lines = [
        json.loads(line, parse_constant=pytest.fail)
        for line in log.path("metrics.jsonl").read_text().splitlines()
    ]
    times = [line.pop("time_sec") for line in lines]
    assert lines == [
        {"kind": "train", "epoch": 0, "loss": 1.5, "top1": 0.25},
        {"kind": "val", "epoch": 1, "loss": None, "norm": None},
    ]
    assert 0 <= times[0] <= times[1] < 60


def test_tensorboard_shows_a_record_at_once(log: RunLog) -> None:
    log.record("train", 0, loss=1.5)
    log.record("train", 1, loss=0.5)
    events = EventAccumulator(str(log.path("tensorboard"))).Reload()
    assert [(e.step, e.value) for e in events.Scalars("train/loss")] == [(0, 1.5), (1, 0.5)]


def test_progress_hands_every_batch_through_and_is_silent_without_a_terminal(
    log: RunLog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(log.progress("abc", total=3, label="train")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


class Clock(Protocol):
    def sleep(self, sec: float) -> None: ...


def slow_batches(clock: Clock, sec: float) -> Iterator[int]:
    for i in range(4):
        clock.sleep(sec)
        yield i


@pytest.mark.parametrize(
    ("data_sec", "work_sec", "share"), [(1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 1.0, 0.5), (1.0, 3.0, 0.25)]
)
def test_the_share_of_time_waiting_for_data_is_measured(
    log: RunLog, clock: Clock, data_sec: float, work_sec: float, share: float
) -> None:
    for _ in log.progress(slow_batches(clock, data_sec), total=4, label="train"):
        clock.sleep(work_sec)
    assert log.waiting_share == pytest.approx(share)


def test_the_start_and_the_end_of_a_loader_count_as_waiting(log: RunLog, clock: Clock) -> None:
    class Loader:
        def __iter__(self) -> Iterator[int]:
            clock.sleep(3)  # starts its workers
            return self.batches()

        def batches(self) -> Iterator[int]:
            yield 1
            clock.sleep(2)  # ends them

    for _ in log.progress(Loader(), total=1, label="train"):
        clock.sleep(5)
    assert log.waiting_share == pytest.approx(0.5)


def test_no_batches_take_no_time(log: RunLog, clock: Clock) -> None:  # noqa: ARG001
    assert list(log.progress([], total=0, label="train")) == []
    assert log.waiting_share == 0


def test_a_terminal_shows_label_speed_and_waiting(
    log: RunLog, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for _ in log.progress(slow_batches(clock, 3), total=4, label="train 1"):
        clock.sleep(1)
        time.sleep(0.12)  # the bar is redrawn by its own clock, ten times a second
    shown = capsys.readouterr().err
    assert re.search(r"train 1: +75%.* 3/4 .*batch.*waiting for data 75%", shown)


def test_text_files_of_the_run_are_written_and_replaced(log: RunLog) -> None:
    log.write("genotype.json", "old")
    log.write("genotype.json", "α\n")
    assert log.path("genotype.json").read_text(encoding="utf-8") == "α\n"
    assert not list(log.folder.glob("*.partial"))


def test_an_unused_path_steps_over_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "cell.png"
    assert unused_path(path) == path
    path.write_text("")
    assert unused_path(path) == tmp_path / "cell-2.png"
    (tmp_path / "cell-2.png").mkdir()
    assert unused_path(path) == tmp_path / "cell-3.png"


def test_the_default_folder_names_verb_and_time_and_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = []
    for _ in range(3):
        folder = default_folder("search")
        assert re.fullmatch(r"runs/search-\d{8}-\d{6}(-\d)?", folder.as_posix())
        folder.mkdir(parents=True)  # fails where the folder is not new
        folders.append(folder)
    assert len(set(folders)) == 3
