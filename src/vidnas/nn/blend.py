"""Linear maps of feature maps behind norms that need no pass of their own.

What a matrix W makes of channels a has the variances diag(W cov(a) W'). So a batch norm behind a 1 x 1
convolution, without a bias, is but another matrix, scale x W, applied to a less its mean. A sum of such maps
of several inputs is one map of all their channels, and one pass over the pixels.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.layout import clips_of, images
from vidnas.nn.native.blend import Blend, Covariance, MapNorms, NormedBlend, add_native
from vidnas.nn.native.library import kernels
from vidnas.nn.native.norms import EPS
from vidnas.nn.pooling import thin_all
from vidnas.shapes import FeatureFrames


class LinearMap(NamedTuple):
    """A linear map of the channels of all inputs, which are seen through a ReLU where `rectified`."""

    inputs: Sequence[FeatureFrames]
    rectified: bool
    matrix: Tensor
    """(outputs, channels of all inputs)."""
    stride: int = 1
    """Every so many pixels and rows are read, the others left away."""


Total = FeatureFrames | None
"""What an op adds its result to; None before the first one."""


def map_of(
    inputs: Sequence[FeatureFrames], activation: nn.Module, matrix: Tensor, stride: int = 1
) -> LinearMap:
    """The map of what an activation makes of the inputs: a ReLU need not be computed beforehand."""
    rectified = isinstance(activation, nn.ReLU)
    return LinearMap(inputs if rectified else [activation(t) for t in inputs], rectified, matrix, stride)


def _thinned(linear: LinearMap) -> LinearMap:
    """The same map of all pixels of smaller inputs."""
    if linear.stride == 1:
        return linear
    return linear._replace(inputs=thin_all(linear.inputs, linear.stride), stride=1)


def sum_maps(
    with_norm: Sequence[tuple[LinearMap, Tensor]],
    bare: Sequence[LinearMap] = (),
    totals: Sequence[Total] = (None,),
) -> list[FeatureFrames]:
    """The sum of linear maps, some with a batch norm without bias behind them, whose weight stands beside.

    Its channels are added to `totals`, as many to each.
    """
    with_norm, bare = [(_thinned(linear), weight) for linear, weight in with_norm], [*map(_thinned, bare)]
    maps = [*(linear for linear, _ in with_norm), *bare]
    inputs = [t for linear in maps for t in linear.inputs]
    rectified = [linear.rectified for linear in maps for _ in linear.inputs]
    num_centred = sum(len(linear.inputs) for linear, _ in with_norm)
    matrices = [linear.matrix for linear in bare]
    mean = inputs[0].new_zeros(sum(matrix.shape[1] for matrix in matrices))
    if with_norm:
        own_mean, cov = covariance(inputs[:num_centred], rectified[:num_centred])
        mean = torch.cat([own_mean, mean])
        weights = [weight for _, weight in with_norm]
        matrices.insert(0, _all_normed(weights, [linear.matrix for linear, _ in with_norm], cov))
    centred = [i < num_centred for i in range(len(inputs))]
    return blend(inputs, rectified, centred, torch.cat(matrices, dim=1), mean, totals)


def normed_map(linear: LinearMap, weight: Tensor, bias: Tensor) -> tuple[FeatureFrames, Tensor, Tensor]:
    """A map with a batch norm behind it, and the mean and unbiased variance that the batch had before it."""
    linear = _thinned(linear)
    if kernels(*linear.inputs, linear.matrix, weight, bias) is not None:
        rectified = (linear.rectified,) * len(linear.inputs)
        own = rectified, linear.matrix, weight, bias
        return NormedBlend.apply(*own, *linear.inputs)  # type: ignore[no-any-return, no-untyped-call]
    (out,) = sum_maps([], [linear])
    normed, mean, var = batch_norm(images(out), weight, bias)
    return clips_of(normed, out.shape[1]), mean, var


class FoldedMap(nn.Module):
    """A map behind an activation and before a norm of fixed statistics, for inference."""

    matrix: Tensor
    bias: Tensor

    def __init__(self, matrix: Tensor, bias: Tensor, activation: nn.Module, stride: int = 1) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix.detach().contiguous())
        self.register_buffer("bias", bias.detach().contiguous())
        self.activation, self.stride = activation, stride

    def forward(self, inputs: Sequence[FeatureFrames], total: Total = None) -> FeatureFrames:
        """`total`, which is written over, and the map of all channels of the inputs."""
        linear = map_of(inputs, self.activation, self.matrix, self.stride)
        if linear.rectified and kernels(*inputs, self.matrix, *present([total])) is not None:
            return add_native(total, inputs, self.matrix, self.bias, self.stride)
        linear = _thinned(linear)
        joined = torch.cat(_through_relu(linear.inputs, [linear.rectified] * len(inputs)), dim=2)
        found = clips_of(F.conv2d(images(joined), self.matrix[:, :, None, None], self.bias), joined.shape[1])
        return found if total is None else total.add_(found)


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
    totals: Sequence[Total] = (None,),
) -> list[FeatureFrames]:
    """matrix x channels of the inputs, those of the `centred` ones less their mean over all pixels.

    `mean` is that of `covariance`, 0 for the other inputs. The outputs are added to `totals`, as
    many to each.
    """
    if kernels(*inputs, matrix, *present(totals)) is not None:
        own = tuple(rectified), tuple(centred), len(totals), matrix, mean
        return list(Blend.apply(*own, *totals, *inputs))  # type: ignore[no-untyped-call]
    seen = zip(_through_relu(inputs, rectified), centred, strict=True)
    parts = [t - t.mean(dim=(0, 1, 3, 4), keepdim=True) if less_mean else t for t, less_mean in seen]
    joined = torch.cat(parts, dim=2)
    out = clips_of(F.conv2d(images(joined), matrix[:, :, None, None]), joined.shape[1])
    return add_to(totals, out.chunk(len(totals), dim=2))


def add_to(totals: Sequence[Total], parts: Sequence[FeatureFrames]) -> list[FeatureFrames]:
    """The new totals."""
    return [part if t is None else t + part for t, part in zip(totals, parts, strict=True)]


def present(totals: Sequence[Total]) -> list[FeatureFrames]:
    """Those totals that there are."""
    return [total for total in totals if total is not None]


def batch_norm(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm, and the batch's statistics: running ones that forget everything else at once."""
    mean, var = torch.zeros(
        2, x.shape[1], device=x.device, dtype=torch.float32 if x.dtype.itemsize < 4 else x.dtype
    )
    normed = F.batch_norm(x, mean, var, weight, bias, training=True, momentum=1.0, eps=EPS)
    return normed, mean, var


