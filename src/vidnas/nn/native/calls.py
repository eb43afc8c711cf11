"""How functions in C are called: arguments are checked by kernels.h, and work is shared among threads."""

import ctypes
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

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


class PerThread(NamedTuple):
    """An argument of a kernel that is another one for every thread: `start`, start + stride, ..."""

    start: int
    stride: int


Argument = Tensor | PerThread | Sequence[Tensor | None] | Sequence[int] | int | None
"""What a function in C may be given. A tensor stands for its numbers' address, a sequence for an array."""


class Library:
    """The functions of kernels.h, compiled for one precision."""

    def __init__(self, code: ctypes.CDLL, real: torch.dtype) -> None:
        self.code = code
        # of the tensors that a pointer to such numbers may point to, by the pointer's type
        dtypes = {"real*": real, "precise*": torch.float64, "uint8_t*": torch.uint8}
        self.dtypes = dtypes | {f"{pointer}?": dtype for pointer, dtype in dtypes.items()}
        self._types = {name: tuple(p.type for p in one.parameters) for name, one in prototypes().items()}
        self._counts: dict[tuple[str, tuple[int, ...]], int] = {}

    def count(self, name: str, *numbers: int) -> int:
        """What a function says that takes whole numbers alone."""
        found = self._counts.get((name, numbers))
        if found is None:
            self._numbers(name, numbers, [])
            found = self._counts[name, numbers] = int(getattr(self.code, name)(*numbers))
        return found

    def share(self, kernel: str, num_items: int, *arguments: Argument) -> None:
        """Do the items of a kernel, divided among as many threads as PyTorch uses.

        The division depends on nothing else, so that sums come out alike every time. TypeError where the
        kernel takes something else.
        """
        arrays: list[Any] = []  # held until the work is done
        starts = self._numbers(kernel, arguments, arrays)
        strides = [a.stride if type(a) is PerThread else 0 for a in arguments]
        share(self.code, getattr(self.code, f"do_{kernel}"), num_items, starts, strides)

    def _numbers(self, name: str, arguments: Sequence[Argument], arrays: list[Any]) -> list[int]:
        """Each argument as a number; `arrays` takes what must live as long as the numbers are used.

        A step asks this some thousand times, so what comes most often is looked for first.
        """
        types, dtypes = self._types[name], self.dtypes
        if len(arguments) != len(types):
            raise TypeError(f"{name} takes {len(types)} arguments and was given {len(arguments)}.")
        numbers: list[int] = []
        for argument, wanted in zip(arguments, types, strict=True):
            if type(argument) is int and wanted == "int":
                number: int | None = argument
            else:
                number = _number(argument, wanted, dtypes, arrays)
            if number is None:
                parameter = prototypes()[name].parameters[len(numbers)]
                declared = f"{parameter.declared}{parameter.name}"
                raise TypeError(f"{name} takes '{declared}', not {_kind(argument)}.")
            numbers.append(number)
        return numbers


def _number(argument: Argument, wanted: str, dtypes: dict[str, torch.dtype], arrays: list[Any]) -> int | None:
    """An argument as `Library._numbers` has it; None where it is not of the type in C that is `wanted`."""
    if isinstance(argument, Tensor):
        if not argument.is_contiguous():
            raise ValueError("A kernel was given a tensor that is not contiguous.")
        fits = argument.dtype is dtypes.get(wanted) and argument.is_cpu
        return argument.data_ptr() if fits else None
    if argument is None:
        return 0 if wanted.endswith("?") else None
    if isinstance(argument, int):
        return argument if wanted == "int" else None
    if isinstance(argument, PerThread):
        return argument.start if wanted.startswith("double*") else None
    return _address(argument, wanted.rstrip("?")[:-1], dtypes, arrays)


def _address(
    items: Sequence[Tensor | None] | Sequence[int],
    wanted: str,
    dtypes: dict[str, torch.dtype],
    arrays: list[Any],
) -> int | None:
    """An array of these, each of the type that is `wanted`."""
    found = [_number(item, wanted, dtypes, arrays) for item in items]
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found) or not (wanted == "int" or "*" in wanted):
        return None
    array = ((ctypes.c_int if wanted == "int" else ctypes.c_ssize_t) * len(numbers))(*numbers)
    arrays.append(array)
    return ctypes.addressof(array)


def _kind(argument: Argument) -> str:
    if isinstance(argument, Tensor):
        return f"a tensor of {argument.dtype} on {argument.device}"
    return f"{argument!r:.80}"


def share(
    code: ctypes.CDLL, kernel: Any, num_items: int, starts: Sequence[int], strides: Sequence[int]
) -> None:
    """Call a kernel for parts of its items, a thread each; argument n is starts[n] + thread x strides[n]."""
    threads = max(1, min(torch.get_num_threads(), num_items))
    count = len(starts)
    arguments = (ctypes.c_ssize_t * (2 * count))(*starts, *strides)
    work = kernel, arguments, count, num_items, threads
    if threads == 1:
        failed = code.do_part(*work, 0)
    elif (openmp := _openmp()) is not None:
        failed = code.do_all(*work, *openmp)
    else:
        failed = sum(_pool(threads).map(partial(code.do_part, *work), range(threads)))
    if failed:
        raise MemoryError("Not enough memory for the scratch of a CPU kernel.")


@cache
def _openmp() -> tuple[Any, Any, Any] | None:
    """Of PyTorch's OpenMP runtime what starts a team of threads, and what a member asks.

    Threads of another pool would have to share the cores with PyTorch's own, which go on spinning for a while
    after each of its ops in the hope of more to do. A library's symbols are looked up in those it needs, too.
    """
    library = ctypes.CDLL(torch._C.__file__)
    needed = "GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads"
    if not all(hasattr(library, name) for name in needed):
        return None
    parallel, thread_num, num_threads = (getattr(library, name) for name in needed)
    return parallel, thread_num, num_threads


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not live on in a forked process
    return ThreadPoolExecutor(threads, thread_name_prefix="vidnas-kernels")
