"""Clips -> probabilities: a trained network, and which clips it takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import nn

from vidnas.shapes import Clip
from vidnas.training.loop import Batch, Precision, evaluate_epoch
from vidnas.video.clips.sampling import even_indices

Probabilities = tuple[float, ...]
"""One per class, in the order of the classes."""


@dataclass(frozen=True)
class Classifier:
    """A trained network on its device, the names of its classes, and the clips that it was tested with.

    `max_clips` are computed at once.
    """

    network: nn.Module
    classes: tuple[str, ...]
    precision: Precision
    size_px: int
    segments: int
    frames_per_segment: int
    single_frame: bool
    max_clips: int

    def frame_numbers(self, num_frames: int) -> list[int]:
        """Which of so many frames, numbered from 0, make the clip: those of `evaluate`'s paper protocol."""
        if self.single_frame:
            return even_indices(num_frames, 1, 1) * (self.segments * self.frames_per_segment)
        return even_indices(num_frames, self.segments, self.frames_per_segment)

    def __call__(self, clips: Iterable[Clip]) -> list[Probabilities]:
        """The probabilities of each of at least one clip, of which only a batch is held at a time."""
        batches = _batches(clips, self.max_clips)
        scores = evaluate_epoch(self.network, batches, self.precision, max_clips=self.max_clips).scores
        return [tuple(row) for row in scores.double().exp().tolist()]


def _batches(clips: Iterable[Clip], size: int) -> Iterator[Batch]:
    """Batches as an evaluation takes them: one view a clip; of labels and indices there are none to know."""
    remaining = iter(clips)
    while batch := list(islice(remaining, size)):
        unknown = torch.zeros(len(batch), dtype=torch.int64)
        yield torch.stack(batch).unsqueeze(1), unknown, unknown
