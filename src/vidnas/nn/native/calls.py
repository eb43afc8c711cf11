"""How functions in C are called: arguments are checked by kernels.h."""

import ctypes
import re
import struct
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vidnas.nn.native.team import share

HEADER = Path(__file__).with_name("kernels.h")
WORD = ctypes.sizeof(ctypes.c_ssize_t)
WHOLE = "intptr_t"
"""What the items of an array of whole numbers are in C."""
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


class PerThread(NamedTuple):
    """An argument of a kernel that is another one for every thread: `start`, start + stride, ..."""

    start: int
    stride: int


Argument = Tensor | PerThread | Sequence[Tensor | None] | Sequence[int] | int | None
"""What a function in C may be given. A tensor stands for its numbers' address, a sequence for an array."""


class _Space(threading.local):
    """Where a thread's calls lay down their numbers, arguments first, then the arrays they point to."""

    SIZE = 1 << 14

    def __init__(self) -> None:
        self.numbers = (ctypes.c_ssize_t * self.SIZE)()
        self.address = ctypes.addressof(self.numbers)

    def fill(self, numbers: Sequence[int]) -> None:
        """Begin anew with these."""
        struct.pack_into(f"{len(numbers)}n", self.numbers, 0, *numbers)


class Library:
    """The functions of kernels.h, compiled for one precision."""

    def __init__(self, code: ctypes.CDLL, real: torch.dtype) -> None:
        self.code = code
        # of the tensors that a pointer to such numbers may point to, by the pointer's type
        dtypes = {"real*": real, "precise*": torch.float64, "uint8_t*": torch.uint8}
        self.dtypes = dtypes | {f"{pointer}?": dtype for pointer, dtype in dtypes.items()}
        self._types = {name: tuple(p.type for p in one.parameters) for name, one in prototypes().items()}
        self._counts: dict[tuple[str, tuple[int, ...]], int] = {}
        self._space = _Space()

    def count(self, name: str, *numbers: int) -> int:
        """What a function says that takes whole numbers alone."""
        found = self._counts.get((name, numbers))
        if found is None:
            self._numbers(name, numbers, 0)
            found = self._counts[name, numbers] = int(getattr(self.code, name)(*numbers))
        return found

    def share(self, kernel: str, num_items: int, *arguments: Argument) -> None:
        """Do the items of a kernel, divided among as many threads as PyTorch uses.

        The division depends on nothing else, so that sums come out alike every time. TypeError where the
        kernel takes something else.
        """
        space, count = self._space, len(arguments)
        numbers, arrays = self._numbers(kernel, arguments, space.address + 2 * count * WORD)
        strides = [a.stride if type(a) is PerThread else 0 for a in arguments]
        space.fill(numbers + strides + arrays)
        share(self.code, getattr(self.code, f"do_{kernel}"), num_items, space.address, count)

    def _numbers(self, name: str, arguments: Sequence[Argument], address: int) -> tuple[list[int], list[int]]:
        """Each argument as a number, and the numbers of the arrays, which are to lie from `address` on.

        A step asks this some thousand times, so what comes most often is looked for first.
        """
        types, dtypes = self._types[name], self.dtypes
        if len(arguments) != len(types):
            raise TypeError(f"{name} takes {len(types)} arguments and was given {len(arguments)}.")
        numbers, arrays = list[int](), list[int]()
        for argument, wanted in zip(arguments, types, strict=True):
            number: int | None
            if type(argument) is int and wanted == "int":
                number = argument
            elif isinstance(argument, (list, tuple)) and not isinstance(argument, PerThread):
                items = _items(argument, wanted.rstrip("?")[:-1], dtypes)
                number = None if items is None else address + len(arrays) * WORD
                arrays += items or ()
            else:
                number = _number(argument, wanted, dtypes)
            if number is None:
                parameter = prototypes()[name].parameters[len(numbers)]
                declared = f"{parameter.declared}{parameter.name}"
                raise TypeError(f"{name} takes '{declared}', not {_kind(argument)}.")
            numbers.append(number)
        return numbers, arrays


def _items(
    items: Sequence[Tensor | None] | Sequence[int], wanted: str, dtypes: dict[str, torch.dtype]
) -> list[int] | None:
    """An array's items as numbers; None where they are not of the type in C that is `wanted`."""
    if "*" not in wanted and wanted != WHOLE:
        return None
    found = [_number(item, wanted, dtypes) for item in items]
    numbers = [number for number in found if number is not None]
    return numbers if len(numbers) == len(found) else None


def _number(argument: Argument, wanted: str, dtypes: dict[str, torch.dtype]) -> int | None:
    """An argument as `Library._numbers` has it; None where it is not of the type in C that is `wanted`."""
    if isinstance(argument, Tensor):
        if not argument.is_contiguous():
            raise ValueError("A kernel was given a tensor that is not contiguous.")
        fits = argument.dtype is dtypes.get(wanted) and argument.is_cpu
        return argument.data_ptr() if fits else None
    if argument is None:
        return 0 if wanted.endswith("?") else None
    if isinstance(argument, int):
        return argument if wanted in ("int", WHOLE) else None
    return argument.start if isinstance(argument, PerThread) and wanted.startswith("double*") else None


def _kind(argument: Argument) -> str:
    if isinstance(argument, Tensor):
        return f"a tensor of {argument.dtype} on {argument.device}"
    return f"{argument!r:.80}"
