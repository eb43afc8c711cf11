"""How this process's threads wait, and how many compute; a program that calls vidnas decides that itself."""

import os
from dataclasses import replace
from typing import Any

from vidnas import console
from vidnas.config.parts import Machine
from vidnas.errors import counted
from vidnas.training.cores import Others, cores, describe_others

WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000"}
"""What OpenMP, by which PyTorch and the kernels share work, reads once, when PyTorch is imported: a thread
that waits for others sleeps after some ten microseconds. By itself it spins for milliseconds, on a busy
machine in the time of the very thread that it waits for (docs/performance.md)."""
CHOSEN = "OMP_NUM_THREADS"
"""Who sets it has chosen the threads."""


def wait_briefly() -> None:
    """Let threads that wait leave their core to others, unless the environment says how they are to wait."""
    if not any(name in os.environ for name in (*WAITING, "KMP_BLOCKTIME")):
        os.environ.update(WAITING)


def settle_threads(config: Any, others: Others) -> Any:
    """The settings of a verb, with as many threads as there are cores that others leave free."""
    if not isinstance(config, Machine) or config.threads is not None or CHOSEN in os.environ:
        return config
    busy, all_cores = others.busy_cores(), len(cores())
    free = max(1, round(all_cores - busy))
    if free < all_cores:
        said = describe_others(busy).capitalize()
        console.say(f"{said}: computing on {counted(free, 'thread')} (--threads changes that).")
    return replace(config, threads=free)
