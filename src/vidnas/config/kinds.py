"""The kinds of runs: which settings each takes, and how the settings in a file say which they are."""

from collections.abc import Mapping
from types import MappingProxyType

from vidnas.config.learning import CompareConfig, SearchConfig, TrainConfig

RunConfig = SearchConfig | TrainConfig
KIND = "kind"
"""Beside the settings in a config.json: the verb that takes them."""
CONFIGS: Mapping[str, type[RunConfig | CompareConfig]] = MappingProxyType(
    {"search": SearchConfig, "train": TrainConfig, "compare": CompareConfig}
)
NOUNS = MappingProxyType({"search": "search", "train": "training", "compare": "comparison"})
_OWN = {"alpha_lr": "search", "genotype": "train", "networks": "compare"}
"""Settings by which those of a file from before they said their kind are known."""


def verb_of(config: RunConfig | CompareConfig) -> str:
    """The verb that takes these settings."""
    return next(verb for verb, kind in CONFIGS.items() if isinstance(config, kind))


def verb_in(settings: Mapping[str, object]) -> str | None:
    """The verb that takes the settings of a file; None where no kind of run does."""
    verb = settings.get(KIND) or next((_OWN[name] for name in _OWN if name in settings), None)
    return verb if isinstance(verb, str) and verb in CONFIGS else None
