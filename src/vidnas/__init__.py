"""vidnas: searches, trains and evaluates compact video action-recognition networks.

The verbs of the command line under the same names: `run_search(search_preset("cpu", data="my-videos"))`.
A name is imported when it is first used, so that `import vidnas` is quick and loads no PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidnas.check import CheckResult as CheckResult
    from vidnas.check import run_check as run_check
    from vidnas.compare import CompareResult as CompareResult
    from vidnas.compare import run_compare as run_compare
    from vidnas.config import CompareConfig as CompareConfig
    from vidnas.config import EvaluateConfig as EvaluateConfig
    from vidnas.config import SearchConfig as SearchConfig
    from vidnas.config import TrainConfig as TrainConfig
    from vidnas.dataconfig import CheckConfig as CheckConfig
    from vidnas.dataconfig import PackConfig as PackConfig
    from vidnas.demo import DemoResult as DemoResult
    from vidnas.demo import run_demo as run_demo
    from vidnas.draw import DrawResult as DrawResult
    from vidnas.draw import run_draw as run_draw
    from vidnas.errors import UsageError as UsageError
    from vidnas.errors import UserError as UserError
    from vidnas.evaluate import EvaluateResult as EvaluateResult
    from vidnas.evaluate import run_evaluate as run_evaluate
    from vidnas.genotype import Genotype as Genotype
    from vidnas.genotype import load_genotype as load_genotype
    from vidnas.genotype import random_genotype as random_genotype
    from vidnas.networks import LoadedNetwork as LoadedNetwork
    from vidnas.networks import load as load
    from vidnas.nn.network import Network as Network
    from vidnas.nn.network import Supernet as Supernet
    from vidnas.pack import PackResult as PackResult
    from vidnas.pack import run_pack as run_pack
    from vidnas.predict import PredictResult as PredictResult
    from vidnas.predict import run_predict as run_predict
    from vidnas.presets import compare_preset as compare_preset
    from vidnas.presets import search_preset as search_preset
    from vidnas.presets import train_preset as train_preset
    from vidnas.report import ReportResult as ReportResult
    from vidnas.report import run_report as run_report
    from vidnas.search import SearchResult as SearchResult
    from vidnas.search import run_search as run_search
    from vidnas.train import TrainResult as TrainResult
    from vidnas.train import run_train as run_train
    from vidnas.viewconfig import DemoConfig as DemoConfig
    from vidnas.viewconfig import DrawConfig as DrawConfig
    from vidnas.viewconfig import PredictConfig as PredictConfig
    from vidnas.viewconfig import ReportConfig as ReportConfig

_MODULES = {
    "CheckConfig": "vidnas.dataconfig",
    "CheckResult": "vidnas.check",
    "CompareConfig": "vidnas.config",
    "CompareResult": "vidnas.compare",
    "DemoConfig": "vidnas.viewconfig",
    "DemoResult": "vidnas.demo",
    "DrawConfig": "vidnas.viewconfig",
    "DrawResult": "vidnas.draw",
    "EvaluateConfig": "vidnas.config",
    "EvaluateResult": "vidnas.evaluate",
    "Genotype": "vidnas.genotype",
    "LoadedNetwork": "vidnas.networks",
    "Network": "vidnas.nn.network",
    "PackConfig": "vidnas.dataconfig",
    "PackResult": "vidnas.pack",
    "PredictConfig": "vidnas.viewconfig",
    "PredictResult": "vidnas.predict",
    "ReportConfig": "vidnas.viewconfig",
    "ReportResult": "vidnas.report",
    "SearchConfig": "vidnas.config",
    "SearchResult": "vidnas.search",
    "Supernet": "vidnas.nn.network",
    "TrainConfig": "vidnas.config",
    "TrainResult": "vidnas.train",
    "UsageError": "vidnas.errors",
    "UserError": "vidnas.errors",
    "compare_preset": "vidnas.presets",
    "load": "vidnas.networks",
    "load_genotype": "vidnas.genotype",
    "random_genotype": "vidnas.genotype",
    "run_check": "vidnas.check",
    "run_compare": "vidnas.compare",
    "run_demo": "vidnas.demo",
    "run_draw": "vidnas.draw",
    "run_evaluate": "vidnas.evaluate",
    "run_pack": "vidnas.pack",
    "run_predict": "vidnas.predict",
    "run_report": "vidnas.report",
    "run_search": "vidnas.search",
    "run_train": "vidnas.train",
    "search_preset": "vidnas.presets",
    "train_preset": "vidnas.presets",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'vidnas' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
