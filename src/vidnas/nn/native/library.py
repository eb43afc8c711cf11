"""The kernels in C, compiled by this machine's own compiler at first use and kept in the user's cache.

Where there is no compiler nothing breaks: `kernels` returns None and the same formulas run as PyTorch ops.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial, wraps
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SOURCE = Path(__file__).with_name("kernels.c")
# Sums may be reordered into vectors. Not -ffast-math: it would change how the whole process rounds small
# numbers.
OPTIONS = ("-O3", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",
           "-fassociative-math", "-ffp-contract=fast")  # fmt: skip
REALS = {torch.float32: "float", torch.float64: "double"}
PLAIN = (Tensor, torch.nn.Parameter, torch.nn.Buffer)
OFF = ("0", "off", "no", "false")
"""What VIDNAS_NATIVE may be to switch the kernels off."""
COMPILE_SEC = 120
DIGEST = ".sha256"
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def kernels(*tensors: Tensor) -> ctypes.CDLL | None:
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
    return _library(REALS[dtype])


def loaded_kernels(*tensors: Tensor) -> ctypes.CDLL:
    """The same where they are known to be there."""
    library = kernels(*tensors)
    assert library is not None
    return library


@cache
def _library(real: str) -> ctypes.CDLL | None:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler or os.environ.get("VIDNAS_NATIVE", "").lower() in OFF:
        return None
    for target in (("-march=native",), ("-mcpu=native",), ()):
        try:
            library = ctypes.CDLL(str(_compiled([*compiler.split(), *OPTIONS, *target, f"-DREAL={real}"])))
        except (OSError, subprocess.SubprocessError):
            continue
        _keep_freed_memory()
        return library
    return None


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed, blocks of up to 1 GiB, for the next step asks for the same again.

    Those above 32 MiB it would give back to the system, and to get them anew, page by page and zeroed, takes
    longer than to compute what they hold. The process stays as large as it was at its peak.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, -1)  # never


def _compiled(command: list[str]) -> Path:
    """The library that this command makes of the sources, from the cache if it was made on such a machine."""
    # the compiler's version and the processor's abilities are among the macros
    macros = _run([*command, "-dM", "-E", "-x", "c", os.devnull])
    sources = [source.read_bytes() for source in sorted(SOURCE.parent.glob("*.[ch]"))]
    key = hashlib.sha256(b"\0".join([*sources, " ".join(command).encode(), macros])).hexdigest()[:16]
    path = platformdirs.user_cache_path("vidnas") / "kernels" / f"{key}.so"
    if not _is_whole(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / path.name
            _run([*command, str(SOURCE), "-o", str(made)])
            digest = made.with_suffix(DIGEST)
            digest.write_text(_digest(made))
            for own in (digest, made):
                own.replace(
                    path.with_suffix(own.suffix)
                )  # processes that start together never meet half a file
    return path


def _is_whole(library: Path) -> bool:
    """Whether it is what was compiled: to load half a one, as a full disk may leave it, ends the process."""
    try:
        return library.with_suffix(DIGEST).read_text() == _digest(library)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(command: list[str]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, timeout=COMPILE_SEC).stdout


def first_derivative_only(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates the backward of an autograd function whose gradient is worked out by hand.

    PyTorch's once_differentiable alone is not enough: where only some tensors' gradients are asked for, a
    second derivative comes out as if there were nothing to differentiate.
    """

    @wraps(backward)
    def checked(ctx: Any, *grads: Tensor) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "vidnas's CPU kernels have first derivatives only. For create_graph=True set VIDNAS_NATIVE=0 "
                "in the environment: then PyTorch's own ops run."
            )
        return once_differentiable(backward)(ctx, *grads)

    return checked


def all_contiguous(tensors: Iterable[Tensor | None]) -> list[Any]:
    """The tensors, contiguous; None stays None."""
    return [None if tensor is None else tensor.contiguous() for tensor in tensors]


def only_wanted(wanted: Iterable[bool], grads: Iterable[Tensor]) -> list[Tensor | None]:
    """The gradients that autograd asks for, None for the others."""
    return [grad if want else None for want, grad in zip(wanted, grads, strict=True)]


def integers(numbers: Sequence[int]) -> Tensor:
    """Integers as C has them."""
    return torch.tensor(numbers, dtype=torch.int32)


class PerThread(NamedTuple):
    """An argument of a kernel that is another one for every thread: `start`, start + stride, ..."""

    start: int
    stride: int


Argument = Tensor | PerThread | Sequence[Tensor | None] | int | None
"""What a kernel may be given. A tensor stands for its numbers' address, a sequence for an array of such."""


class _Work(ctypes.Structure):
    """team.c's Work."""

    _fields_ = (
        ("kernel", ctypes.c_void_p),
        ("arguments", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("count", ctypes.c_int),
        ("items", ctypes.c_int),
        ("threads", ctypes.c_int),
    )


def share(library: ctypes.CDLL, kernel: Any, num_items: int, *arguments: Argument) -> None:
    """Do the items of a kernel, divided among as many threads as PyTorch uses.

    The division depends on nothing else, so that sums come out alike every time.
    """
    threads = max(1, min(torch.get_num_threads(), num_items))
    arrays: list[Any] = []  # held until the work is done
    slots = [_slot(argument, arrays) for argument in arguments]
    starts, strides = ((ctypes.c_ssize_t * len(slots))(*column) for column in zip(*slots, strict=True))
    addresses = (ctypes.cast(pointer, ctypes.c_void_p) for pointer in (kernel, starts, strides))
    work = ctypes.byref(_Work(*addresses, len(slots), num_items, threads))
    openmp = _openmp()
    if threads == 1:
        failed = library.do_part(work, 0)
    elif openmp is not None:
        failed = library.do_all(work, *openmp)
    else:
        failed = sum(_pool(threads).map(partial(library.do_part, work), range(threads)))
    if failed:
        raise MemoryError("Not enough memory for the scratch of a CPU kernel.")


def _slot(argument: Argument, arrays: list[Any]) -> tuple[int, int]:
    """The argument as a number, and by how much it differs from one thread to the next.

    `arrays` takes what must live as long as the number is used.
    """
    if isinstance(argument, PerThread):
        return argument
    if isinstance(argument, Tensor):
        if not argument.is_contiguous():
            raise ValueError("A kernel was given a tensor that is not contiguous.")
        return argument.data_ptr(), 0
    if isinstance(argument, Sequence):
        array = (ctypes.c_ssize_t * len(argument))(*(_slot(tensor, arrays)[0] for tensor in argument))
        arrays.append(array)
        return ctypes.addressof(array), 0
    return argument or 0, 0


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
