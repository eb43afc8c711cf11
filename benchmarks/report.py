"""What the benchmarks are told on the command line, and how they print and write what they found."""

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from measure import Comparison, Measured

MIB = 2**20


def make_parser(
    description: str, *, batch_size: int, size_px: int = 112, pairs: int = 5
) -> argparse.ArgumentParser:
    """The options that all benchmarks have, with the configuration of the bars as default."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of each process (default: 2)")
    parser.add_argument("--pairs", type=int, default=pairs, help=f"turns of each (default: {pairs})")
    parser.add_argument("--batch-size", type=int, default=batch_size, help=f"clips (default: {batch_size})")
    parser.add_argument("--size-px", type=int, default=size_px, help=f"default: {size_px}")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser


def machine_facts(threads: int) -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "threads": threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def print_machine(facts: Mapping[str, object]) -> None:
    """The machine in one line."""
    print(
        f"{facts['cpu']}, {facts['cores']} cores, {facts['vectors']}; torch {facts['torch']} on "
        f"{facts['threads']} threads\n"
    )


def print_case(title: str, comparison: Comparison, *, rival: str = "reference") -> None:
    """Both contestants, the ratios, and whether they reach their bars."""
    print(title)
    for name, sec, size in (
        (rival, comparison.rival_sec, comparison.rival_bytes),
        ("ours", comparison.ours_sec, comparison.ours_bytes),
    ):
        measured = Measured(sec, size, 0.0)
        print(f"  {name:14} {describe(measured)}")
    spread = f"{comparison.lowest_pair_ratio:.2f} to {comparison.highest_pair_ratio:.2f} by pair"
    print(f"  time ratio     {comparison.time_ratio:.2f} ({spread}){_verdict(comparison, 'time_ratio')}")
    print(f"  memory ratio   {comparison.memory_ratio:.2f}{_verdict(comparison, 'memory_ratio')}")
    if comparison.difference is not None:
        print(f"  results differ by {comparison.difference:.0e}")
    print(flush=True)


def describe(measured: Measured) -> str:
    """Median, spread and peak memory in words."""
    spread = f"{min(measured.sec):.3f} to {max(measured.sec):.3f}"
    return f"{measured.median_sec:8.3f} s ({spread}), {measured.peak_bytes / MIB:7.0f} MiB at the peak"


def _verdict(comparison: Comparison, ratio: str) -> str:
    if ratio not in comparison.bars:
        return ""
    bar = comparison.bars[ratio]
    reached = getattr(comparison, ratio) >= bar
    return f"; bar {bar:g}: {'met' if reached else 'missed'}"


def write_json(path: Path | None, cases: Mapping[str, Comparison], facts: Mapping[str, object]) -> None:
    """All cases and the machine, if a file was asked for."""
    _write(path, {name: asdict(comparison) for name, comparison in cases.items()}, facts)


def write_rows(path: Path | None, rows: Sequence[Mapping[str, object]], facts: Mapping[str, object]) -> None:
    """The rows of a table and the machine, if a file was asked for."""
    _write(path, {"rows": list(rows)}, facts)


def _write(path: Path | None, figures: Mapping[str, object], facts: Mapping[str, object]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**figures, "machine": dict(facts)}, indent=2) + "\n")
