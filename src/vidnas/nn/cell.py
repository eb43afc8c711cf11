"""The searched unit: SearchCell holds every candidate, Cell is built from a genotype.

Both read the outputs of the two cells before them, already fitted to their channels and size, sum
edges into nodes and return the nodes concatenated (paper, section 2.1 and Fig. 1). Both compute all ops that
read one input together (branches.py, blend.py); what each op computes alone, its own module says.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from vidnas.genotype import Genotype, edge_sources
from vidnas.nn.blend import LinearMap, map_of, sum_maps
from vidnas.nn.branches import Branches, stack, sum_branches
from vidnas.nn.layout import channels_first, frames_first
from vidnas.nn.pooling import avg_pool, max_pool
from vidnas.nn.primitives import (
    BUILDERS,
    DILATED_BRANCHES,
    PLAIN_BRANCHES,
    Activation,
    image_filters,
    remember,
    stages_of,
)
from vidnas.shapes import Alpha, FeatureFrames, Features, MixingRow, Video

POOLS = {"max_pool_3": max_pool, "avg_pool_3": avg_pool}


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
        self.primitives = tuple(primitives)
        self.activation = activation()
        self.edges = nn.ModuleList(MixedOp(channels, primitives, activation) for _ in edge_sources(num_nodes))

    def forward(self, before_last: Video, last: Video, mixing: Alpha) -> Features:
        """Output of num_nodes x the input's channels; row k of `mixing` weights the ops of edge k."""
        states = [frames_first(before_last), frames_first(last)]
        nodes: list[list[Tensor]] = [[] for _ in range(self.num_nodes)]
        for source in range(1 + self.num_nodes):
            if source > 1:
                states.append(_total(nodes[source - 2]))
            edges = [k for k, (_, start) in enumerate(edge_sources(self.num_nodes)) if start == source]
            parts = self._edges_of(states[source], edges, mixing).chunk(len(edges), dim=2)
            for k, part in zip(edges, parts, strict=True):
                nodes[edge_sources(self.num_nodes)[k][0]].append(part)
        return channels_first(torch.cat([*states[2:], _total(nodes[-1])], dim=2))

    def _edges_of(self, frames: FeatureFrames, edges: Sequence[int], mixing: Alpha) -> FeatureFrames:
        """What these edges, all from the input `frames`, make of it, side by side."""
        total = self._direct_ops(frames, edges, mixing)
        branches = self._branches(edges, mixing)
        return total if branches is None else total + sum_branches(frames, branches, self.activation)[0]

    def _branches(self, edges: Sequence[int], mixing: Alpha) -> Branches | None:
        """The two-stage ops of these edges, by primitive, then edge; mixing weights are the last norms'."""
        kinds = [
            [name for name in kind if name in self.primitives] for kind in (PLAIN_BRANCHES, DILATED_BRANCHES)
        ]
        if not any(kinds):
            return None
        plain, dilated = ([stages_of(self._ops(edges, name)) for name in kind] for kind in kinds)
        names = kinds[0] + kinds[1]
        branches = stack(plain, dilated, tuple(range(len(edges))) * len(names))
        weight = torch.cat([self._weights(edges, name, mixing) for name in names])
        return branches._replace(weight=weight.repeat_interleave(branches.temporal.shape[1]))

    def _direct_ops(self, frames: FeatureFrames, edges: Sequence[int], mixing: Alpha) -> FeatureFrames:
        """The sum of the other candidates of these edges, which are linear maps (blend.py).

        All but skip have a norm behind them: a mixing weight is that norm's weight.
        """
        channels = frames.shape[2]
        same = torch.eye(channels, dtype=mixing.dtype, device=mixing.device).repeat(len(edges), 1)
        with_norm, bare = [], []
        for name in self.primitives:
            weight = self._weights(edges, name, mixing).repeat_interleave(channels)
            if name == "conv_1":
                convs = [list(op.children())[1] for op in self._ops(edges, name)]
                matrix = torch.cat([image_filters(conv) for conv in convs]).flatten(1)
                with_norm.append((map_of(frames, self.activation, matrix), weight))
            elif name in POOLS:
                with_norm.append((LinearMap(POOLS[name](frames), False, same), weight))
            elif name == "skip":
                bare.append(LinearMap(frames, False, weight[:, None] * same))
        if not with_norm and not bare:
            return frames.new_zeros(*frames.shape[:2], len(edges) * channels, *frames.shape[3:])
        return sum_maps(with_norm, bare)

    def _ops(self, edges: Sequence[int], name: str) -> list[nn.Module]:
        """The op of this primitive of each edge."""
        column = self.primitives.index(name)
        mixed = [self.edges[k] for k in edges]
        return [edge.ops[column] for edge in mixed if isinstance(edge, MixedOp)]

    def _weights(self, edges: Sequence[int], name: str, mixing: Alpha) -> Tensor:
        return mixing[list(edges), self.primitives.index(name)]


