"""Inference by vidnas's network beside the plain network, 3D-ResNet-18 and C3D: time and peak memory.

usage: python benchmarks/inference.py [--threads 2] [--pairs 5] [--size-px 64] [--stem-stride 2] [--json F]

Preset paper: six cells of a random genotype, 8 channels, 101 classes, one random clip of 8 frames, evaluation
mode; by default at several sizes, and at the paper's beside the others. C3D is the variant for 8 frames. All
take turns, each in its own process: a turn is the median of 10 passes. Ratios are rival / ours.
"""

import statistics
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

import cases
import measure
import report
import train_step
from cases import Case
from reference import C3D, PlainResNet18
from vidnas.assembly import networks
from vidnas.config.learning import TrainConfig

CALLS = 10
State = dict[str, Tensor]
Logits = Callable[[Tensor], Tensor]


CASES = [
    *(Case(size_px, stride, 1) for size_px in (48, 64, 112) for stride in (1, 2)),
    *(Case(112, 2, 1, f"random:{seed}") for seed in (1, 2)),
]
BAR, RESNET_BAR = 3.0, 4.0
"""The least ratios of times: the plain network's by ours and, with stem stride 2 at 112 px, 3D-ResNet-18's by
ours, the mean over several cells."""


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


def contestants(case: Case) -> dict[str, measure.Build]:
    """All that take turns, by name: at the paper's size those of others too."""
    config = train_step.settings(case)
    state = trained_state(config)
    makers = (reference, ours, resnet_18, c3d) if case.size_px == 112 else (reference, ours)
    return {make.__name__: partial(build_step, make, config, state) for make in makers}


def main() -> None:
    """Compare all and print a paragraph for each pair."""
    arguments = cases.arguments_of(__doc__ or "")
    facts = report.machine_facts(arguments.threads)
    report.print_machine(facts)
    found: dict[str, measure.Comparison] = {}
    beside_resnet = []
    for case in cases.chosen(arguments, CASES):
        builds = contestants(case)
        seen = measure.in_turn(builds, rounds=arguments.pairs, threads=arguments.threads, calls=CALLS)
        for rival in [name for name in builds if name != "ours"]:
            same = rival == "reference"
            bars = {"time_ratio": BAR} if same else {}
            title = f"{case.name}, beside {rival}"
            found[title] = measure.compare(seen[rival], seen["ours"], same_results=same, bars=bars)
            report.print_case(f"Inference, {title}", found[title], rival=rival)
            if rival == "resnet_18" and case.stem_stride == 2:
                beside_resnet.append(found[title].time_ratio)
    if beside_resnet:
        mean = statistics.fmean(beside_resnet)
        verdict = "met" if mean >= RESNET_BAR else "missed"
        print(f"Inference, stem stride 2, beside 3D-ResNet-18, mean of {len(beside_resnet)}")
        print(f"  time ratio     {mean:.2f}; bar {RESNET_BAR:g}: {verdict}")
    report.write_json(arguments.json, found, facts)


if __name__ == "__main__":
    main()
