"""Where the time of a step goes: into kernels, and into all that does not grow with the clips.

usage: python benchmarks/fixed_costs.py [--size-px 32] [--threads 1] [--json F]

A training step (batch 8) and a first-order search step (batch 16) with stem stride 2 at 32 and 64 px, timed
twice: as they are, and with kernels that do nothing, which leaves what Python, autograd, PyTorch's small ops
and the optimizer take. The ten kernels that take longest follow, a row each.
"""

import time
from collections import defaultdict
from dataclasses import replace
from statistics import median
from typing import Any
from unittest import mock

import torch

import cases
import inference
import measure
import report
import search_step
import train_step
from cases import Case
from vidnas.config.presets import search_preset
from vidnas.nn.native import calls

STEPS, TOP = 20, 10


def build_training(case: Case) -> measure.Step:
    """vidnas's training step."""
    config = train_step.settings(case)
    return train_step.build_step(train_step.ours, config, train_step.initial_state(config))


def build_search(case: Case) -> measure.Step:
    """vidnas's search step."""
    config = search_preset(
        "paper", data="random", order=1, batch_size=2 * case.batch_size, size_px=case.size_px,
        stem_stride=case.stem_stride,
    )  # fmt: skip
    return search_step.build_step(search_step.ours, config, search_step.initial_state(config))


def build_inference(case: Case) -> measure.Step:
    """vidnas's network, as it predicts, for one clip."""
    config = train_step.settings(replace(case, batch_size=1))
    return inference.build_step(inference.ours, config, inference.trained_state(config))


def milliseconds(step: measure.Step) -> float:
    """Of a step, the median of so many."""
    taken = []
    for _ in range(STEPS):
        begin = time.perf_counter()
        step()
        taken.append(time.perf_counter() - begin)
    return 1e3 * median(taken)


def by_kernel(step: measure.Step) -> dict[str, tuple[float, float]]:
    """Calls and milliseconds of a step in each kernel."""
    found: dict[str, list[float]] = defaultdict(list)
    share = calls.share

    def timed(code: Any, kernel: Any, *work: Any) -> None:
        begin = time.perf_counter()
        share(code, kernel, *work)
        found[kernel.__name__.removeprefix("do_")].append(time.perf_counter() - begin)

    with mock.patch.object(calls, "share", timed):
        for _ in range(STEPS):
            step()
    return {name: (len(sec) / STEPS, 1e3 * sum(sec) / STEPS) for name, sec in found.items()}


def main() -> None:
    """Print both steps at all sizes."""
    arguments = cases.arguments_of(__doc__ or "")
    torch.set_num_threads(arguments.threads)
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    standard = [Case(32, 2, 8), Case(64, 2, 8)]
    rows = []
    for case in cases.chosen(arguments, standard):
        for name, build in (("training", build_training), ("search", build_search)):
            step = build(case)
            whole = milliseconds(step)
            with mock.patch.object(calls, "share", lambda *_: None):
                rest = milliseconds(step)
            kernels = sorted(by_kernel(step).items(), key=lambda one: -one[1][1])
            print(f"{name} step, {case.size_px} px: {whole:.1f} ms, without the kernels' work {rest:.1f} ms")
            for kernel, (number, ms) in kernels[:TOP]:
                print(f"  {kernel:20} {number:6.1f} calls {ms:8.2f} ms")
            rows.append({"step": name, "size_px": case.size_px, "ms": whole, "without_kernels_ms": rest})
    report.write_rows(arguments.json, rows, facts)


if __name__ == "__main__":
    main()
