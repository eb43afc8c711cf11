"""The kernels in C, compiled by this machine's own compiler at first use and kept in the user's cache.

Where there is no compiler nothing breaks: `kernels` returns None and the same formulas run as PyTorch ops.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import platformdirs
import torch
from torch import Tensor

from vidnas.nn.native.calls import Library, calls_in_c

SOURCE = Path(__file__).with_name("kernels.c")
# Sums may be reordered into vectors. Not -ffast-math: it would change how the whole process rounds small
# numbers.
OPTIONS = ("-O3", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",
           "-fassociative-math", "-ffp-contract=fast")  # fmt: skip
COMPILE_SEC = 120
DIGEST = ".sha256"
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
    for tensor in tensors:
        if tensor.dtype != dtype or not tensor.is_cpu or type(tensor) not in PLAIN:
            return None
    tracing = torch.jit.is_tracing() or torch.compiler.is_compiling()  # type: ignore[attr-defined, no-untyped-call]
    return None if dtype not in REALS or tracing else _library(dtype)


def loaded_kernels(tensor: Tensor) -> Library:
    """The kernels for a tensor, which are known to be there."""
    library = _library(tensor.dtype)
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
            return Library(ctypes.CDLL(str(compiled(command))), real)
        except (OSError, subprocess.SubprocessError):
            continue
    return None


def compiled(command: list[str]) -> Path:
    """The library that this command makes of the sources, from the cache if it was made on such a machine."""
    # the compiler's version and the processor's abilities are among the macros
    macros = _run([*command, "-dM", "-E", "-x", "c", os.devnull])
    sources = [source.read_bytes() for source in sorted(SOURCE.parent.glob("*.[ch]"))]
    calls = calls_in_c().encode()
    key = hashlib.sha256(b"\0".join([*sources, calls, " ".join(command).encode(), macros])).hexdigest()[:16]
    path = platformdirs.user_cache_path("vidnas") / "kernels" / f"{key}.so"
    if not _is_whole(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / path.name
            _run([*command, "-include", str(SOURCE), "-x", "c", "-", "-o", str(made)], calls)
            digest = made.with_suffix(DIGEST)
            digest.write_text(_digest(made))
            for own in (digest, made):  # processes that start together never meet half a file
                own.replace(path.with_suffix(own.suffix))
    return path


def _is_whole(library: Path) -> bool:
    """Whether it is what was compiled: to load half a one, as a full disk may leave it, ends the process."""
    try:
        return library.with_suffix(DIGEST).read_text() == _digest(library)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(command: list[str], code: bytes = b"") -> bytes:
    return subprocess.run(command, input=code, check=True, capture_output=True, timeout=COMPILE_SEC).stdout
