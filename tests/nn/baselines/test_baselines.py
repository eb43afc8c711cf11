"""All hand-designed networks: what is known of their size and cost, and what every one of them must do."""

from typing import get_args

import pytest
import torch
from torch import nn

from vidnas.config.learning import Baseline
from vidnas.nn.baselines import BASELINES, ClipSize
from vidnas.training.profile import count_macs, count_parameters

SMALL = ClipSize(8, 48)


def frames_of(name: str) -> int:
    return 16 if name == "c3d" else 8


def on_paper(name: str, num_classes: int = 101, *, size_px: int = 112) -> nn.Module:
    """A network without numbers."""
    with torch.device("meta"):
        return BASELINES[name](num_classes, clip=ClipSize(frames_of(name), size_px))


def test_there_are_just_the_networks_that_the_settings_name() -> None:
    assert tuple(BASELINES) == get_args(Baseline)


# As Hara's, Tran's, Köpüklü's, Feichtenhofer's and Kondratyuk's networks have them.
@pytest.mark.parametrize(
    ("name", "parameters", "known"),
    [
        ("3d-resnet-18", 33_255_717, "33.26"),
        ("3d-resnet-18-a", 33_081_893, "33.08"),
        ("3d-resnet-50", 46_405_925, "46.41"),
        ("3d-resnet-101", 85_452_069, "85.45"),
        ("c3d", 78_409_573, "78.41"),
        ("c3d-8", 78_409_573, "78.41"),
        ("3d-mobilenetv2-0.45", 760_615, "0.76"),
        ("3d-shufflenet-0.5", 305_753, "0.31"),
        ("3d-shufflenet-1.0", 1_041_965, "1.04"),
        ("x3d-xs", 3_181_623, "3.18"),
        ("movinet-a0", 2_089_348, "2.09"),
    ],
)
def test_the_numbers_of_parameters_are_the_known_ones(name: str, parameters: int, known: str) -> None:
    assert f"{parameters / 1e6:.2f}" == known
    assert count_parameters(on_paper(name)) == parameters


@pytest.mark.parametrize(
    ("name", "num_classes", "parameters"),
    [("x3d-xs", 400, 3_794_274), ("2d-resnet-18", 1000, 11_689_512), ("c3d", 487, 79_991_015)],
)
def test_with_the_classes_of_their_origin_they_have_the_published_parameters(
    name: str, num_classes: int, parameters: int
) -> None:
    assert count_parameters(on_paper(name, num_classes)) == parameters


def conv(channels_in: int, channels_out: int, kernel: int) -> int:
    """Parameters of a convolution without bias and its norm."""
    return channels_in * channels_out * kernel + 2 * channels_out


def test_a_3d_resnet_has_the_parameters_that_its_table_gives() -> None:
    stem = conv(3, 64, 343)
    inside = sum(conv(w, w, 27) * 4 for w in (64, 128, 256, 512))
    widening = sum(conv(w, 2 * w, 27) - conv(2 * w, 2 * w, 27) for w in (64, 128, 256))
    beside = sum(conv(w, 2 * w, 1) for w in (64, 128, 256))
    head = 513 * 101
    assert count_parameters(on_paper("3d-resnet-18")) == stem + inside + widening + beside + head
    assert count_parameters(on_paper("3d-resnet-18-a")) == stem + inside + widening + head


@pytest.mark.parametrize(("depth", "width"), [(18, 1), (50, 4), (101, 4)])
def test_an_stc_resnet_adds_two_branches_behind_every_block(depth: int, width: int) -> None:
    blocks = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}[depth]
    added = 0
    for number, channels in zip(blocks, (64, 128, 256, 512), strict=True):
        wide, hidden = width * channels, width * channels // 16
        added += number * 2 * (wide * hidden + hidden + hidden * wide + wide)
    plain = count_parameters(on_paper(f"3d-resnet-{depth}"))
    assert count_parameters(on_paper(f"stc-resnet-{depth}")) == plain + added


@pytest.mark.parametrize(
    ("name", "gmacs"),
    [
        ("3d-resnet-18", 4.35),
        ("c3d", 38.5),
        ("3d-mobilenetv2-0.45", 0.08),
    ],
)
def test_the_multiply_adds_of_a_clip_are_the_known_ones(name: str, gmacs: float) -> None:
    macs = count_macs(on_paper(name), (1, 3, frames_of(name), 112, 112))
    assert macs / 1e9 == pytest.approx(gmacs, abs=0.05 if gmacs > 1 else 0.005)


def test_x3d_xs_costs_what_its_article_says() -> None:
    network = on_paper("x3d-xs", 400, size_px=160)
    assert count_macs(network, (1, 3, 4, 160, 160)) / 1e9 == pytest.approx(0.6, abs=0.05)


def test_the_two_dimensional_control_costs_what_a_resnet_18_does() -> None:
    network = on_paper("2d-resnet-18", 1000, size_px=224)
    assert count_macs(network, (1, 3, 8, 224, 224)) / 1e9 == pytest.approx(1.81, abs=0.01)


def test_the_gates_of_stc_cost_next_to_nothing() -> None:
    with_gates, plain = (
        count_macs(on_paper(name), (1, 3, 8, 112, 112)) for name in ("stc-resnet-50", "3d-resnet-50")
    )
    assert 1 < with_gates / plain < 1.005


@pytest.mark.parametrize("name", sorted(set(BASELINES) - {n for n in BASELINES if "101" in n}))
def test_every_network_takes_small_clips_and_all_its_parameters_learn(name: str) -> None:
    torch.manual_seed(0)
    clip = ClipSize(frames_of(name), 48)
    network = BASELINES[name](3, clip=clip, channels=6)
    if name == "movinet-a0":  # its branches begin at nothing
        for parameter in network.parameters():
            if parameter.dim() == 0:
                nn.init.ones_(parameter)
    logits = network(torch.randn(2, 6, *clip[:1], 48, 48))
    assert logits.shape == (2, 3)
    logits.square().sum().backward()
    # Filters that are followed by a norm over a single value, or a dead ReLU, may have no gradient: few.
    dead = [name for name, p in network.named_parameters() if p.grad is None]
    assert dead == []


@pytest.mark.parametrize("name", BASELINES)
def test_only_the_last_layer_depends_on_the_classes_and_is_called_head(name: str) -> None:
    shapes = [{k: v.shape for k, v in on_paper(name, n).state_dict().items()} for n in (5, 7)]
    assert shapes[0].keys() == shapes[1].keys()
    others = {k for k in shapes[0] if shapes[0][k] != shapes[1][k]}
    assert (
        others
        == {k for k in shapes[0] if k.startswith("head.")}
        == {"head.linear.weight", "head.linear.bias"}
    )


@pytest.mark.parametrize("name", ["3d-resnet-18", "c3d-8", "x3d-xs", "2d-resnet-18"])
def test_dropout_acts_while_training_alone(name: str) -> None:
    torch.manual_seed(0)
    network = BASELINES[name](5, clip=SMALL, dropout=0.9)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eval().requires_grad_(False)
    video = torch.randn(1, 3, 8, 48, 48)
    network.eval()
    assert torch.equal(network(video), network(video))
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eval()
    assert not torch.equal(network(video), network(video))
