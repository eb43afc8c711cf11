"""The (2+1)D ops: every primitive is a spatial stage followed by a temporal stage (paper, Table 1).

A stage is activation - convolution - batch norm, its filters dense and without bias. No op changes
the number of channels, the frames, the height or the width of what it reads.
"""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.shapes import Video

Kernel = tuple[int, int, int]
Activation = Callable[[], nn.Module]
Builder = Callable[[int, Activation, bool], nn.Module]


class BatchStatsNorm(nn.Module):
    """Batch norm that always uses the batch's own statistics: no parameters, no running statistics.

    The supernet's only norm. Having nothing to remember, the architect's extra passes leave no trace.
    """

    def forward(self, video: Video) -> Video:
        """Normalise each channel over batch, time, height and width."""
        return F.batch_norm(video, None, None, training=True)


class Zero(nn.Module):
    """No connection."""

    def forward(self, video: Video) -> Video:
        """Zeros of the input's shape."""
        return torch.zeros_like(video)


class MaxPool(nn.Module):
    """Largest value of 3x3 pixels, then of 3 frames; stride 1, padding never wins."""

    def forward(self, video: Video) -> Video:
        """Pool with stride 1."""
        return _pool(video, F.max_pool2d)


class AvgPool(nn.Module):
    """Mean of 3x3 pixels, then of 3 frames; stride 1, padding does not count."""

    def forward(self, video: Video) -> Video:
        """Pool with stride 1."""
        return _pool(video, partial(F.avg_pool2d, count_include_pad=False))


def _pool(video: Video, pool: Callable[..., Tensor]) -> Video:
    """2-D pooling over space, then over time on the view (batch, channels, time, height x width).

    3-D average pooling refuses extents below its kernel; 3-D max pooling over time has a slow backward.
    """
    batch, channels, time, height, width = video.shape
    video = pool(video.reshape(batch, channels * time, height, width), 3, 1, 1)
    video = pool(video.reshape(batch, channels, time, height * width), (3, 1), 1, (1, 0))
    return video.reshape(batch, channels, time, height, width)


def norm(channels: int, batch_stats: bool) -> nn.Module:
    """The supernet's norm (`batch_stats`) or the network's batch norm with affine parameters."""
    return BatchStatsNorm() if batch_stats else nn.BatchNorm3d(channels)


def _conv(channels: int, kernel: Kernel, dilation: int = 1) -> nn.Conv3d:
    """A stride-1 convolution that keeps the size; `dilation` acts on height and width."""
    time, height, width = kernel
    padding = (time // 2, dilation * (height // 2), dilation * (width // 2))
    dilations = (1, dilation, dilation)
    return nn.Conv3d(channels, channels, kernel, padding=padding, dilation=dilations, bias=False)


def _two_stages(
    spatial: list[nn.Conv3d], channels: int, activation: Activation, batch_stats: bool
) -> nn.Module:
    """Activation - spatial convolutions - norm, then activation - (3,1,1) convolution - norm."""
    return nn.Sequential(
        activation(), *spatial, norm(channels, batch_stats),
        activation(), _conv(channels, (3, 1, 1)), norm(channels, batch_stats),
    )  # fmt: skip


def _conv_1(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return nn.Sequential(activation(), _conv(channels, (1, 1, 1)), norm(channels, batch_stats))


def _conv_3(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return _two_stages([_conv(channels, (1, 3, 3))], channels, activation, batch_stats)


def _sep_conv_3(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    spatial = [_conv(channels, (1, 1, 3)), _conv(channels, (1, 3, 1))]
    return _two_stages(spatial, channels, activation, batch_stats)


def _dil_conv_3(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return _two_stages([_conv(channels, (1, 3, 3), dilation=2)], channels, activation, batch_stats)


def _max_pool_3(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return nn.Sequential(MaxPool(), BatchStatsNorm()) if batch_stats else MaxPool()


def _avg_pool_3(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return nn.Sequential(AvgPool(), BatchStatsNorm()) if batch_stats else AvgPool()


def _skip(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return nn.Identity()


def _none(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return Zero()


BUILDERS: MappingProxyType[str, Builder] = MappingProxyType(
    {
        "conv_1": _conv_1,
        "conv_3": _conv_3,
        "sep_conv_3": _sep_conv_3,
        "dil_conv_3": _dil_conv_3,
        "max_pool_3": _max_pool_3,
        "avg_pool_3": _avg_pool_3,
        "skip": _skip,
        "none": _none,
    }
)
"""Primitive -> op(channels, activation, batch_stats). `batch_stats` builds the supernet's op: norms without
parameters, and one behind pooling, so that no candidate's scale decides for it."""
