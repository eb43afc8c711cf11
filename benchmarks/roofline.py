"""How near a step's kernels come to what this machine can do: its arithmetic and its memory, by kernel.

usage: python benchmarks/roofline.py [--size-px 48] [--stem-stride 2] [--batch-size 8] [--threads 2]

Every call of a kernel has so many multiplications and additions to do, and must read its inputs from memory
and write its results to it once. Neither goes faster than a loop of nothing but fused multiply-adds in
registers, and one of nothing but copying, which are timed before and after in the same process. The longer of
both times is the call's bound. What no kernel does (Python, PyTorch's small ops, the optimizer) is timed with
kernels that do nothing. A training step, a first-order search step of twice as many clips, and inference of
one clip on one thread are taken apart.
"""

import ctypes
import math
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import torch
from torch import Tensor

import cases
import fixed_costs
import report
from cases import Case
from vidnas.nn.native import calls
from vidnas.nn.native.calls import Library

STANDARD = Case(48, 2, 8), Case(64, 2, 8), Case(112, 2, 8)
STEPS, TURNS = 10, 5
ACCUMULATORS = 12
"""Registers that the loop of multiply-adds keeps busy."""
COPIED_BYTES = 1 << 28
"""Per thread: more than any cache holds."""
LOOP = r"""
typedef float vec __attribute__((vector_size(BYTES)));
float multiply_adds(long number)
{
    vec acc[ACCUMULATORS] = {{0}}, a = {0}, b = {0};
    __asm__ volatile("" : "+x"(a), "+x"(b));
    for (long i = 0; i < number; i++)
        for (int k = 0; k < ACCUMULATORS; k++) {
            acc[k] += a * b;
            __asm__ volatile("" : "+x"(acc[k]));
        }
    float total = 0;
    for (int k = 0; k < ACCUMULATORS; k++) total += acc[k][0];
    return total;
}
"""


@dataclass
class Work:
    """What a kernel's calls of one step add up to."""

    calls: float = 0.0
    sec: float = 0.0
    operations: float = 0.0
    bytes: float = 0.0
    bound_sec: float = 0.0


class Peaks(NamedTuple):
    """What this machine's threads can do together."""

    operations_per_sec: float
    bytes_per_sec: float


