"""Clips -> probabilities, batch by batch."""

from collections.abc import Iterable, Iterator
from itertools import islice

import torch
from torch import nn

from vidnas.shapes import Clip
from vidnas.training.loop import Batch, Precision, evaluate_epoch

Probabilities = tuple[float, ...]
"""One per class, in the order of the classes."""


def classify(
    network: nn.Module, clips: Iterable[Clip], precision: Precision, *, max_clips: int
) -> list[Probabilities]:
    """The probabilities of each of at least one clip, of which only `max_clips` are held at a time."""
    scores = evaluate_epoch(network, _batches(clips, max_clips), precision, max_clips=max_clips).scores
    return [tuple(row) for row in scores.double().exp().tolist()]


def _batches(clips: Iterable[Clip], size: int) -> Iterator[Batch]:
    """Batches as an evaluation takes them: one view a clip; of labels and indices there are none to know."""
    remaining = iter(clips)
    while batch := list(islice(remaining, size)):
        unknown = torch.zeros(len(batch), dtype=torch.int64)
        yield torch.stack(batch).unsqueeze(1), unknown, unknown
