"""What these tests share: the hypergradient by autograd through the weight step."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

Tensors = Sequence[Tensor]
LossOf = Callable[[Tensors, Tensors, Any], Tensor]
ExactTerms = Callable[[LossOf, Tensors, Tensors, Any, Any, float], tuple[Tensor, Tensor]]


@pytest.fixture
def exact_terms() -> ExactTerms:
    """Gives the first and the second term of eq. 5, flattened over all alphas: autograd through the step."""

    def terms(
        loss: LossOf, weights: Tensors, alphas: Tensors, train: Any, val: Any, lr: float
    ) -> tuple[Tensor, Tensor]:
        weights = [w.detach().requires_grad_() for w in weights]
        alphas = [a.detach().requires_grad_() for a in alphas]
        grads = torch.autograd.grad(loss(weights, alphas, train), weights, create_graph=True)
        stepped = [w - lr * g for w, g in zip(weights, grads, strict=True)]
        through_the_step = torch.autograd.grad(loss(stepped, alphas, val), alphas, retain_graph=True)
        direct = torch.autograd.grad(loss([w.detach() for w in stepped], alphas, val), alphas)
        first, both = (torch.cat([g.flatten() for g in grads]) for grads in (direct, through_the_step))
        return first, both - first

    return terms
