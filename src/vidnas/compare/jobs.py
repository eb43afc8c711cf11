"""The jobs of a comparison: which networks are trained, with which seeds and settings, in which folders."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

from vidnas.assembly.architecture import BEST_OF, RANDOM, read_architecture
from vidnas.config.learning import CompareConfig, RecipeConfig, TrainConfig
from vidnas.config.limits import names, whole_numbers
from vidnas.errors import UsageError, storable
from vidnas.nas.genotype import Genotype
from vidnas.runs import learnt
from vidnas.runs.files import GENOTYPE
from vidnas.runs.finished import read_seed_run
from vidnas.video.items import VideoIndex


@dataclass(frozen=True)
class Contestant:
    """A network of the comparison: its row's name, and what is trained."""

    name: str
    source: str
    """As `networks` names it."""
    num_cells: int


@dataclass(frozen=True)
class Job:
    """One training, as a value: whoever runs it needs no more, in this process or elsewhere."""

    name: str
    """Of its network, which the row has."""
    settings: TrainConfig
    """Without the folder. Where they give equal minutes, the epochs are yet to be found (`ahead.settle`)."""
    folder: Path
    candidates: tuple["Job", ...] = ()
    """To be run before: of best-of:K all K. The settings name the first one where the best will stand."""

    def __str__(self) -> str:
        return f"{self.name}/{self.settings.seed}"


def read_contestants(config: CompareConfig) -> list[Contestant]:
    """The networks to compare, all of which can be read; UsageError where two would have one name."""
    found: dict[str, Contestant] = {}
    for source in names(config, "networks"):
        deep = _is_of_cells(source) and config.depths is not None  # in this order: every source is read
        for num_cells in whole_numbers(config, "depths", 1) if deep else (config.num_cells,):
            name = _row_name(source) + (f"-{num_cells}-cells" if num_cells != config.num_cells else "")
            if name in found:
                raise UsageError(
                    f"networks has {found[name].source} and {source}, whose rows would both be called "
                    f"{name}. Leave one away, or copy its file or folder to another name."
                )
            found[name] = Contestant(name, source, num_cells)
    if config.depths is not None and not any(_is_of_cells(one.source) for one in found.values()):
        raise UsageError(f"depths is {config.depths}, but {config.networks} has no network of cells.")
    return list(found.values())


def _is_of_cells(source: str) -> bool:
    return _num_candidates(source) is not None or isinstance(read_architecture(source), Genotype)


def _num_candidates(source: str) -> int | None:
    """K of best-of:K; None for any other network."""
    if not source.startswith(BEST_OF):
        return None
    number = source.removeprefix(BEST_OF)
    if not number.isdecimal() or not 1 <= int(number) <= 1000:
        raise UsageError(f"networks has {source}; write {BEST_OF} and a number from 1 to 1000.")
    return int(number)


def _row_name(source: str) -> str:
    """A row's name: that of a network, or of the run folder or file that a genotype comes from."""
    path = Path(source).expanduser()
    if not path.exists():
        kind, _, number = source.partition(":")
        return f"{kind}-{int(number)}" if number else kind
    return storable((path.absolute().parent if path.name == GENOTYPE else path.absolute()).stem)


def plan(contestants: Sequence[Contestant], config: CompareConfig, folder: Path) -> list[Job]:
    """A job for each network with each seed, seed by seed; `folder` is the comparison's."""
    seeds = whole_numbers(config, "seeds", 0)
    return [_job(one, seed, config, folder) for seed in seeds for one in contestants]


def _job(one: Contestant, seed: int, config: CompareConfig, folder: Path) -> Job:
    held_out = replace(config, validate=True)
    random = [
        Contestant(f"{one.name}/random-{number}", f"{RANDOM}{number}", one.num_cells)
        for number in range(_num_candidates(one.source) or 0)
    ]
    candidates = tuple(_job(cell, 0, held_out, folder) for cell in random)
    source = random[0].source if random else one.source
    shared: dict[str, Any] = {
        field.name: getattr(config, field.name) for field in dataclasses.fields(RecipeConfig)
    }
    is_cell = isinstance(read_architecture(source), Genotype)
    which = {"genotype" if is_cell else "network": source}
    own = {"num_cells": one.num_cells, "seed": seed, "out": None}
    settings = TrainConfig(**{**shared, **which, **own})
    return Job(one.name, settings, row_folder(folder, one.name) / f"seed-{seed}", candidates)


def best_candidate(job: Job) -> tuple[str, float]:
    """The cell of the best of a job's candidates, all of which are finished, and its accuracy."""
    accuracies = {
        f"{RANDOM}{number}": read_seed_run(one.folder, one.folder, 0).scores.top1
        for number, one in enumerate(job.candidates)
    }
    return max(accuracies.items(), key=itemgetter(1))


def row_folder(folder: Path, name: str) -> Path:
    """Where the trainings of a network lie, in the comparison's folder."""
    return folder / "runs" / name


def check_same_videos(contestants: Sequence[Contestant], index: VideoIndex, folder: Path) -> None:
    """UserError if a training begun in the comparison's folder has other videos than those of `index`."""
    for one in contestants:
        for run in sorted(row_folder(folder, one.name).glob("seed-*")):
            if learnt.remembers(run):
                learnt.check_same(run, index)
