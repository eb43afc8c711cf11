"""What a setting may be: checks that configs make of themselves; each UsageError names value and limit."""

import math
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin, get_type_hints

from vidnas.errors import UsageError


def at_least(config: object, name: str, smallest: int) -> None:
    """A whole number of at least `smallest`."""
    value = getattr(config, name)
    if not isinstance(value, int) or value < smallest:
        raise UsageError(f"{name} is {value!r}; it must be a whole number of at least {smallest}.")
    if value >= 2**63:
        raise UsageError(f"{name} is {value}; it must be less than 2**63.")


def positive(config: object, name: str) -> None:
    """A number above 0."""
    value = getattr(config, name)
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise UsageError(f"{name} is {value!r}; it must be greater than 0 and finite.")


def not_negative(config: object, name: str) -> None:
    """A number of at least 0."""
    value = getattr(config, name)
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise UsageError(f"{name} is {value!r}; it must be at least 0 and finite.")


def below_one(config: object, name: str) -> None:
    """A number of at least 0 and below 1."""
    value = getattr(config, name)
    if not isinstance(value, int | float) or not 0 <= value < 1:
        raise UsageError(f"{name} is {value!r}; allowed are 0 to below 1.")


def from_0_to_1(config: object, name: str) -> None:
    """A number from 0 to 1."""
    value = getattr(config, name)
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UsageError(f"{name} is {value!r}; allowed are 0 to 1.")


def names(config: object, name: str, noun: str = "names") -> tuple[str, ...]:
    """The parts of a text that commas separate: at least one, each once."""
    value = getattr(config, name)
    parts = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else ()
    if not all(parts) or len(set(parts)) < len(parts):
        raise UsageError(f"{name} is {value!r}; it must hold different {noun}, separated by commas.")
    return parts


def whole_numbers(config: object, name: str, smallest: int) -> tuple[int, ...]:
    """The same of whole numbers of at least `smallest`."""
    parts = names(config, name, "whole numbers")
    if not all(part.isdecimal() and smallest <= int(part) < 2**63 for part in parts):
        raise UsageError(
            f"{name} is {getattr(config, name)!r}; it must hold whole numbers of at least {smallest} "
            "and less than 2**63, separated by commas."
        )
    return tuple(int(part) for part in parts)


def check_types(config: object) -> None:
    """UsageError for a choice that is none, a switch that is neither True nor False, text that is none."""
    for name, hint in get_type_hints(type(config)).items():
        value = getattr(config, name)
        kinds = get_args(hint) if get_origin(hint) is UnionType else (hint,)
        choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
        if choices and value not in choices and not (value is None and NoneType in kinds):
            raise UsageError(f"{name} is {value!r}; allowed are {', '.join(map(str, choices))}.")
        if hint is bool and not isinstance(value, bool):
            raise UsageError(f"{name} is {value!r}; allowed are True and False.")
        # Not "no str": it may also be tyro's sign for a value that is still to come.
        no_text = isinstance(value, int | float | list | dict) or (value is None and NoneType not in kinds)
        if str in kinds and no_text:
            raise UsageError(f"{name} is {value!r}; it must be text.")
