"""Settings with which a run takes a second: as a verb's keywords, and as a command line's flags."""

from collections.abc import Mapping
from typing import Any

LITTLE: Mapping[str, Any] = dict(
    epochs=1, batch_size=4, size_px=16, segments=2, num_cells=1, first_channels=1, workers=0
)


def flags(**settings: Any) -> tuple[str, ...]:
    """The flags of these settings, with the demo's preset."""
    given = {"preset": "demo", **settings}.items()
    return tuple(part for name, value in given for part in (f"--{name.replace('_', '-')}", str(value)))
