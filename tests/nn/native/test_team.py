"""Kernels whose work threads share, where one of them comes late."""

import ctypes
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

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
        self._parts: list[tuple[int, int]] = []
        self._present = 0

    def run(self) -> list[tuple[int, int]]:
        """The parts that a kernel is called for."""
        library = kernels(torch.empty(0))
        assert library is not None
        self._parts = []
        runtime = PARALLEL(self._begin), NUMBER(lambda: self._present), NUMBER(lambda: THREADS)
        arguments = (ctypes.c_void_p * 1)()
        assert library.code.do_all(KERNEL(self._work), arguments, 0, ITEMS, THREADS, *runtime) == 0
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
