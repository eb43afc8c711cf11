"""A run that is killed and resumed comes, bit for bit, to what an uninterrupted one comes to."""

import random
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

KILLED = -signal.SIGKILL
LOG, KEEPER = "vidnas.runs.log:RunLog", "vidnas.runs.keeper:Keeper"
RENAME = "pathlib:Path.replace"
"""What makes a half-written file the file: `name` says of which one."""

MORE_EPOCHS = ("--epochs", "3")

Incident = dict[str, Any]
Small = Mapping[str, Sequence[str]]
RunVidnas = Callable[..., Any]
Outcome = Callable[[Path], dict[str, object]]
Uninterrupted = Callable[..., Path]


def at(target: str, nth: int = 1, **more: object) -> Incident:
    """Death at the n-th call of `target` (victim.py says what more there is)."""
    return {"target": target, "nth": nth, **more}


BEGINNING = {
    "before there is a folder": at("vidnas.runs.log:_claim"),
    "in an empty folder": at("vidnas.runs.log:FileLock"),
    "before config.json": at("vidnas.runs.log:write_whole", name="config.json"),
    "with half of config.json": at(RENAME, name="config.json", does="tear"),
    "before config.json has its name": at(RENAME, name="config.json"),
    "after config.json": at(RENAME, name="config.json", after=True),
    "before metrics.jsonl": at(f"{LOG}.begin"),
    "with half of metrics.jsonl": at(RENAME, name="metrics.jsonl", does="tear"),
    "before TensorBoard's events": at("vidnas.runs.log:new_event_file"),
    "with the head of TensorBoard's events": at("vidnas.runs.log:new_event_file", after=True),
    "after both are begun": at(f"{LOG}.begin", after=True),
    "with half of videos.json": at(RENAME, name="videos.json", does="tear"),
    "before the first step": at("vidnas.training.loop:WeightStep.__call__"),
    "in the first step": at("vidnas.training.loop:WeightStep._update"),
    "before the first checkpoint": at(RENAME, name="checkpoint.pt"),
    "with half of the first checkpoint": at(RENAME, name="checkpoint.pt", does="tear"),
}
"""In the order of time: a run dies at each in turn."""

