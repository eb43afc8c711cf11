"""Where a cell's parts stand in a picture: inputs at the left, nodes by depth, the output at the right."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, chain

from vidnas.nas.genotype import NUM_INPUTS
from vidnas.report.geometry.layers import Placement, place

# All lengths are inches.
BOX_WIDTH = 0.86
INPUT_HEIGHT = 0.40
PILL_WIDTH = 0.94
PILL_HEIGHT = 0.25
PORT_PITCH = 0.42
OUTPUT_PITCH = 0.28
RADIUS = 0.20
STUB = 0.34
COLUMN_GAP = 0.80
MARGIN = 0.25

Ends = tuple[int, int]
"""An edge as (source, target): 0 and 1 are the inputs, 2 + i is node i, the number after them the output."""

Stretch = tuple[float, float, float]
"""A horizontal piece of an edge: from x, to x, at height."""


@dataclass(frozen=True)
class CellLayout:
    """The places of a cell's nodes and edges; heights grow upwards."""

    edges: tuple[Ends, ...]
    """Those into nodes, then those from the nodes to the output."""
    sizes: dict[int, float]
    """Height of each input, node and the output."""
    placement: Placement
    columns: tuple[tuple[float, float], ...]
    """Where each layer begins and ends in x: inputs, layers of nodes behind their primitives, output."""

    @property
    def output(self) -> int:
        """The number of the output."""
        return len(self.sizes) - 1

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of it all with a margin around."""
        heights = list(chain(*self.placement.route))
        for node, size in self.sizes.items():
            heights += [self.placement.height[node] - size / 2, self.placement.height[node] + size / 2]
        return -MARGIN, self.columns[-1][1] + MARGIN, min(heights) - MARGIN, max(heights) + MARGIN

    def stretches(self, index: int) -> list[Stretch]:
        """The pieces of an edge: out of its source, through the layers between, into its target's column."""
        source, target = self.edges[index]
        first, last = self.placement.layer[source], self.placement.layer[target]
        through = [
            (*self.columns[layer], height)
            for layer, height in zip(range(first + 1, last), self.placement.route[index], strict=True)
        ]
        start, end = self.columns[first][1], self.columns[last][0]
        return [
            (start, start, self.placement.height[source]),
            *through,
            (end, end, self.placement.port[index]),
        ]

    def rim(self, index: int) -> tuple[float, float]:
        """Where an edge meets the circle of its target, a node."""
        target = self.edges[index][1]
        x, y = self.columns[self.placement.layer[target]][1] - RADIUS, self.placement.height[target]
        landing = 1.5 * RADIUS * (self.placement.port[index] - y) / self.sizes[target]
        return x - (RADIUS**2 - landing**2) ** 0.5, y + landing


def lay_out(edges: Iterable[Ends], num_nodes: int) -> CellLayout:
    """Find places for a cell with these edges into its nodes; those to the output are added."""
    inner = tuple(edges)
    output = NUM_INPUTS + num_nodes
    sizes = dict.fromkeys(range(NUM_INPUTS), INPUT_HEIGHT)
    sizes |= {n: PORT_PITCH * sum(target == n for _, target in inner) for n in range(NUM_INPUTS, output)}
    sizes[output] = OUTPUT_PITCH * num_nodes + 0.1
    edges = (*inner, *((node, output) for node in range(NUM_INPUTS, output)))
    placement = place(edges, sizes)
    widths = [BOX_WIDTH, *[PILL_WIDTH + STUB + 2 * RADIUS] * (placement.layer[output] - 1), BOX_WIDTH]
    lefts = accumulate((width + COLUMN_GAP for width in widths[:-1]), initial=0.0)
    columns = tuple((left, left + width) for left, width in zip(lefts, widths, strict=True))
    return CellLayout(edges, sizes, placement, columns)
