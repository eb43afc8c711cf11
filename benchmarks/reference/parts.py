"""What the plain supernet and the plain network share: stem, adapters, head."""

from torch import Tensor, nn

from reference.ops import Activation, Norm
from vidnas.nas.network import CellPlan


def stem(channels: int, stride: int, norm: Norm) -> nn.Sequential:
    """(1,3,3) convolution and norm; stride 2 halves height and width."""
    filters = nn.Conv3d(3, channels, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False)
    return nn.Sequential(filters, norm(channels))


def adapters(plan: CellPlan, activation: Activation, norm: Norm) -> nn.ModuleList:
    """For each input of a cell: activation, 1x1x1 convolution, strided if need be, and norm."""
    return nn.ModuleList(
        nn.Sequential(
            activation(),
            nn.Conv3d(channels, plan.channels, 1, (1, stride, stride), bias=False),
            norm(plan.channels),
        )
        for channels, stride in plan.inputs
    )


class Head(nn.Module):
    """Mean over time and space, then a linear layer with bias."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, num_classes)

    def forward(self, video: Tensor) -> Tensor:
        """One score per class."""
        logits: Tensor = self.linear(video.mean(dim=(2, 3, 4)))
        return logits
