"""The ops of the primitives: every one is a spatial stage followed by a temporal stage (paper, Table 1).

A stage is activation - convolution - batch norm, its filters dense and without bias. No op changes
the number of channels, the frames, the height or the width of what it reads.
"""

from collections.abc import Callable

import torch
from torch import nn

from vidnas.nn.blend import map_of, normed_map, sum_maps
from vidnas.nn.layout import channels_first, frames_first, images
from vidnas.nn.norms import (
    BatchStatsNorm,
    by_the_batch,
    image_filters,
    norm,
    norm_images,
    remember,
    weight_and_bias,
)
from vidnas.nn.pooling import avg_pool, max_pool
from vidnas.shapes import FeatureFrames, Features, Video

Kernel = tuple[int, int, int]
Activation = Callable[[], nn.Module]
Builder = Callable[[int, Activation, bool], nn.Module]


class Zero(nn.Module):
    """No connection."""

    def forward(self, video: Video) -> Video:
        """Zeros of the input's shape."""
        return torch.zeros_like(video)


class Pool(nn.Module):
    """3x3 pixels, then 3 frames, to one value (nn/pooling.py); stride 1, padding does not count."""

    def __init__(self, pool: Callable[[FeatureFrames], FeatureFrames]) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, video: Video) -> Video:
        """Pool with stride 1."""
        return channels_first(self.pool(frames_first(video)))


class Pointwise(nn.Sequential):
    """Activation, 1x1x1 convolution, norm; a spatial stride leaves pixels away."""

    def __init__(
        self, channels_in: int, channels: int, stride: int, activation: Activation, *, batch_stats: bool
    ) -> None:
        conv = nn.Conv3d(channels_in, channels, 1, (1, stride, stride), bias=False)
        super().__init__(activation(), conv, norm(channels, batch_stats))
        self.stride = stride

    def forward(self, *videos: Features) -> Features:
        """A linear map of the channels of all videos, and the norm along with it (nn/blend.py)."""
        activation, conv, norm = self
        inputs = [frames_first(video) for video in videos]
        linear = map_of(inputs, activation, image_filters(conv).flatten(1), self.stride)
        if isinstance(norm, BatchStatsNorm):
            (out,) = sum_maps([(linear, linear.matrix.new_ones(len(linear.matrix)))])
            return channels_first(out)
        if not by_the_batch(norm):
            (out,) = sum_maps([], [linear])
            return norm_images(norm, images(out), out.shape[1])
        out, mean, var = normed_map(linear, *weight_and_bias(norm, linear.matrix))
        remember(norm, mean, var)
        return channels_first(out)


def _conv(channels: int, kernel: Kernel, dilation: int = 1) -> nn.Conv3d:
    """A stride-1 convolution that keeps the size; `dilation` acts on height and width."""
    time, height, width = kernel
    padding = (time // 2, dilation * (height // 2), dilation * (width // 2))
    dilations = (1, dilation, dilation)
    return nn.Conv3d(channels, channels, kernel, padding=padding, dilation=dilations, bias=False)


def _pointwise(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    return Pointwise(channels, channels, 1, activation, batch_stats=batch_stats)


def _two_stages(*kernels: Kernel, dilation: int = 1) -> Builder:
    """Activation - spatial convolutions - norm, then activation - (3,1,1) convolution - norm."""

    def build(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
        spatial = [_conv(channels, kernel, dilation) for kernel in kernels]
        return nn.Sequential(
            activation(), *spatial, norm(channels, batch_stats),
            activation(), _conv(channels, (3, 1, 1)), norm(channels, batch_stats),
        )  # fmt: skip

    return build


def _pool(pool: Callable[[FeatureFrames], FeatureFrames]) -> Builder:
    def build(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
        return nn.Sequential(Pool(pool), BatchStatsNorm()) if batch_stats else Pool(pool)

    return build


BUILDERS: dict[str, Builder] = {
    "conv_1": _pointwise,
    "conv_3": _two_stages((1, 3, 3)),
    "sep_conv_3": _two_stages((1, 1, 3), (1, 3, 1)),
    "dil_conv_3": _two_stages((1, 3, 3), dilation=2),
    "max_pool_3": _pool(max_pool),
    "avg_pool_3": _pool(avg_pool),
    "skip": lambda *_: nn.Identity(),
    "none": lambda *_: Zero(),
}
"""Primitive -> op(channels, activation, batch_stats). `batch_stats` builds the supernet's op: norms without
parameters, and one behind pooling, so that no candidate's scale decides for it."""
