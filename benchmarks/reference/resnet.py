"""3D-ResNet-18 with shortcuts of type B (Hara et al. 2018): 33,255,717 parameters with 101 classes."""

import torch.nn.functional as F
from torch import Tensor, nn


def _conv(channels_in: int, channels: int, kernel: int, stride: int) -> nn.Sequential:
    filters = nn.Conv3d(channels_in, channels, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(filters, nn.BatchNorm3d(channels))


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions and a shortcut: the input, or a strided 1x1x1 convolution of it (type B)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(channels_in, channels, 3, stride)
        self.second = _conv(channels, channels, 3, 1)
        same = stride == 1 and channels_in == channels
        self.shortcut = nn.Identity() if same else _conv(channels_in, channels, 1, stride)

    def forward(self, video: Tensor) -> Tensor:
        """Height, width and frames divided by the stride."""
        return F.relu(self.second(F.relu(self.first(video))) + self.shortcut(video))


class PlainResNet18(nn.Module):
    """7x7x7 convolution of stride (1,2,2), max pool of stride 2, four stages of two blocks, mean, linear."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 64, 7, (1, 2, 2), padding=3, bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(),
            nn.MaxPool3d(3, 2, padding=1),
        )
        blocks: list[nn.Module] = []
        channels_in = 64
        for channels, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            blocks += [BasicBlock(channels_in, channels, stride), BasicBlock(channels, channels, 1)]
            channels_in = channels
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(channels_in, num_classes)

    def forward(self, video: Tensor) -> Tensor:
        """Logits of a batch."""
        logits: Tensor = self.linear(self.blocks(self.stem(video)).mean(dim=(2, 3, 4)))
        return logits
