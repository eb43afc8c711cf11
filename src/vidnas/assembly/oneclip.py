"""Batches, or parts of them, of a single clip: refused where a batch norm would have one value of it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count, islice
from typing import TypeVar

from torch import nn

from vidnas.assembly import networks, steps
from vidnas.assembly.architecture import Architecture
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.errors import UsageError, counted
from vidnas.nas.genotype import Genotype
from vidnas.training.single_values import normalizes_single_values

C = TypeVar("C", SearchConfig, TrainConfig)
MOST_DOUBLINGS = 3
"""Of the size of clips, in looking for one that will do."""


def check_training(architecture: Architecture, config: TrainConfig, num_classes: int) -> None:
    """UsageError where a step would be on one clip and the network has a norm with one value per channel."""
    if _smallest_part(config.batch_size, config.accumulate) > 1:
        return
    fewer = (n for n in range(config.accumulate - 1, 0, -1) if _cuts_well(config.batch_size, n))
    larger = (n for n in count(config.batch_size + 1) if _smallest_part(n, config.accumulate) > 1)
    _refuse_single_values(
        lambda clips: networks.build_network(architecture, clips, num_classes),
        config,
        "every step is on"
        if config.accumulate == 1
        else f"with accumulate {config.accumulate} the smallest part of a batch is",
        "the network of this cell" if isinstance(architecture, Genotype) else architecture,
        [*(f"--accumulate {n}" for n in islice(fewer, 1)), *(f"--batch-size {n}" for n in islice(larger, 1))],
    )


def check_search(config: SearchConfig, num_classes: int, num_val: int) -> None:
    """The same of a search that judges its epochs on `num_val` clips, all of them once."""
    last = num_val % config.batch_size
    if config.batch_size > 1 and last != 1:
        return
    larger = (n for n in count(config.batch_size + 1) if num_val % n != 1)
    _refuse_single_values(
        lambda clips: steps.build_supernet(clips, num_classes),
        config,
        "every step is on"
        if config.batch_size == 1
        else f"the last batch of {counted(num_val, 'validation video')} is",
        "the supernet",
        [f"--batch-size {n}" for n in islice(larger, 1)],
    )


def _refuse_single_values(
    build: Callable[[C], nn.Module], config: C, what: str, network: str, remedies: list[str]
) -> None:
    def refused(clips: C) -> bool:
        return normalizes_single_values(lambda: build(clips), steps.clip_shape(clips))

    if not refused(config):
        return
    sizes = (replace(config, size_px=config.size_px << doubling) for doubling in range(1, 1 + MOST_DOUBLINGS))
    fitting = (clips for clips in sizes if not refused(clips))
    remedies += [f"--size-px {clips.size_px}" for clips in islice(fitting, 1)]
    raise UsageError(
        f"batch_size is {config.batch_size}, so {what} one clip, of which {network} makes a single value per "
        f"channel ({steps.describe_clip(config)}); batch norm cannot learn from one. "
        f"Use {' or '.join(remedies)}."
    )


def _cuts_well(batch_size: int, num_parts: int) -> bool:
    """Whether a batch falls into just so many parts, none of them of one clip."""
    size = -(-batch_size // num_parts)
    return -(-batch_size // size) == num_parts and _smallest_part(batch_size, num_parts) > 1


def _smallest_part(batch_size: int, accumulate: int) -> int:
    """Clips of the last part of a batch, as torch.chunk cuts it."""
    size = -(-batch_size // accumulate)
    return batch_size - size * ((batch_size - 1) // size)