def normed(weight: Tensor, matrix: Tensor, covariance: Tensor) -> Tensor:
    """The matrix (outputs, channels) and a norm of this weight behind it, for channels of this covariance."""
    with torch.autocast(matrix.device.type, enabled=False):
        rows = matrix.to(covariance.dtype)
        variances = (rows @ covariance * rows).sum(dim=1)
        return ((weight * (variances + EPS).rsqrt())[:, None] * rows).to(matrix.dtype)


def _all_normed(weights: Sequence[Tensor], matrices: Sequence[Tensor], covariance: Tensor) -> Tensor:
    """Each matrix as `normed` has it, side by side, as their channels are in the covariance."""
    if kernels(*weights, *matrices) is not None and covariance.dtype is torch.float64:
        return MapNorms.apply(covariance, *weights, *matrices)  # type: ignore[no-any-return, no-untyped-call]
    firsts = accumulate((matrix.shape[1] for matrix in matrices), initial=0)
    blocks = [slice(first, first + matrix.shape[1]) for first, matrix in zip(firsts, matrices, strict=False)]
    found = [normed(w, m, covariance[own, own]) for w, m, own in zip(weights, matrices, blocks, strict=True)]
    return torch.cat(found, dim=1)


def _through_relu(inputs: Sequence[FeatureFrames], rectified: Sequence[bool]) -> list[FeatureFrames]:
    return [t.relu() if is_rectified else t for t, is_rectified in zip(inputs, rectified, strict=True)]
