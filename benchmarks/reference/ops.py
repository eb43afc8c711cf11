"""The (2+1)D ops as modules of their own: activation - convolution - batch norm, then the same over time."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Callable[[], nn.Module]
Norm = Callable[[int], nn.Module]


def search_norm(channels: int) -> nn.Module:
    """The supernet's batch norm: the batch's own statistics, nothing learnt, nothing remembered."""
    return nn.BatchNorm3d(channels, affine=False, track_running_stats=False)


class Zero(nn.Module):
    """No connection."""

    def forward(self, video: Tensor) -> Tensor:
        """Zeros of the input's shape."""
        return torch.zeros_like(video)


class MaxPool(nn.Module):
    """Largest value of 3x3 pixels, then of 3 frames: nn.MaxPool3d over time has a slow backward."""

    def forward(self, video: Tensor) -> Tensor:
        """Pool with stride 1; padding never wins."""
        batch, channels, time, height, width = video.shape
        spatial = F.max_pool2d(video.reshape(batch, channels * time, height, width), 3, 1, 1)
        rows = spatial.reshape(batch, channels, time, height * width)
        return F.max_pool2d(rows, (3, 1), 1, (1, 0)).reshape(video.shape)


class AvgPool(nn.Module):
    """Mean of 3x3 pixels, then of 3 frames: nn.AvgPool3d refuses extents below its kernel."""

    def forward(self, video: Tensor) -> Tensor:
        """Pool with stride 1; padding does not count."""
        batch, channels, time, height, width = video.shape
        frames = video.reshape(batch, channels * time, height, width)
        spatial = F.avg_pool2d(frames, 3, 1, 1, count_include_pad=False)
        rows = spatial.reshape(batch, channels, time, height * width)
        return F.avg_pool2d(rows, (3, 1), 1, (1, 0), count_include_pad=False).reshape(video.shape)


def conv(channels: int, time: int, height: int, width: int, dilation: int = 1) -> nn.Conv3d:
    """A stride-1 convolution that keeps the size; `dilation` acts on height and width."""
    return nn.Conv3d(
        channels,
        channels,
        (time, height, width),
        padding=(time // 2, dilation * (height // 2), dilation * (width // 2)),
        dilation=(1, dilation, dilation),
        bias=False,
    )


def build_op(primitive: str, channels: int, activation: Activation, norm: Norm) -> nn.Module:
    """The op of a primitive, without a norm behind pooling."""
    if primitive == "conv_1":
        return nn.Sequential(activation(), conv(channels, 1, 1, 1), norm(channels))
    if primitive == "conv_3":
        return _two_stages(conv(channels, 1, 3, 3), channels=channels, activation=activation, norm=norm)
    if primitive == "sep_conv_3":
        spatial = conv(channels, 1, 1, 3), conv(channels, 1, 3, 1)
        return _two_stages(*spatial, channels=channels, activation=activation, norm=norm)
    if primitive == "dil_conv_3":
        dilated = conv(channels, 1, 3, 3, dilation=2)
        return _two_stages(dilated, channels=channels, activation=activation, norm=norm)
    bare = {"max_pool_3": MaxPool, "avg_pool_3": AvgPool, "skip": nn.Identity, "none": Zero}
    return bare[primitive]()


def build_candidate(primitive: str, channels: int, activation: Activation) -> nn.Module:
    """The supernet's op of a primitive: a norm behind pooling too."""
    op = build_op(primitive, channels, activation, search_norm)
    return nn.Sequential(op, search_norm(channels)) if primitive in ("max_pool_3", "avg_pool_3") else op


def _two_stages(*spatial: nn.Module, channels: int, activation: Activation, norm: Norm) -> nn.Module:
    return nn.Sequential(
        activation(), *spatial, norm(channels), activation(), conv(channels, 3, 1, 1), norm(channels)
    )
