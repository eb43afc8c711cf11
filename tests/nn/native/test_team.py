"""Kernels whose work threads share, where one of them comes late."""

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from vidnas.cli.threads import HOW
from vidnas.nn.native import team
from vidnas.nn.native.library import kernels

KERNEL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
MEMBER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
PARALLEL = ctypes.CFUNCTYPE(None, MEMBER, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
NUMBER = ctypes.CFUNCTYPE(ctypes.c_int)
THREADS, ITEMS = 3, 10
PARTS = [(0, 3), (3, 6), (6, 10)]
LONGEST_SEC = 0.32
"""For which a caller does without the others."""


class Threads:
    """A runtime whose threads come one after the other, all but the caller late."""

    def __init__(self) -> None:
        self.late_sec = self.caller_sec = 0.0
        self.teams = 0
        self.late_again: list[bool] = []
        """Of every call, whether it said so."""
        self._parts: list[tuple[int, int]] = []
        self._present = 0

    def run(self) -> list[tuple[int, int]]:
        """The parts that a kernel is called for."""
        library = kernels(torch.empty(0))
        assert library is not None
        self._parts = []
        runtime = PARALLEL(self._begin), NUMBER(lambda: self._present), NUMBER(lambda: THREADS)
        arguments = (ctypes.c_void_p * 1)()
        result = library.code.do_all(KERNEL(self._work), arguments, 0, ITEMS, THREADS, *runtime)
        assert not result & team.FAILED
        self.late_again.append(bool(result & team.LATE_AGAIN))
        return self._parts

    def run_until_asked(self) -> None:
        """Call the kernel until the threads are asked to come."""
        before = self.teams
        while self.teams == before:
            assert self.run() == PARTS

    def _work(self, _: int, first: int, last: int) -> int:
        self._parts.append((first, last))
        time.sleep(self.caller_sec if first == 0 else 0)
        return 0

    def _begin(self, member: Callable[[int], None], data: int, threads: int, _: int) -> None:
        self.teams += 1
        for self._present in range(threads):
            time.sleep(self.late_sec if self._present == 1 else 0)
            member(data)


@pytest.fixture
def threads() -> Threads:
    if kernels(torch.empty(0)) is None:
        pytest.skip("there is no compiler")
    threads = Threads()
    time.sleep(LONGEST_SEC)  # what came before has no effect any more
    return threads


def test_threads_that_come_in_time_share_every_call(threads: Threads) -> None:
    threads.caller_sec = 0.05
    assert [threads.run() for _ in range(5)] == [PARTS] * 5
    assert threads.teams == 5


def test_whoever_comes_late_is_asked_ever_less_often_and_all_is_computed_without(threads: Threads) -> None:
    threads.caller_sec = 0.05
    threads.run()
    threads.caller_sec, threads.late_sec = 0.0, 0.005
    asked = []
    for _ in range(7):
        threads.run_until_asked()
        asked.append(time.monotonic())
    for number, (earlier, later) in enumerate(pairwise(asked)):
        assert later - earlier > 0.9 * min(0.01 * 2**number, LONGEST_SEC)
    assert threads.run() == PARTS
    assert threads.teams == 8, "this call comes too early to ask again"


def test_who_comes_in_time_again_shares_every_call(threads: Threads) -> None:
    threads.late_sec = 0.005
    threads.run_until_asked()
    threads.late_sec, threads.caller_sec, threads.teams = 0.0, 0.05, 0
    threads.run_until_asked()
    assert [threads.run() for _ in range(5)] == [PARTS] * 5
    assert threads.teams == 6


def test_it_is_told_when_threads_come_late_again_but_not_when_they_do_once(threads: Threads) -> None:
    threads.caller_sec = 0.05
    threads.run()
    for again in range(2):
        threads.caller_sec, threads.late_sec, threads.late_again = 0.0, 0.005, []
        threads.run_until_asked()
        assert not any(threads.late_again), f"late for the first time, {again} times before"
        threads.late_sec, threads.caller_sec = 0.0, 0.05
        threads.run_until_asked()
    threads.caller_sec, threads.late_sec = 0.0, 0.005
    threads.run_until_asked()
    threads.run_until_asked()
    assert threads.late_again[-1]


# Threads that do nothing, so that all spin little


def test_a_crowd_comes_once_stays_while_it_is_wanted_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "SHORT_SPINS_SEC", 0.5)
    callers: list[threading.Thread] = []
    crowd = team.Crowd()
    for _ in range(3):
        crowd.keep(lambda: callers.append(threading.current_thread()))
        time.sleep(0.3)
    (caller,) = callers
    assert caller.is_alive(), "it was wanted 0.3 s ago"
    caller.join(5)
    assert not caller.is_alive()
    crowd.keep(lambda: callers.append(threading.current_thread()))
    assert len(callers) == 2


SPINNING = """
import time, torch
from functools import partial
from vidnas.cli.threads import HOW
from vidnas.nn.native import team
from vidnas.nn.native.library import kernels

def sec_of_waiting():
    numbers = torch.zeros(1 << 20)
    begun = time.process_time()
    for _ in range(100):
        numbers.add_(1.0)
        time.sleep(0.003)
    return time.process_time() - begun

torch.set_num_threads(2)
alone, openmp = sec_of_waiting(), team._openmp()
nothing = kernels(torch.empty(0)).code.do_nothing
team._crowd().keep(partial(openmp.parallel, nothing, None, openmp.num_procs(), 0))
time.sleep(0.1)
print(alone, sec_of_waiting())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch brings GNU's OpenMP there")
def test_in_a_crowd_a_thread_that_waits_takes_less_of_the_processors_time() -> None:
    if kernels(torch.empty(0)) is None:
        pytest.skip("there is no compiler")
    env = {name: value for name, value in os.environ.items() if name not in HOW}
    command = [sys.executable, "-c", SPINNING]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    alone, crowded = map(float, done.stdout.split())
    assert crowded < 0.6 * alone
