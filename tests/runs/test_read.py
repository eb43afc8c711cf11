import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.errors import UserError
from vidnas.nas.genotype import load_genotype
from vidnas.runs.read import read_run
from vidnas.runs.records import LOG_CHARACTERS

MakeRun = Callable[..., Path]


def test_a_finished_search(make_search: MakeRun) -> None:
    run = read_run(make_search(epochs=5))
    assert isinstance(run.config, SearchConfig)
    assert run.finished
    assert (run.chosen_epoch, run.last_epoch, run.total_sec) == (5, 5, 65.0)
    assert [cell.epoch for cell in run.cells] == [1, 2, 3, 4, 5]
    assert run.genotype == run.cells[-1].genotype == load_genotype(run.folder / "genotype.json")
    assert run.problems == ()


def test_a_finished_training(make_training: MakeRun) -> None:
    run = read_run(make_training())
    assert isinstance(run.config, TrainConfig)
    assert run.finished
    assert run.classes == ("run", "walk", "jump")
    assert run.latest_test == run.result
    assert run.latest_test is not None
    assert run.latest_test.scores["top1"] == 0.9


@pytest.mark.parametrize("done", [0, 2])
def test_a_run_in_progress_has_what_is_there(make_search: MakeRun, make_training: MakeRun, done: int) -> None:
    for run in (read_run(make_search(done=done)), read_run(make_training(done=done))):
        assert not run.finished
        assert run.last_epoch == done
        assert run.latest_test is None
        assert run.problems == ()


def test_a_folder_with_settings_alone_is_a_run_before_its_start(make_training: MakeRun) -> None:
    folder = make_training(done=0)
    for path in folder.iterdir():
        if path.name != "config.json":
            path.unlink()
    run = read_run(folder)
    assert (run.genotype, run.classes, run.epochs, run.problems, run.log) == (None, (), (), (), "")


def test_damaged_files_leave_gaps_and_are_named(make_search: MakeRun, make_training: MakeRun) -> None:
    search, training = make_search(), make_training()
    for name in ("genotypes/epoch-002.json", "alphas/epoch-003.json", "selection.json", "genotype.json"):
        (search / name).write_text('{"epo')
    for name in ("classes.json", "result.json", "evaluation-paper.json", "versions.json"):
        (training / name).write_text('{"epo')
    run = read_run(search)
    assert [cell.epoch for cell in run.cells] == [1, 4]
    assert not run.finished
    for name in ("epoch-002", "epoch-003", "selection", "genotype"):
        assert any(f"{name}.json" in problem for problem in run.problems)
    told = " ".join(read_run(training).problems)
    assert [name in told for name in ("classes", "result", "evaluation-paper", "versions")] == [True] * 4


def test_what_pages_can_do_without_is_an_error_for_who_needs_it(make_training: MakeRun) -> None:
    folder = make_training()
    (folder / "classes.json").write_text('["run", "run"]')
    (folder / "genotype.json").unlink(missing_ok=True)
    run = read_run(folder)
    assert (run.classes, run.genotype) == ((), None)
    for part, name in (
        ("class_names", "classes"),
        ("architecture", "genotype"),
        ("checkpoint", "checkpoint"),
    ):
        with pytest.raises(UserError, match=f"{name}\\."):
            getattr(run, part)


def test_a_part_is_read_when_it_is_first_asked_for_and_kept(make_training: MakeRun) -> None:
    run = read_run(make_training())
    told = (run.epochs, run.result)
    for name in ("metrics.jsonl", "result.json", "evaluation-paper.json", "log.txt"):
        (run.folder / name).unlink(missing_ok=True)
    assert (run.epochs, run.result, run.log) == (*told, "")


def test_the_latest_test_is_the_last_evaluation_on_the_run_s_own_videos(
    make_training: MakeRun, add_evaluation: MakeRun
) -> None:
    folder = make_training()
    add_evaluation(folder, "evaluation-paper", made="2026-03-01T00:00:00+00:00")
    add_evaluation(folder, "evaluation-multi", made="2026-02-01T00:00:00+00:00")
    add_evaluation(folder, "evaluation-paper-2", made="2026-04-01T00:00:00+00:00", data="other videos")
    run = read_run(folder)
    order = ["evaluation-multi.json", "evaluation-paper.json", "evaluation-paper-2.json"]
    assert [test.source for test in run.evaluations] == order
    assert run.latest_test is not None
    assert run.latest_test.source == "evaluation-paper.json"


def test_of_a_long_log_the_end_is_kept_in_whole_lines(make_training: MakeRun) -> None:
    folder = make_training()
    (folder / "log.txt").write_bytes(b"".join(b"line %d \xff\n" % number for number in range(9999)))
    log = read_run(folder).log
    assert len(log) <= LOG_CHARACTERS
    assert log.startswith("…line ")
    assert log.endswith("line 9998 \ufffd\n")


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"epochs": 3', "\xff"])
def test_what_is_no_run_is_refused_by_name(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(os.fsencode(content) if content != "\xff" else b"\xff")
    with pytest.raises(UserError, match="search or a training") as error:
        read_run(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_a_setting_that_does_not_exist_is_named(make_search: MakeRun) -> None:
    path = make_search() / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "epoch": 3}))
    with pytest.raises(UserError, match="Did you mean 'epochs'"):
        read_run(path.parent)
