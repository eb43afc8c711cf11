"""A search step of vidnas beside one of the plain supernet: time, and peak memory of each.

usage: python benchmarks/search_step.py [--threads 2] [--pairs 5] [--size-px 64] [--stem-stride 2] [--json F]

Preset paper, 101 classes, random clips; by default at the paper's size and, with stem stride 2 and a batch of
16, at smaller ones. A step is what a search does with a batch: the architect steps alpha (first order, then
second), SGD steps the weights. Both sides have the same architect, optimizer, clips and initial state; they
take turns, each in a process of its own. Ratios are reference / ours.
"""

from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Tensor

import cases
import measure
import report
from cases import Case
from reference import PlainSupernet
from vidnas.assembly import steps
from vidnas.cli.heap import keep_freed_memory
from vidnas.config.learning import SearchConfig
from vidnas.config.presets import search_preset
from vidnas.nas.methods.darts import Architect
from vidnas.nas.network import Supernet
from vidnas.training.loop import Precision, Tally

NUM_CLASSES = 101
CASES = [Case(), *(Case(size_px, 2, 16) for size_px in (32, 48, 64))]
BARS = {32: 2.5, 48: 4.0, 64: 4.0}
"""The least ratio of times, reference / ours, by size with stem stride 2."""
PAPER_BARS = {"time_ratio": 5.0, "memory_ratio": 1 / 0.3}

State = dict[str, Tensor]


def ours(config: SearchConfig) -> Supernet:
    """vidnas's supernet, in a process like the command line's."""
    keep_freed_memory()
    return steps.build_supernet(config, NUM_CLASSES)


def reference(config: SearchConfig) -> Supernet:
    """The plain one in its place: the architect asks for nothing that it lacks."""
    plain = PlainSupernet(
        NUM_CLASSES,
        num_cells=config.num_cells,
        first_channels=config.first_channels,
        stem_stride=config.stem_stride,
    )
    return cast(Supernet, plain)


def initial_state(config: SearchConfig) -> State:
    """A state that loads into either supernet."""
    torch.manual_seed(0)
    return reference(config).state_dict()


def random_clips(config: SearchConfig, seed: int) -> tuple[Tensor, Tensor]:
    """A batch of clips and labels."""
    draw = torch.Generator().manual_seed(seed)
    frames = config.segments * config.frames_per_segment
    shape = (config.batch_size, 3, frames, config.size_px, config.size_px)
    labels = torch.randint(NUM_CLASSES, (config.batch_size,), generator=draw)
    return torch.randn(shape, generator=draw), labels


def build_step(make: Callable[[SearchConfig], Supernet], config: SearchConfig, state: State) -> measure.Step:
    """A search step; its result is the loss on the training batch."""
    supernet = make(config)
    supernet.load_state_dict(state)
    supernet.train()
    architect = Architect(
        supernet, order=config.order, lr=config.alpha_lr, weight_decay=config.alpha_weight_decay
    )
    weight_step = steps.build_search_step(supernet, config, Precision(torch.device("cpu")), num_steps=1000)
    train, val = random_clips(config, 1), random_clips(config, 2)

    def step() -> float:
        tally = Tally()
        architect.step(train, val, weights_lr=weight_step.lr)
        weight_step(*train, tally)
        return tally.loss

    return step


def bars(case: Case) -> dict[str, float]:
    """What the ratios are to reach."""
    if case.stem_stride == 1:
        return PAPER_BARS
    return {"time_ratio": BARS[case.size_px]} if case.size_px in BARS else {}


def main() -> None:
    """Compare both orders and print a paragraph for each."""
    arguments = cases.arguments_of(__doc__ or "")
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    found = {}
    for case in cases.chosen(arguments, CASES):
        for order, name in ((1, "first order"), (2, "second order")):
            config = search_preset(
                "paper",
                data="random",
                order=order,
                batch_size=case.batch_size,
                size_px=case.size_px,
                stem_stride=case.stem_stride,
            )
            state = initial_state(config)
            builds = {make.__name__: partial(build_step, make, config, state) for make in (reference, ours)}
            seen = measure.in_turn(builds, rounds=arguments.pairs, threads=arguments.threads)
            title = f"{name}, {case.name.rpartition(', ')[0]}"
            found[title] = measure.compare(seen["reference"], seen["ours"], bars=bars(case))
            report.print_case(f"Search step, {title}", found[title])
    report.write_json(arguments.json, found, facts)


if __name__ == "__main__":
    main()
