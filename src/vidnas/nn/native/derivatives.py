"""What the gradients worked out by hand have in common."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def first_derivative_only(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates the backward of an autograd function whose gradient is worked out by hand.

    PyTorch's once_differentiable alone is not enough: where only some tensors' gradients are asked for, a
    second derivative comes out as if there were nothing to differentiate.
    """

    @wraps(backward)
    def checked(ctx: Any, *grads: Tensor) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "vidnas's CPU kernels have first derivatives only. For create_graph=True set VIDNAS_NATIVE=0 "
                "in the environment: then PyTorch's own ops run."
            )
        return once_differentiable(backward)(ctx, *grads)

    return checked


def all_contiguous(tensors: Iterable[Tensor | None]) -> list[Any]:
    """The tensors, contiguous; None stays None."""
    return [None if tensor is None else tensor.contiguous() for tensor in tensors]


def only_wanted(wanted: Iterable[bool], grads: Iterable[Tensor]) -> list[Tensor | None]:
    """The gradients that autograd asks for, None for the others."""
    return [grad if want else None for want, grad in zip(wanted, grads, strict=True)]
