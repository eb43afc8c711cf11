"""Run folders and their settings, these also as a person would type them: a preset, and what differs."""

import dataclasses
import shlex
from collections.abc import Mapping

from vidnas.config.kinds import RunConfig, verb_of
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.parts import Cells
from vidnas.config.presets import SEARCH_PRESETS, TRAIN_PRESETS, as_flag


def nearest_preset(config: RunConfig) -> str:
    """The preset from which the fewest settings differ."""
    return min(_presets(config), key=lambda preset: len(changed(config, preset)))


def changed(config: RunConfig, preset: str) -> dict[str, object]:
    """The settings that a preset leaves open or has otherwise.

    Not what does nothing for the run's network, nor where it was written.
    """
    starts, unknown = _presets(config)[preset], dataclasses.MISSING
    no_cells = isinstance(config, TrainConfig) and config.network is not None
    silent = {"out", *(Cells.__annotations__ if no_cells else ())}
    return {
        name: value
        for name, value in dataclasses.asdict(config).items()
        if name not in silent and value != starts.get(name, getattr(type(config), name, unknown))
    }


def command(config: RunConfig, preset: str) -> str:
    """A shell command that makes the same run anew, in a new folder.

    Not by --minutes, which another day are other epochs.
    """
    words = ["vidnas", verb_of(config), "--preset", preset]
    for name, value in changed(dataclasses.replace(config, minutes=None), preset).items():
        words += as_flag(name, value)
    return shlex.join(words)


def _presets(config: RunConfig) -> Mapping[str, Mapping[str, object]]:
    return SEARCH_PRESETS if isinstance(config, SearchConfig) else TRAIN_PRESETS
