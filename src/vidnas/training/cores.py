"""How many cores this process has, and how many of them other programs keep busy."""

import math
import time
from pathlib import Path

import psutil

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of a container on Linux: the time, microseconds or "max", that it may compute in each period."""
SHORTEST_SEC = 0.2
"""The system counts in hundredths of a second."""
MUCH, CERTAIN_SEC = 0.5, 1.0
"""Others that keep so many cores busy are looked at for so much longer, where it is to be known for long."""
WORTH_TELLING = 0.25
"""So many cores that others keep busy change what a forecast is worth."""


def cores() -> list[int]:
    """The numbers of the cores on which this process may run, as many as it may use at once."""
    process = psutil.Process()
    allowed = process.cpu_affinity() if hasattr(process, "cpu_affinity") else range(psutil.cpu_count() or 1)
    return list(allowed)[: _quota()]


def _quota() -> int | None:
    try:
        quota, period = QUOTA.read_text().split()
        return None if quota == "max" else max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return None


class Others:
    """What other programs compute from the moment on in which this is made."""

    def __init__(self) -> None:
        self._began = self._now()

    def busy_cores(self) -> float:
        """How many of this process's cores they have kept busy on average, 0 where the system hides that.

        It may wait for a moment.
        """
        if self._began is None:
            return 0.0
        began, busy, own = self._began
        time.sleep(max(0.0, SHORTEST_SEC - (time.monotonic() - began)))
        if (seen := self._now()) is None:
            return 0.0
        now, busy_now, own_now = seen
        others = (busy_now - busy - (own_now - own)) / (now - began)
        return min(max(others, 0.0), float(len(cores())))

    def lastingly_busy_cores(self) -> float:
        """The same of those that go on: where it is much, it is looked at again, for it may be a moment's."""
        busy = self.busy_cores()
        if busy < MUCH:
            return busy
        later = Others()
        time.sleep(CERTAIN_SEC)
        return min(busy, later.busy_cores())

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Seconds: now, of all cores' work, of this process's."""
        try:
            times = psutil.cpu_times(percpu=True)
        except (OSError, psutil.Error):  # some containers hide /proc/stat
            return None
        own = [times[core] for core in cores() if core < len(times)]
        busy = sum(sum(core) - core.idle - getattr(core, "iowait", 0.0) for core in own)
        return time.monotonic(), busy, time.process_time()


def describe_others(busy: float) -> str:
    """The sentence."""
    return f"other programs keep {busy:.1f} of {len(cores())} cores busy"
