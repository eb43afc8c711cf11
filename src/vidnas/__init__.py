"""vidnas: searches, trains and evaluates compact video action-recognition networks.

The verbs of the command line under the same names: `run_search(search_preset("cpu", data="my-videos"))`.
A name is imported when it is first used, so that `import vidnas` is quick and loads no PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidnas.config import (
        DemoConfig,
        EvaluateConfig,
        SearchConfig,
        TrainConfig,
        search_preset,
        train_preset,
    )
    from vidnas.demo import DemoResult, run_demo
    from vidnas.errors import UsageError, UserError
    from vidnas.evaluate import EvaluateResult, run_evaluate
    from vidnas.genotype import Genotype, load_genotype, random_genotype
    from vidnas.nn.network import Network, Supernet
    from vidnas.runs import LoadedNetwork, load
    from vidnas.search import SearchResult, run_search
    from vidnas.train import TrainResult, run_train

__all__ = [
    "DemoConfig",
    "DemoResult",
    "EvaluateConfig",
    "EvaluateResult",
    "Genotype",
    "LoadedNetwork",
    "Network",
    "SearchConfig",
    "SearchResult",
    "Supernet",
    "TrainConfig",
    "TrainResult",
    "UsageError",
    "UserError",
    "load",
    "load_genotype",
    "random_genotype",
    "run_demo",
    "run_evaluate",
    "run_search",
    "run_train",
    "search_preset",
    "train_preset",
]

_HOMES = {
    "vidnas.config": (
        "DemoConfig",
        "EvaluateConfig",
        "SearchConfig",
        "TrainConfig",
        "search_preset",
        "train_preset",
    ),
    "vidnas.demo": (
        "DemoResult",
        "run_demo",
    ),
    "vidnas.errors": (
        "UsageError",
        "UserError",
    ),
    "vidnas.evaluate": (
        "EvaluateResult",
        "run_evaluate",
    ),
    "vidnas.genotype": (
        "Genotype",
        "load_genotype",
        "random_genotype",
    ),
    "vidnas.nn.network": (
        "Network",
        "Supernet",
    ),
    "vidnas.runs": (
        "LoadedNetwork",
        "load",
    ),
    "vidnas.search": (
        "SearchResult",
        "run_search",
    ),
    "vidnas.train": (
        "TrainResult",
        "run_train",
    ),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'vidnas' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
