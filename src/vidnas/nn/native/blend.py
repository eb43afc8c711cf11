"""blend.py on a CPU: the calls of the kernels, and the gradients worked out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vidnas.nn.native import stages
from vidnas.nn.native.calls import Argument
from vidnas.nn.native.gradients import (
    ParameterGradient,
    Sums,
    all_contiguous,
    first_derivative_only,
    only_wanted,
)
from vidnas.nn.native.library import loaded_kernels
from vidnas.nn.native.norms import Norm, Slopes, norm_gradient, norm_of


class Covariance(torch.autograd.Function):
    """blend.covariance."""

    @staticmethod
    def forward(ctx: Any, rectified: tuple[bool, ...], *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Which inputs are seen through a ReLU, and the inputs, in; mean and covariance out."""
        library = loaded_kernels(inputs[0])
        inputs = tuple(t.contiguous() for t in inputs)
        batch, time, _, height, width = inputs[0].shape
        count, channels = batch * time * height * width, sum(t.shape[2] for t in inputs)
        sums = Sums(1 + channels, channels)
        # Products of numbers about 0 lose no digits: all are taken less what the first frame's mean is.
        near = torch.cat([_first_mean(*seen) for seen in zip(inputs, rectified, strict=True)])
        library.share(
            "covariance", library.count("blend_items", batch * time, height * width),
            *_arrays(inputs, rectified), near, len(inputs), sums.at(0), sums.at(1), batch * time,
            height * width,
        )  # fmt: skip
        mean, products = torch.split(sums.total() / count, [1, channels])
        covariance = products - mean.T * mean
        mean = (near + mean[0]).to(inputs[0].dtype)
        ctx.save_for_backward(mean, *inputs)
        ctx.rectified = rectified
        ctx.mark_non_differentiable(mean)
        return mean, covariance

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, _mean: Tensor, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient in the covariance in, those in the inputs out."""
        mean, *inputs = ctx.saved_tensors
        count = inputs[0].numel() // inputs[0].shape[2]
        matrix = ((grad + grad.T) / count).to(mean.dtype)
        unwanted = ParameterGradient(matrix, wanted=False)
        return None, *_backward(inputs, ctx.rectified, mean, None, matrix, torch.zeros_like(mean), unwanted)


def _first_mean(frames: Tensor, rectified: bool) -> Tensor:
    """The channels' means of the first frame of the first clip."""
    frame = frames[0, 0].relu() if rectified else frames[0, 0]
    return frame.mean(dim=(1, 2))


def _means(frames: Sequence[Tensor]) -> Tensor:
    """Of the channels of each, one after the other."""
    batch, time, channels, height, width = frames[0].shape
    sums = Sums(len(frames) * channels)
    loaded_kernels(frames[0]).share(
        "channel_sums", batch * time, frames, sums.at(), len(frames), channels, height * width
    )
    return sums.total(frames[0].dtype) / (batch * time * height * width)


class MapNorms(torch.autograd.Function):
    """blend.normed of maps side by side, in one step of the gradient."""

    @staticmethod
    def forward(ctx: Any, covariance: Tensor, *weights_and_matrices: Tensor) -> Tensor:
        """The covariance of all maps' channels, the weights and as many matrices in; one matrix out."""
        num = len(weights_and_matrices) // 2
        weights, matrices = _halves(all_contiguous(weights_and_matrices))
        outputs, channels = len(matrices[0]), len(covariance)
        normed = matrices[0].new_empty(outputs, channels)
        inv_std = covariance.new_empty(outputs, num)
        loaded_kernels(normed).share(
            "map_norms", outputs,
            covariance, weights, matrices, [m.shape[1] for m in matrices], num, normed, inv_std, channels,
        )  # fmt: skip
        ctx.save_for_backward(covariance, inv_std, *weights, *matrices)
        return normed

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        """The gradient in the matrix in, those in everything that `forward` takes out."""
        covariance, inv_std, *weights_and_matrices = ctx.saved_tensors
        weights, matrices = _halves(weights_and_matrices)
        d_weights, d_matrices = ([torch.empty_like(t) for t in ts] for ts in (weights, matrices))
        d_covariance = Sums(*covariance.shape)
        outputs, num = inv_std.shape
        loaded_kernels(grad).share(
            "map_norms_backward", outputs,
            covariance, weights, matrices, [m.shape[1] for m in matrices], num, inv_std, grad.contiguous(),
            d_weights, d_matrices, d_covariance.at(), len(covariance),
        )  # fmt: skip
        return d_covariance.total(), *d_weights, *d_matrices


