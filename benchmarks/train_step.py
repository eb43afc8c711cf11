"""A training step of vidnas's network beside one of the plain network: time, and peak memory of each.

usage: python benchmarks/train_step.py [--threads 2] [--pairs 5] [--batch-size 4] [--size-px 112] [--json F]

Preset paper: six cells of a random genotype, 8 channels, 101 classes, random clips, SGD. Both sides have the
same optimizer, clips and initial state; they take turns, each in a process of its own. Ratios are
reference / ours.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

import measure
import report
from reference import PlainNetwork
from vidnas.assembly import networks, steps
from vidnas.cli.heap import keep_freed_memory
from vidnas.config.learning import TrainConfig
from vidnas.config.presets import train_preset
from vidnas.nas.genotype import random_genotype
from vidnas.training.loop import Precision, Tally, WeightStep

NUM_CLASSES = 101
GENOTYPE = random_genotype(0)
BARS = {"time_ratio": 2.5}
"""The least ratios, reference / ours, in the default configuration."""

State = dict[str, Tensor]


def ours(config: TrainConfig) -> nn.Module:
    """vidnas's network, in a process like the command line's."""
    keep_freed_memory()
    return networks.build_network(GENOTYPE, config, NUM_CLASSES)


def reference(config: TrainConfig) -> nn.Module:
    """The plain one."""
    return PlainNetwork(
        GENOTYPE,
        NUM_CLASSES,
        num_cells=config.num_cells,
        first_channels=config.first_channels,
        stem_stride=config.stem_stride,
    )


def initial_state(config: TrainConfig) -> State:
    """A state that loads into either network."""
    torch.manual_seed(0)
    return reference(config).state_dict()


def random_clips(config: TrainConfig) -> tuple[Tensor, Tensor]:
    """A batch of clips and labels."""
    draw = torch.Generator().manual_seed(1)
    frames = config.segments * config.frames_per_segment
    shape = (config.batch_size, 3, frames, config.size_px, config.size_px)
    labels = torch.randint(NUM_CLASSES, (config.batch_size,), generator=draw)
    return torch.randn(shape, generator=draw), labels


def build_step(make: Callable[[TrainConfig], nn.Module], config: TrainConfig, state: State) -> measure.Step:
    """A training step; its result is the loss."""
    network = make(config)
    network.load_state_dict(state)
    network.train()
    weights = list(network.parameters())
    optimizer, schedule = steps.make_optimizer(weights, config, 1000)
    weight_step = WeightStep(network, weights, optimizer, schedule, Precision(torch.device("cpu")))
    clips = random_clips(config)

    def step() -> float:
        tally = Tally()
        weight_step(*clips, tally)
        return tally.loss

    return step


def main() -> None:
    """Compare and print."""
    parser = report.make_parser(__doc__ or "", batch_size=4)
    arguments = parser.parse_args()
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    report.say_if_not_the_bars(arguments, parser)
    config = train_preset(
        "paper",
        data="random",
        genotype="random:0",
        batch_size=arguments.batch_size,
        size_px=arguments.size_px,
    )
    state = initial_state(config)
    contestants = {make.__name__: partial(build_step, make, config, state) for make in (reference, ours)}
    found = measure.in_turn(contestants, rounds=arguments.pairs, threads=arguments.threads)
    case = measure.compare(found["reference"], found["ours"], bars=BARS)
    report.print_case("Training step, six cells", case)
    report.write_json(arguments.json, {"train": case}, facts)


if __name__ == "__main__":
    main()
