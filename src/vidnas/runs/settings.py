"""The settings in run folders, which tell what kind of run each is. Imports neither PyTorch nor numpy."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from vidnas.config.json_files import from_settings, settings_in
from vidnas.config.kinds import CONFIGS, NOUNS, RunConfig, verb_in
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.errors import UserError
from vidnas.runs.files import CONFIG

C = TypeVar("C")


def is_run(folder: Path) -> bool:
    """Whether the folder holds the settings of a run."""
    return (folder / CONFIG).is_file()


def runs_in(folder: Path) -> list[Path]:
    """The run folders directly in a folder, such as a demo's."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and is_run(path))


def read_config(folder: Path) -> RunConfig:
    """The settings of a search or a training; UserError where the folder is none's."""
    path = folder / CONFIG
    try:
        settings = _settings(path, str)
    except UserError as error:
        raise UserError(_no_run(folder, "a search or a training", str(error).rstrip("."))) from error
    verb = verb_in(settings)
    if verb not in ("search", "train"):
        raise UserError(
            f"{path} does not hold the settings of a search or a training. A comparison has a page of its "
            "own, and below runs/ those of its trainings."
        )
    if verb == "search":
        return from_settings(SearchConfig, settings, str(path))
    return from_settings(TrainConfig, settings, str(path))


def read_train_config(folder: Path) -> TrainConfig:
    """The settings of a training; UserError where the folder is none's."""
    path = folder / CONFIG
    demo = " A demo's are its train/ and single-frame/."
    settings = _settings(path, lambda cause: _no_run(folder, "a training", cause) + demo)
    match verb_in(settings):
        case "search":
            again = f"vidnas train --genotype {shlex.quote(str(folder))} --data ..."
            raise UserError(f"{folder} is the run folder of a search; first train: {again}")
        case "compare":
            raise UserError(
                f"{folder} is a comparison; name one of its trainings, as in runs/NETWORK/seed-0 below it."
            )
    return from_settings(TrainConfig, settings, str(path))


def stored_config(kind: type[C], folder: Path) -> C | None:
    """The settings of a run to go on with, of class `kind`; None where the folder holds none.

    UserError where they are damaged, or another kind of run's.
    """
    if not is_run(folder):
        return None
    path = folder / CONFIG
    settings = _settings(path, lambda cause: f"Cannot read {path}: {cause}.")
    verb = verb_in(settings)
    if verb is not None and CONFIGS[verb] is not kind:
        again = shlex.join(["vidnas", verb, "--resume", str(folder)])
        raise UserError(f"{folder} is the run folder of a {NOUNS[verb]}; to go on with it: {again}")
    return from_settings(kind, settings, str(path))


def _settings(path: Path, refusal: Callable[[str], str]) -> dict[str, Any]:
    """What the file holds; UserError where it is damaged, and with a `refusal` where it cannot be read."""
    try:
        return settings_in(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise UserError(refusal("it is not UTF-8 text")) from error
    except OSError as error:
        raise UserError(refusal(error.strerror or str(error))) from error


def _no_run(folder: Path, what: str, cause: str) -> str:
    return f"{folder} is not the run folder of {what}: cannot read {CONFIG} in it ({cause})."
