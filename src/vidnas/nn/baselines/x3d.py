"""X3D-XS (Feichtenhofer, "X3D: Expanding Architectures for Efficient Video Recognition", 2020).

Time is never halved. A shortcut has a norm only where the number of channels changes: so it has the known
3,794,274 parameters with 400 classes. Its 0.6 GMACs are for clips of 4 frames of 160 px.
"""

from torch import nn

from vidnas.nn.baselines.parts import (
    SqueezeExcite,
    conv_norm,
    depthwise,
    for_every_clip,
    make_divisible,
    network_of,
)
from vidnas.nn.baselines.resnet import Residual
from vidnas.nn.head import Head

STEM = 24
STAGES = ((24, 3), (48, 5), (96, 11), (192, 7))
"""Channels and blocks; the first block of every stage halves height and width."""
EXPANSION = 2.25
SQUEEZE = 1 / 16
FEATURES = 2048


def _block(channels_in: int, channels_out: int, stride: int, *, squeeze: bool) -> Residual:
    """1x1x1 wider, depthwise, in every other one squeeze-excitation, 1x1x1 narrow."""
    wide = int(channels_out * EXPANSION)
    strides = (1, stride, stride)
    excite = SqueezeExcite(wide, make_divisible(wide * SQUEEZE)) if squeeze else nn.Identity()
    convs = nn.Sequential(
        conv_norm(channels_in, wide, (1, 1, 1)),
        depthwise(wide, (3, 3, 3), strides, None),
        excite,
        nn.SiLU(),
        conv_norm(wide, channels_out, (1, 1, 1), activation=None),
    )
    shortcut: nn.Module = nn.Identity()
    if channels_in != channels_out:
        shortcut = conv_norm(channels_in, channels_out, (1, 1, 1), strides, activation=None)
    elif stride > 1:
        shortcut = nn.Conv3d(channels_in, channels_out, 1, strides, bias=False)
    return Residual(convs, shortcut)


@for_every_clip
def build_x3d(num_classes: int, channels: int, dropout: float) -> nn.Module:
    """Stem of a spatial and a temporal filter, four stages, 1x1x1, mean, two linear layers."""
    spatial = nn.Conv3d(channels, STEM, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
    stem = nn.Sequential(spatial, depthwise(STEM, (5, 1, 1)))
    blocks = []
    width = STEM
    for channels_out, depth in STAGES:
        for index in range(depth):
            blocks.append(_block(width, channels_out, 2 if index == 0 else 1, squeeze=index % 2 == 0))
            width = channels_out
    wide = int(width * EXPANSION)
    last = nn.Sequential(
        conv_norm(width, wide, (1, 1, 1)),
        nn.AdaptiveAvgPool3d(1),
        nn.Conv3d(wide, FEATURES, 1, bias=False),
        nn.ReLU(),
    )
    head = Head(FEATURES, num_classes, dropout)
    return network_of({"stem": stem, "blocks": nn.Sequential(*blocks), "last": last, "head": head})
