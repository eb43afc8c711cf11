"""Numbers that the paper states, or that follow from it: edges, parameters, cost, settings."""

from collections.abc import Sequence

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidnas.config.presets import search_preset, train_preset
from vidnas.nas.genotype import Edge, Genotype, edge_sources
from vidnas.nas.network import Network, Supernet
from vidnas.nas.primitives import PRIMITIVES

NUM_CLASSES = 101


def genotype_of(primitives: Sequence[str]) -> Genotype:
    """Two edges for each node, in order the eight primitives given."""
    assert len(primitives) == 8
    pairs = zip(primitives[::2], primitives[1::2], strict=True)
    return Genotype(tuple((Edge(0, first), Edge(1, second)) for first, second in pairs))


SIX_CONV_3 = ("conv_3", "dil_conv_3", "conv_3", "dil_conv_3", "conv_3", "dil_conv_3")
PAPER_CELL = genotype_of([*SIX_CONV_3, "sep_conv_3", "sep_conv_3"])
"""Two sep_conv_3 and six conv_3 or dil_conv_3: the composition that has the paper's 0.67 M parameters."""


def test_the_search_space_has_14_edges_and_8_primitives() -> None:
    assert [len(edge_sources(n)) for n in (1, 2, 3, 4)] == [2, 5, 9, 14]
    assert all(len(edge_sources(n)) == (n + 1) * (n + 2) // 2 - 1 for n in range(1, 8))
    assert len(PRIMITIVES) == 8
    with torch.device("meta"):
        supernet = Supernet(NUM_CLASSES)
    assert supernet.alpha.shape == (14, 8)
    assert len(supernet.cells) == 3
    assert supernet.stem(torch.empty(1, 3, 8, 112, 112, device="meta")).shape == (1, 4, 8, 112, 112)


@pytest.mark.parametrize(
    ("primitives", "expected"),
    [
        (["conv_3"] * 8, 706_285),
        (["dil_conv_3"] * 8, 706_285),
        (["conv_3"] * 3 + ["dil_conv_3"] * 5, 706_285),
        ([*SIX_CONV_3, "sep_conv_3", "sep_conv_3"], 665_965),
        (["sep_conv_3"] * 3 + ["conv_3"] * 4 + ["sep_conv_3"], 625_645),
        (["sep_conv_3"] * 8, 545_005),
        (["conv_1"] * 8, 112_237),
        (["skip"] * 8, 55_789),
        (["max_pool_3", "avg_pool_3"] * 4, 55_789),
    ],
)
def test_parameters_of_the_final_network(primitives: list[str], expected: int) -> None:
    with torch.device("meta"):
        network = Network(genotype_of(primitives), NUM_CLASSES)
    assert sum(p.numel() for p in network.parameters()) == expected


def test_the_paper_reports_067_million_parameters() -> None:
    with torch.device("meta"):
        network = Network(PAPER_CELL, NUM_CLASSES)
    assert f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f}" == "0.67"


@pytest.mark.parametrize(
    ("stem_stride", "expected", "rounded"), [(1, 3_647_218_944, "3.65"), (2, 911_824_128, "0.91")]
)
def test_multiply_adds_of_a_clip(stem_stride: int, expected: int, rounded: str) -> None:
    with torch.device("meta"):  # shapes without values: the count takes no arithmetic
        network = Network(PAPER_CELL, NUM_CLASSES, stem_stride=stem_stride).eval()
        clip = torch.empty(1, 3, 8, 112, 112)
    with FlopCounterMode(display=False) as counter:
        network(clip)
    assert counter.get_total_flops() == 2 * expected
    assert f"{expected / 1e9:.2f}" == rounded


def test_the_paper_presets_are_the_paper() -> None:
    search = search_preset("paper", data="videos")
    assert (search.segments, search.frames_per_segment, search.size_px) == (4, 2, 112)
    assert (search.num_cells, search.first_channels, search.stem_stride, search.epochs) == (3, 4, 1, 50)
    assert search.order == 2
    training = train_preset("paper", data="videos", genotype="genotype.json")
    assert (training.segments, training.frames_per_segment, training.size_px) == (4, 2, 112)
    assert (training.num_cells, training.first_channels, training.stem_stride) == (6, 8, 1)
    assert (training.epochs, training.batch_size, training.accumulate) == (600, 72, 1)
    assert (training.optimizer, training.lr, training.weight_decay) == ("sgd", 0.025, 3e-4)
    assert search.flip and training.flip
    assert (search.input, training.input) == ("rgb", "rgb")
    assert (search.split, training.split) == (1, 1)
    bare_cross_entropy = (training.label_smoothing, training.dropout, training.mix, training.ema)
    assert bare_cross_entropy == (0.0, 0.0, "none", 0.0)
    assert (training.warmup, training.repeats) == (0.0, 1)


def test_the_presets_for_smaller_machines_see_residual_frames_and_the_paper_s_does_not() -> None:
    for preset, sees in (("paper", "rgb"), ("fast", "residual"), ("cpu", "residual"), ("demo", "rgb")):
        assert search_preset(preset, data="videos").input == sees
        assert train_preset(preset, data="videos", genotype="genotype.json").input == sees
