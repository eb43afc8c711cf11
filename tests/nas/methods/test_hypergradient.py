"""The hypergradient as a pure function, against autograd through the weight step."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vidnas.nas.methods.darts import first_order, hypergradient

Tensors = Sequence[Tensor]
LossOf = Callable[[Tensors, Tensors, Any], Tensor]
ExactTerms = Callable[[LossOf, Tensors, Tensors, Any, Any, float], tuple[Tensor, Tensor]]
Regression = tuple[Tensor, Tensor]


def toy_loss(weights: Tensors, alphas: Tensors, batch: Regression) -> Tensor:
    """Smooth everywhere; weights and alphas are several tensors each, of different scales."""
    first, second, last = weights
    mixing, gate = alphas[0].softmax(dim=-1), alphas[1].sigmoid()
    inputs, targets = batch
    branches = torch.stack([torch.tanh(inputs @ first), F.softplus(inputs @ second), inputs])
    hidden = torch.einsum("k,kbd->bd", mixing, branches) * gate
    return (torch.tanh(hidden @ last) - targets).square().mean()


def toy(seed: int) -> tuple[list[Tensor], list[Tensor], Regression, Regression]:
    """Weights, alphas, a training batch and a validation batch."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    weights = [normal(5, 5), 0.3 * normal(5, 5), normal(5)]
    return weights, [normal(3), normal(5)], (normal(8, 5), normal(8)), (normal(6, 5), normal(6))


def flat(tensors: Tensors) -> Tensor:
    return torch.cat([t.detach().flatten() for t in tensors])


def relative_error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lr", [0.05, 0.5])
def test_the_second_term_alone_agrees_with_autograd_through_the_step(
    seed: int, lr: float, exact_terms: ExactTerms
) -> None:
    weights, alphas, train, val = toy(seed)
    direct, exact = exact_terms(toy_loss, weights, alphas, train, val, lr)
    assert exact.norm() > 1e-3 * direct.norm()
    errors = []
    for radius in (0.1, 0.01, 0.001):
        found = hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=lr, radius=radius)
        errors.append(relative_error(flat(found) - direct, exact))
    assert errors[1] < 2e-3
    assert errors[2] < 1e-4
    # A central difference errs by the square of its step: a hundredth per decade.
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(100, rel=0.2)


def test_the_default_radius_is_a_hundredth() -> None:
    weights, alphas, train, val = toy(0)
    default = hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=0.1)
    hundredth = hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=0.1, radius=0.01)
    assert torch.equal(flat(default), flat(hundredth))


def test_the_probes_lie_at_the_radius_on_both_sides_of_the_weights() -> None:
    weights, alphas, train, val = toy(1)
    visited: list[Tensor] = []

    def recording_loss(weights: Tensors, alphas: Tensors, batch: Regression) -> Tensor:
        visited.append(flat(weights))
        return toy_loss(weights, alphas, batch)

    hypergradient(recording_loss, weights, alphas, train=train, val=val, lr=0.1, radius=0.03)
    start, _, ahead, behind = visited
    assert torch.equal(start, flat(weights))
    assert (ahead - start).norm().item() == pytest.approx(0.03)
    torch.testing.assert_close(ahead - start, start - behind)


def test_with_learning_rate_0_both_orders_agree() -> None:
    weights, alphas, train, val = toy(2)
    second = hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=0.0)
    first = first_order(toy_loss, weights, alphas, val=val)
    torch.testing.assert_close(second, first, rtol=1e-14, atol=0)


def test_the_first_order_is_the_gradient_at_the_present_weights() -> None:
    weights, alphas, _, val = toy(3)
    leaves = [a.clone().requires_grad_() for a in alphas]
    toy_loss(weights, leaves, val).backward()  # type: ignore[no-untyped-call]
    found = first_order(toy_loss, weights, alphas, val=val)
    for gradient, leaf in zip(found, leaves, strict=True):
        assert leaf.grad is not None
        torch.testing.assert_close(gradient, leaf.grad, rtol=1e-14, atol=0)


