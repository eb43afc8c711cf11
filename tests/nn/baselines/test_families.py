"""What is particular to a family of hand-designed networks."""

import pytest
import torch

from vidnas.errors import UsageError
from vidnas.nn.baselines import BASELINES, ClipSize
from vidnas.nn.baselines.resnet import Subsample
from vidnas.nn.baselines.shufflenet import ShuffleBlock, shuffle_channels
from vidnas.nn.baselines.stc import STCBlock


def test_shortcut_a_thins_out_and_adds_channels_of_zeros() -> None:
    video = torch.randn(2, 3, 5, 6, 7)
    found = Subsample(8, 2)(video)
    assert torch.equal(found[:, :3], video[:, :, ::2, ::2, ::2])
    assert found.shape == (2, 8, 3, 3, 4)
    assert found[:, 3:].abs().sum() == 0


def test_the_two_dimensional_control_sees_the_middle_frame_alone() -> None:
    torch.manual_seed(0)
    network = BASELINES["2d-resnet-18"](4, clip=ClipSize(8, 32)).eval()
    video = torch.randn(1, 3, 8, 32, 32)
    others = torch.randn_like(video)
    others[:, :, 4] = video[:, :, 4]
    assert torch.equal(network(video), network(others))
    others[:, :, 4] += 1
    assert not torch.equal(network(video), network(others))


def test_the_gates_of_an_stc_block_lie_between_0_and_1_and_differ_from_frame_to_frame() -> None:
    torch.manual_seed(0)
    block = STCBlock(32)
    video = torch.randn(2, 32, 5, 4, 4)
    gates = block.gates(video)
    assert gates.shape == (2, 32, 5, 1, 1)
    assert gates.min() > 0
    assert gates.max() < 1
    assert gates.std(dim=2).min() > 0
    torch.testing.assert_close(block(video), video * gates)


def test_without_its_temporal_branch_an_stc_block_gates_all_frames_alike() -> None:
    torch.manual_seed(0)
    block = STCBlock(32)
    for parameter in block.temporal.parameters():
        torch.nn.init.zeros_(parameter)
    gates = block.gates(torch.randn(2, 32, 5, 4, 4))
    torch.testing.assert_close(gates, gates[:, :, :1].expand_as(gates))
    assert gates.std(dim=1).min() > 0


@pytest.mark.parametrize(
    ("name", "frames", "other"), [("c3d", 8, "c3d-8 takes 8"), ("c3d-8", 16, "c3d takes 16")]
)
def test_c3d_says_how_many_frames_it_takes_and_the_way_out(name: str, frames: int, other: str) -> None:
    with pytest.raises(UsageError, match=f"{name} takes clips of {24 - frames} frames.*--segments.*{other}"):
        BASELINES[name](5, clip=ClipSize(frames, 112))


def test_c3d_names_the_smallest_size() -> None:
    with pytest.raises(UsageError, match="size_px is 15; the network c3d needs at least 16"):
        BASELINES["c3d"](5, clip=ClipSize(16, 15))


def test_movinet_names_the_smallest_size() -> None:
    with pytest.raises(UsageError, match="size_px is 32; the network movinet-a0 needs at least 33"):
        BASELINES["movinet-a0"](5, clip=ClipSize(8, 32))
    assert BASELINES["movinet-a0"](5, clip=ClipSize(8, 33))(torch.zeros(2, 3, 8, 33, 33)).shape == (2, 5)


@pytest.mark.parametrize("size_px", [16, 48, 63, 64, 112])
def test_the_first_linear_layer_of_c3d_fits_the_clip(size_px: int) -> None:
    with torch.device("meta"):
        network = BASELINES["c3d-8"](5, clip=ClipSize(8, size_px))
        assert network(torch.zeros(1, 3, 8, size_px, size_px)).shape == (1, 5)


def test_shuffling_gives_every_group_some_of_each() -> None:
    video = torch.arange(6.0)[None, :, None, None, None].expand(1, 6, 1, 1, 1)
    assert shuffle_channels(video, 3).flatten().tolist() == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("frames", [1, 2, 3, 8])
def test_a_shuffle_block_halves_time_as_far_as_there_is_some(frames: int) -> None:
    block = ShuffleBlock(24, 240, 2)
    assert block(torch.randn(2, 24, frames, 6, 6)).shape == (2, 240, (frames + 1) // 2, 3, 3)
