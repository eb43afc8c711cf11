import json
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from filelock import FileLock
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from vidnas.errors import Interrupted, UserError
from vidnas.runs import log as log_module
from vidnas.runs.files import require_unused
from vidnas.runs.log import RunLog, default_folder, require_writable, unused_path


class Clock(Protocol):
    def sleep(self, sec: float) -> None: ...


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RunLog]:
    with RunLog(tmp_path / "runs" / "a", '{"lr": 0.1}\n') as log:
        log.begin()
        yield log


def test_a_run_starts_with_its_config_in_a_new_folder(log: RunLog) -> None:
    assert log.path("config.json").read_text() == '{"lr": 0.1}\n'


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match=rf"The run folder {re.escape(str(tmp_path))} is not empty"):
        RunLog(tmp_path, "{}")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("name", [".lock", "config.json.partial"])
def test_the_folder_of_a_run_killed_before_its_settings_were_written_counts_as_empty(
    tmp_path: Path, name: str
) -> None:
    require_unused(tmp_path)
    (tmp_path / name).write_text("{")
    require_unused(tmp_path)
    with RunLog(tmp_path, "{}") as log:
        assert log.path("config.json").read_text() == "{}"
    with pytest.raises(UserError, match="is not empty"):
        require_unused(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*file.run: Not a directory"):
        RunLog(tmp_path / "file" / "run", "{}")
    with pytest.raises(UserError, match=r"The run folder .*file is a file"):
        RunLog(tmp_path / "file", "{}")


@pytest.mark.usefixtures("shown")
def test_what_is_said_goes_to_stderr_and_to_the_log(log: RunLog, capsys: pytest.CaptureFixture[str]) -> None:
    log.say("Searching on 5 classes.")
    log.say("α is learnt.")
    expected = "Searching on 5 classes.\nα is learnt.\n"
    assert capsys.readouterr() == ("", expected)
    assert log.path("log.txt").read_text(encoding="utf-8") == expected


@pytest.mark.usefixtures("shown")
def test_a_run_goes_on_when_nobody_reads_what_it_says_any_more(
    log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the terminal of a run over ssh is closed."""

    def refuse(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys.stderr, "write", refuse)
    log.say("Done.")
    assert log.path("log.txt").read_text() == "Done.\n"


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


def points(log: RunLog, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(log.path("tensorboard"))).Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


def test_tensorboard_shows_a_record_at_once(log: RunLog) -> None:
    log.record("train", 0, loss=1.5)
    log.record("train", 1, loss=0.5)
    assert points(log, "train/loss") == [(0, 1.5), (1, 0.5)]


def test_a_resumed_run_is_cut_back_to_the_records_it_goes_on_from(log: RunLog) -> None:
    for epoch in (1, 2, 3):
        log.record("train", epoch, loss=1 / epoch)
    kept = log.records[:1]
    log.say("Killed soon.")
    log.write("genotypes/epoch-001.json", "a genotype")
    with log.path("metrics.jsonl").open("a") as file:
        file.write('{"kind": "tr')  # what a full disk may leave
    log.__exit__(None, None, None)
    with RunLog(log.folder, "other settings", resume=True) as again:
        again.begin(kept, elapsed_sec=7200.0)
        again.record("train", 2, loss=0.25)
        lines = [json.loads(line) for line in again.path("metrics.jsonl").read_text().splitlines()]
        assert [(line["epoch"], line["loss"]) for line in lines] == [(1, 1.0), (2, 0.25)]
        assert lines == again.records
        assert points(again, "train/loss") == [(1, 1.0), (2, 0.25)]
        assert lines[0] == kept[0]
        assert 7200 <= lines[1]["time_sec"] < 7260
    assert log.path("config.json").read_text() == '{"lr": 0.1}\n'
    assert log.path("log.txt").read_text() == "Killed soon.\n"
    assert log.path("genotypes/epoch-001.json").read_text() == "a genotype"


def test_tensorboard_shows_when_each_record_was_made(clock: Clock, log: RunLog) -> None:
    clock.sleep(5)
    log.record("train", 1, loss=1.0)
    log.begin(log.records, elapsed_sec=3600.0)
    log.record("train", 2, loss=1.0)
    events = EventAccumulator(str(log.path("tensorboard"))).Reload().Scalars("train/loss")
    assert events[1].wall_time - events[0].wall_time == pytest.approx(3600 - 5, abs=5)


def test_one_process_at_a_time_writes_a_run(
    tmp_path: Path, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "ORPHANS_SEC", 0.1)
    with pytest.raises(
        UserError, match=f"Another process is writing the run in {re.escape(str(log.folder))}; wait"
    ):
        RunLog(log.folder, "{}", resume=True)
    (tmp_path / "new").mkdir()
    with FileLock(tmp_path / "new" / ".lock"), pytest.raises(UserError, match="Another process is writing"):
        RunLog(tmp_path / "new", "{}")


def test_a_resumed_run_waits_for_the_workers_that_its_killed_process_left(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / ".lock", thread_local=False)
    lock.acquire()
    threading.Timer(0.3, lock.release).start()
    with RunLog(tmp_path, "{}", resume=True):
        assert not lock.is_locked


@pytest.mark.full_disk
@pytest.mark.parametrize("name", ["metrics.jsonl", "log.txt", "tensorboard/*"])
def test_a_full_disk_is_told_by_the_file_that_grows_no_more(log: RunLog, name: str) -> None:
    log.say("Beginning.")
    full = next(log.folder.glob(name))
    with full.open("ab") as file:
        file.write(bytes(50_000 - full.stat().st_size))
    cause = "(File too large|No space left on device)"
    with pytest.raises(UserError, match=rf"Cannot write .*{name.removesuffix('/*')}: {cause}\."):
        log.say("More.")
        log.record("train", 1, loss=1.0)


def test_a_folder_without_permission_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_writable(tmp_path / "new" / "run")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    with pytest.raises(
        UserError, match=rf"Cannot write .*run: no permission in {re.escape(str(tmp_path))}\."
    ):
        require_writable(tmp_path / "new" / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*run: .*file is a file\."):
        require_writable(tmp_path / "file" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_after_a_request_to_stop_no_further_batch_comes(log: RunLog) -> None:
    seen = []
    with pytest.raises(Interrupted) as error:
        for batch in log.progress("abc", total=3, label="train"):
            seen.append(batch)
            signal.raise_signal(signal.SIGTERM)
    assert (seen, error.value.exit_code) == (["a"], 143)


@pytest.mark.sends_ctrl_c
def test_a_request_to_stop_in_the_last_batch_is_heeded(log: RunLog) -> None:
    with pytest.raises(Interrupted):
        for _ in log.progress("a", total=1, label="train"):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("shown")
def test_progress_hands_every_batch_through_and_is_silent_without_a_terminal(
    log: RunLog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(log.progress("abc", total=3, label="train")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


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


@pytest.mark.usefixtures("shown")
def test_a_terminal_shows_label_speed_and_waiting(
    log: RunLog, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for _ in log.progress(slow_batches(clock, 3), total=4, label="train 1"):
        clock.sleep(1)
        time.sleep(0.12)  # the bar is redrawn by its own clock, ten times a second
    shown = capsys.readouterr().err
    assert re.search(r"train 1: +75%.* 3/4 .*batch.*waiting for data 75%", shown)


@pytest.mark.usefixtures("shown")
def test_the_bar_of_a_resumed_epoch_starts_where_it_goes_on(
    log: RunLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert list(log.progress("cd", total=4, label="train 1", done=2)) == ["c", "d"]
    assert re.search(r"train 1: +50%.* 2/4 ", capsys.readouterr().err)


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
