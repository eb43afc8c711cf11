"""The kernels in C, compiled by this machine's own compiler at first use and kept in the user's cache.

Where there is no compiler nothing breaks: `kernels` returns None and the same formulas run as PyTorch ops.
"""

import ctypes
import os
import shutil
import subprocess
from functools import cache

import torch
from torch import Tensor

from vidnas.nn.native.calls import Library
from vidnas.nn.native.compiler import OPTIONS, compiled

REALS = {torch.float32: "float", torch.float64: "double"}
PLAIN = (Tensor, torch.nn.Parameter, torch.nn.Buffer)
OFF = ("0", "off", "no", "false")
"""What VIDNAS_NATIVE may be to switch the kernels off."""


def kernels(*tensors: Tensor) -> Library | None:
    """The kernels for these tensors; None where PyTorch's ops must do.

    That is: on another device, in another precision, without a compiler, for tensors that hold no numbers of
    their own (subclasses), and while PyTorch traces what is computed.
    """
    dtype = tensors[0].dtype
    tracing = torch.jit.is_tracing() or torch.compiler.is_compiling()  # type: ignore[attr-defined, no-untyped-call]
    if dtype not in REALS or tracing:
        return None
    if any(t.device.type != "cpu" or t.dtype != dtype or type(t) not in PLAIN for t in tensors):
        return None
    return _library(dtype)


def loaded_kernels(*tensors: Tensor) -> Library:
    """The kernels for these tensors, which are known to be there."""
    library = kernels(*tensors)
    assert library is not None
    return library


@cache
def _library(real: torch.dtype) -> Library | None:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler or os.environ.get("VIDNAS_NATIVE", "").lower() in OFF:
        return None
    for target in (("-march=native",), ("-mcpu=native",), ()):
        command = [*compiler.split(), *OPTIONS, *target, f"-DREAL={REALS[real]}"]
        try:
            return Library.of(ctypes.CDLL(str(compiled(command))), real)
        except (OSError, subprocess.SubprocessError):
            continue
    return None
