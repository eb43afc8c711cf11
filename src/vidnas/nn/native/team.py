"""The items of a kernel are divided among PyTorch's own threads, which rarely spin where cores are few."""

import ctypes
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

import torch

FAILED, LATE_AGAIN = 1, 2
"""What do_all (team.c) returns: bits."""
SHORT_SPINS_SEC = 2.0
"""For so long threads sleep almost at once when one has come late again and again."""


class OpenMP(NamedTuple):
    """Functions of PyTorch's OpenMP runtime: what starts a team of threads, and what a member asks."""

    parallel: Any
    thread_num: Any
    num_threads: Any
    num_procs: Any


def share(code: ctypes.CDLL, kernel: Any, num_items: int, arguments: int, count: int) -> None:
    """Call a kernel for parts of its items, a thread each.

    From the address `arguments` on lie `count` arguments and, behind them, by how much each differs from one
    thread to the next.
    """
    threads = max(1, min(torch.get_num_threads(), num_items))
    work = kernel, ctypes.c_void_p(arguments), count, num_items, threads
    if threads == 1:
        failed = code.do_part(*work, 0)
    elif (openmp := _openmp()) is not None:
        result = code.do_all(*work, openmp.parallel, openmp.thread_num, openmp.num_threads)
        failed = result & FAILED
        if result & LATE_AGAIN:
            size = max(2, openmp.num_procs() - threads + 2)
            _crowd().keep(partial(openmp.parallel, code.do_nothing, None, size, 0))
    else:
        failed = sum(_pool(threads).map(partial(code.do_part, *work), range(threads)))
    if failed:
        raise MemoryError("Not enough memory for the scratch of a CPU kernel.")


@cache
def _openmp() -> OpenMP | None:
    """PyTorch's OpenMP runtime.

    Threads of another pool would have to share the cores with PyTorch's own, which go on spinning for a while
    after each of its ops in the hope of more to do. A library's symbols are looked up in those it needs, too.
    """
    library = ctypes.CDLL(torch._C.__file__)
    needed = "GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads", "omp_get_num_procs"
    if not all(hasattr(library, name) for name in needed):
        return None
    return OpenMP(*(getattr(library, name) for name in needed))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not live on in a forked process
    return ThreadPoolExecutor(threads, thread_name_prefix="vidnas-kernels")


class Crowd:
    """Threads that do nothing, so many that there are more than cores.

    A thread of GNU's OpenMP that waits for another spins for milliseconds, beside other programs in the time
    of the very thread that it waits for. It does so a hundred times at most where there are more threads than
    cores (GOMP_SPINCOUNT in its manual), and a spin count can't be changed later in another way.
    """

    def __init__(self) -> None:
        self._until_sec = 0.0
        self._thread: threading.Thread | None = None

    def keep(self, have_team: Callable[[], object]) -> None:
        """Let all threads spin little from now on, for `SHORT_SPINS_SEC`.

        `have_team` starts a team, whose threads wait for more to do until the one that called it ends.
        """
        self._until_sec = time.monotonic() + SHORT_SPINS_SEC
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._stay, args=(have_team,), daemon=True)
            self._thread.start()

    def _stay(self, have_team: Callable[[], object]) -> None:
        have_team()
        while (left := self._until_sec - time.monotonic()) > 0:
            time.sleep(left)


@cache
def _crowd() -> Crowd:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_crowd.cache_clear)
    return Crowd()
