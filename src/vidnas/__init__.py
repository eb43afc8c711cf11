"""vidnas: searches, trains and evaluates compact video action-recognition networks.

The verbs of the command line under the same names: `run_search(search_preset("cpu", data="my-videos"))`.
A name is imported when it is first used, so that `import vidnas` is quick and loads no PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidnas.assembly.classifier import Classifier as Classifier, load as load
    from vidnas.config.data import CheckConfig as CheckConfig, PackConfig as PackConfig
    from vidnas.config.learning import (
        CompareConfig as CompareConfig,
        EvaluateConfig as EvaluateConfig,
        SearchConfig as SearchConfig,
        TrainConfig as TrainConfig,
    )
    from vidnas.config.presets import (
        compare_preset as compare_preset,
        search_preset as search_preset,
        train_preset as train_preset,
    )
    from vidnas.config.views import (
        DemoConfig as DemoConfig,
        DrawConfig as DrawConfig,
        PredictConfig as PredictConfig,
        ReportConfig as ReportConfig,
    )
    from vidnas.errors import UsageError as UsageError, UserError as UserError
    from vidnas.nas.genotype import (
        Genotype as Genotype,
        load_genotype as load_genotype,
        random_genotype as random_genotype,
    )
    from vidnas.nas.network import Network as Network, Supernet as Supernet
    from vidnas.training.predictions import Prediction as Prediction
    from vidnas.verbs.check import CheckResult as CheckResult, run_check as run_check
    from vidnas.verbs.compare import CompareResult as CompareResult, run_compare as run_compare
    from vidnas.verbs.demo import DemoResult as DemoResult, run_demo as run_demo
    from vidnas.verbs.draw import DrawResult as DrawResult, run_draw as run_draw
    from vidnas.verbs.evaluate import EvaluateResult as EvaluateResult, run_evaluate as run_evaluate
    from vidnas.verbs.pack import PackResult as PackResult, run_pack as run_pack
    from vidnas.verbs.predict import PredictResult as PredictResult, run_predict as run_predict
    from vidnas.verbs.report import ReportResult as ReportResult, run_report as run_report
    from vidnas.verbs.search import SearchResult as SearchResult, run_search as run_search
    from vidnas.verbs.train import TrainResult as TrainResult, run_train as run_train

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
    if name == "__version__":
        return import_module("importlib.metadata").version("vidnas")
    if name not in _MODULES:
        raise AttributeError(f"module 'vidnas' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
