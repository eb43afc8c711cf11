"""Finished trainings as what a comparison is made of."""

import csv
from dataclasses import dataclass
from pathlib import Path, PurePath

from vidnas.errors import UserError
from vidnas.runs.files import METRICS, PREDICTIONS, RESULT
from vidnas.runs.read import read_training
from vidnas.runs.records import read_metrics
from vidnas.training.scores import Scores, scores_from


@dataclass(frozen=True)
class SeedRun:
    """One finished training: how it was tested, and how long it trained."""

    seed: int
    run: str
    """Its run folder, as seen from the comparison's."""
    scores: Scores
    train_accuracy: float
    """Of the last epoch, on the training clips as they were augmented."""
    train_sec: float
    """Of all epochs, without the test."""
    epochs: int
    videos: tuple[str, ...]
    """The test videos as class/file name, wherever they lay, in one order for all networks."""
    right: tuple[bool, ...]
    """Of every test video."""
    groups: tuple[str, ...]
    """Of every test video, unique over classes."""


def is_finished(folder: Path) -> bool:
    """Whether the training in this folder came to its end."""
    return (folder / RESULT).exists()


def epochs_done(folder: Path) -> int:
    """How many epochs the search or training in this folder has behind it."""
    metrics = read_metrics(folder / METRICS)
    return max(len(metrics.get(kind, ())) for kind in ("search", "train"))


def seed_runs(folder: Path, base: Path) -> list[SeedRun]:
    """The finished trainings in a folder's seed-0, seed-1, ... by seed."""
    seeds = (int(run.name.removeprefix("seed-")) for run in folder.glob("seed-*") if is_finished(run))
    return [read_seed_run(folder / f"seed-{seed}", base, seed) for seed in sorted(seeds)]


def read_seed_run(folder: Path, base: Path, seed: int) -> SeedRun:
    """The finished training in a run folder below `base`; UserError where its files do not tell of one."""
    try:
        trained = read_training(folder)
        if trained.result is None:
            raise ValueError(*trained.problems)
        with (folder / PREDICTIONS).open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            answers = list(csv.DictReader(file))
        if not answers:
            raise ValueError(f"{PREDICTIONS} names no video")
        return SeedRun(
            seed=seed,
            run=folder.relative_to(base).as_posix(),
            scores=scores_from(trained.result.scores),
            train_accuracy=trained.epochs[-1]["accuracy"],
            train_sec=sum(epoch["epoch_sec"] for epoch in trained.epochs),
            epochs=len(trained.epochs),
            videos=tuple(f"{answer['label']}/{PurePath(answer['path']).name}" for answer in answers),
            right=tuple(answer["right"] == "true" for answer in answers),
            groups=tuple(
                f"{answer['label']}/{answer['group']}" if answer["group"] else answer["path"]
                for answer in answers
            ),
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"{folder} does not tell of a finished training: {error!r}. Remove that folder, and the "
            "comparison trains it again."
        ) from error
