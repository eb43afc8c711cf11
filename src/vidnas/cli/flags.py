"""Flags -> settings: the only file that imports tyro."""

import argparse
import ast
import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import tyro

from vidnas.config import parts, presets
from vidnas.config.learning import Baseline, CompareConfig, SearchConfig, TrainConfig
from vidnas.config.limits import Folder
from vidnas.config.views import DEMO_SEARCH, DemoConfig
from vidnas.errors import UsageError, UserError
from vidnas.runs.settings import stored_config

C = TypeVar("C")
R = TypeVar("R", SearchConfig, TrainConfig, CompareConfig)


@dataclass
class Beginning:
    """Where a run begins, how long it learns, and where it is written."""

    preset: presets.Preset = presets.DEFAULT_PRESET
    """Settings to start from; flags given beside it win. paper: the paper's numbers, for a large GPU and
    days. fast: one GPU and an evening. cpu: your own videos without a GPU. demo: the built-in clips."""
    resume: Folder | None = None
    """Run folder of an interrupted run to go on with, exactly where it was saved last. The settings are taken
    from it; without a run in the folder, one is begun there."""


@dataclass
class DemoBeginning:
    """Where a demo begins."""

    resume: Folder | None = None
    """Folder of an interrupted demo to go on with, where it was saved last. Its settings are taken from
    it."""


GROUPS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "videos": (parts.Data, parts.UsedData),
        "run": (Beginning, parts.Work, parts.Run),
        "clips": (parts.Clips,),
        "cells": (parts.Cells,),
        "recipe": (parts.Recipe, parts.Alternation),
        "machine": (parts.Machine, parts.Workers, parts.Decoding, parts.Inference),
    }
)
"""The boxes of the help in their order, and the parts in each; above them stands what is the verb's own."""
UNITS = MappingProxyType({"minutes": "MINUTES", "sec": "SECONDS", "px": "PIXELS", "mib": "MIB"})
"""What stands for the value of numbers with a unit, by the end of their names."""


def parse(verb: str, kind: type[C], arguments: Sequence[str], *, positional: str = "") -> C:
    """Settings from flags, and the field `positional` from what stands without one.

    tyro prints help and usage errors and exits with 0 or 2.
    """
    return kind(**_read(verb, [kind], arguments, positional=positional))


def _read(
    verb: str,
    kinds: Sequence[type],
    arguments: Sequence[str],
    start: Mapping[str, object] = MappingProxyType({}),
    *,
    positional: str = "",
) -> dict[str, Any]:
    """The settings of all these kinds by name, from flags; those not given are as in `start` or by default.

    tyro reads them into a dataclass of what is the verb's own, with a dataclass for each box of the help.
    """
    flags = {name: flag for kind in kinds for name, flag in _flags(kind, start, positional).items()}
    boxes: list[tuple[str, Any]] = []
    for title, declaring in GROUPS.items():
        here = [part for part in declaring if any(issubclass(kind, part) for kind in kinds)]
        if here:
            box = _made(title, here[0], [flags.pop(name) for part in here for name in part.__annotations__])
            boxes.append((f"box_{title}", Annotated[box, tyro.conf.arg(name=title)]))
    parsed: object = tyro.cli(
        _made(kinds[0].__name__, kinds[0], [*flags.values(), *boxes]),
        prog=f"vidnas {verb}",
        args=list(arguments),
        config=(tyro.conf.AvoidSubcommands, tyro.conf.OmitArgPrefixes),
    )
    values = vars(parsed)
    for name, _ in boxes:
        values |= vars(values.pop(name))
    return values


def _made(name: str, told: type, fields: Sequence[Any]) -> type:
    """A dataclass of these fields with the text of `told`."""
    return dataclasses.make_dataclass(name, fields, kw_only=True, namespace={"__doc__": told.__doc__})


def _flags(kind: type, start: Mapping[str, object], positional: str) -> dict[str, Any]:
    """What tyro is told of each setting: its name, its type with what the help says, its default."""
    assert dataclasses.is_dataclass(kind)
    hints, texts, flags = get_type_hints(kind, include_extras=True), _texts(kind), {}
    for field in dataclasses.fields(kind):
        hint: Any = hints[field.name]
        told = tyro.conf.arg(
            metavar=None if hint is bool else metavar(field.name, hint),  # a switch takes no value
            help=texts.get(field.name),
            help_behavior_hint=_said_of_default,
        )
        hint = Annotated[hint, told]
        if field.name == positional:
            hint = tyro.conf.Positional[hint]  # type: ignore[misc]
        default = dataclasses.field(default=field.default, default_factory=field.default_factory)
        if field.name in start:
            default = dataclasses.field(default=start[field.name])
        flags[field.name] = (field.name, hint, default)
    return flags


def _said_of_default(default: str) -> str:
    """What the help says of a default; nothing of none, since the setting's text says what it means."""
    return "" if default in ("None", "''", "") else f"(default: {default})"


