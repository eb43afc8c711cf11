"""3D-ShuffleNetV1 (Köpüklü et al., "Resource Efficient 3D CNNs", 2019).

Zhang et al.'s channel shuffle between grouped 1x1x1 convolutions, with three-dimensional depthwise filters
and three groups. Made for 16 frames; of fewer, a stage without a second frame left does not halve time.
"""

from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.baselines.parts import Builder, conv_norm, depthwise, for_every_clip, network_of
from vidnas.nn.head import Head
from vidnas.shapes import Video

GROUPS = 3
STEM = 24
STAGES = ((240, 4), (480, 8), (960, 4))
"""Channels at full width, and blocks; the first block of every stage halves time and space."""


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


def _shufflenet(width: float, num_classes: int, channels: int, dropout: float) -> nn.Module:
    """Stem and max-pooling, three stages, mean, linear; `width` scales all channels."""
    first = int(STEM * width)
    stem = nn.Sequential(
        conv_norm(channels, first, (3, 3, 3), (1, 2, 2)), nn.MaxPool3d(3, stride=2, padding=1)
    )
    widths = [int(full_width * width) for full_width, depth in STAGES for _ in range(depth)]
    blocks = nn.Sequential(
        *(ShuffleBlock(before, own, 1 if before == own else 2) for before, own in pairwise([first, *widths]))
    )
    return network_of({"stem": stem, "blocks": blocks, "head": Head(widths[-1], num_classes, dropout)})


def shufflenet_builder(width: float) -> Builder:
    """A builder of 3D-ShuffleNets of this share of the full width."""
    return for_every_clip(partial(_shufflenet, width))
