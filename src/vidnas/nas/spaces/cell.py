"""The space of cells (paper, section 2.1): what alpha's rows and columns are, and what is found by it."""

from dataclasses import dataclass

from vidnas.nas.derive import derive
from vidnas.nas.genotype import Genotype, edge_sources
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
