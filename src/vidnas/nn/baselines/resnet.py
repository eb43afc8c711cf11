"""3D-ResNets (Hara et al., "Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?", 2018).

He et al.'s residual networks with every filter three-dimensional; from the second stage on, a stage halves
time and space alike. With 101 classes a 3D-ResNet-18 has 33.26 M parameters by shortcut B and 33.08 M by A;
the paper's "33.2M" fits both, its "252M" only A (8 bytes a parameter).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.baselines.parts import ClipSize, conv_norm, init_kaiming
from vidnas.nn.head import Head
from vidnas.shapes import Logits, Video

Shortcut = Literal["A", "B"]
WIDTHS = (64, 128, 256, 512)
BASIC_18 = (2, 2, 2, 2)
BOTTLENECK_50 = (3, 4, 6, 3)
BOTTLENECK_101 = (3, 4, 23, 3)


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
    """A block: convolutions beside a shortcut, their sum, ReLU, and then `behind`."""

    def __init__(self, convs: nn.Module, shortcut: nn.Module, behind: nn.Module) -> None:
        super().__init__()
        self.convs = convs
        self.shortcut = shortcut
        self.behind = behind

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


class ResNet3D(nn.Module):
    """Stem 7x7x7 and max-pooling, four stages of blocks, mean, linear; `behind(channels)` ends a block."""

    def __init__(
        self,
        depths: Sequence[int],
        num_classes: int,
        *,
        bottleneck: bool,
        shortcut: Shortcut,
        channels: int,
        dropout: float,
        behind: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            conv_norm(channels, WIDTHS[0], (7, 7, 7), (1, 2, 2)), nn.MaxPool3d(3, stride=2, padding=1)
        )
        expansion = 4 if bottleneck else 1
        convs = bottleneck_convs if bottleneck else basic_convs
        blocks = []
        channels_in = WIDTHS[0]
        for stage, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True)):
            for index in range(depth):
                stride = 2 if stage > 0 and index == 0 else 1
                channels_out = width * expansion
                beside = _shortcut(channels_in, channels_out, stride, shortcut)
                blocks.append(Residual(convs(channels_in, width, stride), beside, behind(channels_out)))
                channels_in = channels_out
        self.blocks = nn.Sequential(*blocks)
        self.head = Head(channels_in, num_classes, dropout)
        init_kaiming(self)

    def forward(self, video: Video) -> Logits:
        """Logits of a batch."""
        return self.head(self.blocks(self.stem(video)))  # type: ignore[no-any-return]


def _shortcut(channels_in: int, channels_out: int, stride: int, kind: Shortcut) -> nn.Module:
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    if kind == "A":
        return Subsample(channels_out, stride)
    return conv_norm(channels_in, channels_out, (1, 1, 1), (stride,) * 3, activation=None)


def _build(
    depths: Sequence[int],
    bottleneck: bool,
    shortcut: Shortcut,
    behind: Callable[[int], nn.Module],
    num_classes: int,
    *,
    clip: ClipSize,  # noqa: ARG001  (every builder takes it; this network is the same for every clip)
    channels: int = 3,
    dropout: float = 0.0,
) -> nn.Module:
    return ResNet3D(
        depths,
        num_classes,
        bottleneck=bottleneck,
        shortcut=shortcut,
        channels=channels,
        dropout=dropout,
        behind=behind,
    )


def no_block(_channels: int) -> nn.Module:
    """Nothing behind a residual block."""
    return nn.Identity()


def resnet_builder(
    depths: Sequence[int],
    *,
    bottleneck: bool,
    shortcut: Shortcut,
    behind: Callable[[int], nn.Module] = no_block,
) -> Callable[..., nn.Module]:
    """A builder of 3D-ResNets of these numbers of blocks."""
    return partial(_build, depths, bottleneck, shortcut, behind)
