import random
from itertools import chain, combinations, pairwise

import numpy as np
import pytest

from vidnas.report.geometry.layers import EDGE_SIZE, Placement, _nondecreasing, place

Edges = list[tuple[int, int]]


def random_graph(seed: int) -> tuple[Edges, dict[int, float]]:
    draw = random.Random(seed)
    edges = [(s, node) for node in range(2, 7) for s in draw.sample(range(node), 2)]
    return edges, {node: draw.choice([0.4, 0.8]) for node in range(7)}


def slots(edges: Edges, placement: Placement) -> list[tuple[int, float, int]]:
    """(layer, height, node or -1) of everything that takes room."""
    nodes = [(layer, placement.height[node], node) for node, layer in placement.layer.items()]
    passes = [
        (placement.layer[source] + 1 + step, height, -1)
        for (source, _), route in zip(edges, placement.route, strict=True)
        for step, height in enumerate(route)
    ]
    return nodes + passes


def path_of(edge: int, edges: Edges, placement: Placement) -> dict[tuple[int, int], tuple[float, float]]:
    """{(layer, next layer): (height, next height)} along an edge."""
    source, target = edges[edge]
    heights = [placement.height[source], *placement.route[edge], placement.port[edge]]
    first = placement.layer[source]
    assert first + len(heights) - 1 == placement.layer[target]
    return {(first + i, first + i + 1): pair for i, pair in enumerate(pairwise(heights))}


def crossings(edges: Edges, placement: Placement) -> int:
    paths = [path_of(edge, edges, placement) for edge in range(len(edges))]
    return sum(
        (one[gap][0] - other[gap][0]) * (one[gap][1] - other[gap][1]) < -1e-9
        for one, other in combinations(paths, 2)
        for gap in one.keys() & other.keys()
    )


@pytest.mark.parametrize("seed", range(8))
def test_nothing_overlaps_and_depth_grows_along_edges(seed: int) -> None:
    edges, sizes = random_graph(seed)
    placement = place(edges, sizes)
    for node in sizes:
        incoming = [placement.layer[source] for source, target in edges if target == node]
        assert placement.layer[node] == (1 + max(incoming) if incoming else 0)
    for one, other in combinations(slots(edges, placement), 2):
        if one[0] == other[0]:
            room = sum(sizes.get(node, EDGE_SIZE) for _, _, node in (one, other)) / 2
            assert abs(one[1] - other[1]) >= room


@pytest.mark.parametrize("seed", range(8))
def test_edges_arrive_at_ports_of_their_own_in_the_order_in_which_they_come(seed: int) -> None:
    edges, sizes = random_graph(seed)
    placement = place(edges, sizes)
    for node in sizes:
        arriving = [edge for edge, (_, target) in enumerate(edges) if target == node]
        ports = sorted(placement.port[edge] for edge in arriving)
        if arriving:
            shares = [(port - placement.height[node]) / sizes[node] for port in ports]
            assert shares == pytest.approx([-0.25, 0.25])
        before = [[*path_of(edge, edges, placement).values()][-1] for edge in arriving]
        assert all((a[0] - b[0]) * (a[1] - b[1]) >= 0 for a, b in combinations(before, 2))


def test_a_graph_that_needs_no_crossing_gets_none() -> None:
    edges = [(0, 3), (1, 2), (0, 5), (3, 5), (1, 4), (2, 4), (4, 6), (5, 6)]
    sizes = dict.fromkeys(range(7), 0.4)
    assert crossings(edges, place(edges, sizes)) == 0


def test_swaps_leave_far_fewer_crossings_than_the_given_order(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = [random_graph(seed) for seed in range(8)]
    found = sum(crossings(edges, place(edges, sizes)) for edges, sizes in graphs)
    monkeypatch.setattr("vidnas.report.geometry.layers._uncross", lambda order, _: order)
    given = sum(crossings(edges, place(edges, sizes)) for edges, sizes in graphs)
    assert found < 0.5 * given


def test_a_chain_is_a_level_line() -> None:
    placement = place([(0, 1), (1, 2)], {0: 0.4, 1: 0.4, 2: 0.4})
    assert [placement.height[node] for node in range(3)] == pytest.approx([0, 0, 0])
    assert list(chain(*placement.route)) == []


def test_the_first_layer_stands_in_its_order_from_top_to_bottom() -> None:
    placement = place([(0, 2), (1, 2)], {0: 0.4, 1: 0.4, 2: 0.4})
    assert placement.height[0] > placement.height[1]


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_nondecreasing_sequence_beats_its_rivals(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=6)
    found = np.array(_nondecreasing(values.tolist()))
    assert (np.diff(found) >= -1e-12).all()
    rivals = np.sort(found + generator.normal(scale=0.1, size=(500, 6)), axis=1)
    assert ((found - values) ** 2).sum() <= ((rivals - values) ** 2).sum(axis=1).min()
