"""A search step of vidnas beside one of the plain supernet: time, and peak memory of each.

usage: python benchmarks/search_step.py [--threads 2] [--pairs 5] [--batch-size 4] [--size-px 112] [--json F]

Preset paper, 101 classes, random clips. A step is what a search does with a batch: the architect steps alpha
(first order, then second), SGD steps the weights. Both sides have the same architect, optimizer, clips and
initial state; they take turns, each in a process of its own. Ratios are reference / ours.
"""

from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Tensor

import measure
import report
from reference import PlainSupernet
from vidnas.assembly import steps
from vidnas.cli.heap import keep_freed_memory
from vidnas.config.learning import SearchConfig
from vidnas.config.presets import search_preset
from vidnas.nas.methods.darts import Architect
from vidnas.nas.network import Supernet
from vidnas.training.loop import Precision, Tally, WeightStep

NUM_CLASSES = 101
BARS = {"time_ratio": 4.0, "memory_ratio": 2.0}
"""The least ratios, reference / ours, in the default configuration."""

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
    weights = list(supernet.weights().values())
    sgd = torch.optim.SGD(weights, config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 1000, config.lr_min)
    precision = Precision(torch.device("cpu"))
    weight_step = WeightStep(supernet, weights, sgd, schedule, precision, grad_clip=config.grad_clip)
    train, val = random_clips(config, 1), random_clips(config, 2)

    def step() -> float:
        tally = Tally()
        architect.step(train, val, weights_lr=weight_step.lr)
        weight_step(*train, tally)
        return tally.loss

    return step


def main() -> None:
    """Compare both orders and print a paragraph for each."""
    parser = report.make_parser(__doc__ or "", batch_size=4)
    arguments = parser.parse_args()
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    report.say_if_not_the_bars(arguments, parser)
    cases = {}
    for order, name in ((1, "first_order"), (2, "second_order")):
        config = search_preset(
            "paper", data="random", order=order, batch_size=arguments.batch_size, size_px=arguments.size_px
        )
        state = initial_state(config)
        contestants = {make.__name__: partial(build_step, make, config, state) for make in (reference, ours)}
        found = measure.in_turn(contestants, rounds=arguments.pairs, threads=arguments.threads)
        cases[name] = measure.compare(found["reference"], found["ours"], bars=BARS)
        report.print_case(f"Search step, {name.replace('_', ' ')}", cases[name])
    report.write_json(arguments.json, cases, facts)


if __name__ == "__main__":
    main()
