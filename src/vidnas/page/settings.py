"""Run folders and their settings, these also as a person would type them: a preset, and what differs."""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from vidnas.config import SearchConfig, TrainConfig
from vidnas.configfile import from_json
from vidnas.errors import UserError
from vidnas.presets import SEARCH_PRESETS, TRAIN_PRESETS

RunConfig = SearchConfig | TrainConfig


def is_run(folder: Path) -> bool:
    """Whether the folder is the run folder of a search or a training."""
    return (folder / "config.json").is_file()


def runs_in(folder: Path) -> list[Path]:
    """The run folders directly in a folder, such as a demo's."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and is_run(path))


def read_config(folder: Path) -> RunConfig:
    """The settings in a run folder; UserError if it is none."""
    path = folder / "config.json"
    try:
        text = path.read_text(encoding="utf-8")
        settings = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or error
        raise UserError(
            f"{folder} is not the run folder of a search or a training: cannot read {path.name} in it "
            f"({cause})."
        ) from error
    if not isinstance(settings, dict) or not {"alpha_lr", "genotype"} & set(settings):
        raise UserError(
            f"{path} does not hold the settings of a search or a training. A comparison has a page of its "
            "own, and below runs/ those of its trainings."
        )
    if "alpha_lr" in settings:
        return from_json(SearchConfig, text, origin=str(path))
    return from_json(TrainConfig, text, origin=str(path))


def verb_of(config: RunConfig) -> str:
    """The verb that takes these settings."""
    return "search" if isinstance(config, SearchConfig) else "train"


def nearest_preset(config: RunConfig) -> str:
    """The preset from which the fewest settings differ."""
    table = SEARCH_PRESETS if isinstance(config, SearchConfig) else TRAIN_PRESETS
    return min(table, key=lambda preset: len(changed(config, preset)))


def changed(config: RunConfig, preset: str) -> dict[str, object]:
    """The settings that a preset leaves open or has otherwise; not where the run was written."""
    starts = _values_of(config, preset)
    return {
        name: value
        for name, value in dataclasses.asdict(config).items()
        if name != "out" and (name not in starts or value != starts[name])
    }


def command(config: RunConfig, preset: str) -> str:
    """A shell command that makes the same run anew, in a new folder.

    Not by --minutes, which another day are other epochs.
    """
    words = ["vidnas", verb_of(config), "--preset", preset]
    for name, value in changed(dataclasses.replace(config, minutes=None), preset).items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif str(value).startswith("-"):
            words.append(f"--{flag}={value}")
        else:
            words += [f"--{flag}", str(value)]
    return shlex.join(words)


def _values_of(config: RunConfig, preset: str) -> Mapping[str, object]:
    """What a preset, or else a default, gives for each setting that one of them gives."""
    table = SEARCH_PRESETS if isinstance(config, SearchConfig) else TRAIN_PRESETS
    defaults = {
        field.name: field.default
        for field in dataclasses.fields(config)
        if field.default is not dataclasses.MISSING
    }
    return {**defaults, **table[preset]}
