"""What the gradients worked out by hand are made of. Sums are taken apart by thread, in double precision."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from vidnas.nn.native.calls import PerThread
from vidnas.nn.native.library import loaded_kernels


class Sums:
    """Sums of a shape, one of each for every thread."""

    def __init__(self, *shape: int) -> None:
        self.by_thread = torch.zeros(torch.get_num_threads(), *shape, dtype=torch.float64)

    def at(self, index: int = 0) -> PerThread:
        """Where a thread adds its own: those at `index` of the first axis and behind it."""
        size = self.by_thread.element_size()
        first = self.by_thread.data_ptr() + index * self.by_thread.stride(1) * size
        return PerThread(first, self.by_thread.stride(0) * size)

    def total(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """The sums of all threads."""
        total = self.by_thread.new_empty(self.by_thread.shape[1:], dtype=dtype)
        library, num = loaded_kernels(total), total.numel()
        num_items = library.count("sum_items", num)
        library.share("sum_up", num_items, self.by_thread, total, len(self.by_thread), num)
        return total


class ParameterGradient:
    """The gradient of a matrix or of filters; nothing where none is wanted."""

    def __init__(self, parameter: Tensor, *, wanted: bool) -> None:
        self.dtype = parameter.dtype
        self.sums = Sums(*parameter.shape) if wanted else None

    def at(self) -> PerThread | None:
        """Where a thread adds its products, if anywhere."""
        return None if self.sums is None else self.sums.at()

    def total(self) -> Tensor | None:
        """The gradient."""
        return None if self.sums is None else self.sums.total(self.dtype)


def first_derivative_only(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates the backward of an autograd function whose gradient is worked out by hand.

    PyTorch's once_differentiable alone is not enough: where only some tensors' gradients are asked for, a
    second derivative comes out as if there were nothing to differentiate.
    """

    without_grad = once_differentiable(backward)

    @wraps(backward)
    def checked(ctx: Any, *grads: Tensor) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "vidnas's CPU kernels have first derivatives only. For create_graph=True set VIDNAS_NATIVE=0 "
                "in the environment: then PyTorch's own ops run."
            )
        return without_grad(ctx, *grads)

    return checked


def all_contiguous(tensors: Iterable[Tensor | None]) -> list[Any]:
    """The tensors, contiguous; None stays None."""
    return [None if tensor is None else tensor.contiguous() for tensor in tensors]


def only_wanted(wanted: Iterable[bool], grads: Iterable[Tensor]) -> list[Tensor | None]:
    """The gradients that autograd asks for, None for the others."""
    return [grad if want else None for want, grad in zip(wanted, grads, strict=True)]
