"""blend.py on a CPU: the calls of the kernels, and the gradients worked out."""

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vidnas.nn.native.library import address, first_derivative_only, loaded_kernels, share
from vidnas.nn.native.sums import ParameterGradient, Sums


class Covariance(torch.autograd.Function):
    """blend.covariance."""

    @staticmethod
    def forward(ctx: Any, rectified: tuple[bool, ...], *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Which inputs are seen through a ReLU, and the inputs, in; mean and covariance out."""
        library = loaded_kernels(*inputs)
        inputs = tuple(t.contiguous() for t in inputs)
        batch, time, _, height, width = inputs[0].shape
        count, channels = batch * time * height * width, sum(t.shape[2] for t in inputs)
        sums, products = Sums(channels), Sums(channels, channels)
        # Products of numbers about 0 lose no digits: all are taken less what the first frame's mean is.
        near = torch.cat([_first_mean(*seen) for seen in zip(inputs, rectified, strict=True)])
        share(
            batch * time,
            lambda thread, first, last: library.covariance(
                *_arrays(inputs, rectified), address(near), len(inputs), sums.of_thread(thread),
                products.of_thread(thread), height * width, first, last,
            ),
        )  # fmt: skip
        mean = sums.total() / count
        covariance = products.total() / count - torch.outer(mean, mean)
        mean = (near + mean).to(inputs[0].dtype)
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


class Blend(torch.autograd.Function):
    """blend.blend."""

    @staticmethod
    def forward(
        ctx: Any, rectified: tuple[bool, ...], centred: tuple[bool, ...], matrix: Tensor, mean: Tensor,
        *inputs: Tensor,
    ) -> Tensor:  # fmt: skip
        """The arguments of blend.blend in, the inputs last; the matrix times the inputs out."""
        library = loaded_kernels(*inputs)
        inputs, matrix = tuple(t.contiguous() for t in inputs), matrix.contiguous()
        batch, time, _, height, width = inputs[0].shape
        out = inputs[0].new_empty(batch, time, len(matrix), height, width)
        share(
            batch * time,
            lambda _, first, last: library.blend_forward(
                *_arrays(inputs, rectified), address(mean), len(inputs), address(matrix), address(out),
                len(matrix), height * width, first, last,
            ),
        )  # fmt: skip
        ctx.save_for_backward(matrix, mean, *inputs)
        ctx.rectified, ctx.centred = rectified, centred
        return out

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient in the result in, those in the matrix and in the inputs out."""
        matrix, mean, *inputs = ctx.saved_tensors
        grad = grad.contiguous()
        pairs = zip(inputs, ctx.centred, strict=True)
        is_centred = torch.cat([mean.new_full((t.shape[2],), float(centred)) for t, centred in pairs])
        # the gradient of a mean is that of all pixels alike
        shift = -is_centred * (grad.mean(dim=(0, 1, 3, 4)) @ matrix)
        d_matrix = ParameterGradient(matrix, wanted=ctx.needs_input_grad[2])
        d_inputs = _backward(inputs, ctx.rectified, mean, grad, matrix.T, shift, d_matrix)
        return None, None, d_matrix.total(), None, *d_inputs


def _backward(
    inputs: Sequence[Tensor], rectified: tuple[bool, ...], mean: Tensor, grad: Tensor | None, matrix: Tensor,
    shift: Tensor, d_matrix: ParameterGradient,
) -> list[Tensor]:  # fmt: skip
    """The gradients in the inputs: matrix x gradient + shift or, without one, matrix x inputs + shift."""
    library = loaded_kernels(*inputs)
    batch, time, _, height, width = inputs[0].shape
    matrix = matrix.contiguous()
    found = [torch.empty_like(t) for t in inputs]
    share(
        batch * time,
        lambda thread, first, last: library.blend_backward(
            *_arrays(inputs, rectified), address(mean), len(inputs), address(grad), address(matrix),
            address(shift), _pointers(found), d_matrix.of_thread(thread),
            0 if grad is None else grad.shape[2], height * width, first, last,
        ),
    )  # fmt: skip
    return found


def _pointers(tensors: Sequence[Tensor]) -> Any:
    return (ctypes.c_void_p * len(tensors))(*(t.data_ptr() for t in tensors))


def _integers(numbers: Sequence[int]) -> Any:
    return (ctypes.c_int * len(numbers))(*numbers)


def _arrays(inputs: Sequence[Tensor], rectified: Sequence[bool]) -> tuple[Any, Any, Any]:
    """How the kernels are told which arrays to read as one."""
    return _pointers(inputs), _integers([t.shape[2] for t in inputs]), _integers(rectified)
