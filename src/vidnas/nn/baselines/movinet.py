"""MoViNet-A0, the base model without streams (Kondratyuk et al., "MoViNets", 2021).

Time is never halved. A block's branch begins at nothing: the number that scales it starts at 0 and is learnt.
"""

import torch
from torch import Tensor, nn

from vidnas.errors import UsageError
from vidnas.nn.baselines.parts import (
    ClipSize,
    SqueezeExcite,
    Triple,
    conv_norm,
    depthwise,
    make_divisible,
    network_of,
)
from vidnas.nn.head import Head
from vidnas.shapes import Video

STEM = 8
SQUEEZE = 1 / 4
CUBE, TALL, FLAT = (3, 3, 3), (5, 3, 3), (1, 5, 5)
STAGES: tuple[tuple[int, int, tuple[tuple[int, Triple], ...]], ...] = (
    (8, 2, ((24, FLAT),)),
    (32, 2, ((80, CUBE), (80, CUBE), (80, CUBE))),
    (56, 2, ((184, TALL), (112, CUBE), (184, CUBE))),
    (56, 1, ((184, TALL), (184, CUBE), (184, CUBE), (184, CUBE))),
    (104, 2, ((384, TALL), (280, FLAT), (280, FLAT), (344, FLAT))),
)
"""Channels, the stride of the first block in space, and every block's width and kernel."""
LAST = 480
FEATURES = 2048
SMALLEST_PX = 33
"""Below, the last shortcut that halves has fewer than the 3x3 pixels that it takes means of."""


class MoViNetBlock(nn.Module):
    """1x1x1 wider, depthwise, squeeze-excitation, 1x1x1 narrow; scaled and added to a shortcut."""

    def __init__(self, channels_in: int, channels_out: int, wide: int, kernel: Triple, stride: int) -> None:
        super().__init__()
        strides = (1, stride, stride)
        self.convs = nn.Sequential(
            conv_norm(channels_in, wide, (1, 1, 1), activation=nn.SiLU),
            depthwise(wide, kernel, strides, nn.SiLU),
            SqueezeExcite(wide, make_divisible(wide * SQUEEZE), nn.SiLU),
            conv_norm(wide, channels_out, (1, 1, 1), activation=None),
        )
        self.scale = nn.Parameter(torch.zeros(()))
        same = stride == 1 and channels_in == channels_out
        self.shortcut = nn.Identity() if same else _fitted(channels_in, channels_out, stride)

    def forward(self, video: Video) -> Tensor:
        """The block's output."""
        out: Tensor = self.shortcut(video) + self.scale * self.convs(video)
        return out


def _fitted(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """The shortcut where a block changes the shape: means of pixels, then 1x1x1."""
    pool = nn.AvgPool3d((1, 3, 3), (1, stride, stride), (0, 1, 1), count_include_pad=False)
    return nn.Sequential(
        *([pool] if stride > 1 else []), conv_norm(channels_in, channels_out, (1, 1, 1), activation=None)
    )


def build_movinet(num_classes: int, *, clip: ClipSize, channels: int = 3, dropout: float = 0.0) -> nn.Module:
    """Stem, blocks, 1x1x1, mean, two linear layers; UsageError where the clips are too small for it."""
    if clip.size_px < SMALLEST_PX:
        raise UsageError(f"size_px is {clip.size_px}; the network movinet-a0 needs at least {SMALLEST_PX}.")
    stem = conv_norm(channels, STEM, (1, 3, 3), (1, 2, 2), activation=nn.SiLU)
    blocks = []
    width = STEM
    for channels_out, stride, kinds in STAGES:
        for index, (wide, kernel) in enumerate(kinds):
            blocks.append(MoViNetBlock(width, channels_out, wide, kernel, stride if index == 0 else 1))
            width = channels_out
    last = nn.Sequential(
        conv_norm(width, LAST, (1, 1, 1), activation=nn.SiLU),
        nn.AdaptiveAvgPool3d(1),
        nn.Conv3d(LAST, FEATURES, 1),
        nn.SiLU(),
    )
    head = Head(FEATURES, num_classes, dropout)
    return network_of({"stem": stem, "blocks": nn.Sequential(*blocks), "last": last, "head": head})
