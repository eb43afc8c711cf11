"""How near the forecast of `vidnas search` and `vidnas train` comes to what their steps then take.

usage: python benchmarks/forecast.py [--threads 2] [--steps 3] [--size-px 64] [--batch-size 16] [--json FILE]

Preset cpu, 101 classes, made-up clips, each case in a process of its own: first the forecast, then the same
search or training built anew and a few real steps. The errors are relative: forecast / real - 1.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

import torch

from vidnas.assembly import forecasts
from vidnas.cli.heap import keep_freed_memory
from vidnas.config.presets import search_preset, train_preset
from vidnas.nas.genotype import random_genotype
from vidnas.training import memory
from vidnas.training.forecast import Needs, Trial
from vidnas.training.loop import Precision

NUM_CLASSES = 101
CASES = ("first_order", "second_order", "train")


@dataclass(frozen=True)
class Error:
    """A forecast beside what then came."""

    time_error: float
    memory_error: float
    foretold_sec: float
    real_sec: float
    """Median of the steps."""
    foretold_bytes: int
    real_bytes: int
    """The peak, beyond what the process held before."""
    trial_sec: float
    """What the forecast itself took."""


def prepare(case: str, size_px: int, batch_size: int) -> tuple[Callable[[], Needs], Callable[[], Trial]]:
    """How to foretell the steps of a case, and how to build them."""
    precision = Precision(torch.device("cpu"))
    size = {"data": "made up", "size_px": size_px, "batch_size": batch_size}
    if case == "train":
        training = (
            random_genotype(0),
            train_preset("cpu", **size, genotype="random:0"),
            NUM_CLASSES,
            precision,
        )
        return partial(forecasts.train_needs, *training), partial(forecasts.train_trial, *training)
    config = search_preset("cpu", **size, order=CASES.index(case) + 1)
    search = config, NUM_CLASSES, precision
    return partial(forecasts.search_needs, *search), partial(forecasts.search_trial, *search)


def measure(case: str, size_px: int, batch_size: int, steps: int) -> Error:
    """Foretell, then make the steps; the first one warms up, but its memory counts."""
    foretell, build = prepare(case, size_px, batch_size)
    began = time.perf_counter()
    needs = foretell()
    trial_sec = time.perf_counter() - began
    cpu = torch.device("cpu")
    held = memory.held_bytes(cpu)
    memory.count_anew(cpu)
    step = build().prepare_step(batch_size)
    step()
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    real_sec, real_bytes = median(times), memory.peak_bytes(cpu) - held
    return Error(
        time_error=needs.step_sec / real_sec - 1,
        memory_error=needs.memory_bytes / real_bytes - 1,
        foretold_sec=needs.step_sec,
        real_sec=real_sec,
        foretold_bytes=needs.memory_bytes,
        real_bytes=real_bytes,
        trial_sec=trial_sec,
    )


def main() -> None:
    """Measure every case in a process of its own, print a line of each, and write all into the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in {"threads": 2, "steps": 3, "size-px": 64, "batch-size": 16}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--case", choices=CASES, help="this one alone, in this process")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.case:
        keep_freed_memory()  # as the command line does
        torch.set_num_threads(arguments.threads)
        error = measure(arguments.case, arguments.size_px, arguments.batch_size, arguments.steps)
        print(json.dumps(asdict(error)))
        return
    found = {}
    for case in CASES:
        command = [sys.executable, __file__, *sys.argv[1:], "--case", case]
        environment = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
        printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
        found[case] = json.loads(printed)
        print(
            f"{case:12}  time {found[case]['time_error']:+.0%} of {found[case]['real_sec']:.2f} s a step,  "
            f"memory {found[case]['memory_error']:+.0%} of {found[case]['real_bytes'] / 2**20:.0f} MiB,  "
            f"in {found[case]['trial_sec']:.1f} s",
            flush=True,
        )
    if arguments.json:
        facts = {"torch": torch.__version__, "threads": arguments.threads, "size_px": arguments.size_px}
        facts |= {"batch_size": arguments.batch_size}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({**found, "facts": facts}, indent=2) + "\n")


if __name__ == "__main__":
    main()
