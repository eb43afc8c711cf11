"""Which versions are installed of what a run's numbers depend on."""

import platform
from importlib.metadata import version

PACKAGES = ("vidnas", "torch", "numpy", "av")


def installed_versions() -> dict[str, str]:
    """Versions by name, Python's first."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
