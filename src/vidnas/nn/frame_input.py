"""What a network sees of a clip's frames: their colours, how they change, or both."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn

from vidnas.shapes import Logits, Video

FrameInput = Literal["rgb", "residual", "both"]
CHANNELS: Mapping[FrameInput, int] = MappingProxyType({"rgb": 3, "residual": 3, "both": 6})
"""What a network must take in."""


def residual_frames(video: Video) -> Video:
    """Every frame minus the one before it; the first one, which has none, is the second's difference again.

    Tao, Wang and Yamasaki, "Rethinking Motion Representation: Residual Frames with 3D ConvNets" (2020), take
    one frame more and lose it; here a clip keeps its length, so that every network takes it. Of a single
    frame nothing is left.
    """
    differences = video.diff(dim=2)
    return torch.cat([differences[:, :, :1], differences], dim=2) if video.shape[2] > 1 else video * 0


def seen_frames(video: Video, kind: FrameInput) -> Tensor:
    """What is seen of RGB clips: clips of CHANNELS[kind] channels."""
    if kind == "rgb":
        return video
    residual = residual_frames(video)
    return residual if kind == "residual" else torch.cat([video, residual], dim=1)


class SeesFrames(nn.Module):
    """A network of CHANNELS[kind] input channels behind what it sees of RGB clips."""

    def __init__(self, network: nn.Module, kind: FrameInput) -> None:
        super().__init__()
        self.network = network
        self.kind = kind

    def forward(self, video: Video) -> Logits:
        """Logits of a batch of RGB clips."""
        return self.network(seen_frames(video, self.kind))  # type: ignore[no-any-return]
