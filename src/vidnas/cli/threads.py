"""How this process's threads wait, and how many compute; a program that calls vidnas decides that itself."""

import os
from dataclasses import replace
from typing import Any

from vidnas import console
from vidnas.config.parts import Machine
from vidnas.errors import counted
from vidnas.training.cores import Others, cores, describe_others

SPINS, NO_SPINS = "100000", "0"
"""How often a thread looks whether it is needed before it sleeps: for a millisecond, or not at all."""
HOW = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"
"""By these the environment says how threads wait."""
CHOSEN = "OMP_NUM_THREADS"
"""Who sets it has chosen the threads."""


def _free(busy: float) -> int:
    """The cores for us where others keep so many busy."""
    return max(1, round(len(cores()) - busy))


def waiting(threads: int, busy: float) -> dict[str, str]:
    """How so many threads wait for one another where others keep so many cores busy.

    OpenMP, by which PyTorch and the kernels share work, reads it once, when PyTorch is imported. By itself a
    thread spins for milliseconds, on a busy machine in the time of the very thread that it waits for. With a
    core for each, a millisecond is enough to be there at once, and where a core is lost later the kernels
    notice it (nn/native/team.py); with fewer, who waits had better sleep (docs/performance.md).
    """
    return {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": NO_SPINS if threads > _free(busy) else SPINS}


def settle_threads(config: Any, others: Others, *, resume: bool = False) -> Any:
    """The settings of a verb, with as many threads as there are cores that others leave free.

    A run that goes on has its threads already. How they wait is written into the environment, which PyTorch
    is yet to read, unless it says so itself.
    """
    if not isinstance(config, Machine):
        return config
    busy = others.lastingly_busy_cores()
    free = _free(busy)
    chosen = os.environ.get(CHOSEN)
    asked = config.threads or (int(chosen) if chosen and chosen.isdecimal() else free)
    if not any(name in os.environ for name in HOW):
        os.environ.update(waiting(asked, busy))
    if resume or config.threads is not None or chosen is not None:
        return config
    if free < len(cores()):
        said = describe_others(busy).capitalize()
        console.say(f"{said}: computing on {counted(free, 'thread')} (--threads changes that).")
    return replace(config, threads=free)
