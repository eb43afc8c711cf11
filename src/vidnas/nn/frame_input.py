"""What a network sees of a clip's frames: their colours, how they change, or both, normalised or not."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn

from vidnas.shapes import Logits, Video

FrameInput = Literal["rgb", "residual", "both"]
CHANNELS: Mapping[FrameInput, int] = MappingProxyType({"rgb": 3, "residual": 3, "both": 6})
"""What a network must take in."""

ClipNorm = Literal["off", "frames", "input"]
"""What is normalised for each clip by itself: nothing, its frames, or what a network sees of them."""

EPS = 1e-5
"""Added to a clip's variance, as norms do: a clip of one colour becomes 0."""


def residual_frames(video: Video) -> Video:
    """Every frame minus the one before it; the first one, which has none, is the second's difference again.

    Tao, Wang and Yamasaki, "Rethinking Motion Representation: Residual Frames with 3D ConvNets" (2020), take
    one frame more and lose it; here a clip keeps its length, so that every network takes it. Of a single
    frame nothing is left.
    """
    differences = video.diff(dim=2)
    return torch.cat([differences[:, :, :1], differences], dim=2) if video.shape[2] > 1 else video * 0


def normalized_clips(video: Video) -> Video:
    """Every clip minus its own mean, over its own standard deviation: one of each for all its values."""
    variance, mean = torch.var_mean(video, dim=(1, 2, 3, 4), correction=0, keepdim=True)
    return (video - mean) * (variance + EPS).rsqrt()


def seen_frames(video: Video, kind: FrameInput, clip_norm: ClipNorm = "off") -> Tensor:
    """What is seen of RGB clips: clips of CHANNELS[kind] channels.

    Of "both" the frames and their differences are normalised each by themselves.
    """
    if clip_norm == "frames":
        video = normalized_clips(video)
    parts = [] if kind == "residual" else [video]
    if kind != "rgb":
        parts.append(residual_frames(video))
    if clip_norm == "input":
        parts = [normalized_clips(part) for part in parts]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class SeesFrames(nn.Module):
    """A network of CHANNELS[kind] input channels behind what it sees of RGB clips."""

    def __init__(self, network: nn.Module, kind: FrameInput, clip_norm: ClipNorm = "off") -> None:
        super().__init__()
        self.network = network
        self.kind = kind
        self.clip_norm = clip_norm

    def forward(self, video: Video) -> Logits:
        """Logits of a batch of RGB clips."""
        return self.network(seen_frames(video, self.kind, self.clip_norm))  # type: ignore[no-any-return]
