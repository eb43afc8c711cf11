"""Settings as JSON files. Reading is strict: an unknown name is an error, never ignored."""

import dataclasses
import json
import shlex
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from vidnas.config.learning import TrainConfig
from vidnas.errors import UsageError, UserError

C = TypeVar("C")
VERBS = (
    ("search", "search", "alpha_lr"),
    ("train", "training", "genotype"),
    ("compare", "comparison", "networks"),
)
"""What can be resumed: verb, noun, and a setting of its own by which it is known."""


def to_json(config: object) -> str:
    """A config as JSON text."""
    assert dataclasses.is_dataclass(config) and not isinstance(config, type)
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(kind: type[C], text: str, *, origin: str = "config.json") -> C:
    """Read a config of class `kind` strictly; UserError names an unknown, missing or unsuitable setting."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter by brackets without end
        raise UserError(f"{origin} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise UserError(f"{origin} must hold an object of settings.")
    assert dataclasses.is_dataclass(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    for name in data:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise UserError(f"{origin}: '{name}' is not a setting of {kind.__name__}.{hint}")
    missing = [
        f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING and f.name not in data
    ]
    if missing:
        raise UserError(f"{origin} lacks {', '.join(missing)}, which {kind.__name__} needs.")
    try:
        return kind(**data)
    except TypeError as error:
        raise UserError(f"{origin}: {error}.") from error
    except UsageError as error:
        raise UserError(f"{origin}: {error}") from error


def stored_config(kind: type[C], folder: Path) -> C | None:
    """The settings in a run folder's config.json, strictly read; None where there is none."""
    path = folder / "config.json"
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"Cannot read {path}: {cause}.") from error
    _require_same_verb(kind, text, folder)
    return from_json(kind, text, origin=str(path))


def _require_same_verb(kind: type, text: str, folder: Path) -> None:
    """UserError where the settings are those of another verb that can be resumed."""
    for verb, noun, own in VERBS:
        if f'"{own}"' in text and own not in kind.__annotations__:
            again = shlex.join(["vidnas", verb, "--resume", str(folder)])
            raise UserError(f"{folder} is the run folder of a {noun}; to go on with it: {again}")


def load_train_config(folder: Path) -> TrainConfig:
    """The settings of a training's run folder."""
    path = folder / "config.json"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{folder} is not the run folder of a training: cannot read {path.name} in it "
            f"({error.strerror if isinstance(error, OSError) else error}). A demo's are its train/ and "
            "single-frame/."
        ) from error
    if '"genotype"' not in text and '"alpha_lr"' in text:
        raise UserError(
            f"{folder} is the run folder of a search; first train: "
            f"vidnas train --genotype {shlex.quote(str(folder))} --data ..."
        )
    if '"networks"' in text:
        raise UserError(
            f"{folder} is a comparison; name one of its trainings, as in runs/NETWORK/seed-0 below it."
        )
    return from_json(TrainConfig, text, origin=str(path))
