"""Which clip comes when, and the DataLoaders that bring them in batches of (videos, labels, indices).

The order and every clip's randomness follow from (seed, epoch, position) alone: neither the number of
workers nor PyTorch's global generator plays a part, and any epoch can be repeated or resumed.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from vidnas.video.clips.datasets import SampleKey, TestClips, TrainClips
from vidnas.video.processes.shortage import require_files, require_shared_memory
from vidnas.video.processes.workers import CONTEXT, require_guard, serve_main, sigterm_held

# What a stream of random numbers is for; keeps the streams of one seed apart.
ORDER, SAMPLE, TEST_ORDER = range(3)
PREFETCHED = 2
"""Batches that each worker makes ahead."""
FILES_OF_A_WORKER = 4


@dataclass(eq=False)
class ShuffledKeys(Sampler[SampleKey]):
    """An endless stream of shuffled passes over all items, cut into epochs of `samples_per_epoch` keys.

    Passes need not end where epochs do, so batches are always full and, over whole passes, every item
    is visited equally often. With `repeats` every item comes so many times in a row,
    each with a randomness of its own (repeated augmentation, Hoffer et al., 2020): an epoch is as long and
    has fewer items. Starts at epoch 0; call `go_to` before every other one.

    Of several processes that train together, the one numbered `rank` takes every `num_ranks`-th key of the
    stream: together they see what a single one would, each key once. The workers of a loader share out its
    batches, so that the keys do not depend on their number.
    """

    num_items: int
    _: KW_ONLY
    samples_per_epoch: int
    seed: int
    repeats: int = 1
    rank: int = 0
    num_ranks: int = 1
    epoch: int = field(default=0, init=False)
    first: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        assert self.num_items >= 1 and 0 <= self.rank < self.num_ranks
        assert self.samples_per_epoch % self.num_ranks == 0

    def go_to(self, epoch: int, first: int = 0) -> None:
        """Iterating from now on gives the keys of this epoch, from this rank's one numbered `first` on."""
        self.epoch = epoch
        self.first = first

    def __len__(self) -> int:
        return self.samples_per_epoch // self.num_ranks

    def __iter__(self) -> Iterator[SampleKey]:
        epoch, start = self.epoch, self.epoch * self.samples_per_epoch
        order: list[int] = []
        number = -1
        for own in range(self.first, len(self)):
            i = own * self.num_ranks + self.rank
            before, (number, position) = number, divmod((start + i) // self.repeats, self.num_items)
            if number != before:
                order = _permutation(self.num_items, self.seed, ORDER, number)
            sample_seed = np.random.SeedSequence((self.seed, SAMPLE, epoch, i))
            yield order[position], int(sample_seed.generate_state(1, np.uint64)[0])


class _Loader(DataLoader[Any]):
    """A DataLoader whose workers outlive SIGTERM from their first instant on."""

    def __iter__(self) -> Any:
        with sigterm_held():
            return super().__iter__()


def train_loader(
    dataset: TrainClips,
    *,
    batch_size: int,
    samples_per_epoch: int | None = None,
    seed: int,
    workers: int,
    repeats: int = 1,
    rank: int = 0,
    num_ranks: int = 1,
) -> DataLoader[Any]:
    """Shuffled full batches; `loader.sampler` is the ShuffledKeys whose position is to be set.

    An epoch has `samples_per_epoch` clips, a multiple of the ranks' batches together; None: the fewest
    batches with room for every item.
    """
    together = batch_size * num_ranks
    if samples_per_epoch is None:
        samples_per_epoch = -(-len(dataset) // together) * together
    assert samples_per_epoch % together == 0
    keys = ShuffledKeys(
        len(dataset),
        samples_per_epoch=samples_per_epoch,
        seed=seed,
        repeats=repeats,
        rank=rank,
        num_ranks=num_ranks,
    )
    return _loader(dataset, keys, batch_size=batch_size, workers=workers)


def of_epoch(loader: DataLoader[Any], epoch: int, *, first_batch: int = 0) -> DataLoader[Any]:
    """A training loader, set to the batches of this epoch from `first_batch` on (both from 0)."""
    assert isinstance(loader.sampler, ShuffledKeys) and loader.batch_size is not None
    loader.sampler.go_to(epoch, first_batch * loader.batch_size)
    return loader


def test_loader(
    dataset: TestClips,
    *,
    batch_size: int,
    workers: int,
    order_seed: int | None = None,
    rank: int = 0,
    num_ranks: int = 1,
) -> DataLoader[Any]:
    """Every item exactly once, of several ranks by one of them, the last batch perhaps smaller.

    Items come as they are listed or, with an `order_seed`, in one fixed shuffled order that mixes the
    classes: a supernet's batch statistics depend on who shares a batch.
    """
    order = list(range(len(dataset)))
    if order_seed is not None:
        order = _permutation(len(dataset), order_seed, TEST_ORDER, 0)
    return _loader(dataset, order[rank::num_ranks], batch_size=batch_size, workers=workers)


def _loader(
    dataset: TrainClips | TestClips, order: ShuffledKeys | list[int], *, batch_size: int, workers: int
) -> DataLoader[Any]:
    if workers > 0:
        require_guard()
        _require_room(dataset, min(batch_size, len(order)), workers)
    # Workers compute with one thread each: PyTorch sets it, and the decoder is told to.
    return _Loader(
        dataset,
        batch_size=batch_size,
        sampler=order,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=serve_main,
        multiprocessing_context=CONTEXT if workers > 0 else None,
        prefetch_factor=PREFETCHED if workers > 0 else None,
        pin_memory=torch.cuda.is_available(),
        # Without its own generator, each iteration would draw from PyTorch's global one.
        generator=torch.Generator(),
    )


def _require_room(dataset: TrainClips | TestClips, batch_size: int, workers: int) -> None:
    """UserError where the machine or the shell allows too little for so many workers.

    At most their batches and the one in use are on the way; each is a file for its clips, its labels and its
    indices.
    """
    num_batches = PREFETCHED * workers + 1
    require_shared_memory(num_batches * batch_size * dataset.item_bytes)
    require_files(num_batches * 3 + FILES_OF_A_WORKER * workers)


def _permutation(length: int, seed: int, stream: int, number: int) -> list[int]:
    generator = np.random.default_rng(np.random.SeedSequence((seed, stream, number)))
    return [int(index) for index in generator.permutation(length)]
