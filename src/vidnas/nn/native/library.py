"""The kernels in C, compiled by this machine's own compiler at first use and kept in the user's cache.

Where there is no compiler nothing breaks: `kernels` returns None and the same formulas run as PyTorch ops.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from pathlib import Path
from typing import Any

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
COMPILE_SEC = 120
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
TEAM_WORK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def kernels(*tensors: Tensor) -> ctypes.CDLL | None:
    """The kernels for these tensors; None where PyTorch's ops must do: other device or type, no compiler."""
    dtype = tensors[0].dtype
    if dtype not in REALS or any(t.device.type != "cpu" or t.dtype != dtype for t in tensors):
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
    if not compiler or os.environ.get("VIDNAS_NATIVE") == "0":
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
    """Let glibc keep blocks of up to 1 GiB that are freed, for the next step asks for the same again.

    Those above 32 MiB it would give back to the system, and to get them anew, page by page and zeroed, takes
    longer than to compute what they hold.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, 1 << 30)


def _compiled(command: list[str]) -> Path:
    """The library that this command makes of the sources, from the cache if it was made on such a machine."""
    # the compiler's version and the processor's abilities are among the macros
    macros = _run([*command, "-dM", "-E", "-x", "c", os.devnull])
    sources = [source.read_bytes() for source in sorted(SOURCE.parent.glob("*.[ch]"))]
    key = hashlib.sha256(b"\0".join([*sources, " ".join(command).encode(), macros])).hexdigest()[:16]
    path = platformdirs.user_cache_path("vidnas") / "kernels" / f"{key}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / path.name
            _run([*command, str(SOURCE), "-o", str(made)])
            made.replace(path)  # at once: processes that start together do not meet half a file
    return path


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


def address(tensor: Tensor | None) -> ctypes.c_void_p:
    """Where the numbers of a contiguous tensor lie, or NULL."""
    assert tensor is None or tensor.is_contiguous()
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def share(num_items: int, work: Callable[[int, int, int], int]) -> None:
    """Call work(thread, first, last) on the items, divided among as many threads as PyTorch uses.

    The division depends on nothing else, so that sums come out alike every time.
    """
    threads = max(1, min(torch.get_num_threads(), num_items))
    failed = [1] * threads

    def work_of(thread: int) -> None:
        failed[thread] = work(thread, num_items * thread // threads, num_items * (thread + 1) // threads)

    if threads == 1:
        work_of(0)
    else:
        _run_team(threads, work_of)
    if any(failed):
        raise MemoryError("Not enough memory for the scratch of a CPU kernel.")


def _run_team(threads: int, work: Callable[[int], None]) -> None:
    """Call work(thread) at once for each thread, by PyTorch's OpenMP runtime where it can be had.

    Threads of another pool would have to share the cores with PyTorch's own, which go on spinning for a while
    after each of its ops in the hope of more to do.
    """
    openmp = _openmp()
    if openmp is None:
        list(_pool(threads).map(work, range(threads)))
        return

    def work_of_member(_: object) -> None:
        # a limit of the system's may have made the team smaller than asked for
        for thread in range(openmp.omp_get_thread_num(), threads, openmp.omp_get_num_threads()):
            work(thread)

    team_work = TEAM_WORK(work_of_member)
    openmp.GOMP_parallel(team_work, None, threads, 0)


@cache
def _openmp() -> ctypes.CDLL | None:
    """PyTorch's OpenMP runtime: a symbol of a library is looked up in those that it needs, too."""
    library = ctypes.CDLL(torch._C.__file__)
    needed = "GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads"
    return library if all(hasattr(library, name) for name in needed) else None


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not live on in a forked process
    return ThreadPoolExecutor(threads, thread_name_prefix="vidnas-kernels")
