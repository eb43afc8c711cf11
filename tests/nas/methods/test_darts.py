"""DARTS on a real supernet: its gradient against double backward, and what its step may touch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from reference import PlainSupernet
from vidnas.nas.methods.darts import Architect
from vidnas.nas.network import Supernet
from vidnas.nas.primitives import PRIMITIVES
from vidnas.nn.native.blend import Blend
from vidnas.nn.native.gradients import ParameterGradient

Tensors = Sequence[Tensor]
LossOf = Callable[[Tensors, Tensors, Any], Tensor]
ExactTerms = Callable[[LossOf, Tensors, Tensors, Any, Any, float], tuple[Tensor, Tensor]]
Clips = tuple[Tensor, Tensor]
NUM_CLASSES = 3
WEIGHTS_LR = 0.05
SMOOTH = [name for name in PRIMITIVES if name != "max_pool_3"]


def relative_error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


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
    supernet = supernet_of(SMOOTH, nn.Softplus).double()
    with torch.no_grad():
        supernet.alpha.mul_(500)
    return supernet


@pytest.fixture
def relu() -> Supernet:
    return supernet_of(tuple(PRIMITIVES), nn.ReLU)


def architect_of(
    supernet: Supernet,
    order: Literal[1, 2],
    autocast: Callable[[], AbstractContextManager[object]] | None = None,
) -> Architect:
    if autocast is None:
        return Architect(supernet, order=order, lr=3e-4, weight_decay=1e-3)
    return Architect(supernet, order=order, lr=3e-4, weight_decay=1e-3, autocast=autocast)


def supernet_terms(
    exact_terms: ExactTerms, supernet: Supernet, train: Clips, val: Clips
) -> tuple[Tensor, Tensor]:
    """The exact terms of eq. 5 in alpha, by double backward through the plain supernet of these weights."""
    plain = PlainSupernet(
        NUM_CLASSES, num_cells=2, first_channels=2, num_nodes=2, primitives=SMOOTH, activation=nn.Softplus
    ).double()
    plain.load_state_dict(supernet.state_dict())
    names = [name for name, _ in supernet.named_parameters() if name != "alpha"]

    def loss(weights: Tensors, alphas: Tensors, batch: Clips) -> Tensor:
        state = dict(zip(names, weights, strict=True)) | {"alpha": alphas[0]}
        return F.cross_entropy(functional_call(plain, state, (batch[0],)), batch[1])

    weights = [dict(supernet.named_parameters())[name] for name in names]
    direct, second = exact_terms(loss, weights, [supernet.alpha], train, val, WEIGHTS_LR)
    return direct.view_as(supernet.alpha), second.view_as(supernet.alpha)


def test_the_second_term_of_a_supernet_agrees_with_double_backward(
    smooth: Supernet, exact_terms: ExactTerms
) -> None:
    train, val = clips(1, torch.float64), clips(2, torch.float64)
    direct, exact = supernet_terms(exact_terms, smooth, train, val)
    assert exact.norm() > 1e-3 * direct.norm()
    found = architect_of(smooth, 2).gradients(train, val, weights_lr=WEIGHTS_LR)[0] - direct
    assert relative_error(found, exact) < 2e-3


def test_a_step_follows_the_exact_hypergradient(smooth: Supernet, exact_terms: ExactTerms) -> None:
    train, val = clips(3, torch.float64), clips(4, torch.float64)
    direct, exact = supernet_terms(exact_terms, smooth, train, val)
    architect = architect_of(smooth, 2)
    architect.optimizer = torch.optim.SGD([smooth.alpha], lr=1.0)  # type: ignore[assignment]
    before = smooth.alpha.detach().clone()
    architect.step(train, val, weights_lr=WEIGHTS_LR)
    assert relative_error(before - smooth.alpha.detach() - direct, exact) < 2e-3


def test_without_a_learning_rate_both_orders_of_the_architect_agree(relu: Supernet) -> None:
    relu.double()
    train, val = clips(5, torch.float64), clips(6, torch.float64)
    first, second = (architect_of(relu, order).gradients(train, val, weights_lr=0.0)[0] for order in (1, 2))
    torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-14)
    ahead = architect_of(relu, 2).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    assert relative_error(ahead, first) > 1e-3


def test_the_first_order_of_the_architect_is_the_validation_gradient(relu: Supernet) -> None:
    relu.double()
    train, val = clips(7, torch.float64), clips(8, torch.float64)
    (expected,) = torch.autograd.grad(F.cross_entropy(relu(val[0]), val[1]), [relu.alpha])
    found = architect_of(relu, 1).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
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
        reference.grad = architect.gradients(train, val, weights_lr=WEIGHTS_LR)[0]
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
    architect_of(relu, order, autocast).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    assert len(entries) == entered


def test_finite_differences_run_without_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed: list[bool] = []

    def hypergradient(_loss: object, _weights: object, alphas: list[Tensor], **_more: object) -> list[Tensor]:
        allowed.append(torch.backends.cudnn.allow_tf32)
        return alphas

    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr("vidnas.nas.methods.darts.hypergradient", hypergradient)
    batch = (torch.zeros(2, 3, 2, 4, 4), torch.tensor([0, 1]))
    Architect(Supernet(2, num_cells=1), order=2, lr=0.1, weight_decay=0.0).gradients(
        batch, batch, weights_lr=0.1
    )[0]
    assert allowed == [False]
    assert torch.backends.cudnn.allow_tf32


# How much is computed


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[bool]]:
    """Whether the gradient of filters, and of a matrix, is wanted: of every backward pass of the kernels."""
    found: dict[str, list[bool]] = {"filters": [], "matrices": []}
    backward = Blend.backward

    class Spied(ParameterGradient):
        def __init__(self, filters: Tensor, *, wanted: bool) -> None:
            found["filters"].append(wanted)
            super().__init__(filters, wanted=wanted)

    def blend_backward(ctx: Any, *grads: Tensor) -> Any:
        found["matrices"].append(ctx.needs_input_grad[3])
        return backward(ctx, *grads)

    monkeypatch.setattr("vidnas.nn.native.stages.ParameterGradient", Spied)
    monkeypatch.setattr(Blend, "backward", staticmethod(blend_backward))
    return found


NUM_FILTERS = 3 * 3 * 2
"""Filters (plain, dilated, temporal) x sources of a cell of 2 nodes x cells."""


def test_a_pass_for_alpha_alone_computes_no_gradient_of_a_weight(
    relu: Supernet, wanted: dict[str, list[bool]]
) -> None:
    train, val = clips(13, torch.float32), clips(14, torch.float32)
    architect_of(relu, 1).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    assert wanted["filters"] == [False] * NUM_FILTERS
    # Three of the four adapters read what has no alpha in it. The last one reads a cell's output, and the
    # scale of that is in its matrix; in those of a source's edges alpha is.
    assert wanted["matrices"] == [True] * (1 + 3 * 2)


def test_the_second_order_computes_gradients_of_weights_in_two_of_its_four_passes(
    relu: Supernet, wanted: dict[str, list[bool]]
) -> None:
    train, val = clips(13, torch.float32), clips(14, torch.float32)
    architect_of(relu, 2).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    assert wanted["filters"] == 2 * NUM_FILTERS * [True] + 2 * NUM_FILTERS * [False]


def test_without_a_compiler_a_pass_for_alpha_alone_computes_no_gradient_of_a_filter(
    relu: Supernet, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Convolutions(TorchDispatchMode):  # type: ignore[no-untyped-call]
        """The kernel sizes of the convolutions whose filters' gradients are computed."""

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.aten.convolution_backward.default and args[-1][1]:
                kernels.append(tuple(args[2].shape[2:]))
            return func(*args, **(kwargs or {}))

    monkeypatch.setattr("vidnas.nn.native.library._library", lambda _real: None)
    train, val = clips(13, torch.float32), clips(14, torch.float32)
    kernels: list[tuple[int, ...]] = []
    with Convolutions():  # type: ignore[no-untyped-call]
        architect_of(relu, 1).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    assert set(kernels) == {(1, 1)}, "matrices that hold mixing weights"
    with Convolutions():  # type: ignore[no-untyped-call]
        architect_of(relu, 2).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    assert {(3, 3), (3, 1)} < set(kernels)


@pytest.mark.parametrize("order", [1, 2])
def test_cells_that_are_computed_again_give_the_same_gradient(relu: Supernet, order: Literal[1, 2]) -> None:
    relu.double()
    train, val = clips(15, torch.float64), clips(16, torch.float64)
    expected = architect_of(relu, order).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    relu.checkpoint_cells = True
    found = architect_of(relu, order).gradients(train, val, weights_lr=WEIGHTS_LR)[0]
    assert relative_error(found, expected) < 1e-12
