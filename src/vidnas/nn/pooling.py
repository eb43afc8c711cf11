"""Pooling over 3 x 3 pixels, then over 3 frames; stride 1, padding never counts."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vidnas.nn.native.gradients import first_derivative_only
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
    if stride == 1 or kernels(frames) is None:
        return frames[..., ::stride, ::stride].contiguous()
    return _Thin.apply(frames, stride)  # type: ignore[no-any-return, no-untyped-call]


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
    """thin by the CPU kernel: one pass there, one back."""

    @staticmethod
    def forward(ctx: Any, frames: Tensor, stride: int) -> Tensor:
        """Frames in, thinned ones out."""
        ctx.shape, ctx.stride = frames.shape, stride
        height, width = (-(-size // stride) for size in frames.shape[3:])
        thinned = frames.new_empty(*frames.shape[:3], height, width)
        _move_pixels(frames.contiguous(), thinned, frames.shape, stride, gradient=False)
        return thinned

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The gradient in the thinned frames in, that in the frames out."""
        found = grad.new_empty(ctx.shape)
        _move_pixels(grad.contiguous(), found, ctx.shape, ctx.stride, gradient=True)
        return found, None


def _move_pixels(source: Tensor, target: Tensor, shape: torch.Size, stride: int, *, gradient: bool) -> None:
    library = loaded_kernels(source)
    library.share("thin", shape[:3].numel(), source, target, *shape[3:], stride, int(gradient))
