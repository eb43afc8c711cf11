"""What a machine that is busy with other things costs: a training step, a search step and inference.

usage: python benchmarks/busy.py [--size-px 48] [--stem-stride 2] [--pairs 5] [--json F]

Ours as the command line runs it beside these loops, ours as it runs where they come later (begun idle) and
ours with threads that begin to wait as PyTorch's do by themselves (spinning) take turns with the plain
network beside 0, 1, 2 or 4 busy loops, each in a process of its own, with 2 threads and with 1. Two threads
beside two loops on two cores have a fair share of half, and so take twice as long at best.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import cases
import inference
import measure
import report
import search_step
import train_step
from cases import Case
from vidnas.config.presets import search_preset

CASE = Case(48, 2, 8)
LOOPS = 0, 1, 2, 4
OURS = "ours", "begun idle", "spinning"
TURN_SEC = 2.0
"""Long enough that the scheduler has found each thread its core, as it has in a run."""
SLOWER, IDLE_SLOWER = 2.2, 1.03
"""At most: beside two loops by idle, with two threads; and idle by spinning threads."""


@contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """So many processes that compute for nothing meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def contestants(case: Case) -> dict[str, dict[str, measure.Build]]:
    """By step, then by who does it."""
    train = train_step.settings(case)
    state = train_step.initial_state(train)
    search = search_preset(
        "paper", data="random", batch_size=case.batch_size, size_px=case.size_px, stem_stride=case.stem_stride
    )
    search_state = search_step.initial_state(search)
    trained, step = inference.trained_state(train), partial(train_step.build_step, config=train, state=state)
    return {
        "training step": {
            **dict.fromkeys(OURS, partial(step, train_step.ours)),
            "plain": partial(step, train_step.reference),
        },
        "search step": dict.fromkeys(
            OURS, partial(search_step.build_step, search_step.ours, search, search_state)
        ),
        "inference": {
            **dict.fromkeys(OURS, partial(inference.build_step, inference.ours, train, trained)),
            "plain": partial(inference.build_step, inference.reference, train, trained),
        },
    }


def main() -> None:
    """Measure all and print a row each."""
    arguments = cases.arguments_of(__doc__ or "")
    (case,) = cases.chosen(arguments, [CASE])
    facts = report.machine_facts(os.cpu_count() or 1)
    report.print_machine(facts)
    print(f"{case.name}; ms, the median of {arguments.pairs}\n")
    print("| threads | step | | " + " | ".join(f"{loops} loops" for loops in LOOPS) + " | |")
    print("|---|---|---|" + "---:|" * len(LOOPS) + "---|")
    rows = []
    for threads in (2, 1):
        for step, builds in contestants(case).items():
            seen: dict[str, list[float]] = {name: [] for name in builds}
            for loops in LOOPS:
                with busy_loops(loops):
                    found = measure.in_turn(
                        builds, rounds=arguments.pairs, threads=threads, least_sec=TURN_SEC
                    )
                for name, measured in found.items():
                    seen[name].append(measured.median_sec)
            for name, sec in seen.items():
                verdict = _verdict(sec, seen["spinning"]) if name == "ours" and threads == 2 else ""
                numbers = " | ".join(f"{1e3 * each:.0f}" for each in sec)
                print(f"| {threads} | {step} | {name} | {numbers} | {verdict} |", flush=True)
                rows.append({"threads": threads, "step": step, "who": name, "loops": LOOPS, "sec": sec})
    report.write_rows(arguments.json, rows, facts)


def _verdict(sec: list[float], spinning: list[float]) -> str:
    slower, idle = sec[LOOPS.index(2)] / sec[0], sec[0] / spinning[0]
    met = "met" if slower <= SLOWER and idle <= IDLE_SLOWER else "missed"
    return f"{slower:.2f} x idle beside 2, {idle:.2f} x spinning; bars {SLOWER:g}, {IDLE_SLOWER:g}: {met}"


if __name__ == "__main__":
    main()
