"""Linear maps of feature maps behind norms that need no pass of their own.

What a matrix W makes of channels a has the variances diag(W cov(a) W'). So a batch norm behind a 1 x 1
convolution, without a bias, is but another matrix, scale x W, applied to a less its mean. A sum of such maps
of several inputs is one map of all their channels, and one pass over the pixels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.layout import clips_of, images
from vidnas.nn.native.blend import Blend, Covariance
from vidnas.nn.native.library import kernels
from vidnas.nn.native.norms import EPS
from vidnas.shapes import FeatureFrames


class LinearMap(NamedTuple):
    """A linear map of the channels of `frames`, which are seen through a ReLU where `rectified`."""

    frames: FeatureFrames
    rectified: bool
    matrix: Tensor
    """(outputs, channels)."""


def map_of(frames: FeatureFrames, activation: nn.Module, matrix: Tensor) -> LinearMap:
    """The map of what an activation makes of the frames: a ReLU need not be computed beforehand."""
    rectified = isinstance(activation, nn.ReLU)
    return LinearMap(frames if rectified else activation(frames), rectified, matrix)


def sum_maps(with_norm: Sequence[tuple[LinearMap, Tensor]], bare: Sequence[LinearMap] = ()) -> FeatureFrames:
    """The sum of linear maps, some with a batch norm without bias behind them, whose weight stands beside."""
    maps = [*(linear for linear, _ in with_norm), *bare]
    matrices = [linear.matrix for linear in maps]
    mean = matrices[0].new_zeros(0)
    if with_norm:
        inputs = maps[: len(with_norm)]
        mean, cov = covariance([i.frames for i in inputs], [i.rectified for i in inputs])
        first = 0
        for i, (linear, weight) in enumerate(with_norm):
            own = slice(first, first + linear.matrix.shape[1])
            matrices[i] = normed(weight, linear.matrix, cov[own, own])
            first = own.stop
    centred = [i < len(with_norm) for i in range(len(maps))]
    mean = torch.cat([mean, *(mean.new_zeros(linear.matrix.shape[1]) for linear in bare)])
    return blend(
        [i.frames for i in maps], [i.rectified for i in maps], centred, torch.cat(matrices, dim=1), mean
    )


def covariance(inputs: Sequence[FeatureFrames], rectified: Sequence[bool]) -> tuple[Tensor, Tensor]:
    """Mean, without a gradient, and covariance over all pixels of the channels of all inputs, side by side.

    An input is seen through a ReLU where `rectified`. The kernels give the covariance in double precision.
    """
    if kernels(*inputs) is not None:
        mean, found = Covariance.apply(tuple(rectified), *inputs)  # type: ignore[no-untyped-call]
        return mean, found
    with torch.autocast(inputs[0].device.type, enabled=False):
        pixels = images(torch.cat(_through_relu(inputs, rectified), dim=2)).flatten(2)
        pixels = pixels.float() if pixels.dtype.itemsize < 4 else pixels
        mean = pixels.detach().mean(dim=(0, 2))
        centred = pixels - mean[:, None]
        products = torch.bmm(centred, centred.transpose(1, 2)).sum(dim=0)
        return mean, products / (pixels.shape[0] * pixels.shape[2])


def blend(
    inputs: Sequence[FeatureFrames],
    rectified: Sequence[bool],
    centred: Sequence[bool],
    matrix: Tensor,
    mean: Tensor,
) -> FeatureFrames:
    """matrix x channels of the inputs, those of the `centred` ones less their mean over all pixels.

    `mean` is that of `covariance`, 0 for the other inputs.
    """
    if kernels(*inputs, matrix) is not None:
        own = tuple(rectified), tuple(centred), matrix, mean
        return Blend.apply(*own, *inputs)  # type: ignore[no-any-return, no-untyped-call]
    seen = zip(_through_relu(inputs, rectified), centred, strict=True)
    parts = [t - t.mean(dim=(0, 1, 3, 4), keepdim=True) if less_mean else t for t, less_mean in seen]
    joined = torch.cat(parts, dim=2)
    return clips_of(F.conv2d(images(joined), matrix[:, :, None, None]), joined.shape[1])


def normed(weight: Tensor, matrix: Tensor, covariance: Tensor) -> Tensor:
    """The matrix (outputs, channels) and a norm of this weight behind it, for channels of this covariance."""
    with torch.autocast(matrix.device.type, enabled=False):
        rows = matrix.to(covariance.dtype)
        variances = torch.einsum("oi,ij,oj->o", rows, covariance, rows)
        return ((weight * (variances + EPS).rsqrt())[:, None] * rows).to(matrix.dtype)


def _through_relu(inputs: Sequence[FeatureFrames], rectified: Sequence[bool]) -> list[FeatureFrames]:
    return [t.relu() if is_rectified else t for t, is_rectified in zip(inputs, rectified, strict=True)]
