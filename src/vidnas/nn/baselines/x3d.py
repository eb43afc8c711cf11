"""X3D-XS (Feichtenhofer, "X3D: Expanding Architectures for Efficient Video Recognition", 2020).

Time is never halved. A shortcut has a norm only where the number of channels changes: so it has the known
3,794,274 parameters with 400 classes. Its 0.6 GMACs are for clips of 4 frames of 160 px.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.baselines.parts import (
    ClipSize,
    SqueezeExcite,
    conv_norm,
    depthwise,
    init_kaiming,
    make_divisible,
)
from vidnas.nn.head import Head
from vidnas.shapes import Logits, Video

STEM = 24
STAGES = ((24, 3), (48, 5), (96, 11), (192, 7))
"""Channels and blocks; the first block of every stage halves height and width."""
EXPANSION = 2.25
SQUEEZE = 1 / 16
FEATURES = 2048


class X3DBlock(nn.Module):
    """1x1x1 wider, depthwise, in every other one squeeze-excitation, 1x1x1 narrow; added to a shortcut."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, *, squeeze: bool) -> None:
        super().__init__()
        wide = int(channels_out * EXPANSION)
        strides = (1, stride, stride)
        excite = SqueezeExcite(wide, make_divisible(wide * SQUEEZE)) if squeeze else nn.Identity()
        self.convs = nn.Sequential(
            conv_norm(channels_in, wide, (1, 1, 1)),
            depthwise(wide, (3, 3, 3), strides, None),
            excite,
            nn.SiLU(),
            conv_norm(wide, channels_out, (1, 1, 1), activation=None),
        )
        self.shortcut = _shortcut(channels_in, channels_out, stride)

    def forward(self, video: Video) -> Tensor:
        """The block's output."""
        return F.relu(self.convs(video) + self.shortcut(video))


def _shortcut(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    strides = (1, stride, stride)
    if channels_in != channels_out:
        return conv_norm(channels_in, channels_out, (1, 1, 1), strides, activation=None)
    return nn.Identity() if stride == 1 else nn.Conv3d(channels_in, channels_out, 1, strides, bias=False)


class X3D(nn.Module):
    """Stem of a spatial and a temporal filter, four stages, 1x1x1, mean, two linear layers."""

    def __init__(self, num_classes: int, *, channels: int, dropout: float) -> None:
        super().__init__()
        spatial = nn.Conv3d(channels, STEM, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.stem = nn.Sequential(spatial, depthwise(STEM, (5, 1, 1)))
        blocks = []
        width = STEM
        for channels_out, depth in STAGES:
            for index in range(depth):
                stride = 2 if index == 0 else 1
                blocks.append(X3DBlock(width, channels_out, stride, squeeze=index % 2 == 0))
                width = channels_out
        self.blocks = nn.Sequential(*blocks)
        wide = int(width * EXPANSION)
        self.last = nn.Sequential(
            conv_norm(width, wide, (1, 1, 1)),
            nn.AdaptiveAvgPool3d(1),
            nn.Conv3d(wide, FEATURES, 1, bias=False),
            nn.ReLU(),
        )
        self.head = Head(FEATURES, num_classes, dropout)
        init_kaiming(self)

    def forward(self, video: Video) -> Logits:
        """Logits of a batch."""
        return self.head(self.last(self.blocks(self.stem(video))))  # type: ignore[no-any-return]


def build_x3d(
    num_classes: int,
    *,
    clip: ClipSize,  # noqa: ARG001
    channels: int = 3,
    dropout: float = 0.0,
) -> nn.Module:
    """x3d-xs."""
    return X3D(num_classes, channels=channels, dropout=dropout)
