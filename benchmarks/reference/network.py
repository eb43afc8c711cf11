"""The plain network of a genotype: an op call for every kept edge."""

import torch
from torch import Tensor, nn

from reference import parts
from reference.ops import Activation, build_op
from vidnas.nas.genotype import Genotype
from vidnas.nas.network import CellPlan, plan_cells


class Cell(nn.Module):
    """Each node sums its kept edges."""

    def __init__(self, genotype: Genotype, channels: int, activation: Activation) -> None:
        super().__init__()
        self.sources = [[edge.source for edge in node] for node in genotype.nodes]
        self.nodes = nn.ModuleList(
            nn.ModuleList(build_op(edge.primitive, channels, activation, nn.BatchNorm3d) for edge in node)
            for node in genotype.nodes
        )

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        """The nodes side by side."""
        states = [before_last, last]
        for sources, ops in zip(self.sources, self.nodes, strict=True):
            assert isinstance(ops, nn.ModuleList)
            node = ops[0](states[sources[0]])
            for i in range(1, len(sources)):
                node = node + ops[i](states[sources[i]])
            states.append(node)
        return torch.cat(states[2:], dim=1)


class AdaptedCell(nn.Module):
    """A cell behind the adapters of its two inputs."""

    def __init__(self, genotype: Genotype, plan: CellPlan, activation: Activation) -> None:
        super().__init__()
        self.adapters = parts.adapters(plan, activation, nn.BatchNorm3d)
        self.cell = Cell(genotype, plan.channels, activation)

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        """Output of the cell."""
        output: Tensor = self.cell(self.adapters[0](before_last), self.adapters[1](last))
        return output


class PlainNetwork(nn.Module):
    """vidnas's Network, module by module: the same arguments, parameters, running statistics and function."""

    def __init__(
        self,
        genotype: Genotype,
        num_classes: int,
        *,
        num_cells: int = 6,
        first_channels: int = 8,
        stem_stride: int = 1,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        num_nodes = len(genotype.nodes)
        plans = plan_cells(num_cells, first_channels, num_nodes)
        self.stem = parts.stem(first_channels, stem_stride, nn.BatchNorm3d)
        self.cells = nn.ModuleList(AdaptedCell(genotype, plan, activation) for plan in plans)
        self.head = parts.Head(plans[-1].channels * num_nodes, num_classes)

    def forward(self, video: Tensor) -> Tensor:
        """Logits of a batch."""
        before_last = last = self.stem(video)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        logits: Tensor = self.head(last)
        return logits
