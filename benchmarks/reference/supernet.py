"""The plain supernet: an op call for every edge and primitive of every cell."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reference import parts
from reference.ops import Activation, build_candidate, search_norm
from vidnas.nas.genotype import edge_sources
from vidnas.nas.network import CellPlan, plan_cells
from vidnas.nas.primitives import PRIMITIVES


class MixedOp(nn.Module):
    """One edge: the weighted sum of one op per primitive."""

    def __init__(self, channels: int, primitives: Sequence[str], activation: Activation) -> None:
        super().__init__()
        self.ops = nn.ModuleList(build_candidate(name, channels, activation) for name in primitives)

    def forward(self, video: Tensor, mixing: Tensor) -> Tensor:
        """Sum of mixing[j] x op j of the input."""
        total: Tensor = mixing[0] * self.ops[0](video)
        for j in range(1, len(self.ops)):
            total = total + mixing[j] * self.ops[j](video)
        return total


class SearchCell(nn.Module):
    """An edge from every source to every later node."""

    def __init__(
        self, channels: int, num_nodes: int, primitives: Sequence[str], activation: Activation
    ) -> None:
        super().__init__()
        self.num_nodes = num_nodes
        self.edges = nn.ModuleList(MixedOp(channels, primitives, activation) for _ in edge_sources(num_nodes))

    def forward(self, before_last: Tensor, last: Tensor, mixing: Tensor) -> Tensor:
        """The nodes side by side; row k of `mixing` weights the ops of edge k."""
        states = [before_last, last]
        first_edge = 0
        for _ in range(self.num_nodes):
            node = self.edges[first_edge](states[0], mixing[first_edge])
            for i in range(1, len(states)):
                node = node + self.edges[first_edge + i](states[i], mixing[first_edge + i])
            first_edge += len(states)
            states.append(node)
        return torch.cat(states[2:], dim=1)


class AdaptedCell(nn.Module):
    """A search cell behind the adapters of its two inputs."""

    def __init__(
        self, plan: CellPlan, num_nodes: int, primitives: Sequence[str], activation: Activation
    ) -> None:
        super().__init__()
        self.adapters = parts.adapters(plan, activation, search_norm)
        self.cell = SearchCell(plan.channels, num_nodes, primitives, activation)

    def forward(self, before_last: Tensor, last: Tensor, mixing: Tensor) -> Tensor:
        """Output of the cell."""
        output: Tensor = self.cell(self.adapters[0](before_last), self.adapters[1](last), mixing)
        return output


class PlainSupernet(nn.Module):
    """vidnas's Supernet, module by module: the same arguments, parameters and function."""

    def __init__(
        self,
        num_classes: int,
        *,
        num_cells: int = 3,
        first_channels: int = 4,
        num_nodes: int = 4,
        stem_stride: int = 1,
        primitives: Sequence[str] = tuple(PRIMITIVES),
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        plans = plan_cells(num_cells, first_channels, num_nodes)
        self.alpha = nn.Parameter(1e-3 * torch.randn(len(edge_sources(num_nodes)), len(primitives)))
        self.stem = parts.stem(first_channels, stem_stride, search_norm)
        self.cells = nn.ModuleList(AdaptedCell(plan, num_nodes, primitives, activation) for plan in plans)
        self.head = parts.Head(plans[-1].channels * num_nodes, num_classes)

    def forward(self, video: Tensor, mixing: Tensor | None = None) -> Tensor:
        """Logits of a batch. `mixing` replaces the softmax of alpha over primitives."""
        if mixing is None:
            mixing = self.alpha.softmax(dim=-1)
        before_last = last = self.stem(video)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last, mixing)
        logits: Tensor = self.head(last)
        return logits

    def alphas(self) -> dict[str, nn.Parameter]:
        """The architecture parameters, by name."""
        return {"alpha": self.alpha}

    def weights(self) -> dict[str, Tensor]:
        """Every parameter but alpha, by name."""
        return {name: p for name, p in self.named_parameters() if p is not self.alpha}