def _texts(kind: type) -> dict[str, str]:
    """What stands below each setting in its class, on one line: tyro would keep the breaks of the source."""
    texts: dict[str, str] = {}
    for owner in reversed([one for one in kind.__mro__ if dataclasses.is_dataclass(one)]):
        (declared,) = ast.parse(dedent(inspect.getsource(owner))).body
        assert isinstance(declared, ast.ClassDef)
        for setting, text in pairwise(declared.body):
            match setting, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    texts[name] = " ".join(words.split())
    return texts


def metavar(name: str, hint: Any) -> str:
    """What stands for the value of a setting in the help, from its type and its name."""
    union = get_origin(hint) in (Union, UnionType)
    kinds = [one for one in get_args(hint) if one is not NoneType] if union else [hint]
    if all(get_origin(one) is Literal for one in kinds):
        return "|".join(str(choice) for one in kinds for choice in get_args(one))
    if get_origin(kinds[0]) is tuple:
        return f"{metavar(name, get_args(kinds[0])[0])} ..."
    kind, *said = get_args(kinds[0]) if get_origin(kinds[0]) is Annotated else kinds
    of_kind = {int: "N", float: "NUMBER", bool: "True|False"}.get(kind, "TEXT")
    units = [UNITS[end] for end in UNITS if f"_{name}".endswith(f"_{end}")]
    return next(one for one in (*said, *units, of_kind) if isinstance(one, str))


def parse_run(
    verb: str, kind: type[R], table: Mapping[str, Mapping[str, object]], arguments: Sequence[str]
) -> tuple[R, bool]:
    """Settings that start from a preset, and whether to resume; flags win, --help shows the preset's values.

    With --resume the settings start from those that the run in that folder was begun with, if there is one
    and no preset is named.
    """
    _check_network(kind, arguments)
    preset, resume = preset_in(arguments), _value_in("--resume", arguments)
    begun = stored_config(kind, Path(resume).expanduser()) if resume else None
    if resume and begun is None and not _value_in("--data", arguments):
        raise UserError(f"There is no run in {resume} to go on with; with --data, one would begin there.")
    start: dict[str, object] = dataclasses.asdict(begun) | {"out": None} if begun else {}
    if begun is None or _value_in("--preset", arguments):
        kept = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
        start = {name: start[name] for name in kept if name in start} | dict(table[preset])
    values = _without_resume(_read(verb, [kind, Beginning], arguments, start | {"preset": preset}))
    del values["preset"]
    epochs = _value_in("--epochs", arguments)
    if epochs is not None and values["minutes"] is not None:
        raise UsageError(
            f"Give --epochs {epochs} or --minutes {values['minutes']:g}, not both: the minutes decide how "
            "many epochs there are."
        )
    return kind(**values), bool(resume)


def parse_demo(arguments: Sequence[str]) -> tuple[DemoConfig, bool]:
    """The demo's settings, and whether to resume; they then start from those that it was begun with."""
    resume = _value_in("--resume", arguments)
    begun = stored_config(SearchConfig, Path(resume).expanduser() / DEMO_SEARCH) if resume else None
    start = {name: getattr(begun, name) for name in ("seed", "device", "threads", "workers")} if begun else {}
    values = _without_resume(_read("demo", [DemoConfig, DemoBeginning], arguments, start))
    return DemoConfig(**values), bool(resume)


def _without_resume(values: dict[str, Any]) -> dict[str, Any]:
    """The settings, whose `out` is the folder to go on in where there is one."""
    resume = values.pop("resume")
    if resume is not None:
        if values["out"] is not None and Path(values["out"]) != Path(resume):
            raise UsageError(f"--resume {resume} goes on in that folder, so --out {values['out']} cannot be.")
        values["out"] = resume
    return values


def _check_network(kind: type, arguments: Sequence[str]) -> None:
    """UsageError where a training's --network names none."""
    network = _value_in("--network", arguments) if kind is TrainConfig else None
    if network is not None and network not in get_args(Baseline):
        raise UsageError(
            f"network is {network}; allowed are {', '.join(get_args(Baseline))}. A cell, as random:0 or a "
            "run folder, is given with --genotype."
        )


def preset_in(arguments: Sequence[str]) -> str:
    """The preset that the arguments name. Others than those that exist are left for tyro to refuse."""
    chosen = _value_in("--preset", arguments)
    return chosen if chosen is not None and chosen in get_args(presets.Preset) else presets.DEFAULT_PRESET


def given_in(arguments: Sequence[str]) -> set[str]:
    """The names of the settings that arguments give."""
    flags = (argument.partition("=")[0] for argument in arguments if argument.startswith("--"))
    return {flag.removeprefix("--").replace("-", "_") for flag in flags}


def _value_in(flag: str, arguments: Sequence[str]) -> str | None:
    """The value of a flag, before tyro parses the arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(flag, nargs="?", dest="value")
    value: str | None = parser.parse_known_args(list(arguments))[0].value
    return value
