"""What a setting may be: types that say it where the setting is declared, and the check of them all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache, partial
from math import inf
from types import NoneType, UnionType
from typing import Annotated, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from vidnas.errors import UsageError


class Limit(NamedTuple):
    """A limit of a number: what is said of one beyond it, and whether a number keeps it."""

    words: str
    keeps: Callable[[float], bool]
    kind: type = object

    def __repr__(self) -> str:
        return self.words


_BELOW = Limit("it must be less than 2**63", lambda value: value < 2**63)
_ONE = Limit("it must be a whole number of at least 1", lambda value: value >= 1, int)
_ZERO = Limit("it must be a whole number of at least 0", lambda value: value >= 0, int)
Count = Annotated[int, _ONE, _BELOW]
Natural = Annotated[int, _ZERO, _BELOW]
Positive = Annotated[float, Limit("it must be greater than 0 and finite", lambda value: 0 < value < inf)]
NotNegative = Annotated[float, Limit("it must be at least 0 and finite", lambda value: 0 <= value < inf)]
BelowOne = Annotated[float, Limit("allowed are 0 to below 1", lambda value: 0 <= value < 1)]
Share = Annotated[float, Limit("allowed are 0 to 1", lambda value: 0 <= value <= 1)]
File = Annotated[str, "FILE"]
"""Text and, as for every type of text here, what stands for it in a help."""
Folder = Annotated[str, "FOLDER"]
Names = Annotated[str, "NAME,..."]
Numbers = Annotated[str, "N,..."]
Cell = Annotated[str, "FILE|FOLDER|random:SEED|all-skip"]

_hints: Callable[[type], dict[str, object]] = cache(partial(get_type_hints, include_extras=True))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of any kind: when they are made, each is held to what its type says."""

    def __post_init__(self) -> None:
        for name, hint in _hints(type(self)).items():
            value = getattr(self, name)
            kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
            if value is not None or NoneType not in kinds:
                _check(name, value, kinds)


def _check(name: str, value: object, kinds: tuple[object, ...]) -> None:
    """UsageError for a value beyond a limit, a choice or switch that is none, text that is none."""
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if choices and value not in choices:
        raise UsageError(f"{name} is {value!r}; allowed are {', '.join(map(str, choices))}.")
    plain = [getattr(kind, "__origin__", kind) for kind in kinds]
    if bool in plain and not isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}; allowed are True and False.")
    if str in plain and not isinstance(value, str):
        raise UsageError(f"{name} is {value!r}; it must be text.")
    for limit in (more for kind in kinds for more in get_args(kind) if isinstance(more, Limit)):
        if not (isinstance(value, int | float) and isinstance(value, limit.kind) and limit.keeps(value)):
            raise UsageError(f"{name} is {value!r}; {limit.words}.")


def idle(name: str, why: str) -> UsageError:
    """What to raise of a setting that a person gave and that does nothing, as `why` says."""
    return UsageError(f"{name} does nothing {why}; leave --{name.replace('_', '-')} away.")


def refuse_idle(config: Settings, names: Iterable[str], why: str) -> None:
    """UsageError where one of these settings, which do nothing, is not as it is by default."""
    for field in fields(config):
        if field.name in names and getattr(config, field.name) != field.default:
            raise idle(field.name, why)


def names(config: object, name: str, noun: str = "names") -> tuple[str, ...]:
    """The parts of a text that commas separate: at least one, each once."""
    value = getattr(config, name)
    parts = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else ()
    if not all(parts) or len(set(parts)) < len(parts):
        raise UsageError(f"{name} is {value!r}; it must hold different {noun}, separated by commas.")
    return parts


def whole_numbers(config: object, name: str, smallest: int) -> tuple[int, ...]:
    """The whole numbers of at least `smallest` that commas separate: at least one, each once."""
    parts = names(config, name, "whole numbers")
    if not all(part.isdecimal() and smallest <= int(part) < 2**63 for part in parts):
        raise UsageError(
            f"{name} is {getattr(config, name)!r}; it must hold whole numbers of at least {smallest} "
            "and less than 2**63, separated by commas."
        )
    return tuple(int(part) for part in parts)
