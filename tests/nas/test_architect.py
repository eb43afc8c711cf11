"""The hypergradient against autograd through the weight step, and what an architect's step may touch."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from vidnas.genotype import PRIMITIVES
from vidnas.nas.architect import Architect, first_order, hypergradient
from vidnas.nn.network import Supernet

Tensors = Sequence[Tensor]
Regression = tuple[Tensor, Tensor]
LossOf = Callable[[Tensors, Tensors, Any], Tensor]


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


def exact_terms(
    loss: LossOf, weights: Tensors, alphas: Tensors, train: Any, val: Any, lr: float
) -> tuple[Tensor, Tensor]:
    """First and second term of eq. 5 by autograd through the step, in all alphas, flattened."""
    weights = [w.detach().requires_grad_() for w in weights]
    alphas = [a.detach().requires_grad_() for a in alphas]
    grads = torch.autograd.grad(loss(weights, alphas, train), weights, create_graph=True)
    stepped = [w - lr * g for w, g in zip(weights, grads, strict=True)]
    through_the_step = torch.autograd.grad(loss(stepped, alphas, val), alphas, retain_graph=True)
    direct = flat(torch.autograd.grad(loss([w.detach() for w in stepped], alphas, val), alphas))
    return direct, flat(through_the_step) - direct


def flat(tensors: Tensors) -> Tensor:
    return torch.cat([t.detach().flatten() for t in tensors])


def relative_error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


# The pure function


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lr", [0.05, 0.5])
def test_the_second_term_alone_agrees_with_autograd_through_the_step(seed: int, lr: float) -> None:
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


# The architect of a supernet

Clips = tuple[Tensor, Tensor]
NUM_CLASSES = 3
WEIGHTS_LR = 0.05


def clips(seed: int, dtype: torch.dtype) -> Clips:
    generator = torch.Generator().manual_seed(seed)
    videos = torch.randn(4, 3, 2, 6, 6, generator=generator, dtype=dtype)
    return videos, torch.randint(NUM_CLASSES, (4,), generator=generator)


def supernet_of(primitives: Sequence[str], activation: Callable[[], nn.Module]) -> Supernet:
    torch.manual_seed(0)
    return Supernet(
        NUM_CLASSES, num_cells=2, first_channels=2, num_nodes=2, primitives=primitives, activation=activation
    )


@pytest.fixture
def smooth() -> Supernet:
    """Twice differentiable: Softplus for ReLU and no max pooling. Alpha is far enough from 0 to matter."""
    supernet = supernet_of([name for name in PRIMITIVES if name != "max_pool_3"], nn.Softplus).double()
    with torch.no_grad():
        supernet.alpha.mul_(500)
    return supernet


@pytest.fixture
def relu() -> Supernet:
    return supernet_of(PRIMITIVES, nn.ReLU)


def architect_of(
    supernet: Supernet,
    order: Literal[1, 2],
    autocast: Callable[[], AbstractContextManager[object]] | None = None,
) -> Architect:
    if autocast is None:
        return Architect(supernet, order=order, lr=3e-4, weight_decay=1e-3)
    return Architect(supernet, order=order, lr=3e-4, weight_decay=1e-3, autocast=autocast)


def supernet_terms(supernet: Supernet, train: Clips, val: Clips) -> tuple[Tensor, Tensor]:
    """The exact terms of eq. 5 in alpha, by double backward through the supernet's own modules."""
    names = [name for name, _ in supernet.named_parameters() if name != "alpha"]

    def loss(weights: Tensors, alphas: Tensors, batch: Clips) -> Tensor:
        state = dict(zip(names, weights, strict=True)) | {"alpha": alphas[0]}
        return F.cross_entropy(functional_call(supernet, state, (batch[0],)), batch[1])

    weights = [dict(supernet.named_parameters())[name] for name in names]
    direct, second = exact_terms(loss, weights, [supernet.alpha], train, val, WEIGHTS_LR)
    return direct.view_as(supernet.alpha), second.view_as(supernet.alpha)


def test_the_second_term_of_a_supernet_agrees_with_double_backward(smooth: Supernet) -> None:
    train, val = clips(1, torch.float64), clips(2, torch.float64)
    direct, exact = supernet_terms(smooth, train, val)
    assert exact.norm() > 1e-3 * direct.norm()
    found = architect_of(smooth, 2).gradient(train, val, weights_lr=WEIGHTS_LR) - direct
    assert relative_error(found, exact) < 2e-3