# An epoch of the small search has 4 steps, of the small training 6. With 0 minutes every step is saved, and
# with 10 the epochs alone: the sixth step is the second one of the second epoch, or the last of the first.
STEPS = {
    "before the weights' gradient": at("vidnas.training.loop:WeightStep.__call__", 6),
    "between the weights' gradient and their step": at("vidnas.training.loop:WeightStep._update", 6),
    "between the step and its count": at(f"{KEEPER}.step_done", 6),
    "between two steps": at(f"{KEEPER}.step_done", 6, after=True),
}
SEARCH_STEPS = STEPS | {
    "in alpha's gradient": at("vidnas.nas.methods.darts:Architect.loss", 6),
    "between alpha's gradient and its step": at("torch.optim:Adam.step", 6),
    "between alpha's step and the weights'": at("vidnas.nas.methods.darts:Architect.step", 6, after=True),
    "between the weights' step and the schedule's": at("torch.optim:SGD.step", 6, after=True),
}
SAVING = {
    "before saving": at(f"{KEEPER}.save", 7),
    "with half of the next checkpoint": at(RENAME, 7, name="checkpoint.pt", does="tear"),
    "before the next checkpoint has its name": at(RENAME, 7, name="checkpoint.pt"),
    "after the next checkpoint has its name": at(RENAME, 7, name="checkpoint.pt", after=True),
}
EPOCH_ENDS = {
    "before the record": at(f"{LOG}.record", 2),
    "between metrics.jsonl and TensorBoard": at(f"{LOG}._add_events", 2),
    "between the record and the checkpoint": at(f"{LOG}.record", 2, after=True),
    "between the first record and the first checkpoint": at(f"{LOG}.record", 1, after=True),
    "before the epoch's checkpoint": at(f"{KEEPER}.epoch_done", 2),
    "after the epoch's checkpoint": at(f"{KEEPER}.epoch_done", 2, after=True),
}
SEARCH_EPOCH_ENDS = EPOCH_ENDS | {
    "before the validation": at("vidnas.verbs.search:evaluate_epoch", 2),
    "in the validation": at("vidnas.training.loop:_mean_over_views", 3),
    "after the validation": at("vidnas.verbs.search:evaluate_epoch", 2, after=True),
    "between genotypes/ and alphas/": at("vidnas.runs.log:write_whole", name="alphas/epoch-002"),
    "before the result": at("vidnas.verbs.search:_write_result"),
    "between genotype.json and selection.json": at(RENAME, name="/genotype.json", after=True),
    "at the very end": at("vidnas.assembly.videos:say_skipped", after=True),
}
TRAIN_EPOCH_ENDS = EPOCH_ENDS | {
    "before the test": at("vidnas.assembly.trainings:evaluate_epoch"),
    "in the test": at("vidnas.training.loop:_mean_over_views", 2),
    "between result.json and its record": at(RENAME, name="result.json", after=True),
    "after the record of the test": at(f"{LOG}.record", 3, after=True),
    "at the very end": at("vidnas.verbs.train:say_skipped", after=True),
}
FEW = {
    "between two steps": STEPS["between two steps"],
    "between the record and the checkpoint": EPOCH_ENDS["between the record and the checkpoint"],
}
"""With 10 minutes a training is saved once an epoch, a search also before it is validated."""
SEARCH_EPOCHS_ALONE = FEW | {
    "with half of the checkpoint before the validation": at(RENAME, 3, name="checkpoint.pt", does="tear"),
    "with half of the epoch's checkpoint": at(RENAME, 4, name="checkpoint.pt", does="tear"),
}
TRAIN_EPOCHS_ALONE = (
    STEPS
    | EPOCH_ENDS
    | {
        "with half of the epoch's checkpoint": at(RENAME, 2, name="checkpoint.pt", does="tear"),
        "before the epoch's checkpoint has its name": at(RENAME, 2, name="checkpoint.pt"),
    }
)
SLOW = STEPS | SAVING | EPOCH_ENDS
"""Instants of which a training's, which is quicker, tells nearly as much as a search's."""
POINTS = [
    pytest.param(
        verb,
        minutes,
        incident,
        id=f"{verb}-{minutes}-{name}",
        marks=[pytest.mark.slow] if (verb, minutes) == ("search", 0) and name in SLOW else [],
    )
    for verb, minutes, incidents in (
        ("search", 0, SEARCH_STEPS | SAVING | SEARCH_EPOCH_ENDS),
        ("search", 10, SEARCH_EPOCHS_ALONE),
        ("train", 0, STEPS | SAVING | TRAIN_EPOCH_ENDS),
        ("train", 10, TRAIN_EPOCHS_ALONE),
    )
    for name, incident in incidents.items()
]
RESUMING = {
    "before anything is restored": at(f"{KEEPER}.restore"),
    "before metrics.jsonl is cut": at(f"{LOG}.begin"),
    "with half of the cut metrics.jsonl": at(RENAME, name="metrics.jsonl", does="tear"),
    "after metrics.jsonl is cut": at(RENAME, name="metrics.jsonl", after=True),
    "without TensorBoard's events": at("shutil:rmtree", name="tensorboard", after=True),
    "in TensorBoard's events": at("tensorboard.summary.writer.record_writer:RecordWriter.write", 4),
    "after TensorBoard's events": at(f"{LOG}._add_events", after=True),
    "after all is restored": at(f"{KEEPER}.restore", after=True),
    "with half of the new config.json": at(RENAME, name="config.json", does="tear"),
    "with half of the next checkpoint": at(RENAME, name="checkpoint.pt", does="tear"),
}
"""A resumed run dies at each in turn."""


@pytest.fixture
def resume(run_vidnas: RunVidnas, small: Small) -> RunVidnas:
    """resume(verb, run folder, settings, *incidents): how a resumed run ended."""

    def again(verb: str, out: Path, settings: Sequence[object], *incidents: Incident) -> Any:
        # Before there is a config.json, a resumed run needs all its settings.
        own = [verb] if (out / "config.json").exists() else small[verb]
        return run_vidnas([*own, "--resume", out, *settings], *incidents)

    return again


