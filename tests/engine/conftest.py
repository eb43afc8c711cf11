"""What the tests of the engine share: a clock that goes only when told."""

import time

import pytest


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