def test_a_step_follows_the_exact_hypergradient(smooth: Supernet) -> None:
    train, val = clips(3, torch.float64), clips(4, torch.float64)
    direct, exact = supernet_terms(smooth, train, val)
    architect = architect_of(smooth, 2)
    architect.optimizer = torch.optim.SGD([smooth.alpha], lr=1.0)  # type: ignore[assignment]
    before = smooth.alpha.detach().clone()
    architect.step(train, val, weights_lr=WEIGHTS_LR)
    assert relative_error(before - smooth.alpha.detach() - direct, exact) < 2e-3


def test_without_a_learning_rate_both_orders_of_the_architect_agree(relu: Supernet) -> None:
    relu.double()
    train, val = clips(5, torch.float64), clips(6, torch.float64)
    first, second = (architect_of(relu, order).gradient(train, val, weights_lr=0.0) for order in (1, 2))
    torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-14)
    ahead = architect_of(relu, 2).gradient(train, val, weights_lr=WEIGHTS_LR)
    assert relative_error(ahead, first) > 1e-3


def test_the_first_order_of_the_architect_is_the_validation_gradient(relu: Supernet) -> None:
    relu.double()
    train, val = clips(7, torch.float64), clips(8, torch.float64)
    (expected,) = torch.autograd.grad(F.cross_entropy(relu(val[0]), val[1]), [relu.alpha])
    found = architect_of(relu, 1).gradient(train, val, weights_lr=WEIGHTS_LR)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("with_grads", [False, True])
def test_a_step_changes_alpha_and_nothing_else(
    relu: Supernet, order: Literal[1, 2], with_grads: bool
) -> None:
    weights = {name: p for name, p in relu.named_parameters() if name != "alpha"}
    for p in weights.values():
        p.grad = torch.ones_like(p) if with_grads else None
    versions = {name: p._version for name, p in weights.items()}
    state = {name: t.clone() for name, t in relu.state_dict().items()}
    buffers = [name for name, _ in relu.named_buffers()]
    rng, flags = torch.get_rng_state(), [p.requires_grad for p in relu.parameters()]
    train, val = clips(9, torch.float32), clips(10, torch.float32)
    architect_of(relu, order).step(train, val, weights_lr=WEIGHTS_LR)
    after = relu.state_dict()
    assert [name for name in state if not torch.equal(state[name], after[name])] == ["alpha"]
    assert {name: p._version for name, p in weights.items()} == versions, (
        "changed and restored is not untouched"
    )
    assert all(name == "alpha" or relu.get_parameter(name) is weights[name] for name in state)
    for p in weights.values():
        assert (
            (p.grad is not None and torch.equal(p.grad, torch.ones_like(p))) if with_grads else p.grad is None
        )
    assert relu.alpha.grad is None
    assert [name for name, _ in relu.named_buffers()] == buffers
    assert torch.equal(torch.get_rng_state(), rng)
    assert (relu.training, [p.requires_grad for p in relu.parameters()]) == (True, flags)
    assert all(
        torch.equal(a, b)
        for a, b in zip((*train, *val), (*clips(9, torch.float32), *clips(10, torch.float32)), strict=True)
    )


@pytest.mark.parametrize("order", [1, 2])
def test_steps_are_those_of_adam(relu: Supernet, order: Literal[1, 2]) -> None:
    architect = architect_of(relu, order)
    reference = nn.Parameter(relu.alpha.detach().clone())
    adam = torch.optim.Adam([reference], 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
    for seed in range(3):
        train, val = clips(seed, torch.float32), clips(seed + 50, torch.float32)
        reference.grad = architect.gradient(train, val, weights_lr=WEIGHTS_LR)
        adam.step()
        # The backward pass of a weight step leaves a gradient in alpha too; it must not enter.
        relu.alpha.grad = torch.full_like(relu.alpha, 7.0)
        architect.step(train, val, weights_lr=WEIGHTS_LR)
        assert torch.equal(relu.alpha, reference)


def test_the_optimizer_holds_alpha_alone(relu: Supernet) -> None:
    groups = architect_of(relu, 2).optimizer.param_groups
    assert [p is relu.alpha for group in groups for p in group["params"]] == [True]


@pytest.mark.parametrize(("order", "entered"), [(1, 1), (2, 0)])
def test_finite_differences_run_without_autocast(relu: Supernet, order: Literal[1, 2], entered: int) -> None:
    entries = []

    @contextmanager
    def autocast() -> Iterator[None]:
        entries.append(order)
        yield

    train, val = clips(11, torch.float32), clips(12, torch.float32)
    architect_of(relu, order, autocast).gradient(train, val, weights_lr=WEIGHTS_LR)
    assert len(entries) == entered
