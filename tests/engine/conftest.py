"""What the tests of the engine share: a disk that takes little, a clock that goes only when told."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Lets no file of this process grow beyond 50 kB, as a full disk would."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Clock:
    """The time in seconds that `time.perf_counter` tells."""

    def __init__(self) -> None:
        self.now_sec = 0.0

    def sleep(self, sec: float) -> None:
        self.now_sec += sec


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now_sec)
    return clock
