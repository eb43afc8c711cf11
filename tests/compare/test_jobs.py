"""The jobs of a comparison as values, and the place where they run one after the other."""

import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest

from vidnas.compare.here import run_all
from vidnas.compare.jobs import Job, best_candidate, plan, read_contestants
from vidnas.config.learning import CompareConfig
from vidnas.errors import Interrupted, UserError


def planned(folder: Path, networks: str, **settings: str) -> list[Job]:
    config = CompareConfig(data="videos", networks=networks, **settings)  # type: ignore[arg-type]
    return plan(read_contestants(config), config, folder)


def test_every_network_has_a_job_with_each_seed_seed_by_seed(tmp_path: Path) -> None:
    jobs = planned(tmp_path, "c3d-8,random:3", seeds="0,4")
    assert [str(job) for job in jobs] == ["c3d-8/0", "random-3/0", "c3d-8/4", "random-3/4"]
    assert [job.folder for job in jobs[1:3]] == [
        tmp_path / "runs/random-3/seed-0", tmp_path / "runs/c3d-8/seed-4"
    ]  # fmt: skip
    assert [(job.settings.network, job.settings.genotype) for job in jobs[:2]] == [
        ("c3d-8", None), (None, "random:3")
    ]  # fmt: skip
    assert {job.settings.out for job in jobs} == {None}


def test_a_job_is_a_value_that_goes_elsewhere(tmp_path: Path) -> None:
    jobs = planned(tmp_path, "best-of:2,c3d-8")
    assert pickle.loads(pickle.dumps(jobs)) == jobs


def test_the_candidates_of_best_of_k_come_before_it_and_leave_the_test_videos_alone(tmp_path: Path) -> None:
    for job in planned(tmp_path, "best-of:3", seeds="0,1"):
        assert [one.settings.genotype for one in job.candidates] == ["random:0", "random:1", "random:2"]
        assert {(one.settings.validate, one.settings.seed) for one in job.candidates} == {(True, 0)}
        assert job.candidates[2].folder == tmp_path / "runs/best-of-3/random-2/seed-0"
        assert not job.settings.validate


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    return planned(tmp_path, "random:0,best-of:2,all-skip")


def test_here_a_job_s_candidates_run_before_it_but_for_those_that_are_finished(jobs: list[Job]) -> None:
    finished = jobs[1].candidates[0].folder
    finished.mkdir(parents=True)
    (finished / "result.json").touch()
    begun: list[str] = []
    run: list[str] = []
    ended = list(run_all(jobs, lambda job: run.append(str(job)), begins=lambda job: begun.append(str(job))))
    assert begun == ["random-0/0", "best-of-2/0", "best-of-2/random-1/0", "all-skip/0"]
    assert run == ["random-0/0", "best-of-2/random-1/0", "best-of-2/0", "all-skip/0"]
    assert [str(one.job) for one in ended] == ["random-0/0", "best-of-2/0", "all-skip/0"]
    assert all(one.failure is None and one.sec >= 0 for one in ended)


@pytest.mark.parametrize("kind", [UserError, RuntimeError, MemoryError])
@pytest.mark.parametrize("failing", ["best-of-2/0", "best-of-2/random-0/0"])
def test_a_job_that_fails_stops_no_other(jobs: list[Job], kind: type[Exception], failing: str) -> None:
    def run(job: Job) -> None:
        if str(job) == failing:
            raise kind("too large")

    ended = run_all(jobs, run, begins=str)
    assert [one.failure for one in ended] == [None, "too large", None]


def test_what_ends_a_comparison_ends_it(jobs: list[Job]) -> None:
    def run(job: Job) -> None:
        raise Interrupted(str(job))

    with pytest.raises(Interrupted, match="random-0/0"):
        next(run_all(jobs, run, begins=str))


def test_the_best_candidate_is_that_of_the_highest_accuracy_the_first_of_equals(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = (one for one in jobs if one.candidates)
    first, second = (one.folder for one in job.candidates)
    for accuracies, best in (((0.25, 0.75), ("random:1", 0.75)), ((0.5, 0.5), ("random:0", 0.5))):
        of = dict(zip((first, second), accuracies, strict=True))
        monkeypatch.setattr(
            "vidnas.compare.jobs.read_seed_run",
            lambda folder, *_, of=of: SimpleNamespace(scores=SimpleNamespace(top1=of[folder])),
        )
        assert best_candidate(job) == best
