"""The cores that this process has, and what others do on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vidnas.training import cores
from vidnas.training.cores import Others

BUSY_CORES = Others.busy_cores
"""As it is outside of tests."""


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 4), ("nonsense", 4), (None, 4)],
)
def test_a_container_s_quota_limits_the_cores(
    quota: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if quota is not None:
        (tmp_path / "cpu.max").write_text(f"{quota}\n")
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr("psutil.Process.cpu_affinity", lambda _self: [1, 3, 5, 7], raising=False)
    assert len(cores.cores()) == expected


def seen(monkeypatch: pytest.MonkeyPatch, *moments: tuple[float, float, float]) -> Others:
    """Others who have looked at the first moment, and will at the next: time, all seconds, our own."""
    look: Iterator[tuple[float, float, float]] = iter(moments)
    monkeypatch.setattr(Others, "_now", staticmethod(lambda: next(look)))
    monkeypatch.setattr(cores, "cores", lambda: [0, 1])
    return Others()


@pytest.mark.parametrize(
    ("later", "busy"),
    [
        ((12.0, 103.0, 5.0), 1.5),  # three seconds of two are theirs
        ((12.0, 103.0, 7.0), 0.5),  # two of them our own
        ((12.0, 101.0, 7.0), 0.0),  # clocks of the system are coarse
        ((12.0, 110.0, 5.0), 2.0),  # no more than there are
    ],
)
def test_what_others_compute_is_all_but_our_own_work(
    later: tuple[float, float, float], busy: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BUSY_CORES(seen(monkeypatch, (10.0, 100.0, 5.0), later)) == pytest.approx(busy)


@pytest.mark.parametrize(
    ("first", "second", "lasting"),
    [
        (0.4, None, 0.4),  # little is not looked at again
        (1.5, 0.1, 0.1),  # a moment's work
        (1.5, 1.0, 1.0),
        (1.0, 1.5, 1.0),
    ],
)
def test_what_others_do_for_a_moment_alone_is_not_what_they_go_on_doing(
    first: float, second: float | None, lasting: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(Others, "busy_cores", BUSY_CORES)
    moments = [(10.0, 100.0, 5.0), (11.0, 100.0 + first, 5.0)]
    if second is not None:
        moments += [(20.0, 200.0, 5.0), (21.0, 200.0 + second, 5.0)]
    assert seen(monkeypatch, *moments).lastingly_busy_cores() == pytest.approx(lasting)


def test_the_system_tells_of_a_moment() -> None:
    assert 0 <= BUSY_CORES(Others()) <= len(cores.cores())
    assert cores.describe_others(0.25) == f"other programs keep 0.2 of {len(cores.cores())} cores busy"


def test_where_the_system_does_not_say_nobody_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(**_: bool) -> None:
        raise PermissionError(13, "Permission denied", "/proc/stat")

    monkeypatch.setattr("psutil.cpu_times", hidden)
    assert BUSY_CORES(Others()) == 0.0
