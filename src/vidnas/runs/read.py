"""A run folder as one value, finished or not: all that read a run go through it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from vidnas.config.kinds import RunConfig, verb_of
from vidnas.config.learning import Baseline, TrainConfig
from vidnas.errors import UserError
from vidnas.nas.genotype import Genotype, load_genotype
from vidnas.runs import files
from vidnas.runs.checkpoint import load_checkpoint
from vidnas.runs.learnt import SeenVideos, read_seen
from vidnas.runs.records import (
    CellOfEpoch,
    Number,
    Numbers,
    Test,
    read_cell,
    read_classes,
    read_log,
    read_metrics,
    read_selection,
    read_test,
    read_versions,
)
from vidnas.runs.settings import read_config, read_train_config

LEARNT = ("network", "ema", "epoch")
"""What of a checkpoint is needed to use its network; the rest is for going on."""

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, eq=False)
class Run:
    """What a run folder holds: each part is read once, when it is first asked for.

    What pages tell of may be missing or damaged: that leaves a gap, and damage is told in `problems`. What
    a trained network is made of (checkpoint, architecture, class_names, seen) raises UserError then.
    """

    folder: Path
    config: RunConfig
    _problems: list[str] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.absolute().name or str(self.folder)

    @property
    def verb(self) -> str:
        """search or train."""
        return verb_of(self.config)

    @property
    def training(self) -> TrainConfig:
        """The settings, of a training."""
        assert isinstance(self.config, TrainConfig)
        return self.config

    @cached_property
    def metrics(self) -> Mapping[str, Sequence[Numbers]]:
        """The lines of metrics.jsonl by kind."""
        return read_metrics(self.folder / files.METRICS)

    @property
    def epochs(self) -> Sequence[Numbers]:
        """The lines of metrics.jsonl about epochs, in order."""
        return self.metrics.get(self.verb, ())

    @property
    def last_epoch(self) -> int:
        """The last epoch that was finished, 0 before the first."""
        return int(self.epochs[-1]["epoch"]) if self.epochs else 0

    @property
    def total_sec(self) -> Number:
        """Up to the last line of metrics.jsonl."""
        times = (line.get("time_sec", 0.0) for lines in self.metrics.values() for line in lines)
        return max(times, default=0.0)

    @cached_property
    def cells(self) -> tuple[CellOfEpoch, ...]:
        """Of a search, the epochs' cells, in order."""
        epochs = files.epochs_with_cells(self.folder)
        cells = [self._kept(files.cell_of(epoch), partial(self._cell, epoch), None) for epoch in epochs]
        return tuple(cell for cell in cells if cell is not None)

    @cached_property
    def genotype(self) -> Genotype | None:
        """The found cell, or the one that is trained."""
        return self._kept(files.GENOTYPE, load_genotype, None)

    @cached_property
    def chosen_epoch(self) -> int | None:
        """Of a finished search, the epoch whose cell was found."""
        return self._kept(files.SELECTION, read_selection, None)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of a training's classes; none where they are not known."""
        return self._kept(files.CLASSES, lambda _: self.class_names, ())

    @cached_property
    def result(self) -> Test | None:
        """The test behind a training's last epoch."""
        return self._kept(files.RESULT, partial(read_test, data=self.config.data), None)

    @cached_property
    def evaluations(self) -> tuple[Test, ...]:
        """Those by `vidnas evaluate`, the latest last."""
        read = partial(read_test, data=self.config.data)
        tests = [self._kept(path.name, read, None) for path in files.evaluations(self.folder)]
        return tuple(sorted((test for test in tests if test is not None), key=lambda test: test.made))

    @property
    def latest_test(self) -> Test | None:
        """The latest test on the run's own videos: an evaluation, or the one behind the training."""
        own = [test for test in self.evaluations if test.data == self.config.data]
        return max([*([self.result] if self.result else []), *own], key=lambda test: test.made, default=None)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.chosen_epoch if self.verb == "search" else self.result) is not None

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Those that were installed at its begin, by name."""
        return self._kept(files.VERSIONS, read_versions, {})

    @cached_property
    def log(self) -> str:
        """What it has said, or the end of it."""
        return read_log(self.folder / files.LOG)

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about files in it that could not be used."""
        _ = (self.cells, self.result, self.evaluations, self.genotype, self.chosen_epoch, self.classes)
        _ = self.versions  # what had not been asked for is read now
        return tuple(self._problems)

    @cached_property
    def checkpoint(self) -> Mapping[str, Any]:
        """The weights in its checkpoint, and after how many epochs."""
        state = load_checkpoint(self.folder / files.CHECKPOINT)
        return {name: state[name] for name in LEARNT if name in state}

    @cached_property
    def architecture(self) -> Genotype | Baseline:
        """What a training trains."""
        return self.training.network or load_genotype(self.folder / files.GENOTYPE)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The names of a training's classes, in the order of the logits."""
        return read_classes(self.folder / files.CLASSES)

    @cached_property
    def seen(self) -> SeenVideos:
        """The videos it has learnt from."""
        return read_seen(self.folder / files.SEEN)

    def _cell(self, epoch: int, _: Path) -> CellOfEpoch:
        return read_cell(self.folder, epoch)

    def _kept(self, name: str, read: Callable[[Path], T], otherwise: D) -> T | D:
        """What `read` makes of a file; `otherwise` where that is missing or damaged."""
        path = self.folder / name
        try:
            return read(path) if path.exists() else otherwise
        except UserError as problem:
            self._problems.append(str(problem))
            return otherwise


def read_run(folder: Path) -> Run:
    """The run in a folder; UserError if it is none of a search or a training."""
    return Run(folder, read_config(folder))


def read_training(folder: Path) -> Run:
    """The training in a folder; UserError if it is none."""
    return Run(folder, read_train_config(folder))
