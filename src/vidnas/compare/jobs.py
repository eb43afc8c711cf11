"""The trainings of a comparison: every network by the same recipe, with every seed, one after the other."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

from vidnas.assembly import forecasts, networks
from vidnas.assembly.forecasts import Outlook
from vidnas.config.learning import CompareConfig, RecipeConfig, TrainConfig
from vidnas.config.limits import names, whole_numbers
from vidnas.errors import UsageError, UserError, storable
from vidnas.nas.genotype import Genotype
from vidnas.runs import learnt
from vidnas.runs.files import GENOTYPE, SEEN
from vidnas.runs.finished import SeedRun, is_finished, read_seed_run
from vidnas.runs.log import RunLog
from vidnas.runs.settings import stored_config
from vidnas.training.forecast import in_words
from vidnas.training.pace import Countdown, Pace
from vidnas.video.items import VideoIndex

Train = Callable[[TrainConfig], object]
"""Trains one network, or goes on with its training."""


@dataclass(frozen=True)
class Contestant:
    """A network of the comparison: its row's name, and what is trained."""

    name: str
    source: str
    """As `networks` names it."""
    num_cells: int

    def settings(self, config: CompareConfig, *, seed: int, out: Path | None, epochs: int) -> TrainConfig:
        """Those of its training with a seed."""
        shared = {field.name: getattr(config, field.name) for field in dataclasses.fields(RecipeConfig)}
        is_cell = isinstance(networks.read_architecture(self.source), Genotype)
        which = {"genotype" if is_cell else "network": self.source}
        own: dict[str, Any] = {"num_cells": self.num_cells, "seed": seed, "epochs": epochs, "minutes": None}
        own["out"] = None if out is None else str(out)
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
    if not source.startswith(networks.BEST_OF):
        return None
    number = source.removeprefix(networks.BEST_OF)
    if not number.isdecimal() or not 1 <= int(number) <= 1000:
        raise UsageError(f"networks has {source}; write {networks.BEST_OF} and a number from 1 to 1000.")
    return int(number)


def _row_name(source: str) -> str:
    """A row's name: that of a network, or of the run folder or file that a genotype comes from."""
    path = Path(source).expanduser()
    if not path.exists():
        kind, _, number = source.partition(":")
        return f"{kind}-{int(number)}" if number else kind
    return storable((path.absolute().parent if path.name == GENOTYPE else path.absolute()).stem)


def train_all(
    contestants: Sequence[Contestant],
    config: CompareConfig,
    outlook: Outlook,
    log: RunLog,
    *,
    train: Train,
    failures: dict[str, list[str]],
    after_training: Callable[[], None],
) -> None:
    """`train` what is not finished, seed by seed; what failed comes into `failures`, by row, in words.

    What can be foretold is told before the first training: how long all will take, and which network cannot
    be trained.
    """
    todo = [(one, seed) for seed in whole_numbers(config, "seeds", 0) for one in contestants]
    countdown = _look_ahead(todo, config, outlook, log)
    for number, (one, seed) in enumerate(todo, start=1):
        if is_finished(one.folder(log, seed)):
            continue
        log.check_stop()
        log.say(
            f"[{number}/{len(todo)}] {one.name}, seed {seed}; {countdown} until the end of the comparison"
        )
        name, begun_at = f"{one.name}/{seed}", time.perf_counter()
        try:
            decided = _decided(one, config, outlook, log, train)
            train(_settings(decided, seed, config, outlook, log))
            countdown.done(name, time.perf_counter() - begun_at)
        except (UserError, RuntimeError, MemoryError) as error:
            failures[one.name].append(storable(f"seed {seed}: {error}"))
            log.say(f"{one.name}, seed {seed}, failed: {error}")
            countdown.dropped(name)
        after_training()


def _look_ahead(
    todo: Sequence[tuple[Contestant, int]], config: CompareConfig, outlook: Outlook, log: RunLog
) -> Countdown:
    """Foretell every training that is not finished, and tell what there is to tell."""
    foretold: dict[str, float] = {}
    refused: dict[str, str] = {}
    for one, seed in todo:
        if one.name in refused or is_finished(one.folder(log, seed)):
            continue
        log.check_stop()
        try:
            first = not any(name.startswith(f"{one.name}/") for name in foretold)
            foretold[f"{one.name}/{seed}"] = _foretold_sec(one, seed, config, outlook, log, first=first)
        except (UserError, RuntimeError, MemoryError) as error:
            refused[one.name] = str(error)
    for name, said in refused.items():
        log.say(f"Careful: {name} cannot be trained, and its row will say so: {said}")
    countdown = Countdown(foretold)
    if foretold:
        each = ", ".join(f"{name} {in_words(sec)}" for name, sec in foretold.items())
        log.say(f"Forecast of the whole: {countdown} for all trainings (network/seed: {each}).")
    return countdown


