"""Settings as JSON. Reading is strict: an unknown name is an error, never ignored."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from vidnas.config.kinds import CONFIGS, KIND, RunConfig, verb_of
from vidnas.config.learning import CompareConfig
from vidnas.errors import UsageError, UserError, did_you_mean

C = TypeVar("C")


def to_json(config: RunConfig | CompareConfig) -> str:
    """The settings of a run as JSON text, which says of which kind of run they are."""
    return json.dumps({KIND: verb_of(config), **dataclasses.asdict(config)}, indent=2) + "\n"


def settings_in(text: str, origin: str) -> dict[str, Any]:
    """The settings in JSON text by name, of whatever kind; UserError where there are none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter by brackets without end
        raise UserError(f"{origin} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise UserError(f"{origin} must hold an object of settings.")
    return data


def from_settings(kind: type[C], settings: Mapping[str, Any], origin: str) -> C:
    """A config of class `kind`, strictly, of settings by name."""
    assert dataclasses.is_dataclass(kind)
    values = dict(settings)
    said = values.pop(KIND, None)
    if said is not None and CONFIGS.get(str(said)) is not kind:
        raise UserError(f"{origin}: {KIND} is {said!r}, but these must be settings of {kind.__name__}.")
    names = [field.name for field in dataclasses.fields(kind)]
    for name in values:
        if name not in names:
            hint = did_you_mean(name, names)
            raise UserError(f"{origin}: '{name}' is not a setting of {kind.__name__}.{hint}")
    missing = [
        f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING and f.name not in values
    ]
    if missing:
        raise UserError(f"{origin} lacks {', '.join(missing)}, which {kind.__name__} needs.")
    try:
        return kind(**values)
    except TypeError as error:
        raise UserError(f"{origin}: {error}.") from error
    except UsageError as error:
        raise UserError(f"{origin}: {error}") from error
