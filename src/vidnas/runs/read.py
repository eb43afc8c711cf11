"""A run folder as one plain value, finished or not: what every page is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from vidnas.config.kinds import RunConfig, verb_of
from vidnas.errors import UserError
from vidnas.nas.genotype import Genotype, load_genotype
from vidnas.runs.records import (
    CellOfEpoch,
    Number,
    Numbers,
    Problem,
    Test,
    read_cell,
    read_json,
    read_metrics,
    read_test,
)
from vidnas.runs.settings import read_config

LOG_CHARACTERS = 20_000
"""Of log.txt, the end is kept."""

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class Run:
    """What a run folder holds. `problems` are sentences about files in it that could not be used."""

    folder: Path
    config: RunConfig
    epochs: tuple[Numbers, ...]
    """The lines of metrics.jsonl about epochs, in order."""
    cells: tuple[CellOfEpoch, ...]
    """Of a search, the epochs' cells, in order."""
    genotype: Genotype | None
    """The found cell, or the one that is trained."""
    chosen_epoch: int | None
    """Of a finished search, the epoch whose cell was found."""
    classes: tuple[str, ...]
    result: Test | None
    """The test behind a training's last epoch."""
    evaluations: tuple[Test, ...]
    """Those by `vidnas evaluate`, the latest last."""
    versions: Mapping[str, str]
    log: str
    total_sec: Number
    """Up to the last line of metrics.jsonl."""
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.absolute().name or str(self.folder)

    @property
    def verb(self) -> str:
        """search or train."""
        return verb_of(self.config)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.chosen_epoch if self.verb == "search" else self.result) is not None

    @property
    def last_epoch(self) -> int:
        """The last epoch that was finished, 0 before the first."""
        return int(self.epochs[-1]["epoch"]) if self.epochs else 0

    @property
    def latest_test(self) -> Test | None:
        """The latest test on the run's own videos: an evaluation, or the one behind the training."""
        own = [test for test in self.evaluations if test.data == self.config.data]
        return max([*([self.result] if self.result else []), *own], key=lambda test: test.made, default=None)


def read_run(folder: Path) -> Run:
    """Read a run folder; UserError if it is none. Files that are missing or damaged leave gaps."""
    config = read_config(folder)
    problems: list[str] = []

    def kept(read: Callable[[], T], otherwise: D) -> T | D:
        try:
            return read()
        except Problem as problem:
            problems.append(str(problem))
            return otherwise

    metrics = read_metrics(folder / "metrics.jsonl")
    cells = [kept(partial(read_cell, folder, epoch), None) for epoch in _epochs_with_cells(folder)]
    paths = [*_existing(folder, "result.json"), *sorted(folder.glob("evaluation-*.json"))]
    tests = [kept(partial(read_test, path, config.data), None) for path in paths]
    known = sorted((test for test in tests if test is not None), key=lambda test: test.made)
    return Run(
        folder=folder,
        config=config,
        epochs=tuple(metrics.get(verb_of(config), ())),
        cells=tuple(cell for cell in cells if cell is not None),
        genotype=kept(partial(_read_genotype, folder), None),
        chosen_epoch=kept(partial(_read_selection, folder), None),
        classes=kept(partial(_read_classes, folder), ()),
        result=next((test for test in known if test.source == "result.json"), None),
        evaluations=tuple(test for test in known if test.source != "result.json"),
        versions=kept(partial(_read_versions, folder), {}),
        log=_read_log(folder),
        total_sec=max(
            (line.get("time_sec", 0.0) for lines in metrics.values() for line in lines), default=0.0
        ),
        problems=tuple(problems),
    )


def _existing(folder: Path, name: str) -> list[Path]:
    return [folder / name] if (folder / name).exists() else []


def _epochs_with_cells(folder: Path) -> list[int]:
    stems = [path.stem.removeprefix("epoch-") for path in (folder / "genotypes").glob("epoch-*.json")]
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def _read_genotype(folder: Path) -> Genotype | None:
    try:
        return load_genotype(folder / "genotype.json") if (folder / "genotype.json").exists() else None
    except UserError as error:
        raise Problem(str(error)) from error


def _read_selection(folder: Path) -> int | None:
    path = folder / "selection.json"
    if not path.exists():
        return None
    selection = read_json(path)
    if not isinstance(selection, dict) or type(selection.get("epoch")) is not int:
        raise Problem("selection.json does not name an epoch.")
    return int(selection["epoch"])


def _read_classes(folder: Path) -> tuple[str, ...]:
    names = read_json(folder / "classes.json") if (folder / "classes.json").exists() else []
    if not isinstance(names, list):
        raise Problem("classes.json holds no list of names.")
    return tuple(map(str, names))


def _read_versions(folder: Path) -> Mapping[str, str]:
    path = folder / "versions.json"
    versions = read_json(path) if path.exists() else {}
    if not isinstance(versions, dict):
        raise Problem("versions.json holds no versions.")
    return {str(name): str(value) for name, value in versions.items()}


def _read_log(folder: Path) -> str:
    try:
        text = (folder / "log.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text if len(text) <= LOG_CHARACTERS else "…" + text[-LOG_CHARACTERS:].partition("\n")[2]
