"""How the command line's threads wait, and how many it takes."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from vidnas.cli import threads
from vidnas.config.data import CheckConfig
from vidnas.config.presets import train_preset
from vidnas.training.cores import Others

NEW = train_preset("fast", data="builtin", genotype="random:0")
NAMES = (*threads.HOW, threads.CHOSEN)


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing of threads, and is as before in the end."""
    for name in NAMES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


class Busy(Others):
    """Others that keep so many cores busy."""

    def __init__(self, busy: float) -> None:
        self.busy = busy

    def lastingly_busy_cores(self) -> float:
        return self.busy


WHAT_PYTORCH_MEETS = """
import os, sys
from vidnas.cli import main as command_line
settle = command_line.settle_threads
def spied(config, others, **how):
    others.busy_cores = lambda: 0.0
    settle(config, others, **how)
    print("torch" in sys.modules, os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT"))
    sys.exit()
command_line.settle_threads = spied
command_line.main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("env", "met"),
    [
        ({}, "False passive 100000"),
        ({"OMP_NUM_THREADS": "99"}, "False passive 0"),
        ({"OMP_NUM_THREADS": "a word"}, "False passive 100000"),
        ({"OMP_WAIT_POLICY": "active"}, "False active None"),
        ({"GOMP_SPINCOUNT": "7"}, "False None 7"),
        ({"KMP_BLOCKTIME": "1"}, "False None None"),
    ],
)
def test_how_threads_wait_is_in_the_environment_before_pytorch_reads_it(
    env: dict[str, str], met: str
) -> None:
    command = [sys.executable, "-c", WHAT_PYTORCH_MEETS]
    own = {name: value for name, value in os.environ.items() if name not in NAMES} | env
    command += ["train", "--data", "builtin", "--genotype", "random:0"]
    done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [met], done.stderr


@pytest.mark.parametrize(
    ("asked", "busy", "spins"),
    [(None, 0.1, "100000"), (None, 1.0, "100000"), (2, 0.1, "100000"), (2, 1.0, "0"), (3, 0.0, "0")],
)
def test_who_has_no_core_of_its_own_sleeps_at_once(
    asked: int | None, busy: float, spins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "cores", lambda: [0, 1])
    threads.settle_threads(replace(NEW, threads=asked), Busy(busy))
    assert os.environ["GOMP_SPINCOUNT"] == spins


@pytest.mark.parametrize(
    ("cores", "busy", "taken"), [(2, 0.0, 2), (2, 0.4, 2), (2, 0.9, 1), (2, 2.0, 1), (8, 3.2, 5), (1, 1.0, 1)]
)
def test_it_takes_the_cores_that_others_leave_and_says_where_these_are_not_all(
    cores: int, busy: float, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("vidnas.console.say", said.append)
    monkeypatch.setattr(threads, "cores", lambda: list(range(cores)))
    assert threads.settle_threads(NEW, Busy(busy)).threads == taken
    assert len(said) == (taken < cores)
    assert all(
        f"{busy:.1f} of" in line and f"on {taken} thread{'s' * (taken > 1)} (--threads" in line
        for line in said
    )


def test_who_has_chosen_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = train_preset("fast", data="builtin", genotype="random:0", threads=3)
    assert threads.settle_threads(chosen, Busy(2.0)) is chosen
    assert threads.settle_threads(NEW, Busy(2.0), resume=True) is NEW, "its run folder says how many"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    no_machine = CheckConfig(data="builtin")
    assert threads.settle_threads(no_machine, Busy(2.0)) is no_machine and "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert threads.settle_threads(NEW, Busy(2.0)) is NEW
