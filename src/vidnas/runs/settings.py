"""Run folders and the settings in them."""

import json
from pathlib import Path

from vidnas.config.json_files import from_json
from vidnas.config.kinds import RunConfig
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.errors import UserError


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
