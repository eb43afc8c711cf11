"""What a run measures and draws, made quick where a test is not about it."""

from collections.abc import Iterator

import pytest

from vidnas.report.figures import save
from vidnas.training import forecast, latency


@pytest.fixture(scope="module")
def measured_little() -> Iterator[None]:
    """Every pass that is timed is timed as rarely as it can be, and pictures have few pixels."""
    with pytest.MonkeyPatch.context() as patch:
        measure_little(patch)
        yield


def measure_little(patch: pytest.MonkeyPatch) -> None:
    """For a fixture that lives longer than a module, with its patch."""
    patch.setattr(latency, "MOST_TURNS", 1)  # also where another test has the machine
    patch.setattr(latency, "WARM_UPS", 1)
    patch.setattr(latency, "UNITS", (1, 1))
    patch.setattr(forecast, "SHORT_SEC", 0.0)
    patch.setattr(forecast, "_larger", lambda *_: 0)  # two clips alone are tried
    patch.setattr(save, "PNG_DPI", 30)
