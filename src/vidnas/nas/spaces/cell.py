"""The space of cells (paper, section 2.1): what alpha's rows and columns are, and what is found by it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vidnas.nas.genotype import Edge, Genotype, edge_sources
from vidnas.nas.primitives import PRIMITIVES, selectable
from vidnas.shapes import Alpha


@dataclass(frozen=True)
class CellSpace:
    """Cells of so many nodes, whose edges are any of the primitives: the columns of alpha, in their order."""

    num_nodes: int
    primitives: tuple[str, ...]

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(node, source) of every edge: the rows of alpha, in their order."""
        return edge_sources(self.num_nodes)

    def derive(self, alpha: Alpha) -> Genotype:
        """The genotype that alpha stands for."""
        return derive(alpha, primitives=self.primitives)

    def record(self, alpha: Alpha) -> dict[str, object]:
        """Alpha and the meaning of its rows and columns, for JSON."""
        edges = [{"node": node, "source": source} for node, source in self.edges]
        return {"primitives": self.primitives, "edges": edges, "alpha": alpha.tolist()}


def derive(alpha: Alpha, *, primitives: Iterable[str] = PRIMITIVES, edges_per_node: int = 2) -> Genotype:
    """The genotype of alpha (paper, section 3): a node's strongest edges, on each the strongest primitive.

    The ranking rule: softmax over the primitives of an edge; `none` takes part in the softmax but is never
    selected; an edge is as strong as its strongest selectable weight. Ties go to the lower source and to the
    earlier primitive.
    """
    mixing = [_softmax(row) for row in alpha.tolist()]
    names = list(primitives)
    columns = [names.index(name) for name in selectable(names)]
    candidates: dict[int, list[tuple[float, Edge]]] = {}
    sources = edge_sources(_num_nodes(len(mixing)))
    for (node, source), row in zip(sources, mixing, strict=True):
        best = max(columns, key=lambda j: row[j])
        candidates.setdefault(node, []).append((row[best], Edge(source, names[best])))
    return Genotype(tuple(_strongest(edges, edges_per_node) for edges in candidates.values()))


def _softmax(row: Sequence[float]) -> list[float]:
    """fsum does not depend on the order of the row: equally strong edges tie exactly, on every machine."""
    largest = max(row)
    powers = [math.exp(value - largest) for value in row]
    total = math.fsum(powers)
    return [power / total for power in powers]


def _strongest(edges: list[tuple[float, Edge]], count: int) -> tuple[Edge, ...]:
    ranked = sorted(edges, key=lambda edge: -edge[0])  # stable: ties stay in the order of their sources
    return tuple(sorted(edge for _, edge in ranked[:count]))


def _num_nodes(num_rows: int) -> int:
    return next(n for n in range(1, num_rows + 1) if len(edge_sources(n)) == num_rows)
