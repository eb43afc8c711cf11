"""The wiring of cells: which edge leads where, what a node sums, what comes out."""

import itertools
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from vidnas.nas.cell import Cell, MixedOp, SearchCell
from vidnas.nas.genotype import Edge, Genotype, edge_sources, random_genotype
from vidnas.nas.primitives import PRIMITIVES

NAMES = tuple(PRIMITIVES)


def random_video(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def search_cell(num_nodes: int = 4, primitives: Sequence[str] = NAMES) -> SearchCell:
    torch.manual_seed(0)
    return SearchCell(2, num_nodes=num_nodes, primitives=primitives, activation=nn.ReLU).double()


def mixing_of(chosen: dict[tuple[int, int], int], num_nodes: int, num_primitives: int) -> Tensor:
    """One-hot rows: on edge (node, source) the primitive `chosen`, on all others the last one."""
    columns = [chosen.get(edge, num_primitives - 1) for edge in edge_sources(num_nodes)]
    return torch.eye(num_primitives, dtype=torch.float64)[columns]


INPUTS = random_video(2, 2, 3, 4, 4, seed=1), random_video(2, 2, 3, 4, 4, seed=2)


# Mixed ops


@pytest.mark.parametrize("name", NAMES)
def test_a_one_hot_mixed_op_is_that_op(name: str) -> None:
    torch.manual_seed(0)
    mixed = MixedOp(2, NAMES, nn.ReLU).double()
    column = NAMES.index(name)
    found = mixed(INPUTS[0], torch.eye(8, dtype=torch.float64)[column])
    assert torch.equal(found, mixed.ops[column](INPUTS[0]))


def test_a_mixed_op_is_the_weighted_sum_of_its_ops() -> None:
    torch.manual_seed(0)
    mixed = MixedOp(2, NAMES, nn.ReLU).double()
    weights = random_video(8)
    expected = torch.stack([op(INPUTS[0]) for op in mixed.ops])
    torch.testing.assert_close(mixed(INPUTS[0], weights), torch.einsum("j,j...->...", weights, expected))


# The search cell


def test_a_search_cell_of_4_nodes_has_14_edges_of_8_ops() -> None:
    cell = search_cell()
    assert len(cell.edges) == 14
    assert all(isinstance(edge, MixedOp) and len(edge.ops) == 8 for edge in cell.edges)


def test_row_k_of_the_mixing_weights_belongs_to_edge_k() -> None:
    # Skips from input `start` to node `via` and from there to node `end`: these two nodes alone are not zero.
    cell = search_cell(primitives=("skip", "none"))
    for start, (via, end) in itertools.product((0, 1), itertools.combinations(range(4), 2)):
        mixing = mixing_of({(via, start): 0, (end, 2 + via): 0}, 4, 2)
        for i, node in enumerate(cell(*INPUTS, mixing)):
            expected = INPUTS[start] if i in (via, end) else torch.zeros_like(INPUTS[start])
            assert torch.equal(node, expected)


def test_a_search_cell_is_the_sum_over_all_earlier_states() -> None:
    cell, mixing = search_cell(3), random_video(9, 8)
    states = list(INPUTS)
    for node in range(3):
        of_node = [(k, source) for k, (n, source) in enumerate(edge_sources(3)) if n == node]
        states.append(torch.stack([cell.edges[k](states[s], mixing[k]) for k, s in of_node]).sum(dim=0))
    torch.testing.assert_close(cell(*INPUTS, mixing), tuple(states[2:]), rtol=1e-10, atol=1e-10)


# The cell of a genotype


def test_a_cell_sums_the_kept_edges_of_each_node() -> None:
    genotype = Genotype(
        (
            (Edge(0, "skip"), Edge(1, "skip")),
            (Edge(1, "skip"), Edge(2, "skip")),
            (Edge(2, "skip"),),
            (Edge(0, "skip"), Edge(3, "skip"), Edge(4, "skip")),
        )
    )
    a, b = INPUTS
    expected = a + b, a + 2 * b, a + b, 3 * (a + b)
    found = Cell(genotype, 2, activation=nn.ReLU)(a, b)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_a_cell_is_its_ops_on_the_sources_of_its_edges(seed: int) -> None:
    genotype = random_genotype(seed)
    torch.manual_seed(seed)
    cell = Cell(genotype, 2, activation=nn.ReLU).double()
    states = list(INPUTS)
    for node, ops in zip(genotype.nodes, cell.nodes, strict=True):
        assert isinstance(ops, nn.ModuleList)
        states.append(
            sum((op(states[edge.source]) for edge, op in zip(node, ops, strict=True)), torch.tensor(0))
        )
    torch.testing.assert_close(cell(*INPUTS), tuple(states[2:]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_search_cell_with_one_hot_mixing_weights_is_the_cell(seed: int) -> None:
    genotype = random_genotype(seed)
    supercell, cell = search_cell(), Cell(genotype, 2, activation=nn.ReLU).double()
    chosen = {
        (n, edge.source): NAMES.index(edge.primitive)
        for n, node in enumerate(genotype.nodes)
        for edge in node
    }
    for k, (n, source) in enumerate(edge_sources(4)):
        for place, edge in enumerate(genotype.nodes[n]):
            if edge.source == source:
                ops, mixed = cell.nodes[n], supercell.edges[k]
                assert isinstance(ops, nn.ModuleList) and isinstance(mixed, MixedOp)
                ops[place] = mixed.ops[NAMES.index(edge.primitive)]
    found = supercell(*INPUTS, mixing_of(chosen, 4, 8))
    torch.testing.assert_close(found, cell(*INPUTS), rtol=1e-12, atol=1e-12)
