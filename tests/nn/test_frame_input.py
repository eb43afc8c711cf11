"""What a network sees of the frames."""

import pytest
import torch
from torch import nn

from vidnas.nas.folded import FoldedNetwork
from vidnas.nas.genotype import random_genotype
from vidnas.nas.network import Network, Supernet
from vidnas.nn.frame_input import CHANNELS, ClipNorm, FrameInput, SeesFrames, residual_frames, seen_frames


def test_residual_frames_are_differences_and_keep_the_length() -> None:
    clip = torch.tensor([1.0, 4.0, 2.0, 2.0])[None, None, :, None, None].expand(2, 3, 4, 5, 6)
    found = residual_frames(clip)
    assert found.shape == clip.shape
    assert found[0, 0, :, 0, 0].tolist() == [3.0, 3.0, -2.0, 0.0]


def test_of_one_frame_and_of_repeated_frames_nothing_is_left() -> None:
    assert residual_frames(torch.ones(1, 3, 1, 4, 4)).abs().sum() == 0
    assert residual_frames(torch.ones(1, 3, 8, 4, 4)).abs().sum() == 0


@pytest.mark.parametrize("kind", ["residual", "both"])
def test_a_cell_s_network_sees_the_same_as_one_behind_the_frames(kind: FrameInput) -> None:
    torch.manual_seed(0)
    network = Network(random_genotype(0), 3, num_cells=2, first_channels=4, sees=kind).eval()
    clip = torch.randn(2, 3, 4, 16, 16)
    expected = network(clip)
    torch.testing.assert_close(FoldedNetwork(network)(clip), expected, rtol=1e-4, atol=1e-5)
    network.stem.sees = "rgb"
    torch.testing.assert_close(network(seen_frames(clip, kind)), expected)


def test_a_supernet_sees_it_too() -> None:
    torch.manual_seed(0)
    supernet = Supernet(3, num_cells=1, first_channels=2, sees="residual")
    still = torch.randn(2, 3, 1, 16, 16).expand(2, 3, 4, 16, 16)
    assert supernet.stem(still).abs().max() == 0


class Remembers(nn.Module):
    seen: torch.Tensor

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        self.seen = video
        return video.mean(dim=(2, 3, 4))


@pytest.mark.parametrize("kind", ["rgb", "residual", "both"])
def test_a_network_gets_as_many_channels_as_stated(kind: FrameInput) -> None:
    clip = torch.randn(2, 3, 4, 5, 6)
    network = Remembers()
    SeesFrames(network, kind)(clip)
    assert network.seen.shape[1] == CHANNELS[kind]
    parts = {"rgb": [clip], "residual": [residual_frames(clip)], "both": [clip, residual_frames(clip)]}
    assert torch.equal(network.seen, torch.cat(parts[kind], dim=1))


def by_hand(clip: torch.Tensor) -> torch.Tensor:
    """Each clip's own standard score, clip by clip."""
    return torch.stack([(one - one.mean()) / one.std(correction=0) for one in clip])


@pytest.mark.parametrize("kind", ["rgb", "residual", "both"])
@pytest.mark.parametrize("clip_norm", ["off", "frames", "input"])
def test_each_clip_is_normalised_by_itself_before_or_after_the_differences(
    kind: FrameInput, clip_norm: ClipNorm
) -> None:
    clip = torch.randn(3, 3, 4, 6, 7) * torch.tensor([0.5, 1.0, 20.0])[:, None, None, None, None] + 5
    frames = by_hand(clip) if clip_norm == "frames" else clip
    parts = {"rgb": [frames], "residual": [residual_frames(frames)]}
    parts["both"] = parts["rgb"] + parts["residual"]
    own = [by_hand(part) if clip_norm == "input" else part for part in parts[kind]]
    expected = torch.cat(own, dim=1)
    torch.testing.assert_close(seen_frames(clip, kind, clip_norm), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["rgb", "residual"])
@pytest.mark.parametrize("clip_norm", ["frames", "input"])
def test_a_normalised_clip_says_nothing_of_its_light_and_contrast(
    kind: FrameInput, clip_norm: ClipNorm
) -> None:
    clip = torch.randn(2, 3, 4, 8, 8)
    seen = seen_frames(clip, kind, clip_norm)
    torch.testing.assert_close(seen_frames(0.2 * clip - 1.5, kind, clip_norm), seen, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("clip_norm", ["frames", "input"])
def test_of_a_clip_of_one_colour_nothing_is_left(clip_norm: ClipNorm) -> None:
    assert seen_frames(torch.full((1, 3, 2, 4, 4), -1.9), "both", clip_norm).abs().max() < 1e-3


@pytest.mark.parametrize("clip_norm", ["frames", "input"])
def test_a_cell_s_network_normalises_as_one_behind_it_and_so_does_what_predicts(clip_norm: ClipNorm) -> None:
    torch.manual_seed(0)
    sees = {"num_cells": 1, "first_channels": 4, "sees": "residual", "clip_norm": clip_norm}
    network = Network(random_genotype(0), 3, **sees).eval()  # type: ignore[arg-type]
    clip = torch.randn(2, 3, 4, 16, 16)
    expected = network(clip)
    torch.testing.assert_close(FoldedNetwork(network)(clip), expected, rtol=1e-4, atol=1e-5)
    network.stem.clip_norm, network.stem.sees = "off", "rgb"
    torch.testing.assert_close(network(seen_frames(clip, "residual", clip_norm)), expected)


def test_a_supernet_normalises_too() -> None:
    torch.manual_seed(0)
    supernet = Supernet(3, num_cells=1, first_channels=2, clip_norm="frames").eval()
    clip = torch.randn(2, 3, 4, 16, 16)
    torch.testing.assert_close(supernet(clip), supernet(0.1 * clip + 3), rtol=1e-2, atol=1e-2)
