"""What the tests of resuming share: commands in processes that can be killed, and what a run comes to."""

import hashlib
import json
import multiprocessing
import os
import runpy
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from little import LITTLE, flags
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)
from torch import Tensor

from vidnas.cli.main import main
from vidnas.runs.checkpoint import load_checkpoint

VICTIM = Path(__file__).with_name("victim.py")
UNREPEATABLE = ("_sec", "_share", "machine")
"""Ends of the names of what may differ between two equal runs: times, and shares of time."""

WITHOUT_WORKERS = {name: value for name, value in LITTLE.items() if name != "workers"}
TWO_EPOCHS = flags(**{**LITTLE, "epochs": 2, "batch_size": 8, "num_cells": 2, "first_channels": 2})

Start = Callable[..., BaseProcess]


class Ended(NamedTuple):
    """How a command ended: its exit code, or minus the signal that killed it, and all that it printed."""

    code: int | None
    printed: str


@pytest.fixture(scope="module", autouse=True)
def _quick(measured_little: None) -> None:
    """Runs are begun by the hundred here."""


@pytest.fixture(scope="session")
def few_videos(tiny_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 tiny videos of two classes, Grow and Shrink, each in 4 groups of 2."""
    folder = tmp_path_factory.mktemp("few") / "few videos"
    for name in ("Grow", "Shrink"):
        shutil.copytree(tiny_videos / "videos" / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def few_runs(few_videos: Path) -> Mapping[str, Path]:
    """The run folders of a search and of a training on them, beside them; no test changes anything there."""
    runs = {verb: few_videos.parent / f"a {verb}" for verb in ("search", "train")}
    cells = {"search": (), "train": ("--genotype", "random:1")}
    for verb, run in runs.items():
        assert main([verb, "--data", str(few_videos), "--out", str(run), *flags(**LITTLE), *cells[verb]]) == 0
    return runs


@pytest.fixture(scope="session")
def tiny_search(tiny_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of two epochs on 64 tiny videos of 8 classes."""
    out = tmp_path_factory.mktemp("tiny") / "a search"
    assert main(["search", "--data", str(tiny_videos), "--out", str(out), *TWO_EPOCHS]) == 0
    return out


@pytest.fixture(scope="session")
def tiny_training(tiny_search: Path, tiny_videos: Path) -> Path:
    """A training of its cell on the same videos."""
    out = tiny_search.parent / "a training"
    data = ("--genotype", str(tiny_search), "--data", str(tiny_videos))
    assert main(["train", *data, "--out", str(out), *TWO_EPOCHS]) == 0
    return out


@pytest.fixture(scope="session")
def small(few_videos: Path) -> dict[str, tuple[str, ...]]:
    """The command line of a short search and of a short training, but for the run folder."""
    settings = ("--data", str(few_videos), *flags(**{**WITHOUT_WORKERS, "epochs": 2, "batch_size": 2}))
    return {
        "search": ("search", *settings),
        "train": ("train", "--genotype", "random:1", *settings, "--optimizer", "adamw"),
    }


@pytest.fixture(scope="session")
def start() -> Start:
    """start(arguments, *incidents, pictures=False, output=os.devnull): a process of `vidnas arguments`."""
    context = multiprocessing.get_context("forkserver")
    # PyTorch imports _dynamo with the first optimizer, which takes longer than a whole run here.
    preload = ["pytest", "torch._dynamo", "vidnas.cli.flags", "vidnas.verbs.search", "vidnas.verbs.train"]
    context.set_forkserver_preload(preload)

    def begin(
        arguments: Sequence[object],
        *incidents: Mapping[str, object],
        pictures: bool = False,
        output: str = os.devnull,
    ) -> BaseProcess:
        given = {"arguments": [str(argument) for argument in arguments], "incidents": list(incidents)}
        names = {"GIVEN": {**given, "pictures": pictures, "output": output}}
        process = context.Process(target=runpy.run_path, args=(str(VICTIM), names, "victim"))
        process.start()
        return process

    return begin


@pytest.fixture(scope="session")
def run_vidnas(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ended]:
    """run_vidnas(arguments, *incidents, pictures=False): how `vidnas arguments` ended."""
    # A pipe, since the disk may be full; read at the end, since workers that outlive a killed run hold it.
    pipe = str(tmp_path_factory.mktemp("output") / "pipe")
    os.mkfifo(pipe)

    def run(arguments: Sequence[object], *incidents: Mapping[str, object], pictures: bool = False) -> Ended:
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        process = start(arguments, *incidents, pictures=pictures, output=pipe)
        process.join(120)
        try:
            printed = os.read(reader, 1 << 16).decode()
        except BlockingIOError:  # nothing was printed, and a worker that lives on may still
            printed = ""
        os.close(reader)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"It hangs after this: {printed}")
        return Ended(process.exitcode, printed)

    return run


@pytest.fixture(scope="session")
def uninterrupted(
    run_vidnas: Callable[..., Ended],
    small: Mapping[str, Sequence[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Path]:
    """uninterrupted(verb, *settings): the folder of the small run that nothing has happened to."""
    runs: dict[tuple[str, ...], Path] = {}

    def run(*arguments: str) -> Path:
        if arguments not in runs:
            out = tmp_path_factory.mktemp("uninterrupted") / "a run"
            verb, *settings = arguments
            command = [*small[verb], "--workers", 0, "--out", out, *settings]
            assert run_vidnas(command, pictures=True).code == 0
            runs[arguments] = out
        return runs[arguments]

    return run


@pytest.fixture(scope="session")
def outcome() -> Callable[[Path], dict[str, object]]:
    """outcome(run folder): all that a run came to and that another run can come to bit for bit, by name."""

    def everything(run: Path) -> dict[str, object]:
        lines = (run / "metrics.jsonl").read_text().splitlines()
        found: dict[str, object] = {"metrics": [_repeatable(json.loads(line)) for line in lines]}
        state = load_checkpoint(run / "checkpoint.pt")
        found |= {f"checkpoint.{name}": value for name, value in _leaves(_repeatable(state))}
        for path in [*run.rglob("epoch-*.json"), *run.glob("*.json")]:
            if path.name == "result.json":
                found["scores"] = json.loads(path.read_text())["scores"]
            elif path.name not in ("config.json", "versions.json"):
                found[str(path.relative_to(run))] = path.read_text()
        found["half written"] = [path.name for path in run.rglob("*.partial")]
        return found | _events(run / "tensorboard")

    return everything


def _repeatable(value: Any) -> Any:
    """`value` without what its names say is not to be repeated."""
    if isinstance(value, dict):
        return {k: _repeatable(v) for k, v in value.items() if not str(k).endswith(UNREPEATABLE)}
    return [_repeatable(item) for item in value] if isinstance(value, list | tuple) else value


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, object]]:
    """What a nested structure consists of, tensors as a hash of their bytes."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, f"{name}.{key}")
    elif isinstance(value, Tensor):
        yield name, hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
    else:
        yield name, value


def _events(folder: Path) -> dict[str, object]:
    """TensorBoard's points by tag: (epoch, value); of what is not to be repeated the epochs."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        f"tensorboard/{tag}": [
            point.step if tag.endswith(UNREPEATABLE) else (point.step, point.value)
            for point in events.Scalars(tag)
        ]
        for tag in events.Tags()["scalars"]
    }
