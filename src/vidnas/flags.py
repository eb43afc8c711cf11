"""Flags -> settings: the only file that imports tyro."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import tyro

from vidnas import presets
from vidnas.config import Baseline, CompareConfig, SearchConfig, TrainConfig
from vidnas.configfile import stored_config
from vidnas.errors import UsageError, UserError

C = TypeVar("C")
R = TypeVar("R", SearchConfig, TrainConfig, CompareConfig)

PRESET_HELP = (
    "Settings to start from; flags given beside it win. paper: the paper's numbers, for a large GPU and "
    "days. fast: one GPU and an evening. cpu: your own videos without a GPU. demo: the built-in clips."
)
RESUME_HELP = (
    "Run folder of an interrupted run to go on with, exactly where it was saved last. The settings are taken "
    "from it; without a run in the folder, one is begun there."
)


def parse(
    verb: str, kind: type[C], arguments: Sequence[str], default: Any = None, *, positional: str = ""
) -> C:
    """Settings from flags, and the field `positional` from what stands without one.

    tyro prints help and usage errors and exits with 0 or 2.
    """
    parsed: C = tyro.cli(
        _with_positional(kind, positional) if positional else kind,
        prog=f"vidnas {verb}",
        args=list(arguments),
        default=tyro.MISSING_NONPROP if default is None else default,
        config=(tyro.conf.AvoidSubcommands,),
    )
    return parsed


def _with_positional(kind: type[C], name: str) -> type[C]:
    """The same settings, one of them given by position."""
    assert dataclasses.is_dataclass(kind)
    field = next(field for field in dataclasses.fields(kind) if field.name == name)
    hint: Any = tyro.conf.Positional[get_type_hints(kind)[name]]  # type: ignore[misc]
    has_default = field.default is not dataclasses.MISSING
    return _extended(
        kind, [(name, hint, *([dataclasses.field(default=field.default)] if has_default else []))]
    )


def _extended(kind: type[C], fields: list[Any]) -> type[C]:
    """The same settings and these fields, under the same name and text."""
    made = dataclasses.make_dataclass(kind.__name__, fields, bases=(kind,), frozen=True, kw_only=True)
    made.__doc__ = kind.__doc__
    return made


def parse_run(
    verb: str, kind: type[R], table: Mapping[str, Mapping[str, object]], arguments: Sequence[str]
) -> tuple[R, bool]:
    """Settings that start from a preset, and whether to resume; flags win, --help shows the preset's values.

    With --resume the settings start from those that the run in that folder was begun with, if there is one
    and no preset is named.
    """
    assert dataclasses.is_dataclass(kind)
    preset, resume = preset_in(arguments), _value_in("--resume", arguments)
    preset_help, resume_help = tyro.conf.arg(help=PRESET_HELP), tyro.conf.arg(help=RESUME_HELP)
    extended: Any = _extended(
        kind,
        [
            ("preset", Annotated[presets.Preset, preset_help], dataclasses.field(default=preset)),
            ("resume", Annotated[str | None, resume_help], dataclasses.field(default=None)),
        ],
    )
    network = _value_in("--network", arguments) if kind is TrainConfig else None
    if network is not None and network not in get_args(Baseline):
        raise UsageError(
            f"network is {network}; allowed are {', '.join(get_args(Baseline))}. A cell, as random:0 or a "
            "run folder, is given with --genotype."
        )
    begun = stored_config(kind, Path(resume).expanduser()) if resume else None
    if resume and begun is None and not _value_in("--data", arguments):
        raise UserError(f"There is no run in {resume} to go on with; with --data, one would begin there.")
    stored = dataclasses.asdict(begun) | {"out": None} if begun else {}
    required = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
    if begun is None or _value_in("--preset", arguments):
        stored = {name: stored.get(name, tyro.MISSING) for name in required} | dict(table[preset])
    parsed: Any = parse(verb, extended, arguments, extended(**stored))
    values = {field.name: getattr(parsed, field.name) for field in dataclasses.fields(kind)}
    if parsed.resume is not None:
        if values["out"] is not None and Path(values["out"]) != Path(parsed.resume):
            raise UsageError(
                f"--resume {parsed.resume} goes on in that folder, so --out {values['out']} cannot be."
            )
        values["out"] = parsed.resume
    return kind(**values), parsed.resume is not None


def preset_in(arguments: Sequence[str]) -> str:
    """The preset that the arguments name. Others than those that exist are left for tyro to refuse."""
    chosen = _value_in("--preset", arguments)
    return chosen if chosen is not None and chosen in get_args(presets.Preset) else presets.DEFAULT_PRESET


def _value_in(flag: str, arguments: Sequence[str]) -> str | None:
    """The value of a flag, before tyro parses the arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(flag, nargs="?", dest="value")
    value: str | None = parser.parse_known_args(list(arguments))[0].value
    return value
