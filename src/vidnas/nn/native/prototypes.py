"""kernels.h as Python reads it: what each function in C takes, and how it is given that in an array."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

HEADER = Path(__file__).with_name("kernels.h")
FUNCTION = re.compile(r"\bint (\w+)\(([^()]*?)(, int first, int last)?\);")


class Parameter(NamedTuple):
    """A parameter: its type in C, its name, and the type in short: "int", "real**"; "?" is OR_NULL."""

    declared: str
    name: str
    type: str


class Prototype(NamedTuple):
    """What a function takes; of a kernel, without the items that it is to do."""

    parameters: tuple[Parameter, ...]
    is_kernel: bool


@cache
def prototypes() -> dict[str, Prototype]:
    """Of the functions in kernels.h, by name."""
    header = " ".join(HEADER.read_text("utf-8").split())
    return {
        name: Prototype(tuple(map(_parameter, listed.split(", "))), is_kernel=bool(items))
        for name, listed, items in FUNCTION.findall(header)
    }


def _parameter(text: str) -> Parameter:
    found = re.fullmatch(r"(.*?)(\w+)", text)
    assert found, text
    declared, name = found.groups()
    return Parameter(declared, name, re.sub(r"\bconst\b|\s", "", declared).replace("OR_NULL", "?"))


def calls_in_c() -> str:
    """do_NAME of every kernel, as team.c says."""
    return "".join(
        f"int do_{name}(const intptr_t *a, int first, int last) {{ return {name}("
        + "".join(f"({one.declared})a[{n}], " for n, one in enumerate(prototype.parameters))
        + "first, last); }\n"
        for name, prototype in prototypes().items()
        if prototype.is_kernel
    )
