"""How time and memory of vidnas's steps grow with batch, frames, size, channels and cells.

usage: python benchmarks/growth.py [--threads 2] [--pairs 3] [--batch-size 2] [--size-px 112] [--json F]

A search step (first order) and a training step of preset paper on random clips. One setting at a time departs
from the base, which is the preset but for batch size and size; each row is a process of its own. Behind the
table: exponents of a power law through each setting's rows, batch, frames and size counted as voxels. 1 is
linear; they are less where a step's fixed costs weigh.
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from statistics import linear_regression

import measure
import report
import search_step
import train_step
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.presets import search_preset, train_preset

VOXELS = ("batch", "frames", "size")
"""The settings by which nothing may grow faster than linearly in voxels."""

LINEAR = 1.1
"""The largest exponent that counts as linear: timings scatter by some percent."""

Config = SearchConfig | TrainConfig


@dataclass(frozen=True)
class Row:
    """What a step took with `setting` at `value`, the other settings being the base's."""

    step: str
    setting: str
    value: int
    voxels: int
    sec_per_clip: float
    sec: float
    peak_mib: float


@dataclass(frozen=True)
class Growth:
    """Exponents of a step's time and memory in the voxels, or in a setting that leaves these alone."""

    step: str
    setting: str
    time: float
    memory: float


def vary(base: Config) -> Iterator[tuple[str, int, Config]]:
    """(setting, value, settings with it) of every row."""
    for batch in (base.batch_size // 2, base.batch_size, base.batch_size * 2):
        yield "batch", batch, replace(base, batch_size=batch)
    for segments in (base.segments // 2, base.segments, base.segments * 2):
        yield "frames", segments * base.frames_per_segment, replace(base, segments=segments)
    for size_px in (base.size_px, base.size_px * 3 // 2, base.size_px * 2):
        yield "size", size_px, replace(base, size_px=size_px)
    for channels in (base.first_channels // 2, base.first_channels, base.first_channels * 2):
        yield "channels", channels, replace(base, first_channels=channels)
    for cells in (base.num_cells * 2 // 3, base.num_cells, base.num_cells * 4 // 3):
        yield "cells", cells, replace(base, num_cells=cells)


def build_step(config: Config) -> measure.Build:
    """Our step with these settings."""
    if isinstance(config, SearchConfig):
        state = search_step.initial_state(config)
        return partial(search_step.build_step, search_step.ours, config, state)
    state = train_step.initial_state(config)
    return partial(train_step.build_step, train_step.ours, config, state)


def measure_rows(step: str, base: Config, arguments: argparse.Namespace) -> list[Row]:
    """Measure all rows, equal settings once, and print each."""
    known: dict[Config, measure.Measured] = {}
    rows = []
    for setting, value, config in vary(base):
        if config not in known:
            build = {"ours": build_step(config)}
            known[config] = measure.in_turn(build, rounds=arguments.pairs, threads=arguments.threads)["ours"]
        row = _row(step, setting, value, config, known[config])
        print(
            f"| {step} | {setting} | {value} | {row.voxels} | {row.sec_per_clip:.3f} | {row.peak_mib:.0f} |",
            flush=True,
        )
        rows.append(row)
    return rows


def _row(step: str, setting: str, value: int, config: Config, found: measure.Measured) -> Row:
    frames = config.segments * config.frames_per_segment
    voxels = config.batch_size * frames * config.size_px**2
    sec = found.median_sec
    return Row(step, setting, value, voxels, sec / config.batch_size, sec, found.peak_bytes / report.MIB)


def growth(rows: Sequence[Row]) -> Growth:
    """Fit a power law through the rows of one step and setting."""
    step, setting = rows[0].step, rows[0].setting
    steps = [math.log(row.voxels if setting in VOXELS else row.value) for row in rows]
    time, memory = (
        linear_regression(steps, [math.log(taken) for taken in column]).slope
        for column in ([row.sec for row in rows], [row.peak_mib for row in rows])
    )
    return Growth(step, setting, time, memory)


def print_growth(found: Sequence[Growth]) -> None:
    """The exponents, and whether anything grows faster than linearly in voxels."""
    print("\n| step | setting | exponent of time | of memory | |\n|---|---|---:|---:|---|")
    for each in found:
        verdict = ""
        if each.setting in VOXELS:
            linear = max(each.time, each.memory) <= LINEAR
            verdict = "at most linear in voxels" if linear else "FASTER than linear in voxels"
        print(f"| {each.step} | {each.setting} | {each.time:.2f} | {each.memory:.2f} | {verdict} |")


def main() -> None:
    """Measure both steps and print the tables."""
    parser = report.make_parser(__doc__ or "", batch_size=2, pairs=3)
    arguments = parser.parse_args()
    if arguments.batch_size < 2:
        parser.error("--batch-size must be at least 2, to be halved.")
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    clips = {"data": "random", "batch_size": arguments.batch_size, "size_px": arguments.size_px}
    bases: dict[str, Config] = {
        "search": search_preset("paper", order=1, **clips),
        "train": train_preset("paper", genotype="random:0", **clips),
    }
    print("| step | setting | value | voxels | s per clip | MiB |\n|---|---|---:|---:|---:|---:|")
    rows = [row for step, base in bases.items() for row in measure_rows(step, base, arguments)]
    names = dict.fromkeys((row.step, row.setting) for row in rows)
    found = [growth([row for row in rows if (row.step, row.setting) == name]) for name in names]
    print_growth(found)
    if arguments.json:
        content = {"rows": [asdict(row) for row in rows], "growth": [asdict(each) for each in found]}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({**content, "machine": facts}, indent=2) + "\n")


if __name__ == "__main__":
    main()
