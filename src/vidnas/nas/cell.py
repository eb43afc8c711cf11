"""The searched unit: SearchCell holds every candidate, Cell is built from a genotype.

Both read the outputs of the two cells before them, already fitted to their channels and size, sum
edges into nodes and return the nodes, which whoever reads them takes as concatenated (paper, section 2.1
and Fig. 1). Both compute the ops that read one input together, in the form that their primitive names
(nn/branches.py, nn/blend.py), and add the results to the nodes as they go; an op of no such form is called.
What each op computes alone, its own module says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vidnas.nas.genotype import Edge, Genotype, edge_sources
from vidnas.nas.ops import BUILDERS, Activation
from vidnas.nas.primitives import PRIMITIVES, fused_as
from vidnas.nn.blend import LinearMap, Total, add_to, map_of, sum_maps
from vidnas.nn.branches import Branches, Stages, stack, stages_of, sum_branches
from vidnas.nn.layout import channels_first, frames_first
from vidnas.nn.norms import by_the_batch, image_filters, remember
from vidnas.shapes import Alpha, FeatureFrames, Features, MixingRow, Video


class MixedOp(nn.Module):
    """One edge of the supernet: the weighted sum of one op per primitive (paper, section 2.1)."""

    def __init__(self, channels: int, primitives: Sequence[str], activation: Activation) -> None:
        super().__init__()
        self.ops = nn.ModuleList(BUILDERS[name](channels, activation, True) for name in primitives)

    def forward(self, video: Video, mixing: MixingRow) -> Video:
        """Sum of mixing[j] x op j of the input."""
        return torch.stack([weight * op(video) for weight, op in zip(mixing, self.ops, strict=True)]).sum(0)


class _Candidates(NamedTuple):
    """The ops of one primitive on the edges from one source."""

    ops: Sequence[nn.Module]
    """One an edge."""
    weight: Tensor
    """Their mixing weights, (edges x channels): each as often as its op has channels."""


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

    def forward(self, before_last: Video, last: Video, mixing: Alpha) -> tuple[Features, ...]:
        """The nodes, like the inputs in shape; row k of `mixing` weights the ops of edge k."""

        def add(source: int, frames: FeatureFrames, nodes: list[Total]) -> None:
            edges = [k for k, (_, start) in enumerate(edge_sources(self.num_nodes)) if start == source]
            targets = [edge_sources(self.num_nodes)[k][0] for k in edges]
            totals = self._add_edges(frames, edges, mixing, [nodes[node] for node in targets])
            for node, total in zip(targets, totals, strict=True):
                nodes[node] = total

        return _computed((before_last, last), self.num_nodes, add)

    def _add_edges(
        self, frames: FeatureFrames, edges: Sequence[int], mixing: Alpha, totals: Sequence[Total]
    ) -> Sequence[Total]:
        """The totals and what these edges, all from the input `frames`, add to them, each to its own."""
        ops = [list(self.edges[k].ops.children()) for k in edges]  # type: ignore[union-attr]
        rows = mixing[list(edges)].repeat_interleave(frames.shape[2], dim=0)
        columns = zip(zip(*ops, strict=True), rows.unbind(1), strict=True)
        candidates = {
            name: _Candidates(own, weight)
            for name, (own, weight) in zip(self.primitives, columns, strict=True)
        }
        totals = self._add_linear_maps(frames, candidates, totals)
        totals = self._add_called(frames, candidates, totals)
        branches = self._branches(candidates, len(edges))
        return totals if branches is None else sum_branches(frames, branches, self.activation, totals)[0]

    def _branches(self, candidates: Mapping[str, _Candidates], num_edges: int) -> Branches | None:
        """The two-stage ops, by primitive, then edge; mixing weights are the last norms'."""
        kinds = [fused_as("branch", self.primitives), fused_as("dilated branch", self.primitives)]
        names = kinds[0] + kinds[1]
        if not names:
            return None
        plain, dilated = ([stages_of(op) for name in kind for op in candidates[name].ops] for kind in kinds)
        branches = stack(plain, dilated, tuple(range(num_edges)) * len(names))
        return branches._replace(weight=torch.cat([candidates[name].weight for name in names]))

    def _add_linear_maps(
        self, frames: FeatureFrames, candidates: Mapping[str, _Candidates], totals: Sequence[Total]
    ) -> Sequence[Total]:
        """The totals and those candidates that are linear maps (nn/blend.py).

        All but the input itself have a norm behind them: a mixing weight is that norm's weight.
        """
        first = next(iter(candidates.values())).weight
        same = torch.eye(frames.shape[2], dtype=first.dtype, device=first.device).repeat(len(totals), 1)
        with_norm, bare = [], []
        for name, (ops, weight) in candidates.items():
            match PRIMITIVES[name].fuses:
                case "pointwise":
                    matrix = torch.cat([image_filters(list(op.children())[1]) for op in ops]).flatten(1)
                    with_norm.append((map_of([frames], self.activation, matrix), weight))
                case "pool":
                    pool, _ = ops[0].children()  # every edge's pools alike
                    pooled = frames_first(pool(channels_first(frames)))
                    with_norm.append((LinearMap([pooled], False, same), weight))
                case "input":
                    bare.append(LinearMap([frames], False, weight[:, None] * same))
        return sum_maps(with_norm, bare, totals) if with_norm or bare else totals

    def _add_called(
        self, frames: FeatureFrames, candidates: Mapping[str, _Candidates], totals: Sequence[Total]
    ) -> Sequence[Total]:
        """The totals and those candidates that are computed by calling their op."""
        video, channels = channels_first(frames), frames.shape[2]
        for name in fused_as(None, self.primitives):
            ops, weights = candidates[name]
            weighted = zip(weights[::channels], ops, strict=True)
            totals = add_to(totals, [frames_first(weight * op(video)) for weight, op in weighted])
        return totals


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
        self._readers = [
            [(name, node, place) for name in PRIMITIVES for node, edges in enumerate(genotype.nodes)
             for place, edge in enumerate(edges) if edge == Edge(source, name)]
            for source in range(1 + len(genotype.nodes))
        ]  # fmt: skip

    def forward(self, before_last: Video, last: Video) -> tuple[Features, ...]:
        """The nodes, like the inputs in shape."""
        return _computed((before_last, last), len(self.nodes), self._add_ops)

    def readers(self, source: int, primitives: Iterable[str]) -> list[tuple[int, nn.Module]]:
        """The ops of these primitives that read a source, each with the node it leads to, by primitive."""
        return [
            (node, list(self.nodes[node].children())[place])
            for name, node, place in self._readers[source]
            if name in primitives
        ]

    def branches(self, source: int) -> tuple[list[tuple[int, nn.Module]], list[tuple[int, nn.Module]]]:
        """The readers of a source that are branches, and those that are dilated ones."""
        plain, dilated = fused_as("branch", PRIMITIVES), fused_as("dilated branch", PRIMITIVES)
        return self.readers(source, plain), self.readers(source, dilated)

    def _add_ops(self, source: int, frames: FeatureFrames, nodes: list[Total]) -> None:
        """Add to the nodes what the ops that read a source make of it."""
        kinds = self.branches(source)
        stages = {op: stages_of(op) for kind in kinds for _, op in kind}
        together = {op for op, own in stages.items() if len(own.norms) == 2 and by_the_batch(*own.norms)}
        for node, op in self.readers(source, PRIMITIVES):
            if op not in together:
                (nodes[node],) = add_to([nodes[node]], [frames_first(op(channels_first(frames)))])
        if together:
            ready = [[(node, stages[op]) for node, op in kind if op in together] for kind in kinds]
            self._add_branches(ready, frames, nodes)

    def _add_branches(
        self, kinds: Sequence[Sequence[tuple[int, Stages]]], frames: FeatureFrames, nodes: list[Total]
    ) -> None:
        """Add to the nodes what branches, by kind, make of their source; their norms remember the batch."""
        plain, dilated = ([stages for _, stages in kind] for kind in kinds)
        targets = [node for kind in kinds for node, _ in kind]
        own = sorted(set(targets))
        slots = tuple(own.index(node) for node in targets)
        branches = stack(plain, dilated, slots)
        totals, stats = sum_branches(frames, branches, self.activation, [nodes[node] for node in own])
        for node, total in zip(own, totals, strict=True):
            nodes[node] = total
        numbers = zip(*(by_channel.chunk(len(targets)) for by_channel in stats), strict=True)
        for stages, (mid_mean, mid_var, mean, var) in zip([*plain, *dilated], numbers, strict=True):
            mid, final = stages.norms
            remember(mid, mid_mean, mid_var)
            remember(final, mean, var)


def _computed(
    inputs: tuple[Video, Video], num_nodes: int, add: Callable[[int, FeatureFrames, list[Total]], None]
) -> tuple[Features, ...]:
    """A cell's nodes; add(source, frames, nodes) adds to them what the ops that read a source make of it."""
    sources = [frames_first(video) for video in inputs]
    nodes: list[Total] = [None] * num_nodes
    for number in range(1 + num_nodes):
        add(number, sources[number], nodes)
        if number > 0:  # all that leads to this node has been added
            total = nodes[number - 1]
            sources.append(torch.zeros_like(sources[0]) if total is None else total)
    return tuple(channels_first(node) for node in sources[2:])
