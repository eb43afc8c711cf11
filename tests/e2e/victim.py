"""A vidnas command to which something happens at an exact instant, in a process of its own.

conftest.py starts it by `runpy` in a forked process.
"""

import functools
import importlib
import itertools
import multiprocessing
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from quick import measure_little

import vidnas.cli.main


def prepare(
    target: str, *, name: str = "", nth: int = 1, after: bool = False, does: str = "kill", number: int = 0
) -> None:
    """Let something happen at the n-th call of `target`, as in "vidnas.runs.keeper:Keeper.save".

    Only calls count with `name` in a string or path among their arguments. It happens before the call or
    `after` it; `does` is a function below, `number` is given to it.
    """
    module, _, names = target.partition(":")
    *parents, last = names.split(".")
    owner = functools.reduce(getattr, parents, importlib.import_module(module))
    original = getattr(owner, last)
    calls = itertools.count(1)

    def call(*args: Any, **kwargs: Any) -> Any:
        texts = [str(arg) for arg in args if isinstance(arg, str | Path)]
        now = (not name or any(name in text for text in texts)) and next(calls) == nth
        if now and not after:
            DEEDS[does](number, args)
        result = original(*args, **kwargs)
        if now and after:
            DEEDS[does](number, args)
        return result

    setattr(owner, last, call)


def foretell_nothing() -> None:
    """Let no run try its steps beforehand: the first step is the first one of the run, and comes soon."""
    forecast = importlib.import_module("vidnas.training.forecast")
    needs = forecast.Needs(step_sec=0.01, clip_sec=0.01, memory_bytes=1, free_bytes=None)
    forecast.measure = lambda *_, **__: needs  # type: ignore[attr-defined]


def kill(_number: int, _args: Any) -> None:
    """`kill -9`, or a machine that dies."""
    os.kill(os.getpid(), signal.SIGKILL)


def tear(_number: int, args: Any) -> None:
    """Die and leave half of the file that the first argument names, as in the middle of writing it."""
    os.truncate(args[0], args[0].stat().st_size // 2)
    os.kill(os.getpid(), signal.SIGKILL)


def send(number: int, _args: Any) -> None:
    """A signal comes: Ctrl-C's, or a cluster's that wants its machine back."""
    os.kill(os.getpid(), number)


def kill_worker(_number: int, _args: Any) -> None:
    """The system kills a process that decodes videos, as it does when the memory runs out."""
    multiprocessing.active_children()[0].kill()


def fill_disk(number: int, _args: Any) -> None:
    """From now on no file grows beyond so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def set_threads(number: int, _args: Any) -> None:
    """PyTorch computes with so many threads."""
    importlib.import_module("torch").set_num_threads(number)


def draw_nothing() -> None:
    """Replace all that the verbs call in order to draw."""
    for module in map(
        importlib.import_module, ("vidnas.verbs.search", "vidnas.verbs.train", "vidnas.verbs.clipsheet")
    ):
        for name in vars(module).copy():
            if name.startswith("draw_") or name == "save_figure":
                setattr(module, name, lambda *_, **__: None)


DEEDS = {deed.__name__: deed for deed in (kill, tear, send, kill_worker, fill_disk, set_threads)}


def main(arguments: list[str], incidents: list[dict[str, Any]], *, pictures: bool, output: str) -> None:
    """Run `vidnas arguments` while `incidents`, arguments of `prepare`, happen; prints into `output`.

    Without `pictures` nothing is drawn, which takes longer than all the rest.
    """
    printed = os.open(output, os.O_WRONLY)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
    # Loaders start their workers in the usual way, whatever way this process was started.
    multiprocessing.set_start_method(multiprocessing.get_all_start_methods()[0], force=True)
    if not pictures:
        draw_nothing()
    foretell_nothing()
    measure_little(pytest.MonkeyPatch())
    for incident in incidents:
        prepare(**incident)
    sys.exit(vidnas.cli.main.main(arguments))


if __name__ == "victim":
    main(**globals()["GIVEN"])  # by conftest.py
