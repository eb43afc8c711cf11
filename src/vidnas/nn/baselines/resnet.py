"""3D-ResNets (Hara et al., "Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?", 2018).

He et al.'s residual networks with every filter three-dimensional; from the second stage on, a stage halves
time and space alike. With 101 classes a 3D-ResNet-18 has 33.26 M parameters by shortcut B and 33.08 M by A;
the paper's "33.2M" fits both, its "252M" only A (8 bytes a parameter).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.baselines.parts import Builder, Triple, conv_norm, for_every_clip, network_of
from vidnas.nn.head import Head
from vidnas.shapes import Video

Shortcut = Literal["A", "B"]
WIDTHS = (64, 128, 256, 512)
BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""By stage; a network deeper than 18 has bottlenecks."""
SPATIAL: Triple = (1, 3, 3)


class Subsample(nn.Module):
    """Shortcut A: every `stride`-th frame and pixel, and zeros for the channels that are missing."""

    def __init__(self, channels_out: int, stride: int) -> None:
        super().__init__()
        self.channels_out = channels_out
        self.stride = stride

    def forward(self, video: Tensor) -> Tensor:
        """No parameters."""
        thinned = video[:, :, :: self.stride, :: self.stride, :: self.stride]
        return F.pad(thinned, (0, 0, 0, 0, 0, 0, 0, self.channels_out - video.shape[1]))


class Residual(nn.Module):
    """A block: convolutions beside a shortcut, their sum, ReLU, and then what comes `behind`, if anything."""

    def __init__(self, convs: nn.Module, shortcut: nn.Module, behind: nn.Module | None = None) -> None:
        super().__init__()
        self.convs = convs
        self.shortcut = shortcut
        self.behind = nn.Identity() if behind is None else behind

    def forward(self, video: Video) -> Tensor:
        """The block's output."""
        out: Tensor = self.behind(F.relu(self.convs(video) + self.shortcut(video)))
        return out


def basic_convs(channels_in: int, width: int, stride: int) -> nn.Sequential:
    """Two convolutions of 3x3x3."""
    return nn.Sequential(
        conv_norm(channels_in, width, (3, 3, 3), (stride,) * 3),
        conv_norm(width, width, (3, 3, 3), activation=None),
    )


def bottleneck_convs(channels_in: int, width: int, stride: int) -> nn.Sequential:
    """1x1x1, 3x3x3, and 1x1x1 to four times the width."""
    return nn.Sequential(
        conv_norm(channels_in, width, (1, 1, 1)),
        conv_norm(width, width, (3, 3, 3), (stride,) * 3),
        conv_norm(width, 4 * width, (1, 1, 1), activation=None),
    )


def _widths_of(depth: int) -> list[int]:
    """The width of the stem, and of every block; where it grows, the block halves what it sees."""
    stages = zip(WIDTHS, BLOCKS[depth], strict=True)
    return [WIDTHS[0], *(width for width, number in stages for _ in range(number))]


def resnet_builder(
    depth: int, *, shortcut: Shortcut = "B", behind: Callable[[int], nn.Module] = nn.Identity
) -> Builder:
    """A builder of a 3D-ResNet: stem 7x7x7 and max-pooling, four stages, mean, linear.

    `behind(channels)` ends a block.
    """
    expansion, convs = (4, bottleneck_convs) if depth > 18 else (1, basic_convs)

    @for_every_clip
    def build(num_classes: int, channels: int, dropout: float) -> nn.Module:
        stem = nn.Sequential(
            conv_norm(channels, WIDTHS[0], (7, 7, 7), (1, 2, 2)), nn.MaxPool3d(3, stride=2, padding=1)
        )
        blocks = []
        channels_in = WIDTHS[0]
        for before, width in pairwise(_widths_of(depth)):
            stride = 1 if before == width else 2
            channels_out = width * expansion
            beside = _shortcut(channels_in, channels_out, stride, shortcut)
            blocks.append(Residual(convs(channels_in, width, stride), beside, behind(channels_out)))
            channels_in = channels_out
        head = Head(channels_in, num_classes, dropout)
        return network_of({"stem": stem, "blocks": nn.Sequential(*blocks), "head": head})

    return build


def _shortcut(channels_in: int, channels_out: int, stride: int, kind: Shortcut) -> nn.Module:
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    if kind == "A":
        return Subsample(channels_out, stride)
    return conv_norm(channels_in, channels_out, (1, 1, 1), (stride,) * 3, activation=None)


class MiddleFrame(nn.Sequential):
    """Layers that see the frame in the middle of the clip."""

    def forward(self, video: Video) -> Tensor:
        """What they make of it."""
        middle = video.shape[2] // 2
        return super().forward(video[:, :, middle : middle + 1])  # type: ignore[no-any-return, no-untyped-call]


def _spatial_block(channels_in: int, width: int) -> Residual:
    strides = (1, 1, 1) if channels_in == width else (1, 2, 2)
    convs = nn.Sequential(
        conv_norm(channels_in, width, SPATIAL, strides), conv_norm(width, width, SPATIAL, activation=None)
    )
    fitted = conv_norm(channels_in, width, (1, 1, 1), strides, activation=None)
    return Residual(convs, nn.Identity() if channels_in == width else fitted)


@for_every_clip
def build_resnet_2d(num_classes: int, channels: int, dropout: float) -> nn.Module:
    """A control that knows appearance alone: ResNet-18 (He et al., 2016) on the middle frame of a clip."""
    pool = nn.MaxPool3d(SPATIAL, stride=(1, 2, 2), padding=(0, 1, 1))
    stem = MiddleFrame(conv_norm(channels, WIDTHS[0], (1, 7, 7), (1, 2, 2)), pool)
    blocks = nn.Sequential(*(_spatial_block(before, width) for before, width in pairwise(_widths_of(18))))
    return network_of({"stem": stem, "blocks": blocks, "head": Head(WIDTHS[-1], num_classes, dropout)})
