"""A trained network on clips that come one by one."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from vidnas.shapes import Clip
from vidnas.training.classify import Classifier
from vidnas.training.loop import Precision
from vidnas.video.clips.sampling import even_indices


class FirstPixel(nn.Module):
    """Logits: 0 and the first pixel. Remembers its batches' sizes, and must not be in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, video: Tensor) -> Tensor:
        assert not self.training
        self.sizes.append(len(video))
        return torch.stack([torch.zeros(len(video)), video[:, 0, 0, 0, 0]], dim=1)


def classifier(network: nn.Module, *, single_frame: bool = False) -> Classifier:
    return Classifier(
        network,
        ("a", "b"),
        Precision(torch.device("cpu")),
        size_px=4,
        segments=2,
        frames_per_segment=3,
        single_frame=single_frame,
        max_clips=2,
    )


def test_clips_are_computed_in_batches_and_keep_their_order() -> None:
    network, made = FirstPixel(), []

    def clips() -> Iterator[Clip]:
        for number in range(5):
            assert number - sum(network.sizes) < 2  # no more than a batch is ever asked for
            made.append(number)
            yield torch.full((3, 6, 4, 4), float(number))

    rows = classifier(network)(clips())
    assert network.sizes == [2, 2, 1]
    for number, row in enumerate(rows):
        assert row == pytest.approx(torch.tensor([0.0, number]).softmax(0).tolist())


@pytest.mark.parametrize("num_frames", [1, 5, 100])
def test_a_clip_is_the_even_one_of_the_evaluation(num_frames: int) -> None:
    assert classifier(FirstPixel()).frame_numbers(num_frames) == even_indices(num_frames, 2, 3)


@pytest.mark.parametrize(("num_frames", "middle"), [(1, 0), (5, 2), (100, 50)])
def test_a_single_frame_control_sees_the_middle_frame_alone(num_frames: int, middle: int) -> None:
    assert classifier(FirstPixel(), single_frame=True).frame_numbers(num_frames) == [middle] * 6
