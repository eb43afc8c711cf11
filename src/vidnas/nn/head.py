"""What turns the last features of a network into scores."""

import torch
import torch.nn.functional as F
from torch import nn

from vidnas.shapes import Features, Logits


class Head(nn.Module):
    """Mean over time and space, dropout, then a linear layer with bias."""

    def __init__(self, channels: int, num_classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.linear = nn.Linear(channels, num_classes)

    def forward(self, *videos: Features) -> Logits:
        """One score per class, from the channels of all videos."""
        means = [video.mean(dim=(2, 3, 4)) for video in videos]
        features = F.dropout(torch.cat(means, dim=1), self.dropout, self.training)
        return self.linear(features)  # type: ignore[no-any-return]
