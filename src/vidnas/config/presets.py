"""Sets of settings to start from. docs/guide.md says for whom each is and why it differs from the paper."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from vidnas.config.learning import CompareConfig, SearchConfig, TrainConfig, refuse_cells
from vidnas.config.parts import Clips, Data, UsedData
from vidnas.errors import UsageError

Preset = Literal["paper", "fast", "cpu", "demo"]
DEFAULT_PRESET: Preset = "cpu"
"""That of the command line."""


def search_preset(preset: str, **settings: Any) -> SearchConfig:
    """The settings of a search preset, with `settings` (at least `data`) on top."""
    return SearchConfig(**{**_chosen(SEARCH_PRESETS, preset), **settings})


def train_preset(preset: str, **settings: Any) -> TrainConfig:
    """The settings of a training preset, with `settings` (at least `data` and `genotype`) on top.

    UsageError for one of `settings` that does nothing for the network.
    """
    config = TrainConfig(**{**_chosen(TRAIN_PRESETS, preset), **settings})
    refuse_cells(config, settings)
    return config


def compare_preset(preset: str, **settings: Any) -> CompareConfig:
    """A training preset's for a comparison, with `settings` (at least `data` and `networks`) on top.

    UsageError for one of `settings` that does nothing for all of the networks.
    """
    config = CompareConfig(**{**_chosen(TRAIN_PRESETS, preset), **settings})
    refuse_cells(config, settings)
    return config


def same_clips(config: SearchConfig, preset: str) -> list[str]:
    """The flags with which a training of this preset reads, divides and samples as `config` does."""
    default = train_preset(preset, data=config.data, genotype="random:0")
    same = ["--data", config.data] + ([] if preset == DEFAULT_PRESET else ["--preset", preset])
    for part in (Data, UsedData, Clips):
        for name in part.__annotations__:
            value = getattr(config, name)
            if value != getattr(default, name):
                same += as_flag(name, value)
    return same


def as_flag(name: str, value: object) -> list[str]:
    """A setting as a person types it."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}={value}"] if str(value).startswith("-") else [f"--{flag}", str(value)]


def _chosen(table: Mapping[str, Mapping[str, object]], preset: str) -> Mapping[str, Any]:
    if preset not in table:
        raise UsageError(f"preset is {preset!r}; allowed are {', '.join(table)}.")
    return table[preset]


def _table(**presets: dict[str, object]) -> Mapping[str, Mapping[str, object]]:
    return MappingProxyType({name: MappingProxyType(values) for name, values in presets.items()})


SEARCH_PRESETS = _table(
    paper={},
    fast=dict(order=1, epochs=30, batch_size=32, stem_stride=2, alpha_lr=1e-3, input="residual"),
    cpu=dict(order=1, epochs=20, batch_size=16, stem_stride=2, size_px=64, alpha_lr=1e-2, input="residual"),
    demo=dict(order=1, epochs=3, batch_size=32, stem_stride=2, size_px=32, alpha_lr=2e-2, flip=False),
)
"""What each search preset changes of the paper's settings."""

_ADAMW = dict(stem_stride=2, optimizer="adamw", weight_decay=0.05)
TRAIN_PRESETS = _table(
    paper={},
    fast=dict(epochs=120, batch_size=32, input="residual", lr=3e-3, **_ADAMW),
    cpu=dict(epochs=40, batch_size=8, size_px=64, input="residual", lr=3e-3, **_ADAMW),
    demo=dict(epochs=6, batch_size=16, size_px=32, flip=False, lr=5e-3, warmup=0.3, **_ADAMW),
)
"""What each training preset changes of the paper's settings."""