def _foretold_sec(
    one: Contestant, seed: int, config: CompareConfig, outlook: Outlook, log: RunLog, *, first: bool
) -> float:
    """How long a training will take; of best-of:K the first one with those of the candidates."""
    num_candidates = _num_candidates(one.source)
    if num_candidates is None:
        epochs = _epochs(one, config, outlook, log)
        training = one.settings(config, seed=seed, out=one.folder(log, seed), epochs=epochs)
        return outlook.pace(training).sec(max(0, epochs - forecasts.epochs_done(training)))
    example = dataclasses.replace(one, source="random:0")
    sec = _pace(example, config, outlook).sec(_epochs(example, config, outlook, log))
    if first:
        candidates = [_candidate(one, number) for number in range(num_candidates)]
        held_out = dataclasses.replace(config, validate=True)
        each = _pace(example, held_out, outlook).sec(_epochs(example, held_out, outlook, log))
        sec += each * sum(not is_finished(candidate.folder(log, 0)) for candidate in candidates)
    return sec


def _pace(one: Contestant, config: CompareConfig, outlook: Outlook) -> Pace:
    return outlook.pace(one.settings(config, seed=0, out=None, epochs=config.epochs))


def check_same_videos(contestants: Sequence[Contestant], index: VideoIndex, folder: Path) -> None:
    """UserError if a training begun in the comparison's folder has other videos than those of `index`."""
    for one in contestants:
        for run in sorted(folder.glob(f"runs/{escape(one.name)}/seed-*")):
            if (run / SEEN).exists():
                learnt.check_same(run, index)


def finished_runs(one: Contestant, log: RunLog) -> list[SeedRun]:
    """Every finished training of a network, by seed; also with seeds that are no longer asked for."""
    folders = one.folder(log, 0).parent.glob("seed-*")
    seeds = sorted(int(folder.name.removeprefix("seed-")) for folder in folders if is_finished(folder))
    return [read_seed_run(one.folder(log, seed), log.folder, seed) for seed in seeds]


def _settings(
    one: Contestant, seed: int, config: CompareConfig, outlook: Outlook, log: RunLog
) -> TrainConfig:
    epochs = _epochs(one, config, outlook, log)
    return one.settings(config, seed=seed, out=one.folder(log, seed), epochs=epochs)


def _epochs(one: Contestant, config: CompareConfig, outlook: Outlook, log: RunLog) -> int:
    """How many epochs a network gets: for equal time as many as its first training, or as seem to fit.

    UserError where not one fits.
    """
    if config.minutes is None:
        return config.epochs
    for seed in whole_numbers(config, "seeds", 0):
        begun = stored_config(TrainConfig, one.folder(log, seed))
        if begun is not None:
            return begun.epochs
    training = _pace(one, config, outlook)._replace(once_sec=0.0)
    epochs = training.epochs_in(60 * config.minutes)
    if epochs < 1:
        raise UserError(forecasts.too_few_minutes(config.minutes, training))
    return epochs


def _decided(
    one: Contestant, config: CompareConfig, outlook: Outlook, log: RunLog, train: Train
) -> Contestant:
    """The network itself; of best-of:K the candidate that is best on training videos held out."""
    if _num_candidates(one.source) is None:
        return one
    accuracies = dict(_validated(one, config, outlook, log, train))
    best = max(accuracies, key=accuracies.__getitem__)
    log.say(f"{one.name}: {best}, which has {accuracies[best]:.1%} in validation.")
    return dataclasses.replace(one, source=best)


def _validated(
    one: Contestant, config: CompareConfig, outlook: Outlook, log: RunLog, train: Train
) -> Iterator[tuple[str, float]]:
    """Every candidate with its accuracy on the held-out half of the training videos."""
    num_candidates = _num_candidates(one.source)
    assert num_candidates is not None
    held_out = dataclasses.replace(config, validate=True)
    for number in range(num_candidates):
        candidate = _candidate(one, number)
        if not is_finished(candidate.folder(log, 0)):
            log.check_stop()
            log.say(f"{one.name}: candidate {number + 1} of {num_candidates}")
            train(_settings(candidate, 0, held_out, outlook, log))
        yield candidate.source, read_seed_run(candidate.folder(log, 0), log.folder, 0).scores.top1


def _candidate(one: Contestant, number: int) -> Contestant:
    """One of the K of best-of:K."""
    return Contestant(f"{one.name}/random-{number}", f"random:{number}", one.num_cells)