class Cell(nn.Module):
    """The cell of a genotype: each node sums its kept edges."""

    def __init__(self, genotype: Genotype, channels: int, *, activation: Activation) -> None:
        super().__init__()
        self.genotype = genotype
        self.activation = activation()
        self.nodes = nn.ModuleList(
            nn.ModuleList(BUILDERS[edge.primitive](channels, activation, False) for edge in node)
            for node in genotype.nodes
        )

    def forward(self, before_last: Video, last: Video) -> Features:
        """Output of (number of nodes) x the input's channels."""
        states = [frames_first(before_last), frames_first(last)]
        nodes: list[list[Tensor]] = [[] for _ in self.nodes]
        for source in range(1 + len(nodes)):
            if source > 1:
                states.append(_total(nodes[source - 2]))
            for node, part in self._ops_of(source, states[source]):
                nodes[node].append(part)
        return channels_first(torch.cat([*states[2:], _total(nodes[-1])], dim=2))

    def readers(self, source: int, primitives: Sequence[str]) -> list[tuple[int, nn.Module]]:
        """The ops of these primitives that read a source, each with the node it leads to."""
        return [
            (node, op)
            for name in primitives
            for node, (edges, ops) in enumerate(zip(self.genotype.nodes, self.nodes, strict=True))
            for edge, op in zip(edges, ops.children(), strict=True)
            if edge.source == source and edge.primitive == name
        ]

    def _ops_of(self, source: int, frames: FeatureFrames) -> Iterator[tuple[int, FeatureFrames]]:
        """What the ops that read a source make of it, each with its node."""
        together = PLAIN_BRANCHES + DILATED_BRANCHES if self.training else ()
        for node, op in self.readers(source, [name for name in BUILDERS if name not in together]):
            yield node, frames_first(op(channels_first(frames)))
        branches = self.readers(source, together)
        if branches:
            parts = self._sum_branches(frames, source)
            yield from zip([node for node, _ in branches], parts, strict=True)

    def _sum_branches(self, frames: FeatureFrames, source: int) -> Sequence[FeatureFrames]:
        """What the two-stage ops of a source make of it while training; their norms remember the batch."""
        plain, dilated = (
            [stages_of([op]) for _, op in self.readers(source, kind)]
            for kind in (PLAIN_BRANCHES, DILATED_BRANCHES)
        )
        ops = [*plain, *dilated]
        out, stats = sum_branches(frames, stack(plain, dilated, tuple(range(len(ops)))), self.activation)
        mid_mean, mid_var, mean, var = (numbers.chunk(len(ops)) for numbers in stats)
        for i, op in enumerate(ops):
            remember(op.norms[0][0], mid_mean[i], mid_var[i])
            remember(op.norms[1][0], mean[i], var[i])
        return out.chunk(len(ops), dim=2)


def _total(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
