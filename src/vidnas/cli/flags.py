"""Flags -> settings: the only file that imports tyro."""

import argparse
import ast
import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import tyro

from vidnas.config import presets
from vidnas.config.learning import Baseline, CompareConfig, SearchConfig, TrainConfig
from vidnas.config.views import DEMO_SEARCH, DemoConfig
from vidnas.errors import UsageError, UserError
from vidnas.runs.settings import stored_config

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
DEMO_RESUME_HELP = (
    "Folder of an interrupted demo to go on with, where it was saved last. Its settings are taken from it."
)
CELL = "FILE|FOLDER|random:SEED|all-skip"
METAVARS = MappingProxyType(
    {
        "data": "FOLDER|FILE",
        "test_list": "FILE",
        "group_regex": "REGEX",
        "roots": "FOLDER,...",
        "out": "FOLDER",
        "genotype": CELL,
        "init": "FOLDER",
        "networks": "NAME,...",
        "seeds": "N,...",
        "depths": "N,...",
        "run": "FOLDER",
        "runs": "FOLDER",
        "videos": "FILE",
        "live": "SOURCE",
        "csv": "FILE",
        "json": "FILE",
        "annotate": "FILE",
        "write_csv": "FILE",
        "columns": "NAME,...",
        "source": CELL,
    }
)
"""What stands for the value of settings that are text, by name; for any other it is TEXT."""
METAVARS_OF = MappingProxyType({("DrawConfig", "out"): "FILE", ("ReportConfig", "out"): "FILE"})
"""The same where it depends on the verb."""
UNITS = MappingProxyType({"minutes": "MINUTES", "sec": "SECONDS", "px": "PIXELS", "mib": "MIB"})
"""The same for numbers with a unit, by the end of their names; any other is N or NUMBER."""


def parse(
    verb: str, kind: type[C], arguments: Sequence[str], default: Any = None, *, positional: str = ""
) -> C:
    """Settings from flags, and the field `positional` from what stands without one.

    tyro prints help and usage errors and exits with 0 or 2.
    """
    return _parse(verb, _readable(kind, positional), arguments, default)


def _parse(verb: str, kind: type[C], arguments: Sequence[str], default: Any) -> C:
    parsed: C = tyro.cli(
        kind,
        prog=f"vidnas {verb}",
        args=list(arguments),
        config=(tyro.conf.AvoidSubcommands,),
        **({} if default is None else {"default": default}),
    )
    return parsed


def _readable(kind: type[C], positional: str = "") -> type[C]:
    """The same settings, the help of which says what to type; one of them may be given by position."""
    assert dataclasses.is_dataclass(kind)
    hints, texts, fields = get_type_hints(kind), _texts(kind), []
    for field in dataclasses.fields(kind):
        hint: Any = hints[field.name]
        value = None if hint is bool else metavar(kind, field.name, hint)  # --flip and --no-flip take none
        hint = Annotated[hint, tyro.conf.arg(metavar=value, help=texts.get(field.name))]
        if field.name == positional:
            hint = tyro.conf.Positional[hint]  # type: ignore[misc]
        has_default = field.default is not dataclasses.MISSING
        fields.append(
            (field.name, hint, *([dataclasses.field(default=field.default)] if has_default else []))
        )
    return _extended(kind, fields)


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


def metavar(kind: type, name: str, hint: Any) -> str:
    """What stands for the value of a setting in the help, from its type and its name."""
    kinds = [one for one in get_args(hint) if one is not NoneType] if _is_union(hint) else [hint]
    if all(get_origin(one) is Literal for one in kinds):
        return "|".join(str(choice) for one in kinds for choice in get_args(one))
    if get_origin(kinds[0]) is tuple:
        return f"{METAVARS.get(name, 'TEXT')} ..."
    if name in METAVARS:
        return METAVARS_OF.get((kind.__name__, name), METAVARS[name])
    unit = next((UNITS[end] for end in UNITS if f"_{name}".endswith(f"_{end}")), None)
    return unit or {int: "N", float: "NUMBER", bool: "True|False"}.get(kinds[0], "TEXT")


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType)


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
    _check_network(kind, arguments)
    preset_help = tyro.conf.arg(help=PRESET_HELP, metavar="|".join(get_args(presets.Preset)))
    extended: Any = _extended(
        _readable(kind),
        [
            ("preset", Annotated[presets.Preset, preset_help], dataclasses.field(default=preset)),
            ("resume", _resume(RESUME_HELP), dataclasses.field(default=None)),
        ],
    )
    begun = stored_config(kind, Path(resume).expanduser()) if resume else None
    if resume and begun is None and not _value_in("--data", arguments):
        raise UserError(f"There is no run in {resume} to go on with; with --data, one would begin there.")
    stored = dataclasses.asdict(begun) | {"out": None} if begun else {}
    required = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
    if begun is None or _value_in("--preset", arguments):
        stored = {name: stored.get(name, tyro.MISSING) for name in required} | dict(table[preset])
    values = _without_resume(_parse(verb, extended, arguments, extended(**stored)))
    del values["preset"]
    epochs = _value_in("--epochs", arguments)
    if kind is not CompareConfig and epochs is not None and values["minutes"] is not None:
        raise UsageError(
            f"Give --epochs {epochs} or --minutes {values['minutes']:g}, not both: the minutes decide how "
            "many epochs there are."
        )
    return kind(**values), bool(resume)


def parse_demo(arguments: Sequence[str]) -> tuple[DemoConfig, bool]:
    """The demo's settings, and whether to resume; they then start from those that it was begun with."""
    resume = _value_in("--resume", arguments)
    extended: Any = _extended(
        _readable(DemoConfig), [("resume", _resume(DEMO_RESUME_HELP), dataclasses.field(default=None))]
    )
    begun = stored_config(SearchConfig, Path(resume).expanduser() / DEMO_SEARCH) if resume else None
    stored = {name: getattr(begun, name) for name in ("seed", "device", "workers")} if begun else {}
    values = _without_resume(_parse("demo", extended, arguments, extended(**stored)))
    return DemoConfig(**values), bool(resume)


def _resume(text: str) -> Any:
    return Annotated[str | None, tyro.conf.arg(help=text, metavar="FOLDER")]


def _without_resume(parsed: Any) -> dict[str, Any]:
    """The settings, whose `out` is the folder to go on in where there is one."""
    values = {field.name: getattr(parsed, field.name) for field in dataclasses.fields(parsed)}
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


def _value_in(flag: str, arguments: Sequence[str]) -> str | None:
    """The value of a flag, before tyro parses the arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(flag, nargs="?", dest="value")
    value: str | None = parser.parse_known_args(list(arguments))[0].value
    return value
