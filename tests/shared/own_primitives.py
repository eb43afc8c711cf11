"""Primitives that only the tests know, which no fused form computes: one of two stages, and a single op."""

import pytest
import torch
from torch import Tensor, nn

from vidnas.nas.ops import BUILDERS, Activation
from vidnas.nas.primitives import PRIMITIVES, Primitive
from vidnas.nn.norms import norm

OWN = ("own_conv", "later")


def own_conv(channels: int, activation: Activation, batch_stats: bool) -> nn.Module:
    spatial = nn.Conv3d(channels, channels, (1, 5, 5), padding=(0, 2, 2), bias=False)
    temporal = nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0), bias=False)
    return nn.Sequential(
        activation(),
        spatial,
        norm(channels, batch_stats),
        activation(),
        temporal,
        norm(channels, batch_stats),
    )


class Later(nn.Module):
    """Every frame takes the next one's place; the first one is seen twice."""

    def forward(self, video: Tensor) -> Tensor:
        return torch.cat([video[:, :, :1], video[:, :, :-1]], dim=2)


@pytest.fixture
def own_primitives(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Registers them as a newcomer would: a row and a builder each."""
    monkeypatch.setitem(PRIMITIVES, "own_conv", Primitive("5 x 5 convolution, then one over time", "#7a4fbf"))
    monkeypatch.setitem(PRIMITIVES, "later", Primitive("the input, a frame later", "#8c564b"))
    monkeypatch.setitem(BUILDERS, "own_conv", own_conv)
    monkeypatch.setitem(BUILDERS, "later", lambda *_: Later())
    return OWN
