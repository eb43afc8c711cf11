"""The searched unit: SearchCell holds every candidate, Cell is built from a genotype.

Both read the outputs of the two cells before them, already fitted to their channels and size, sum
edges into nodes and return the nodes concatenated (paper, section 2.1 and Fig. 1).
"""

from collections.abc import Sequence

import torch
from torch import nn

from vidnas.genotype import Genotype, edge_sources
from vidnas.nn.primitives import BUILDERS, Activation
from vidnas.shapes import Alpha, Features, MixingRow, Video


class MixedOp(nn.Module):
    """One edge of the supernet: the weighted sum of one op per primitive (paper, section 2.1)."""

    def __init__(self, channels: int, primitives: Sequence[str], activation: Activation) -> None:
        super().__init__()
        self.ops = nn.ModuleList(BUILDERS[name](channels, activation, True) for name in primitives)

    def forward(self, video: Video, mixing: MixingRow) -> Video:
        """Sum of mixing[j] x op j of the input."""
        return _total([weight * op(video) for weight, op in zip(mixing, self.ops, strict=True)])


class SearchCell(nn.Module):
    """All candidates at once: an edge from every source to every later node, each a MixedOp."""

    def __init__(
        self, channels: int, *, num_nodes: int, primitives: Sequence[str], activation: Activation
    ) -> None:
        super().__init__()
        self.num_nodes = num_nodes
        self.edges = nn.ModuleList(MixedOp(channels, primitives, activation) for _ in edge_sources(num_nodes))

    def forward(self, before_last: Video, last: Video, mixing: Alpha) -> Features:
        """Output of num_nodes x the input's channels; row k of `mixing` weights the ops of edge k."""
        states = [before_last, last]
        edges = iter(zip(self.edges, mixing, strict=True))
        for _ in range(self.num_nodes):
            # zip asks `states` first, so it takes just one edge per state and leaves the rest.
            node = [edge(state, row) for state, (edge, row) in zip(states, edges, strict=False)]
            states.append(_total(node))
        return torch.cat(states[2:], dim=1)


class Cell(nn.Module):
    """The cell of a genotype: each node sums its kept edges."""

    def __init__(self, genotype: Genotype, channels: int, *, activation: Activation) -> None:
        super().__init__()
        self.genotype = genotype
        self.nodes = nn.ModuleList(
            nn.ModuleList(BUILDERS[edge.primitive](channels, activation, False) for edge in node)
            for node in genotype.nodes
        )

    def forward(self, before_last: Video, last: Video) -> Features:
        """Output of (number of nodes) x the input's channels."""
        states = [before_last, last]
        for node, ops in zip(self.genotype.nodes, self.nodes, strict=True):
            assert isinstance(ops, nn.ModuleList)
            states.append(_total([op(states[edge.source]) for edge, op in zip(node, ops, strict=True)]))
        return torch.cat(states[2:], dim=1)


def _total(videos: Sequence[Video]) -> Video:
    total = videos[0]
    for video in videos[1:]:
        total = total + video
    return total
