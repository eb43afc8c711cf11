"""A trained network on clips that come one by one."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from vidnas.shapes import Clip
from vidnas.training.classify import classify
from vidnas.training.loop import Precision


class FirstPixel(nn.Module):
    """Logits: 0 and the first pixel. Remembers its batches' sizes, and must not be in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, video: Tensor) -> Tensor:
        assert not self.training
        self.sizes.append(len(video))
        return torch.stack([torch.zeros(len(video)), video[:, 0, 0, 0, 0]], dim=1)


def test_clips_are_computed_in_batches_and_keep_their_order() -> None:
    network, made = FirstPixel(), []

    def clips() -> Iterator[Clip]:
        for number in range(5):
            assert number - sum(network.sizes) < 2  # no more than a batch is ever asked for
            made.append(number)
            yield torch.full((3, 6, 4, 4), float(number))

    rows = classify(network, clips(), Precision(torch.device("cpu")), max_clips=2)
    assert network.sizes == [2, 2, 1]
    for number, row in enumerate(rows):
        assert row == pytest.approx(torch.tensor([0.0, number]).softmax(0).tolist())