def _halves(tensors: Sequence[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    half = len(tensors) // 2
    return tensors[:half], tensors[half:]


class Blend(torch.autograd.Function):
    """blend.blend."""

    @staticmethod
    def forward(
        ctx: Any, rectified: tuple[bool, ...], centred: tuple[bool, ...], num_totals: int, matrix: Tensor,
        mean: Tensor, *totals_and_inputs: Tensor | None,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """The arguments of blend.blend in, first the totals, then the inputs; the new totals out."""
        everything, matrix = all_contiguous(totals_and_inputs), matrix.contiguous()
        totals, inputs = everything[:num_totals], everything[num_totals:]
        ctx.save_for_backward(matrix, mean, *inputs)
        ctx.rectified, ctx.centred = rectified, centred
        return tuple(_forward(inputs, rectified, mean, matrix, totals))

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients in the new totals in, those in everything that `forward` takes out."""
        matrix, mean, *inputs = ctx.saved_tensors
        grads = tuple(all_contiguous(grads))
        # the gradient of a mean is that of all pixels alike
        shift = -(_means(grads) @ matrix)
        for own, centred in zip(shift.split([t.shape[2] for t in inputs]), ctx.centred, strict=True):
            if not centred:
                own.zero_()
        d_matrix = ParameterGradient(matrix, wanted=ctx.needs_input_grad[3])
        d_inputs = _backward(inputs, ctx.rectified, mean, _Incoming(grads), matrix.T, shift, d_matrix)
        d_totals = only_wanted(ctx.needs_input_grad[5 : 5 + len(grads)], grads)
        return None, None, None, d_matrix.total(), None, *d_totals, *d_inputs


class NormedBlend(torch.autograd.Function):
    """blend.normed_map: a batch norm of a blend, whose moments are added up while it is computed."""

    @staticmethod
    def forward(
        ctx: Any, rectified: tuple[bool, ...], matrix: Tensor, weight: Tensor, bias: Tensor, *inputs: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A LinearMap's fields and the norm's in; the normed result, its mean and unbiased variance out."""
        inputs, matrix = tuple(all_contiguous(inputs)), matrix.contiguous()
        moments = Sums(2, len(matrix))
        (y,) = _forward(inputs, rectified, None, matrix, [None], moments)
        norm, stats = norm_of(moments, y.numel() // y.shape[2], weight, bias)
        ctx.save_for_backward(matrix, y, *norm, *inputs)
        ctx.rectified = rectified
        ctx.mark_non_differentiable(*stats)
        return *stages.mix(y, norm, (0,), [None]), *stats  # type: ignore[return-value]

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor, *_stats: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient in the normed result in, those in everything that `forward` takes out."""
        matrix, y, *saved = ctx.saved_tensors
        norm, inputs, grads = Norm(*saved[:3]), saved[3:], [grad.contiguous()]
        sums = stages.mix_backward(y, grads, (0,))
        d_weight, d_bias, slopes = norm_gradient(norm, sums, y.numel() // y.shape[2])
        d_matrix = ParameterGradient(matrix, wanted=ctx.needs_input_grad[1])
        incoming = _Incoming(grads, y, slopes)
        no_shift = matrix.new_zeros(matrix.shape[1])
        d_inputs = _backward(inputs, ctx.rectified, None, incoming, matrix.T, no_shift, d_matrix)
        return None, d_matrix.total(), d_weight, d_bias, *d_inputs


def add_native(
    total: Tensor | None, inputs: Sequence[Tensor], matrix: Tensor, bias: Tensor, stride: int
) -> Tensor:
    """blend.FoldedMap for ReLU, without a gradient: in place where there is a total."""
    inputs, totals = all_contiguous(inputs), [total]
    (out,) = _forward(
        inputs, (True,) * len(inputs), None, matrix, totals, bias=bias, stride=stride,
        outs=None if total is None else [total],
    )  # fmt: skip
    return out


class _Incoming(NamedTuple):
    """Gradients in the outputs or, with `y`, slopes[0] x gradient + slopes[1] x y + slopes[2] by channel."""

    grads: Sequence[Tensor]
    y: Tensor | None = None
    slopes: Slopes | tuple[None, None, None] = (None, None, None)


def _forward(
    inputs: Sequence[Tensor], rectified: Sequence[bool], mean: Tensor | None, matrix: Tensor,
    totals: Sequence[Tensor | None], moments: Sums | None = None, *, bias: Tensor | None = None,
    stride: int = 1, outs: list[Tensor] | None = None,
) -> list[Tensor]:  # fmt: skip
    """The totals and the matrix times the inputs, in as many parts; `moments` are of the latter."""
    library = loaded_kernels(inputs[0])
    if matrix.shape[1] != (given := sum(frames.shape[2] for frames in inputs)):
        raise ValueError(f"A map of {matrix.shape[1]} channels was given {given}.")
    batch, time, _, height, width = inputs[0].shape
    channels, size = len(matrix) // len(totals), (-(-height // stride), -(-width // stride))
    outs = outs or [inputs[0].new_empty(batch, time, channels, *size) for _ in totals]
    library.share(
        "blend_forward", library.count("blend_items", batch * time, size[0] * size[1]),
        *_arrays(inputs, rectified), mean, len(inputs), matrix, bias, totals, outs,
        *(moments.at(k) if moments else None for k in (0, 1)), len(matrix), channels, batch * time,
        height, width, stride,
    )  # fmt: skip
    return outs


def _backward(
    inputs: Sequence[Tensor], rectified: Sequence[bool], mean: Tensor | None, incoming: _Incoming | None,
    matrix: Tensor, shift: Tensor, d_matrix: ParameterGradient,
) -> list[Tensor]:  # fmt: skip
    """The gradients in the inputs: matrix x gradient + shift or, without one, matrix x inputs + shift."""
    library = loaded_kernels(inputs[0])
    batch, time, _, height, width = inputs[0].shape
    matrix = matrix.contiguous()
    found = [torch.empty_like(t) for t in inputs]
    grads, y, slopes = incoming or _Incoming([])
    channels = grads[0].shape[2] if grads else 1
    library.share(
        "blend_backward", library.count("blend_items", batch * time, height * width),
        *_arrays(inputs, rectified), mean, len(inputs), grads or None, y, *slopes, matrix, shift,
        found, d_matrix.at(), len(grads) * channels, channels, batch * time, height * width,
    )  # fmt: skip
    return found


def _arrays(inputs: Sequence[Tensor], rectified: Sequence[bool]) -> tuple[Argument, ...]:
    """How the kernels are told which arrays to read as one."""
    return inputs, [t.shape[2] for t in inputs], rectified