def test_nothing_given_is_touched() -> None:
    weights, alphas, train, val = toy(4)
    given = [*weights, *alphas, *train, *val]
    for tensor in [*weights, *alphas[:1]]:
        tensor.requires_grad_()
    weights[0].grad = torch.ones_like(weights[0])
    before = [(t.clone(), t.requires_grad, t._version) for t in given]
    for found in (
        hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=0.1),
        first_order(toy_loss, weights, alphas, val=val),
    ):
        assert not any(g.requires_grad for g in found)
    for tensor, (value, requires_grad, version) in zip(given, before, strict=True):
        assert torch.equal(tensor, value)
        assert (tensor.requires_grad, tensor._version) == (requires_grad, version)
    assert torch.equal(weights[0].grad, torch.ones_like(weights[0]))
    assert all(t.grad is None for t in given if t is not weights[0])


def test_without_a_gradient_in_the_weights_only_the_first_term_is_left() -> None:
    def loss(weights: Tensors, alphas: Tensors, batch: str) -> Tensor:
        both = (weights[0] * alphas[0]).sum()
        return {
            "train": both.exp(),
            "constant": alphas[0].square().sum() + 0 * both,
            "without": alphas[0].sum(),
        }[batch]

    weights, alphas = [torch.tensor([0.5, 0.7])], [torch.tensor([1.0, 3.0])]
    constant = hypergradient(loss, weights, alphas, train="train", val="constant", lr=0.1)
    without = hypergradient(loss, weights, alphas, train="train", val="without", lr=0.1)
    assert constant[0].tolist() == [2.0, 6.0]
    assert without[0].tolist() == [1.0, 1.0]


# Averages over processes


def test_average_is_asked_for_the_weight_gradient_then_v_then_each_alpha_gradient() -> None:
    weights, alphas, train, val = toy(5)
    asked: list[list[torch.Size]] = []

    def average(tensors: list[Tensor]) -> list[Tensor]:
        asked.append([t.shape for t in tensors])
        return tensors

    hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=0.1, average=average)
    of_weights, of_alphas = [w.shape for w in weights], [a.shape for a in alphas]
    assert asked == [of_weights, of_weights, of_alphas, of_alphas, of_alphas]
    asked.clear()
    first_order(toy_loss, weights, alphas, val=val, average=average)
    assert asked == [of_alphas]


def test_an_average_that_doubles_gives_twice_the_hypergradient_at_twice_the_learning_rate() -> None:
    # Doubled grad_w doubles the step; doubled v keeps the probes and halves r; doubled gradients in alpha
    # double both terms: 2 direct - lr (2 ahead - 2 behind) / r = 2 [direct - 2 lr (ahead - behind) / (2 r)].
    weights, alphas, train, val = toy(6)
    doubled = hypergradient(
        toy_loss,
        weights,
        alphas,
        train=train,
        val=val,
        lr=0.1,
        average=lambda tensors: [2 * t for t in tensors],
    )
    plain = hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=0.2)
    torch.testing.assert_close(doubled, [2 * g for g in plain], rtol=1e-13, atol=0)
    first = first_order(toy_loss, weights, alphas, val=val, average=lambda tensors: [2 * t for t in tensors])
    torch.testing.assert_close(first, [2 * g for g in first_order(toy_loss, weights, alphas, val=val)])


def test_two_processes_that_average_get_the_gradient_of_the_joint_batch() -> None:
    weights, alphas, train, val = toy(7)
    given: dict[int, list[Tensor]] = {}
    barrier = threading.Barrier(2, timeout=30)

    def run(rank: int) -> Tensor:
        def average(tensors: list[Tensor]) -> list[Tensor]:
            given[rank] = tensors
            barrier.wait()
            means = [(a + b) / 2 for a, b in zip(given[0], given[1], strict=True)]
            barrier.wait()
            return means

        halves = [(inputs[rank::2], targets[rank::2]) for inputs, targets in (train, val)]
        return flat(
            hypergradient(toy_loss, weights, alphas, train=halves[0], val=halves[1], lr=0.1, average=average)
        )

    with ThreadPoolExecutor(2) as pool:
        ranks = list(pool.map(run, (0, 1)))
    joint = flat(hypergradient(toy_loss, weights, alphas, train=train, val=val, lr=0.1))
    assert torch.equal(ranks[0], ranks[1])
    torch.testing.assert_close(ranks[0], joint, rtol=1e-9, atol=0)
