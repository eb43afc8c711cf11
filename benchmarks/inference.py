"""Inference by vidnas's network beside the plain network, 3D-ResNet-18 and C3D: time and peak memory.

usage: python benchmarks/inference.py [--threads 2] [--pairs 5] [--batch-size 1] [--size-px 112] [--json F]

Preset paper: six cells of a random genotype, 8 channels, 101 classes, one random clip of 8 frames, evaluation
mode; also with --stem-stride 2. C3D is the variant for 8 frames. All take turns, each in its own process: a
turn is the median of 10 passes. Ratios are rival / ours.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

import measure
import report
import train_step
from reference import C3D, PlainResNet18
from vidnas.assembly import networks
from vidnas.config.learning import TrainConfig
from vidnas.config.presets import train_preset

CALLS = 10
State = dict[str, Tensor]
Logits = Callable[[Tensor], Tensor]


class Case(NamedTuple):
    """Two contestants and what their ratio is to reach."""

    title: str
    rival: str
    ours: str
    bars: dict[str, float]


CASES = {
    "inference": Case("Inference", "reference", "ours", {"time_ratio": 3.0}),
    "inference_vs_resnet_18": Case("Inference, beside 3D-ResNet-18", "resnet_18", "ours", {}),
    "inference_vs_c3d": Case("Inference, beside C3D", "c3d", "ours", {}),
    "inference_stem_stride_2": Case("Inference, --stem-stride 2", "reference_stride_2", "ours_stride_2", {}),
    "inference_stem_stride_2_vs_resnet_18": Case(
        "Inference, --stem-stride 2, beside 3D-ResNet-18", "resnet_18", "ours_stride_2", {"time_ratio": 4.0}
    ),
    "inference_stem_stride_2_vs_c3d": Case(
        "Inference, --stem-stride 2, beside C3D", "c3d", "ours_stride_2", {}
    ),
}


def ours(config: TrainConfig, state: State) -> Logits:
    """vidnas's network in the form in which it predicts."""
    return networks.fold(_loaded(train_step.ours(config), state))


def reference(config: TrainConfig, state: State) -> Logits:
    """The plain network."""
    return _loaded(train_step.reference(config), state)


def resnet_18(_config: TrainConfig, _state: State) -> Logits:
    """3D-ResNet-18 of random weights."""
    return PlainResNet18(train_step.NUM_CLASSES).eval()


def c3d(config: TrainConfig, _state: State) -> Logits:
    """C3D for 8 frames, of random weights."""
    return C3D(train_step.NUM_CLASSES, num_frames=8, size_px=config.size_px).eval()


def _loaded(network: nn.Module, state: State) -> nn.Module:
    network.load_state_dict(state)
    return network.eval()


def trained_state(config: TrainConfig) -> State:
    """A state with the running statistics of a batch, as training leaves it."""
    torch.manual_seed(0)
    network = train_step.reference(config)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm3d):
            part.momentum = None  # the mean over all batches, here the one
    with torch.no_grad():
        network.train()(train_step.random_clips(config)[0])
    return network.state_dict()


def build_step(
    make: Callable[[TrainConfig, State], Logits], config: TrainConfig, state: State
) -> measure.Step:
    """A forward pass; its result is the length of the logits."""
    with torch.inference_mode():
        network = make(config, state)
    video, _ = train_step.random_clips(config)

    def step() -> float:
        with torch.inference_mode():
            return float(network(video).norm())

    return step


def contestants(batch_size: int, size_px: int) -> dict[str, measure.Build]:
    """All that take turns, by name."""
    builds: dict[str, measure.Build] = {}
    for stride, suffix in ((1, ""), (2, "_stride_2")):
        config = train_preset(
            "paper",
            data="random",
            genotype="random:0",
            batch_size=batch_size,
            size_px=size_px,
            stem_stride=stride,
        )
        state = trained_state(config)
        makers = (reference, ours) if stride == 2 else (reference, ours, resnet_18, c3d)
        builds |= {make.__name__ + suffix: partial(build_step, make, config, state) for make in makers}
    return builds


def main() -> None:
    """Compare all and print a paragraph for each case."""
    parser = report.make_parser(__doc__ or "", batch_size=1)
    arguments = parser.parse_args()
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    report.say_if_not_the_bars(arguments, parser)
    builds = contestants(arguments.batch_size, arguments.size_px)
    found = measure.in_turn(builds, rounds=arguments.pairs, threads=arguments.threads, calls=CALLS)
    cases = {}
    for name, case in CASES.items():
        same_results = case.rival.startswith("reference")
        cases[name] = measure.compare(
            found[case.rival], found[case.ours], same_results=same_results, bars=case.bars
        )
        report.print_case(case.title, cases[name], rival=case.rival.removesuffix("_stride_2"))
    report.write_json(arguments.json, cases, facts)


if __name__ == "__main__":
    main()
