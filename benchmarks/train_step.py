"""A training step of vidnas's network beside one of the plain network: time, and peak memory of each.

usage: python benchmarks/train_step.py [--threads 2] [--pairs 5] [--size-px 64] [--stem-stride 2] [--json F]

Preset paper: six cells of a random genotype, 8 channels, 101 classes, random clips, SGD; by default at the
paper's size and, with stem stride 2 and a batch of 8, at smaller ones. Both sides have the same optimizer,
clips and initial state; they take turns, each in a process of its own. Ratios are reference / ours.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

import cases
import measure
import report
from cases import Case
from reference import PlainNetwork
from vidnas.assembly import networks, steps
from vidnas.cli.heap import keep_freed_memory
from vidnas.config.learning import TrainConfig
from vidnas.config.presets import train_preset
from vidnas.nas.genotype import Genotype, random_genotype
from vidnas.training.loop import Precision, Tally, WeightStep

NUM_CLASSES = 101
SMALL = [Case(size_px, 2, 8, f"random:{seed}") for size_px in (32, 48, 64, 112) for seed in range(3)]
CASES = [Case(), *SMALL, *(Case(size_px, 2, 8) for size_px in (80, 160, 224))]
BARS = {32: 1.2, 48: 1.5, 64: 1.5, 112: 2.0}
"""The least ratio, reference / ours, by size with stem stride 2; at others the plain one is not faster."""
PAPER_BAR = 2.5
CALLS = 3
"""Steps of a turn where they are short; their median counts."""

State = dict[str, Tensor]


def ours(config: TrainConfig) -> nn.Module:
    """vidnas's network, in a process like the command line's."""
    keep_freed_memory()
    return networks.build_network(genotype_of(config), config, NUM_CLASSES)


def reference(config: TrainConfig) -> nn.Module:
    """The plain one."""
    return PlainNetwork(
        genotype_of(config),
        NUM_CLASSES,
        num_cells=config.num_cells,
        first_channels=config.first_channels,
        stem_stride=config.stem_stride,
    )


def genotype_of(config: TrainConfig) -> Genotype:
    """The random one that it names."""
    return random_genotype(int(str(config.genotype).removeprefix("random:")))


def settings(case: Case) -> TrainConfig:
    """Those of a training."""
    return train_preset(
        "paper",
        data="random",
        genotype=case.genotype,
        batch_size=case.batch_size,
        size_px=case.size_px,
        stem_stride=case.stem_stride,
    )


def bars(case: Case) -> dict[str, float]:
    """What the time's ratio is to reach."""
    return {"time_ratio": BARS.get(case.size_px, 1.0) if case.stem_stride == 2 else PAPER_BAR}


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
    arguments = cases.arguments_of(__doc__ or "")
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    found = {}
    for case in cases.chosen(arguments, CASES):
        config = settings(case)
        state = initial_state(config)
        steps = {make.__name__: partial(build_step, make, config, state) for make in (reference, ours)}
        calls = CALLS if case.size_px < 112 else 1
        seen = measure.in_turn(steps, rounds=arguments.pairs, threads=arguments.threads, calls=calls)
        found[case.name] = measure.compare(seen["reference"], seen["ours"], bars=bars(case))
        report.print_case(f"Training step, {case.name}", found[case.name])
    report.write_json(arguments.json, found, facts)


if __name__ == "__main__":
    main()
