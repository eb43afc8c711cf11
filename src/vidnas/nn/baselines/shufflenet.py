"""3D-ShuffleNetV1 (Köpüklü et al., "Resource Efficient 3D CNNs", 2019).

Zhang et al.'s channel shuffle between grouped 1x1x1 convolutions, with three-dimensional depthwise filters
and three groups. Made for 16 frames; of fewer, a stage without a second frame left does not halve time.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.baselines.parts import ClipSize, conv_norm, depthwise, init_kaiming
from vidnas.nn.head import Head
from vidnas.shapes import Logits, Video

GROUPS = 3
STEM = 24
WIDTHS = (240, 480, 960)
DEPTHS = (4, 8, 4)


def shuffle_channels(video: Video, groups: int) -> Tensor:
    """Channel i of group g becomes channel g of group i: every group then holds some of each."""
    batch, channels, time, height, width = video.shape
    by_group = video.reshape(batch, groups, channels // groups, time, height, width)
    return by_group.transpose(1, 2).reshape(batch, channels, time, height, width)


def halved(video: Video) -> Tensor:
    """Means over 2 frames and 3x3 pixels; of an odd number of frames the last one stays alone."""
    if video.shape[2] % 2 == 1:
        video = torch.cat([video, video[:, :, -1:]], dim=2)
    batch, channels, time, height, width = video.shape
    pairs = video.reshape(batch, channels * time // 2, 2, height, width).mean(dim=2)
    pooled = F.avg_pool2d(pairs, 3, stride=2, padding=1)
    return pooled.reshape(batch, channels, time // 2, *pooled.shape[2:])


class ShuffleBlock(nn.Module):
    """Narrow, shuffle, depthwise, wide; added to the input or, with stride 2, put beside its halved form."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.middle = channels_out // 4
        first_groups = 1 if channels_in == STEM else GROUPS
        own = channels_out - channels_in if stride == 2 else channels_out
        self.narrow = conv_norm(channels_in, self.middle, (1, 1, 1), groups=first_groups)
        self.depthwise = depthwise(self.middle, (3, 3, 3), (stride,) * 3, None)
        self.wide = conv_norm(self.middle, own, (1, 1, 1), groups=GROUPS, activation=None)

    def forward(self, video: Video) -> Tensor:
        """The block's output."""
        out = self.wide(self.depthwise(shuffle_channels(self.narrow(video), GROUPS)))
        return F.relu(torch.cat([out, halved(video)], dim=1) if self.stride == 2 else out + video)


class ShuffleNet(nn.Module):
    """Stem and max-pooling, three stages, mean, linear; `width` scales all channels."""

    def __init__(self, width: float, num_classes: int, *, channels: int, dropout: float) -> None:
        super().__init__()
        channels_in = int(STEM * width)
        self.stem = nn.Sequential(
            conv_norm(channels, channels_in, (3, 3, 3), (1, 2, 2)), nn.MaxPool3d(3, stride=2, padding=1)
        )
        blocks = []
        for full_width, depth in zip(WIDTHS, DEPTHS, strict=True):
            for index in range(depth):
                blocks.append(ShuffleBlock(channels_in, int(full_width * width), 2 if index == 0 else 1))
                channels_in = int(full_width * width)
        self.blocks = nn.Sequential(*blocks)
        self.head = Head(channels_in, num_classes, dropout)
        init_kaiming(self)

    def forward(self, video: Video) -> Logits:
        """Logits of a batch."""
        return self.head(self.blocks(self.stem(video)))  # type: ignore[no-any-return]


def _build(
    width: float,
    num_classes: int,
    *,
    clip: ClipSize,  # noqa: ARG001
    channels: int = 3,
    dropout: float = 0.0,
) -> nn.Module:
    return ShuffleNet(width, num_classes, channels=channels, dropout=dropout)


def shufflenet_builder(width: float) -> Callable[..., nn.Module]:
    """A builder of 3D-ShuffleNets of this share of the full width."""
    return partial(_build, width)
