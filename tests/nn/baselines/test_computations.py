"""What the hand-designed networks compute, where neither shapes nor counts would tell a mistake."""

import math
from typing import TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.baselines import BASELINES, ClipSize
from vidnas.nn.baselines.mobilenet import InvertedResidual
from vidnas.nn.baselines.movinet import CUBE, MoViNetBlock
from vidnas.nn.baselines.shufflenet import ShuffleBlock, halved
from vidnas.nn.head import Head

Part = TypeVar("Part", bound=nn.Module)

SMALL = ClipSize(8, 48)
LIGHT = (
    "3d-mobilenetv2-0.45",
    "3d-shufflenet-0.5",
    "3d-shufflenet-1.0",
    "x3d-xs",
    "movinet-a0",
    "2d-resnet-18",
)


def on_paper(name: str, dropout: float) -> nn.Module:
    """A network without numbers."""
    with torch.device("meta"):
        clip = ClipSize(16 if name == "c3d" else 8, 48)
        return BASELINES[name](5, clip=clip, dropout=dropout)


def parts(network: nn.Module, kind: type[Part]) -> list[Part]:
    return [part for part in network.modules() if isinstance(part, kind)]


@pytest.mark.parametrize("name", LIGHT)
def test_no_parameter_has_a_gradient_of_zeros(name: str) -> None:
    torch.manual_seed(0)
    network = BASELINES[name](5, clip=SMALL)
    for block in parts(network, MoViNetBlock):  # their branches begin at nothing
        nn.init.ones_(block.scale)
    F.cross_entropy(network(torch.randn(4, 3, 8, 48, 48)), torch.arange(4)).backward()  # type: ignore[no-untyped-call]
    dead = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


@pytest.mark.parametrize("name", sorted(set(BASELINES) - {"c3d", "c3d-8"}))
def test_the_given_dropout_stands_before_the_last_layer_and_there_alone(name: str) -> None:
    network = on_paper(name, 0.7)
    assert [head.dropout for head in parts(network, Head)] == [0.7]
    assert parts(network, nn.Dropout) == []


@pytest.mark.parametrize("name", ["c3d", "c3d-8"])
@pytest.mark.parametrize(("given", "last"), [(0.0, 0.5), (0.2, 0.5), (0.8, 0.8)])
def test_c3d_keeps_its_own_dropout_unless_more_is_asked_for(name: str, given: float, last: float) -> None:
    assert [dropout.p for dropout in parts(on_paper(name, given), nn.Dropout)] == [0.5, last]


def test_filters_are_drawn_by_the_number_of_their_outputs() -> None:
    torch.manual_seed(0)
    network = BASELINES["3d-resnet-18"](5, clip=SMALL)
    widening = [c for c in parts(network, nn.Conv3d) if c.kernel_size == (3, 3, 3) and c.in_channels == 64]
    conv = widening[-1]
    assert conv.out_channels == 128
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / (128 * 27)), rel=0.02)


def test_an_inverted_residual_adds_its_input_where_the_shapes_agree() -> None:
    torch.manual_seed(0)
    video = torch.randn(2, 8, 4, 6, 6)
    for block, added in ((InvertedResidual(8, 8, 1, 6), True), (InvertedResidual(8, 9, 1, 6), False)):
        nn.init.zeros_(parts(block, nn.BatchNorm3d)[-1].weight)
        assert torch.equal(block(video), video) == added


@pytest.mark.parametrize("frames", [1, 2, 5, 8])
def test_a_halved_video_holds_the_means_that_average_pooling_gives(frames: int) -> None:
    torch.manual_seed(0)
    video = torch.randn(2, 3, frames, 7, 6)
    even = torch.cat([video, video[:, :, -1:]], dim=2) if frames % 2 else video
    torch.testing.assert_close(halved(video), F.avg_pool3d(even, (2, 3, 3), stride=2, padding=(0, 1, 1)))


def test_in_a_shuffle_block_every_group_hears_from_every_other() -> None:
    torch.manual_seed(0)
    block = ShuffleBlock(48, 48, 1).eval()
    for heard in range(3):
        video = torch.randn(1, 48, 2, 5, 5, requires_grad=True)
        block(video)[:, 16 * heard : 16 * (heard + 1)].sum().backward()
        gradient = video.grad
        assert isinstance(gradient, Tensor)
        assert all(third.any() for third in gradient.chunk(3, dim=1))


def test_x3d_uses_swish_behind_every_depthwise_filter_and_relu_behind_the_stem() -> None:
    torch.manual_seed(0)
    network = BASELINES["x3d-xs"](5, clip=ClipSize(4, 32))
    assert len(parts(network, nn.SiLU)) == 3 + 5 + 11 + 7
    stem = network.get_submodule("stem")
    assert stem(torch.randn(1, 3, 4, 32, 32)).min() == 0


def test_a_movinet_block_begins_as_its_shortcut_and_learns_how_much_to_add() -> None:
    torch.manual_seed(0)
    block = MoViNetBlock(8, 8, 24, CUBE, 1).eval()
    video = torch.randn(2, 8, 4, 6, 6)
    assert torch.equal(block(video), video)
    nn.init.constant_(block.scale, 2.0)
    torch.testing.assert_close(block(video) - video, 2 * block.convs(video))
