"""Which versions are installed of what a run's numbers depend on."""

import platform
from importlib.metadata import version

import torch


def installed_versions() -> dict[str, str]:
    """Versions by name, Python's first; PyTorch's says which build it is, as in 2.13.0+cpu."""
    torch_version = str(torch.__version__)  # pip does not tell the builds apart
    others = {name: version(name) for name in ("numpy", "av")}
    return {
        "python": platform.python_version(), "vidnas": version("vidnas"), "torch": torch_version, **others,
    }  # fmt: skip
