"""Batch norms in double precision, from sums that the kernels have added up."""

from typing import NamedTuple

from torch import Tensor

from vidnas.nn.native.gradients import Sums
from vidnas.nn.native.library import loaded_kernels

EPS = 1e-5
"""Added to variances: nn.BatchNorm3d's default."""


class Slopes(NamedTuple):
    """The gradient in the values before a norm: scale x g + slope x value + shift by channel."""

    scale: Tensor
    slope: Tensor
    shift: Tensor


class Norm(NamedTuple):
    """A batch norm as scale x value + shift by channel, and what its gradient needs."""

    scale: Tensor
    shift: Tensor
    saved: Tensor
    """Mean, 1 / standard deviation and scale in double precision, (3, channels)."""


class Stats(NamedTuple):
    """What a batch norm remembers of a batch: its mean and unbiased variance, by channel."""

    mean: Tensor
    var: Tensor


def norm_of(moments: Sums, count: int, weight: Tensor, bias: Tensor) -> tuple[Norm, Stats]:
    """The norm of `count` values with these sums and sums of squares, (2, channels)."""
    channels = len(weight)
    scale, shift, mean, var = weight.new_empty(4, channels)
    saved = moments.by_thread.new_empty(3, channels)
    loaded_kernels(weight).share(
        "norm_forward", 1,
        moments.by_thread, weight.contiguous(), bias.contiguous(), saved, scale, shift, mean, var,
        len(moments.by_thread), count, channels,
    )  # fmt: skip
    return Norm(scale, shift, saved), Stats(mean, var)


def norm_gradient(norm: Norm, sums: Sums, count: int) -> tuple[Tensor, Tensor, Slopes]:
    """The gradients in weight, bias and a value, from the sums of g and of g x value, (2, channels)."""
    channels = len(norm.scale)
    d_weight, d_bias, *slopes = norm.scale.new_empty(5, channels)
    loaded_kernels(norm.scale).share(
        "norm_backward", 1,
        sums.by_thread, norm.saved, d_weight, d_bias, *slopes, len(sums.by_thread), count, channels,
    )  # fmt: skip
    return d_weight, d_bias, Slopes(*slopes)
