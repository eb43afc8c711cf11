"""The trainings of a comparison: every network by the same recipe, with every seed, one after the other."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from vidnas import learnt, networks, runs, trials, videos
from vidnas.config import CompareConfig, RecipeConfig, TrainConfig
from vidnas.configfile import stored_config
from vidnas.engine.comparison import SeedRun
from vidnas.engine.runlog import RunLog
from vidnas.errors import UsageError, UserError
from vidnas.genotype import Genotype
from vidnas.limits import names, whole_numbers
from vidnas.page.words import shown
from vidnas.seedruns import is_finished, read_seed_run
from vidnas.train import run_train
from vidnas.video.items import VideoIndex
from vidnas.words import counted

BEST_OF = "best-of:"
"""Before a number K: the best of K random cells, by validation."""


@dataclass(frozen=True)
class Contestant:
    """A network of the comparison: its row's name, and what is trained."""

    name: str
    source: str
    """As `networks` names it."""
    num_cells: int

    def settings(self, config: CompareConfig, *, seed: int, out: Path, epochs: int) -> TrainConfig:
        """Those of its training with a seed."""
        shared = {field.name: getattr(config, field.name) for field in dataclasses.fields(RecipeConfig)}
        is_cell = isinstance(networks.read_architecture(self.source), Genotype)
        which = {"genotype" if is_cell else "network": self.source}
        own = {"num_cells": self.num_cells, "seed": seed, "out": str(out), "epochs": epochs}
        return TrainConfig(**{**shared, **which, **own})

    def folder(self, log: RunLog, seed: int) -> Path:
        """The run folder of its training with a seed."""
        return log.path(f"runs/{self.name}/seed-{seed}")


def read_contestants(config: CompareConfig) -> list[Contestant]:
    """The networks to compare, all of which can be read; UsageError where two would have one name."""
    found: dict[str, Contestant] = {}
    for source in names(config, "networks"):
        for num_cells in _depths(source, config):
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


def _depths(source: str, config: CompareConfig) -> tuple[int, ...]:
    """The numbers of cells with which a network is to be built; one where it has none."""
    deep = _is_of_cells(source) and config.depths is not None
    return whole_numbers(config, "depths", 1) if deep else (config.num_cells,)


def _is_of_cells(source: str) -> bool:
    return _num_candidates(source) is not None or isinstance(networks.read_architecture(source), Genotype)


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
    return shown((path.absolute().parent if path.name == networks.GENOTYPE else path.absolute()).stem)


def train_all(contestants: Sequence[Contestant], config: CompareConfig, log: RunLog) -> dict[str, list[str]]:
    """Train what is not finished, seed by seed; returns what failed, by row, in words."""
    failures: dict[str, list[str]] = {one.name: [] for one in contestants}
    todo = [(one, seed) for seed in whole_numbers(config, "seeds", 0) for one in contestants]
    for number, (one, seed) in enumerate(todo, start=1):
        if is_finished(one.folder(log, seed)):
            continue
        log.check_stop()
        log.say(f"[{number}/{len(todo)}] {one.name}, seed {seed}")
        try:
            _train(_decided(one, config, log), seed, config, log)
        except (UserError, RuntimeError, MemoryError) as error:
            failures[one.name].append(shown(f"seed {seed}: {error}"))
            log.say(f"{one.name}, seed {seed}, failed: {error}")
    return failures


def check_same_videos(
    contestants: Sequence[Contestant], config: CompareConfig, index: VideoIndex, folder: Path
) -> None:
    """UserError if a training begun in the comparison's folder has other videos than those of `index`.

    Where bad videos are skipped, what is left of them is known only to a training itself.
    """
    if config.on_bad == "skip":
        return
    if config.validate:
        index = videos.hold_out(index, config)
    for one in contestants:
        for run in sorted(folder.glob(f"runs/{escape(one.name)}/seed-*")):
            if (run / learnt.SEEN).exists():
                learnt.check_same(run, index)


def finished_runs(one: Contestant, log: RunLog) -> list[SeedRun]:
    """Every finished training of a network, by seed; also with seeds that are no longer asked for."""
    folders = one.folder(log, 0).parent.glob("seed-*")
    seeds = sorted(int(folder.name.removeprefix("seed-")) for folder in folders if is_finished(folder))
    return [read_seed_run(one.folder(log, seed), log.folder, seed) for seed in seeds]


def _train(one: Contestant, seed: int, config: CompareConfig, log: RunLog) -> None:
    epochs = _epochs(one, config, log)
    run_train(one.settings(config, seed=seed, out=one.folder(log, seed), epochs=epochs), resume=True)


def _epochs(one: Contestant, config: CompareConfig, log: RunLog) -> int:
    """How many epochs a network gets: for equal time as many as its first training, or as seem to fit."""
    if config.minutes is None:
        return config.epochs
    for seed in whole_numbers(config, "seeds", 0):
        begun = stored_config(TrainConfig, one.folder(log, seed))
        if begun is not None:
            return begun.epochs
    index = videos.open_videos(config)
    if config.validate:
        index = videos.hold_out(index, config)
    steps = -(-len(index.train) // config.batch_size)
    settings = one.settings(config, seed=0, out=log.folder, epochs=config.epochs)
    architecture, precision = networks.read_architecture(one.source), runs.choose_precision(config.device)
    needs = trials.train_needs(architecture, settings, len(index.classes), precision)
    epoch_sec = steps * needs.step_sec
    epochs = max(1, int(60 * config.minutes / epoch_sec))
    log.say(f"{one.name} gets {counted(epochs, 'epoch')} of {epoch_sec:.1f} s in {config.minutes:g} min.")
    return epochs


def _decided(one: Contestant, config: CompareConfig, log: RunLog) -> Contestant:
    """The network itself; of best-of:K the candidate that is best on training videos held out."""
    if _num_candidates(one.source) is None:
        return one
    accuracies = dict(_validated(one, config, log))
    best = max(accuracies, key=accuracies.__getitem__)
    log.say(f"{one.name}: {best}, which has {accuracies[best]:.1%} in validation.")
    return dataclasses.replace(one, source=best)


def _validated(one: Contestant, config: CompareConfig, log: RunLog) -> Iterator[tuple[str, float]]:
    """Every candidate with its accuracy on the held-out half of the training videos."""
    num_candidates = _num_candidates(one.source)
    assert num_candidates is not None
    held_out = dataclasses.replace(config, validate=True)
    for number in range(num_candidates):
        candidate = Contestant(f"{one.name}/random-{number}", f"random:{number}", one.num_cells)
        if not is_finished(candidate.folder(log, 0)):
            log.check_stop()
            log.say(f"{one.name}: candidate {number + 1} of {num_candidates}")
            _train(candidate, 0, held_out, log)
        yield candidate.source, read_seed_run(candidate.folder(log, 0), log.folder, 0).scores.top1
