"""Cells computed again for the gradient: the same numbers, less memory."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from vidnas.nas.network import Supernet
from vidnas.training import memory


def supernet_of(*, checkpoint_cells: bool, seed: int = 0) -> Supernet:
    torch.manual_seed(seed)
    supernet = Supernet(3, num_cells=3, first_channels=2, num_nodes=3, checkpoint_cells=checkpoint_cells)
    with torch.no_grad():
        supernet.alpha.normal_()
    return supernet.double()


VIDEO = torch.randn(3, 3, 2, 8, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def gradients(supernet: Supernet, state: dict[str, Tensor]) -> list[Tensor]:
    loss = F.cross_entropy(functional_call(supernet, state, (VIDEO,)), torch.tensor([0, 1, 2]))
    return [loss, *torch.autograd.grad(loss, list(state.values()))]


@pytest.mark.parametrize("native", [True, False])
def test_they_have_the_same_gradients_with_whatever_weights(
    native: bool, request: pytest.FixtureRequest
) -> None:
    """functional_call has taken its weights back when the gradient computes the cells again."""
    if not native:
        request.getfixturevalue("no_kernels")()
    plain, checkpointed = (supernet_of(checkpoint_cells=on) for on in (False, True))
    for owner in (plain, supernet_of(checkpoint_cells=False, seed=1)):
        state = {name: t.detach().clone().requires_grad_() for name, t in owner.state_dict().items()}
        for found, true in zip(gradients(checkpointed, state), gradients(plain, state), strict=True):
            assert (found - true).norm() <= 1e-12 * true.norm()


def test_they_compute_again_what_the_gradient_needs() -> None:
    supernet = supernet_of(checkpoint_cells=True)
    calls: list[object] = []
    for cell in supernet.cells:
        cell.register_forward_pre_hook(lambda module, _inputs: calls.append(module))
    loss = supernet(VIDEO).square().sum()
    assert calls == list(supernet.cells)
    loss.backward()
    assert sorted(map(id, calls)) == sorted(map(id, 2 * list(supernet.cells)))


def test_they_keep_less_than_half_for_the_gradient() -> None:
    plain, checkpointed = (
        memory.activation_bytes(
            supernet_of(checkpoint_cells=on).float(), (1, 3, 4, 32, 32), torch.device("cpu")
        )
        for on in (False, True)
    )
    assert checkpointed < plain / 2
