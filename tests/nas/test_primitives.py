"""Every row of the table, and rows of the tests alone, in each form in which a network computes them."""

from collections.abc import Callable

import pytest
import torch
from own_primitives import OWN
from torch import Tensor, nn

from vidnas.nas.cell import Cell, MixedOp, SearchCell
from vidnas.nas.folded import FoldedNetwork
from vidnas.nas.genotype import Edge, Genotype, edge_sources
from vidnas.nas.network import Network, Supernet
from vidnas.nas.ops import BUILDERS
from vidnas.nas.primitives import PRIMITIVES, fused_as, selectable

pytestmark = pytest.mark.usefixtures("own_primitives")
ROWS = (*PRIMITIVES, *OWN)
KEPT = (*selectable(PRIMITIVES), *OWN)


def random_video(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


INPUTS = random_video(2, 2, 3, 6, 7, seed=1), random_video(2, 2, 3, 6, 7, seed=2)


def genotype_of(name: str) -> Genotype:
    return Genotype(
        ((Edge(0, name), Edge(1, name)), (Edge(1, name), Edge(2, name)), (Edge(0, name), Edge(3, "skip")))
    )


def network_of(name: str) -> Network:
    """One whose norms have seen something."""
    torch.manual_seed(0)
    network = Network(genotype_of(name), 5, num_cells=3, first_channels=2).double()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm3d):
            for tensor in (norm.weight, norm.bias, norm.running_mean):
                nn.init.normal_(tensor)  # type: ignore[arg-type]
            nn.init.uniform_(norm.running_var, 0.5, 2)  # type: ignore[arg-type]
    return network.eval()


def op_by_op(cell: SearchCell, mixing: Tensor) -> tuple[Tensor, ...]:
    """The nodes, from the ops of every edge called one by one."""
    states = list(INPUTS)
    for node in range(cell.num_nodes):
        of_node = [(k, source) for k, (n, source) in enumerate(edge_sources(cell.num_nodes)) if n == node]
        states.append(torch.stack([cell.edges[k](states[s], mixing[k]) for k, s in of_node]).sum(dim=0))
    return tuple(states[2:])


def gradients(nodes: tuple[Tensor, ...], cell: SearchCell, mixing: Tensor) -> tuple[Tensor, ...]:
    loss = (torch.cat(nodes) * random_video(*torch.cat(nodes).shape)).sum()
    return torch.autograd.grad(loss, [mixing, *cell.parameters()], materialize_grads=True)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("names", [*((name, "none") for name in KEPT), ("none",), ROWS, ROWS[::-1]])
def test_in_a_supernet_a_row_is_its_op(
    names: tuple[str, ...], native: bool, no_kernels: Callable[[], None]
) -> None:
    if not native:
        no_kernels()
    torch.manual_seed(0)
    cell = SearchCell(2, num_nodes=3, primitives=names, activation=nn.ReLU).double()
    assert all(isinstance(edge, MixedOp) and len(edge.ops) == len(names) for edge in cell.edges)
    mixing = random_video(9, len(names), seed=3).requires_grad_()
    found, expected = cell(*INPUTS, mixing), op_by_op(cell, mixing)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    if len(names) > 1:
        grads = gradients(found, cell, mixing), gradients(expected, cell, mixing)
        torch.testing.assert_close(*grads, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", KEPT)
def test_in_a_network_a_row_is_its_op(name: str, training: bool) -> None:
    torch.manual_seed(0)
    genotype = genotype_of(name)
    cell = Cell(genotype, 2, activation=nn.ReLU).double().train(training)
    states = list(INPUTS)
    for node, ops in zip(genotype.nodes, cell.nodes, strict=True):
        assert isinstance(ops, nn.ModuleList)
        states.append(sum((op(states[e.source]) for e, op in zip(node, ops, strict=True)), torch.tensor(0)))
    torch.testing.assert_close(cell(*INPUTS), tuple(states[2:]), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", KEPT)
def test_in_a_folded_network_a_row_is_its_op(name: str) -> None:
    network, video = network_of(name), random_video(2, 3, 3, 9, 8)
    folded = FoldedNetwork(network)
    with torch.no_grad():
        expected = network(video)  # whose ops are called, since its norms are not the batch's
    torch.testing.assert_close(folded(video), expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(folded.train()(video), expected, rtol=1e-9, atol=1e-9)
    assert not any(p.requires_grad for p in folded.parameters())
    assert not any(isinstance(part, nn.BatchNorm3d) for part in folded.modules()), "it is in its convolution"


@pytest.mark.parametrize("name", KEPT)
def test_different_clips_have_different_logits(name: str) -> None:
    torch.manual_seed(0)
    supernet = Supernet(3, num_cells=2, first_channels=2, primitives=(name, "none")).double()
    first, second = supernet(random_video(2, 3, 4, 8, 8))
    assert not torch.allclose(first, second)


def test_a_norm_that_stands_elsewhere_than_behind_a_convolution_is_evaluated_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first_normed(channels: int, *_: object) -> nn.Module:
        return nn.Sequential(nn.BatchNorm3d(channels), nn.Softplus(), nn.Conv3d(channels, channels, 1))

    monkeypatch.setitem(BUILDERS, "later", first_normed)
    network, video = network_of("later"), random_video(2, 3, 3, 9, 8)
    with torch.no_grad():
        expected = network(video)
    folded = FoldedNetwork(network).train()
    for _ in range(2):  # no statistics move
        torch.testing.assert_close(folded(video), expected, rtol=1e-9, atol=1e-9)


def test_a_row_without_a_form_is_called_and_none_alone_is_never_kept() -> None:
    assert fused_as(None, PRIMITIVES)[-len(OWN) :] == list(OWN)
    assert selectable(("none", "skip", "own_conv")) == ["skip", "own_conv"]
