"""What lies in a run folder, by its name: no other room spells one. Imports neither PyTorch nor numpy."""

from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from vidnas.errors import UserError

CONFIG = "config.json"  # the settings, and of which kind the run is
VERSIONS = "versions.json"
LOG = "log.txt"
METRICS = "metrics.jsonl"
EVENTS = "tensorboard"
CHECKPOINT = "checkpoint.pt"
SEEN = "videos.json"  # what the run learns from and is tested on
CLIPS = "clips.png"
GENOTYPE = "genotype.json"  # the found cell, or the one that is trained
CELL = ("cell.png", "cell.svg")
SELECTION = "selection.json"  # of a search: which epoch's cell was found
ALPHAS = "alphas.png"
CLASSES = "classes.json"  # of a training, as all below: names in the order of the logits
RESULT = "result.json"  # scores and cost after the last epoch
PREDICTIONS = "predictions.csv"  # what the network answers then for every test video
CONFUSION = "confusion.png"
CURVES = "curves.png"
PAGE = "report.html"
COMPARISON = ("comparison.json", "comparison.csv", "comparison.md")
COMPARISON_PAGE = "comparison.html"
TRADEOFF = ("tradeoff.png", "tradeoff.svg")
LOCK = ".lock"
NOT_BEGUN = (LOCK, f"{CONFIG}.partial")
"""All that is in the folder of a run that was killed before its settings were written."""


class EvaluationFiles(NamedTuple):
    """What one evaluation writes: `clips` is a folder of thumbnails, the others are files."""

    told: Path
    confusion: Path
    predictions: Path
    clips: Path


def new_evaluation(folder: Path, protocol: str) -> EvaluationFiles:
    """Where an evaluation by this protocol is written: where there are earlier ones, with a number."""
    stem = f"evaluation-{protocol}"
    ends = (".json", "-confusion.png", "-predictions.csv", "-clips")
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    places = (EvaluationFiles(*(folder / (name + end) for end in ends)) for name in names)
    return next(place for place in places if not any(path.exists() for path in place))


def evaluations(folder: Path) -> list[Path]:
    """The files that tell of the evaluations there have been."""
    return sorted(folder.glob("evaluation-*.json"))


def cell_of(epoch: int) -> str:
    """The genotype that a search had after an epoch."""
    return f"genotypes/epoch-{epoch:03}.json"


def alpha_of(epoch: int) -> str:
    """Alpha of a search after an epoch."""
    return f"alphas/epoch-{epoch:03}.json"


def epochs_with_cells(folder: Path) -> list[int]:
    """The epochs of whose cells a search has written the genotype, in order."""
    stems = [path.stem.removeprefix("epoch-") for path in folder.glob("genotypes/epoch-*.json")]
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def told_of(folder: Path) -> Iterator[Path]:
    """The files of which the page of the run tells."""
    patterns = ("*.json", "*.jsonl", LOG, "genotypes/*.json", "alphas/*.json")
    return (path for pattern in patterns for path in sorted(folder.glob(pattern)))


def require_unused(folder: Path) -> None:
    """UserError where the folder holds something, or is a file."""
    if folder.is_dir() and any(path.name not in NOT_BEGUN for path in folder.iterdir()):
        raise UserError(
            f"The run folder {folder} is not empty, and vidnas overwrites no run. "
            "Name a new folder with --out, or leave --out away."
        )
    if folder.exists() and not folder.is_dir():
        raise UserError(f"The run folder {folder} is a file. Name a new folder with --out.")