@pytest.mark.parametrize(("verb", "minutes", "incident"), POINTS)
def test_a_run_killed_anywhere_goes_on_to_the_same(
    verb: str,
    minutes: int,
    incident: Incident,
    small: Small,
    run_vidnas: RunVidnas,
    resume: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    """Also with other workers and another interval of saving."""
    out = tmp_path / "run"
    settings = ["--out", out, "--workers", 0, "--checkpoint-minutes", minutes]
    assert run_vidnas([*small[verb], *settings], incident).code == KILLED
    others = ["--workers", 1 if minutes else 0, "--checkpoint-minutes", 10 - minutes]
    resumed = resume(verb, out, others)
    assert resumed.code == 0, resumed.printed
    assert outcome(out) == outcome(uninterrupted(verb))


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_run_killed_again_and_again_before_its_first_checkpoint_starts_over(
    verb: str, resume: RunVidnas, uninterrupted: Uninterrupted, outcome: Outcome, tmp_path: Path
) -> None:
    settings = ["--workers", 0, "--checkpoint-minutes", 0]
    for name, incident in BEGINNING.items():
        assert (name, resume(verb, tmp_path / "run", settings, incident).code) == (name, KILLED)
        assert not (tmp_path / "run" / "checkpoint.pt").exists()
    assert resume(verb, tmp_path / "run", settings).code == 0
    assert outcome(tmp_path / "run") == outcome(uninterrupted(verb))


@pytest.mark.parametrize("verb", ["search", "train"])
@pytest.mark.parametrize(
    ("minutes", "first"),
    [(10, EPOCH_ENDS["between the record and the checkpoint"]), (0, STEPS["between two steps"])],
)
def test_a_resumed_run_that_is_killed_again_and_again_comes_to_the_same(
    verb: str,
    minutes: int,
    first: Incident,
    resume: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    """First it has written more than it has saved, or is in the middle of an epoch."""
    settings = ["--workers", 0, "--checkpoint-minutes", minutes]
    assert resume(verb, tmp_path / "run", settings, first).code == KILLED
    for name, incident in RESUMING.items():
        assert (name, resume(verb, tmp_path / "run", settings, incident).code) == (name, KILLED)
    assert resume(verb, tmp_path / "run", settings).code == 0
    assert outcome(tmp_path / "run") == outcome(uninterrupted(verb))


def test_a_second_order_search_goes_on_to_the_same(
    small: Small, run_vidnas: RunVidnas, uninterrupted: Uninterrupted, outcome: Outcome, tmp_path: Path
) -> None:
    command = [*small["search"], "--order", 2, "--workers", 0, "--checkpoint-minutes", 0]
    within = at("vidnas.nas.methods.darts:_gradient_in_alphas", 12)  # two of a step's
    assert run_vidnas([*command, "--out", tmp_path / "run"], within).code == KILLED
    assert run_vidnas(["search", "--resume", tmp_path / "run"]).code == 0
    assert outcome(tmp_path / "run") == outcome(uninterrupted("search", "--order", "2"))
    assert outcome(tmp_path / "run") != outcome(uninterrupted("search"))


def test_a_balanced_training_goes_on_to_the_same(
    few_videos: Path, small: Small, run_vidnas: RunVidnas, outcome: Outcome, tmp_path: Path
) -> None:
    """Of three times as many clips of one class as of the other."""
    uneven = Path(shutil.copytree(few_videos, tmp_path / "uneven"))
    for group in ("g02", "g03"):
        for path in (uneven / "Shrink").glob(f"*_{group}_*.avi"):
            path.unlink()
    command = [str(uneven) if word == str(few_videos) else word for word in small["train"]]
    command += ["--workers", "0", "--checkpoint-minutes", "0"]
    balanced = [*command, "--balance", "--out"]
    whole = run_vidnas([*balanced, tmp_path / "whole"])
    assert whole.code == 0
    assert "The classes are uneven: Grow has 3 times as many videos as Shrink. Balanced" in whole.printed
    assert run_vidnas([*balanced, tmp_path / "run"], STEPS["between two steps"]).code == KILLED
    assert run_vidnas(["train", "--resume", tmp_path / "run"]).code == 0
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    plain = run_vidnas([*command, "--out", tmp_path / "plain"])
    assert "; --balance lets the loss of a training do so." in plain.printed
    assert outcome(tmp_path / "plain")["metrics"] != outcome(tmp_path / "whole")["metrics"]
    refused = run_vidnas([*command, "--balance", "--resume", tmp_path / "plain"])
    assert "balance is False there and True here" in refused.printed


@pytest.mark.parametrize("verb", ["search", "train"])
def test_neither_workers_nor_the_cache_nor_the_interval_of_saving_change_anything(
    verb: str,
    small: Small,
    run_vidnas: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    command = [*small[verb], "--out", tmp_path / "run", "--workers", 2, "--checkpoint-minutes", 0]
    assert run_vidnas([*command, "--cache-mb", 0]).code == 0
    assert outcome(tmp_path / "run") == outcome(uninterrupted(verb))


def test_25_kills_at_any_time_change_nothing(
    start: Callable[..., BaseProcess],
    small: Small,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    """Trainings and searches in turn, killed from the first moment to the last until they are finished."""
    length_sec = {}
    for verb in ("train", "search"):
        started = time.perf_counter()
        uninterrupted(verb, *MORE_EPOCHS)
        length_sec[verb] = time.perf_counter() - started
    chance = random.Random(0)
    kills, runs = 0, [("train", tmp_path / "0")]
    for _ in range(100):  # far more than can be needed
        verb, out = runs[-1]
        settings = ["--workers", chance.choice([0, 1]), "--checkpoint-minutes", chance.choice([0, 0.005, 10])]
        process = start([*small[verb], *MORE_EPOCHS, "--resume", out, *settings], pictures=True)
        process.join(chance.uniform(0, length_sec[verb]) if kills < 25 else None)
        process.kill()  # of one that has ended nothing is left to be killed
        process.join()
        kills += process.exitcode == KILLED
        if process.exitcode == KILLED:
            continue
        assert process.exitcode == 0
        if kills == 25:
            break
        runs.append(("search" if verb == "train" else "train", tmp_path / str(len(runs))))
    assert kills == 25
    for verb, out in runs:
        assert outcome(out) == outcome(uninterrupted(verb, *MORE_EPOCHS))
