"""Places a directed graph in layers, left to right, so that its edges run smoothly and cross little.

After Sugiyama et al. (1981): every node stands in the layer of its depth, and an edge that spans several
layers gets a slot of its own in each layer between, so that no edge ever runs over a node. Swaps within
layers reduce crossings; then every slot moves to the mean height of its neighbours as far as there is room.
"""

import random
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise

Slot = tuple[int, int]
"""(node, -1), or (edge, layer) for the place where a long edge passes a layer."""

Order = list[list[Slot]]
"""For every layer its slots from bottom to top."""

Link = tuple[Slot, Slot, int]
"""Two slots of adjacent layers, and the edge that runs there."""

EDGE_SIZE = 0.16
GAP = 0.14
RESTARTS = 8
SWEEPS = 200
STRAIGHTNESS = (1, 2, 8)
"""How much a link wants to be level when none, one or both of its ends are inside a long edge."""


@dataclass(frozen=True)
class Placement:
    """Where everything stands; heights grow upwards, in the unit of the sizes, around 0."""

    layer: dict[int, int]
    """Depth of each node: 0 for those without incoming edges."""
    height: dict[int, float]
    """Centre of each node."""
    route: tuple[tuple[float, ...], ...]
    """Of each edge, its height in every layer strictly between its ends."""
    port: tuple[float, ...]
    """Of each edge, the height at which it reaches its target: the target's incoming edges share its size."""


def place(edges: Sequence[tuple[int, int]], sizes: Mapping[int, float]) -> Placement:
    """Place nodes 0, 1, ... of vertical `sizes`, joined by edges (source, target) with source < target."""
    layer = dict.fromkeys(sizes, 0)
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        layer[target] = max(layer[target], layer[source] + 1)
    order, links = _slots(edges, layer)
    order = _uncross(order, links)
    size = {slot: sizes[slot[0]] if slot[1] < 0 else EDGE_SIZE for slots in order for slot in slots}
    offset = _ports(order, links, size)
    height = _relax(order, links, size, offset)
    route = [
        tuple(height[edge, between] for between in range(layer[source] + 1, layer[target]))
        for edge, (source, target) in enumerate(edges)
    ]
    port = [height[target, -1] + offset[edge] for edge, (_, target) in enumerate(edges)]
    return Placement(layer, {node: height[node, -1] for node in sizes}, tuple(route), tuple(port))


def _slots(edges: Sequence[tuple[int, int]], layer: Mapping[int, int]) -> tuple[Order, list[Link]]:
    order: Order = [[] for _ in range(max(layer.values()) + 1)]
    for node, depth in layer.items():
        order[depth].insert(0, (node, -1))
    links: list[Link] = []
    for edge, (source, target) in enumerate(edges):
        passes = [(edge, between) for between in range(layer[source] + 1, layer[target])]
        for slot in passes:
            order[slot[1]].append(slot)
        links += [(one, other, edge) for one, other in pairwise([(source, -1), *passes, (target, -1)])]
    return order, links


def _uncross(order: Order, links: Sequence[Link]) -> Order:
    """The best of several local optima under swaps of two slots of one layer."""
    gaps: list[list[Link]] = [[] for _ in order]
    depth = {slot: layer for layer, slots in enumerate(order) for slot in slots}
    for link in links:
        gaps[depth[link[0]]].append(link)
    shuffle = random.Random(0).shuffle
    best = _descend(order, gaps)
    for _ in range(RESTARTS):
        start = [list(slots) for slots in order]
        for slots in start[1:]:  # the first layer's order is a given: it names the inputs
            shuffle(slots)
        best = min(best, _descend(start, gaps), key=lambda found: _tangle(found, gaps))
    return best


def _descend(order: Order, gaps: Sequence[Sequence[Link]]) -> Order:
    order = [list(slots) for slots in order]
    improved = True
    while improved:
        improved = False
        for layer, slots in enumerate(order[1:], start=1):
            near = order[layer - 1 : layer + 2], gaps[layer - 1 : layer + 1]  # all that a swap here changes
            cost = _tangle(*near)
            for i, j in combinations(range(len(slots)), 2):
                slots[i], slots[j] = slots[j], slots[i]
                changed = _tangle(*near)
                if changed < cost:
                    cost, improved = changed, True
                else:
                    slots[i], slots[j] = slots[j], slots[i]
    return order


def _tangle(order: Order, gaps: Sequence[Sequence[Link]]) -> tuple[int, float]:
    """How bad layers and the links in the gaps between them are: crossings first, then the vertical way."""
    rank = {slot: i - (len(slots) - 1) / 2 for slots in order for i, slot in enumerate(slots)}
    crossings, way = 0, 0.0
    for links in gaps:
        passed: list[float] = []
        for start, end in sorted((rank[one], rank[other]) for one, other, _ in links):
            crossings += len(passed) - bisect_right(passed, end)  # those that start below and end above
            insort(passed, end)
            way += abs(start - end)
    return crossings, way


def _ports(order: Order, links: Sequence[Link], size: Mapping[Slot, float]) -> dict[int, float]:
    """How far from its target's centre each edge arrives, in the order in which the edges come in."""
    rank = {slot: i for slots in order for i, slot in enumerate(slots)}
    offset = {}
    for target in {other for _, other, _ in links if other[1] < 0}:
        arriving = sorted((rank[one], edge) for one, other, edge in links if other == target)
        for i, (_, edge) in enumerate(arriving):
            offset[edge] = size[target] * ((i + 0.5) / len(arriving) - 0.5)
    return offset


def _relax(
    order: Order, links: Sequence[Link], size: Mapping[Slot, float], offset: Mapping[int, float]
) -> dict[Slot, float]:
    """Heights near the neighbours' mean that keep the order and a gap between slots."""
    pulls: dict[Slot, list[tuple[Slot, float, int]]] = {slot: [] for slots in order for slot in slots}
    for one, other, edge in links:
        shift = offset[edge] if other[1] < 0 else 0.0
        weight = STRAIGHTNESS[(one[1] >= 0) + (other[1] >= 0)]
        pulls[one].append((other, shift, weight))
        pulls[other].append((one, -shift, weight))
    height = dict.fromkeys(pulls, 0.0)
    piles = [  # slots with nothing but the gap between them
        list(accumulate(((size[a] + size[b]) / 2 + GAP for a, b in pairwise(slots)), initial=0.0))
        for slots in order
    ]
    for _ in range(SWEEPS):
        for slots, pile in zip(order, piles, strict=True):
            # Slots keep apart exactly if what they stand above a tight pile does not decrease.
            wish = [_wish(pulls[slot], height) - low for slot, low in zip(slots, pile, strict=True)]
            for slot, low, above in zip(slots, pile, _nondecreasing(wish), strict=True):
                height[slot] = low + above
    return height


def _wish(pulls: Sequence[tuple[Slot, float, int]], height: Mapping[Slot, float]) -> float:
    """The weighted mean height at which a slot's links would run level; 0 without links."""
    total = sum(weight for _, _, weight in pulls)
    return sum(weight * (height[slot] + shift) for slot, shift, weight in pulls) / max(total, 1)


def _nondecreasing(values: Sequence[float]) -> list[float]:
    """The nearest non-decreasing sequence in least squares (pool adjacent violators)."""
    pools: list[tuple[float, int]] = []  # mean, count
    for value in values:
        mean, number = value, 1
        while pools and pools[-1][0] > mean:
            below, many = pools.pop()
            mean, number = (below * many + mean * number) / (many + number), many + number
        pools.append((mean, number))
    return [mean for mean, number in pools for _ in range(number)]