def peaks(threads: int) -> Peaks:
    """The best of some turns."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(threads) as pool:
        multiply_adds, per_round = _arithmetic(Path(folder))
        rounds = 20_000_000
        sec = _best(pool, threads, lambda: multiply_adds(rounds))
        arrays = [torch.zeros(2, COPIED_BYTES // 4) for _ in range(threads)]
        free = iter(arrays * (TURNS + 1))

        def copy() -> None:
            source, target = next(free)
            ctypes.memmove(target.data_ptr(), source.data_ptr(), COPIED_BYTES)

        copied_sec = _best(pool, threads, copy)
    return Peaks(threads * rounds * per_round / sec, threads * 2 * COPIED_BYTES / copied_sec)


def _arithmetic(folder: Path) -> tuple[Callable[[int], float], int]:
    """The loop in C, and how many operations a round of it has."""
    size = {"AVX512": 64, "AVX2": 32}.get(torch.backends.cpu.get_cpu_capability(), 16)
    (folder / "loop.c").write_text(LOOP)
    macros = [f"-DBYTES={size}", f"-DACCUMULATORS={ACCUMULATORS}"]
    command = ["cc", "-O3", "-march=native", "-shared", "-fPIC", *macros, "loop.c", "-o", "loop.so"]
    subprocess.run(command, cwd=folder, check=True)
    loop = ctypes.CDLL(str(folder / "loop.so")).multiply_adds
    loop.argtypes, loop.restype = [ctypes.c_long], ctypes.c_float
    return loop, ACCUMULATORS * size // 4 * 2


def _best(pool: ThreadPoolExecutor, threads: int, work: Callable[[], object]) -> float:
    """The seconds that all threads together take at best; the first turn warms up."""
    taken = []
    for _ in range(TURNS + 1):
        begin = time.perf_counter()
        for future in [pool.submit(work) for _ in range(threads)]:
            future.result()
        taken.append(time.perf_counter() - begin)
    return min(taken[1:])


def operations(kernel: str, given: Mapping[str, Any]) -> float:
    """Multiplications and additions of a call of one of the kernels that multiply by filters or matrices."""
    number = {name: value for name, value in given.items() if isinstance(value, int)}
    match kernel.split("_")[0]:
        case "spatial":
            each = number["frames"] * number["C"] * number["K_part"] * number["height"] * number["width"] * 9
        case "temporal":
            each = given["z"].numel() * number["C"] * 3
        case "blend":
            pixels = given["arrays"][0].numel() // given["arrays"][0].shape[2]
            each = given["matrix"].numel() * pixels // number.get("stride", 1) ** 2
        case "covariance":
            channels = sum(given["channels"])
            each = channels**2 * given["arrays"][0].numel() // given["arrays"][0].shape[2]
        case _:
            return 0.0
    also_filters = any(given.get(name) is not None for name in ("d_filters", "d_matrix"))
    return 2.0 * each * (2 if also_filters else 1)


def traffic(kernel: str, given: Mapping[str, Any]) -> float:
    """Bytes of all arrays of a call, each read or written once."""
    total = 0.0
    for name, value in given.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        tensors = [each for each in values if isinstance(each, Tensor)]
        share = given["K_part"] / given["K"] if kernel.startswith("spatial") and name in ("z", "g") else 1.0
        total += share * sum(t.nbytes for t in tensors)
    return total


def taken_apart(step: Callable[[], object], peak: Peaks) -> dict[str, Work]:
    """By kernel, for one step."""
    found: dict[str, Work] = defaultdict(Work)
    share = Library.share

    def timed(self: Library, kernel: str, num_items: int, *arguments: Any) -> None:
        begin = time.perf_counter()
        share(self, kernel, num_items, *arguments)
        work, own = found[kernel], time.perf_counter() - begin
        names = [parameter.name for parameter in calls.prototypes()[kernel].parameters]
        given = dict(zip(names, arguments, strict=True))
        done, moved = operations(kernel, given), traffic(kernel, given)
        bound = max(done / peak.operations_per_sec, moved / peak.bytes_per_sec)
        for name, amount in asdict(Work(1, own, done, moved, bound)).items():
            setattr(work, name, getattr(work, name) + amount / STEPS)

    with mock.patch.object(Library, "share", timed):
        for _ in range(STEPS):
            step()
    return dict(sorted(found.items(), key=lambda one: -one[1].sec))


def main() -> None:
    """Print a table for both steps of every case."""
    arguments = cases.arguments_of(__doc__ or "")
    torch.set_num_threads(arguments.threads)
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    rows = []
    builders = {
        "training": (fixed_costs.build_training, arguments.threads),
        "search": (fixed_costs.build_search, arguments.threads),
        "inference": (fixed_costs.build_inference, 1),
    }
    for case in cases.chosen(arguments, STANDARD):
        for name, (build, threads) in builders.items():
            torch.set_num_threads(threads)
            step, before = build(case), peaks(threads)
            whole = fixed_costs.milliseconds(step)
            with mock.patch.object(calls, "share", lambda *_: None):
                rest = fixed_costs.milliseconds(step)
            after = peaks(threads)
            peak = Peaks(*map(max, before, after))  # a machine has slow moments, and no fast ones
            kernels = taken_apart(step, peak)
            print(f"{name}, {case.size_px} px: {whole:.1f} ms, without the kernels' work {rest:.1f} ms")
            print(f"  this machine: {_peak(before)}; afterwards {_peak(after)}")
            print(f"  {'kernel':20} {'calls':>6} {'ms':>7} {'bound':>7} {'Gop/s':>7} {'GB/s':>7}")
            _print_kernels(kernels)
            bound = 1e3 * math.fsum(work.bound_sec for work in kernels.values())
            print(f"  bound of all kernels {bound:.1f} ms, with the rest {bound + rest:.1f} ms\n", flush=True)
            rows.append({
                "step": name, "case": asdict(case), "threads": threads, "ms": whole,
                "without_kernels_ms": rest, "bound_ms": bound, "peak": peak._asdict(),
                "kernels": {kernel: asdict(work) for kernel, work in kernels.items()},
            })  # fmt: skip
    report.write_rows(arguments.json, rows, facts)


def _peak(peak: Peaks) -> str:
    return f"{peak.operations_per_sec / 1e9:.0f} Gop/s, {peak.bytes_per_sec / 1e9:.1f} GB/s"


def _print_kernels(kernels: Mapping[str, Work]) -> None:
    for kernel, work in kernels.items():
        if work.sec > 1e-4:
            speed = f"{work.operations / work.sec / 1e9:7.1f} {work.bytes / work.sec / 1e9:7.1f}"
            ms = f"{1e3 * work.sec:7.1f} {1e3 * work.bound_sec:7.1f}"
            print(f"  {kernel:20} {work.calls:6.0f} {ms} {speed}")


if __name__ == "__main__":
    main()
