"""DARTS of first and second order: the hypergradient as a pure function, the architect that steps alpha."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol, TypeVar, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from vidnas.nas.methods.method import LabelledClips, Method
from vidnas.shapes import Alpha, Loss

Batch = TypeVar("Batch")
Tensors = Sequence[Tensor]
LossOf = Callable[[Tensors, Tensors, Batch], Loss]
"""loss(weights, alphas, batch): a scalar, without randomness of its own."""


def identity(tensors: list[Tensor]) -> list[Tensor]:
    """The average over one process."""
    return tensors


def first_order(
    loss: LossOf[Batch],
    weights: Tensors,
    alphas: Tensors,
    *,
    val: Batch,
    average: Callable[[list[Tensor]], list[Tensor]] = identity,
) -> list[Tensor]:
    """Gradient in `alphas` of the validation loss at the present weights (paper, eq. 5 with epsilon 0)."""
    return average(_gradient_in_alphas(loss, weights, alphas, val))


def hypergradient(
    loss: LossOf[Batch],
    weights: Tensors,
    alphas: Tensors,
    *,
    train: Batch,
    val: Batch,
    lr: float,
    radius: float = 0.01,
    average: Callable[[list[Tensor]], list[Tensor]] = identity,
) -> list[Tensor]:
    """Gradient in `alphas` of the validation loss after one SGD step of the weights (paper, eq. 5).

    With w' = w - lr grad_w L_train(w, a) (eq. 3) and v = grad_w' L_val(w', a) it is
    grad_a L_val(w', a) - lr [grad_a L_train(w + r v, a) - grad_a L_train(w - r v, a)] / (2 r): the second
    derivative's product with v as a central difference, r = radius / ||v|| with the norm over all weights.

    Pure: no tensor given is changed and no .grad is written. `lr` is the weights' present learning rate;
    `radius` is the distance of the two probes from w. `average` is applied to grad_w L_train, to v and to
    each alpha gradient: a mean over ranks in its place gives every rank the gradient of the joint batch.
    On a network with kinks (ReLU, max pooling) the probes may lie on another linear piece than w; what that
    does to the second term is measured in docs/results.md.
    """
    weights = [w.detach().requires_grad_() for w in weights]
    fixed = [a.detach() for a in alphas]
    train_grads = average(_grad(loss(weights, fixed, train), weights))

    stepped = [(w - lr * g).detach().requires_grad_() for w, g in zip(weights, train_grads, strict=True)]
    alphas = [a.detach().requires_grad_() for a in alphas]
    grads = _grad(loss(stepped, alphas, val), [*stepped, *alphas])
    vector, direct = average(grads[: len(stepped)]), average(grads[len(stepped) :])

    length = torch.stack([v.square().sum() for v in vector]).sum().sqrt().item()
    if length == 0:
        return direct
    r = radius / length
    ahead, behind = (
        average(_gradient_in_alphas(loss, _moved(weights, vector, step), alphas, train)) for step in (r, -r)
    )
    return [d - lr * (a - b) / (2 * r) for d, a, b in zip(direct, ahead, behind, strict=True)]


def _grad(loss: Loss, tensors: Tensors) -> list[Tensor]:
    return list(torch.autograd.grad(loss, tensors, materialize_grads=True))


def _gradient_in_alphas(loss: LossOf[Batch], weights: Tensors, alphas: Tensors, batch: Batch) -> list[Tensor]:
    """Weights are detached first, so that no work goes into gradients nobody asks for."""
    alphas = [a.detach().requires_grad_() for a in alphas]
    return _grad(loss([w.detach() for w in weights], alphas, batch), alphas)


def _moved(weights: Tensors, vector: Tensors, step: float) -> list[Tensor]:
    return [w.detach() + step * v for w, v in zip(weights, vector, strict=True)]


@runtime_checkable
class Searchable(Protocol):
    """A module with alphas among its parameters, as nas.network.Supernet."""

    def alphas(self) -> dict[str, nn.Parameter]:
        """Its architecture parameters, by name."""

    def weights(self) -> dict[str, Tensor]:
        """Every other parameter, by name."""


class Architect:
    """Owns alpha's optimizer (Adam, betas 0.5 and 0.999) and steps it by either order's gradient."""

    def __init__(
        self,
        supernet: Searchable,
        *,
        order: Literal[1, 2],
        lr: float,
        weight_decay: float,
        autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """`autocast` is entered for first-order passes only: finite differences need float32."""
        self.supernet = supernet
        self.alphas, self.weights = supernet.alphas(), supernet.weights()
        self.order = order
        self.autocast = autocast
        self.optimizer = torch.optim.Adam(
            self.alphas.values(), lr, betas=(0.5, 0.999), weight_decay=weight_decay
        )

    def gradients(self, train: LabelledClips, val: LabelledClips, weights_lr: float) -> list[Tensor]:
        """In the alphas; `weights_lr` is the present learning rate of the weights (epsilon in eq. 3)."""
        weights, alphas = list(self.weights.values()), list(self.alphas.values())
        if self.order == 1:
            with self.autocast():
                return first_order(self.loss, weights, alphas, val=val)
        # TF32, which PyTorch lets convolutions use on recent GPUs, would drown the finite difference.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return hypergradient(self.loss, weights, alphas, train=train, val=val, lr=weights_lr)

    def step(self, train: LabelledClips, val: LabelledClips, weights_lr: float) -> None:
        """One step of alpha (paper, eq. 4). Changes alpha and its optimizer, nothing else."""
        gradients = self.gradients(train, val, weights_lr)
        for alpha, gradient in zip(self.alphas.values(), gradients, strict=True):
            alpha.grad = gradient
        self.optimizer.step()
        self.optimizer.zero_grad()

    def judge(self) -> Alpha:
        """A copy of the alphas, one below the other."""
        return torch.cat([alpha.detach().float().cpu() for alpha in self.alphas.values()])

    def loss(self, weights: Tensors, alphas: Tensors, batch: LabelledClips) -> Loss:
        """Cross-entropy of the supernet with these weights and these alphas in place of its own."""
        state = dict(zip(self.weights, weights, strict=True))
        state |= zip(self.alphas, alphas, strict=True)
        videos, labels = batch
        assert isinstance(self.supernet, nn.Module)
        logits = functional_call(self.supernet, state, (videos,), tie_weights=False)  # none is tied
        return F.cross_entropy(logits, labels)


def darts(architect: Architect) -> Method:
    """DARTS as this architect does it (Liu et al., 2019; paper, section 2.2)."""
    return Method(architect.step, architect.judge, {"alpha_optimizer": architect.optimizer})
