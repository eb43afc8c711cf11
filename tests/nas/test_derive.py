"""The derivation against enumeration, with ties, `none` and alphas that a wrong ranking misreads."""

import itertools
import math
import random
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from vidnas.nas.genotype import Edge, Genotype, edge_sources, random_genotype
from vidnas.nas.network import Supernet
from vidnas.nas.primitives import PRIMITIVES
from vidnas.nas.spaces.cell import derive

NAMES = tuple(PRIMITIVES)

Strengths = Callable[[Sequence[float]], list[float]]


def softmax(row: Sequence[float]) -> list[float]:
    """The weights of a permuted row are the very same numbers, for fsum rounds once."""
    powers = [math.exp(value - max(row)) for value in row]
    return [power / math.fsum(powers) for power in powers]


def enumerated(
    alpha: Tensor,
    primitives: Sequence[str] = NAMES,
    edges_per_node: int = 2,
    *,
    strengths: Strengths = softmax,
) -> Genotype:
    """For every node the best of all choices of sources and primitives; of equal ones the first."""
    rows = [strengths(row) for row in alpha.tolist()]
    sources = edge_sources(next(n for n in itertools.count(1) if len(edge_sources(n)) == len(rows)))
    allowed = [j for j, name in enumerate(primitives) if name != "none"]
    nodes = []
    for node in range(sources[-1][0] + 1):
        of_node = {source: rows[k] for k, (n, source) in enumerate(sources) if n == node}
        choices = (
            list(zip(chosen, ops, strict=True))
            for chosen in itertools.combinations(of_node, edges_per_node)
            for ops in itertools.product(allowed, repeat=edges_per_node)
        )
        best = max(choices, key=lambda choice: sorted((of_node[s][j] for s, j in choice), reverse=True))
        nodes.append(tuple(Edge(source, primitives[j]) for source, j in best))
    return Genotype(tuple(nodes))


def torch_softmax(row: Sequence[float]) -> list[float]:
    weights: list[float] = torch.tensor(row, dtype=torch.float64).softmax(dim=-1).tolist()
    return weights


def random_alpha(seed: int, num_nodes: int = 4, num_primitives: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(edge_sources(num_nodes)), num_primitives, generator=generator)


@pytest.mark.parametrize("seed", range(25))
def test_random_alphas_agree_with_the_enumeration(seed: int) -> None:
    for scale in (1e-3, 1.0, 5.0):
        alpha = scale * random_alpha(seed)
        assert derive(alpha) == enumerated(alpha, strengths=torch_softmax)


@pytest.mark.parametrize("seed", range(40))
def test_ties_go_to_the_lower_source_and_the_earlier_primitive(seed: int) -> None:
    alpha = random_alpha(seed).mul(2).round().clamp(-1, 1)  # three values: nearly every choice is a tie
    assert derive(alpha) == enumerated(alpha)
    rows = alpha[torch.randint(3, (14,), generator=torch.Generator().manual_seed(seed))]
    assert derive(rows) == enumerated(rows)


def test_of_equal_alphas_the_first_sources_and_the_first_primitive_are_taken() -> None:
    node = (Edge(0, "conv_1"), Edge(1, "conv_1"))
    assert derive(torch.zeros(14, 8)) == Genotype((node,) * 4)


@pytest.mark.parametrize("seed", range(10))
def test_none_is_never_selected_however_strong(seed: int) -> None:
    alpha = random_alpha(seed)
    alpha[:, NAMES.index("none")] += 20
    found = derive(alpha)
    assert "none" not in {edge.primitive for node in found.nodes for edge in node}
    assert found == enumerated(alpha)


def test_none_takes_part_in_the_softmax() -> None:
    # Among the others alone, edge 0 would be the strongest of node 0 with 1.0 against 0.73 and 0.73;
    # `none` leaves it 0.05.
    alpha = torch.full((5, 8), -9.0)
    alpha[:, 6] = 0.0
    alpha[2:, 0], alpha[3:, 1] = 1.0, 1.0
    alpha[2, 3], alpha[2, 7] = 2.0, 5.0
    found = derive(alpha, edges_per_node=2)
    assert [edge.source for edge in found.nodes[1]] == [1, 2]
    assert found == enumerated(alpha)
    without_none = enumerated(alpha, strengths=lambda row: [*softmax(row[:-1]), 0.0])
    assert [edge.source for edge in without_none.nodes[1]] == [0, 1]


def test_edges_rank_by_softmax_and_not_by_raw_alpha() -> None:
    alpha = torch.zeros(5, 8)
    alpha[2] = 5.0  # the largest values of all, yet no primitive stands out: weight 1/8
    alpha[3, 1], alpha[4, 2] = 1.0, 1.0
    assert derive(alpha).nodes[1] == (Edge(1, "conv_3"), Edge(2, "sep_conv_3"))
    assert derive(alpha) == enumerated(alpha)
    assert enumerated(alpha, strengths=list).nodes[1] == (Edge(0, "conv_1"), Edge(1, "conv_3"))


@pytest.mark.parametrize("seed", range(20))
def test_an_alpha_that_spells_a_genotype_gives_it_back(seed: int) -> None:
    genotype = random_genotype(seed)
    alpha = random_alpha(seed)
    alpha[:, NAMES.index("none")] += 4
    for k, (node, source) in enumerate(edge_sources(4)):
        for edge in genotype.nodes[node]:
            if edge.source == source:
                alpha[k, NAMES.index(edge.primitive)] = 12
    assert derive(alpha) == genotype


@pytest.mark.parametrize(("num_nodes", "edges_per_node"), [(1, 1), (1, 2), (2, 1), (3, 2), (5, 2)])
def test_cells_of_other_sizes_are_derived(num_nodes: int, edges_per_node: int) -> None:
    for seed in range(5):
        alpha = random_alpha(seed, num_nodes)
        found = derive(alpha, edges_per_node=edges_per_node)
        assert found == enumerated(alpha, edges_per_node=edges_per_node)
        assert [len(node) for node in found.nodes] == [edges_per_node] * num_nodes


def test_columns_are_read_by_the_primitives_given() -> None:
    for seed in range(10):
        names = random.Random(seed).sample(NAMES, 5)
        alpha = random_alpha(seed, num_primitives=5)
        assert derive(alpha, primitives=names) == enumerated(alpha, names)


def test_alpha_of_a_supernet_is_read_and_left_as_it_is() -> None:
    torch.manual_seed(0)
    supernet = Supernet(3, num_cells=1, first_channels=1)
    before = supernet.alpha.detach().clone()
    assert derive(supernet.alpha) == enumerated(before)
    assert torch.equal(supernet.alpha, before)
    assert supernet.alpha.grad is None and supernet.alpha.requires_grad
