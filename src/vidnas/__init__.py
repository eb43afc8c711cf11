"""vidnas: searches, trains and evaluates compact video action-recognition networks.

The verbs of the command line under the same names: `run_search(search_preset("cpu", data="my-videos"))`.
A name is imported when it is first used, so that `import vidnas` is quick and loads no PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidnas.assembly.classifier import Classifier as Classifier
    from vidnas.assembly.classifier import load as load
    from vidnas.config.data import CheckConfig as CheckConfig
    from vidnas.config.data import PackConfig as PackConfig
    from vidnas.config.learning import CompareConfig as CompareConfig
    from vidnas.config.learning import EvaluateConfig as EvaluateConfig
    from vidnas.config.learning import SearchConfig as SearchConfig
    from vidnas.config.learning import TrainConfig as TrainConfig
    from vidnas.config.presets import compare_preset as compare_preset
    from vidnas.config.presets import search_preset as search_preset
    from vidnas.config.presets import train_preset as train_preset
    from vidnas.config.views import DemoConfig as DemoConfig
    from vidnas.config.views import DrawConfig as DrawConfig
    from vidnas.config.views import PredictConfig as PredictConfig
    from vidnas.config.views import ReportConfig as ReportConfig
    from vidnas.errors import UsageError as UsageError
    from vidnas.errors import UserError as UserError
    from vidnas.nas.genotype import Genotype as Genotype
    from vidnas.nas.genotype import load_genotype as load_genotype
    from vidnas.nas.genotype import random_genotype as random_genotype
    from vidnas.nas.network import Network as Network
    from vidnas.nas.network import Supernet as Supernet
    from vidnas.training.predictions import Prediction as Prediction
    from vidnas.verbs.check import CheckResult as CheckResult
    from vidnas.verbs.check import run_check as run_check
    from vidnas.verbs.compare import CompareResult as CompareResult
    from vidnas.verbs.compare import run_compare as run_compare
    from vidnas.verbs.demo import DemoResult as DemoResult
    from vidnas.verbs.demo import run_demo as run_demo
    from vidnas.verbs.draw import DrawResult as DrawResult
    from vidnas.verbs.draw import run_draw as run_draw
    from vidnas.verbs.evaluate import EvaluateResult as EvaluateResult
    from vidnas.verbs.evaluate import run_evaluate as run_evaluate
    from vidnas.verbs.pack import PackResult as PackResult
    from vidnas.verbs.pack import run_pack as run_pack
    from vidnas.verbs.predict import PredictResult as PredictResult
    from vidnas.verbs.predict import run_predict as run_predict
    from vidnas.verbs.report import ReportResult as ReportResult
    from vidnas.verbs.report import run_report as run_report
    from vidnas.verbs.search import SearchResult as SearchResult
    from vidnas.verbs.search import run_search as run_search
    from vidnas.verbs.train import TrainResult as TrainResult
    from vidnas.verbs.train import run_train as run_train

_NAMES = {
    "vidnas.assembly.classifier": ("Classifier", "load"),
    "vidnas.config.data": ("CheckConfig", "PackConfig"),
    "vidnas.config.learning": ("CompareConfig", "EvaluateConfig", "SearchConfig", "TrainConfig"),
    "vidnas.config.presets": ("compare_preset", "search_preset", "train_preset"),
    "vidnas.config.views": ("DemoConfig", "DrawConfig", "PredictConfig", "ReportConfig"),
    "vidnas.errors": ("UsageError", "UserError"),
    "vidnas.nas.genotype": ("Genotype", "load_genotype", "random_genotype"),
    "vidnas.nas.network": ("Network", "Supernet"),
    "vidnas.training.predictions": ("Prediction",),
    "vidnas.verbs.check": ("CheckResult", "run_check"),
    "vidnas.verbs.compare": ("CompareResult", "run_compare"),
    "vidnas.verbs.demo": ("DemoResult", "run_demo"),
    "vidnas.verbs.draw": ("DrawResult", "run_draw"),
    "vidnas.verbs.evaluate": ("EvaluateResult", "run_evaluate"),
    "vidnas.verbs.pack": ("PackResult", "run_pack"),
    "vidnas.verbs.predict": ("PredictResult", "run_predict"),
    "vidnas.verbs.report": ("ReportResult", "run_report"),
    "vidnas.verbs.search": ("SearchResult", "run_search"),
    "vidnas.verbs.train": ("TrainResult", "run_train"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'vidnas' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
