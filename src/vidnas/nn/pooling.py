"""Pooling over 3 x 3 pixels, then over 3 frames; stride 1, padding never counts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vidnas.nn.native.gradients import all_contiguous, first_derivative_only
from vidnas.nn.native.library import kernels, loaded_kernels
from vidnas.shapes import FeatureFrames


def max_pool(frames: FeatureFrames) -> FeatureFrames:
    """Largest value; the gradient goes to the first of equal ones."""
    if kernels(frames) is None:
        return _pool(frames, F.max_pool2d)
    if torch.is_grad_enabled() and frames.requires_grad:
        return _MaxPool.apply(frames)  # type: ignore[no-any-return, no-untyped-call]
    return _pooled("max_pool", frames)


def avg_pool(frames: FeatureFrames) -> FeatureFrames:
    """Mean."""
    if kernels(frames) is None:
        return _pool(frames, partial(F.avg_pool2d, count_include_pad=False))
    return _AvgPool.apply(frames)  # type: ignore[no-any-return, no-untyped-call]


def thin(frames: FeatureFrames, stride: int) -> FeatureFrames:
    """Every stride-th pixel of every stride-th row."""
    return thin_all([frames], stride)[0]


def thin_all(inputs: Sequence[FeatureFrames], stride: int) -> list[FeatureFrames]:
    """`thin` of several inputs that differ in nothing but their channels."""
    if stride == 1 or kernels(*inputs) is None:
        return [frames[..., ::stride, ::stride].contiguous() for frames in inputs]
    return list(_Thin.apply(stride, *inputs))  # type: ignore[no-untyped-call]


def _pool(frames: FeatureFrames, pool: Callable[..., Tensor]) -> FeatureFrames:
    """What is meant, as PyTorch ops: 2-D pooling of the images, then of (time, everything else).

    3-D average pooling refuses extents below its kernel; 3-D max pooling over time has a slow backward.
    """
    batch, time, channels, height, width = frames.shape
    pooled = pool(frames.reshape(batch * time, channels, height, width), 3, 1, 1)
    pooled = pool(pooled.reshape(batch, 1, time, channels * height * width), (3, 1), 1, (1, 0))
    return pooled.reshape(batch, time, channels, height, width)


class _MaxPool(torch.autograd.Function):
    """max_pool by the CPU kernel, which keeps one byte a value: the place of the largest."""

    @staticmethod
    def forward(ctx: Any, frames: Tensor) -> Tensor:
        """Frames in, pooled ones out."""
        batch, *sizes = frames.shape
        frames, library = frames.contiguous(), loaded_kernels(frames)
        pooled, winner = torch.empty_like(frames), torch.empty_like(frames, dtype=torch.uint8)
        library.share("max_pool_forward", batch * sizes[1], frames, pooled, winner, *sizes)
        ctx.save_for_backward(winner)
        return pooled

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """The gradient in the pooled frames in, that in the frames out."""
        (winner,) = ctx.saved_tensors
        batch, *sizes = winner.shape
        grad, library = grad.contiguous(), loaded_kernels(grad)
        found = torch.zeros_like(grad)
        library.share("max_pool_backward", batch * sizes[1], grad, winner, found, *sizes)
        return found


class _AvgPool(torch.autograd.Function):
    """avg_pool by the CPU kernel. Pooling is symmetric but for the counts, which its gradient takes first."""

    @staticmethod
    def forward(_ctx: Any, frames: Tensor) -> Tensor:
        """Frames in, pooled ones out."""
        return _pooled("avg_pool", frames, int(False))

    @staticmethod
    @first_derivative_only
    def backward(_ctx: Any, grad: Tensor) -> Tensor:
        """The gradient in the pooled frames in, that in the frames out."""
        return _pooled("avg_pool", grad, int(True))


def _pooled(kernel: str, frames: Tensor, *more: int) -> Tensor:
    batch, *sizes = frames.shape
    frames, library = frames.contiguous(), loaded_kernels(frames)
    pooled = torch.empty_like(frames)
    library.share(kernel, batch * sizes[1], frames, pooled, *sizes, *more)
    return pooled


class _Thin(torch.autograd.Function):
    """thin_all by the CPU kernel: one pass there, one back."""

    @staticmethod
    def forward(ctx: Any, stride: int, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The stride and frames in, thinned ones out."""
        ctx.size, ctx.stride = inputs[0].shape[3:], stride
        height, width = (-(-size // stride) for size in ctx.size)
        thinned = tuple(frames.new_empty(*frames.shape[:3], height, width) for frames in inputs)
        _move_pixels(inputs, thinned, ctx.size, stride, gradient=False)
        return thinned

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients in the thinned frames in, those in the frames out."""
        found = [grad.new_empty(*grad.shape[:3], *ctx.size) for grad in grads]
        _move_pixels(grads, found, ctx.size, ctx.stride, gradient=True)
        return None, *found


def _move_pixels(
    sources: Sequence[Tensor], targets: Sequence[Tensor], size: torch.Size, stride: int, *, gradient: bool
) -> None:
    channels = [t.shape[2] for t in sources]
    loaded_kernels(sources[0]).share(
        "thin", sources[0].shape[:2].numel(),
        all_contiguous(sources), targets, channels, len(sources), *size, stride, int(gradient),
    )  # fmt: skip
