"""Loaders: who comes when, the same whatever the number of workers."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from vidnas.video.clips import datasets, loaders
from vidnas.video.clips.cache import FrameCache, can_share
from vidnas.video.clips.datasets import SampleKey, TestClips, TrainClips
from vidnas.video.clips.loaders import ShuffledKeys, of_epoch, train_loader
from vidnas.video.items import Item

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

SHAPE: dict[str, Any] = dict(size_px=32, segments=4, frames_per_segment=2, single_frame=False)
LENGTHS = (20, 12, 9, 15, 30)


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory, write_video: Callable[..., Path]) -> list[Item]:
    folder = tmp_path_factory.mktemp("videos")
    paths = [write_video(folder / f"{length}.avi", length) for length in LENGTHS]
    return [Item(path, label, None) for label, path in enumerate(paths)]


@pytest.fixture
def trained(items: list[Item]) -> TrainClips:
    return TrainClips(items, LENGTHS, **SHAPE, flip=True)


@pytest.fixture
def tested(items: list[Item]) -> TestClips:
    return TestClips(items, LENGTHS, **SHAPE)


class ThreadCounts(TrainClips):
    """Says in place of a clip how many threads PyTorch may use, and which process it runs in."""

    def __getitem__(self, key: SampleKey) -> tuple[torch.Tensor, int, int]:
        return torch.tensor(float(torch.get_num_threads())), os.getpid(), key[0]


def epoch_of(loader: DataLoader[Any], epoch: int, first_batch: int = 0) -> list[Batch]:
    return [tuple(batch) for batch in of_epoch(loader, epoch, first_batch=first_batch)]


def same(first: list[Batch], second: list[Batch]) -> bool:
    pairs = [pair for batches in zip(first, second, strict=True) for pair in zip(*batches, strict=True)]
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_cache_changes_no_batch(
    items: list[Item], trained: TrainClips, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if workers and not can_share():
        pytest.skip("processes do not begin as copies here")
    cache = FrameCache((item.path for item in items), 10**8, shared=workers > 0)
    clips = TrainClips(items, LENGTHS, **SHAPE, flip=True, cache=cache)
    plain = train_loader(trained, batch_size=2, seed=5, workers=0)
    loader = train_loader(clips, batch_size=2, seed=5, workers=workers)
    for epoch in range(3):
        assert same(epoch_of(loader, epoch), epoch_of(plain, epoch))
    monkeypatch.setattr(datasets, "read_frames", None)  # the workers have left all of them here
    assert len({clips[index, 0][0].sum().item() for index in range(len(items))}) > 1


def order_of(batches: list[Batch]) -> list[int]:
    return [index for _, _, indices in batches for index in indices.tolist()]


@pytest.mark.parametrize(("num_items", "samples_per_epoch"), [(10, 10), (10, 16), (10, 4), (7, 30), (1, 3)])
def test_epochs_continue_one_stream_of_whole_passes(num_items: int, samples_per_epoch: int) -> None:
    stream = []
    for epoch in range(num_items):
        keys = ShuffledKeys(num_items, samples_per_epoch=samples_per_epoch, seed=3)
        keys.go_to(epoch)
        assert len(keys) == samples_per_epoch == len(list(keys))
        stream += [index for index, _ in keys]
    passes = [stream[start : start + num_items] for start in range(0, len(stream), num_items)]
    assert len(passes) == samples_per_epoch
    assert all(sorted(one) == list(range(num_items)) for one in passes)
    if num_items > 1:
        assert len({tuple(one) for one in passes}) == len(passes)
    assert set(Counter(stream).values()) == {samples_per_epoch}


def test_every_sample_has_a_seed_of_its_own() -> None:
    seeds = []
    for seed in (0, 1):
        keys = ShuffledKeys(10, samples_per_epoch=16, seed=seed)
        for epoch in range(20):
            keys.go_to(epoch)
            seeds += [sample_seed for _, sample_seed in keys]
    assert len(set(seeds)) == len(seeds) == 640


def test_keys_follow_from_seed_and_epoch() -> None:
    keys, again, other = (ShuffledKeys(10, samples_per_epoch=16, seed=seed) for seed in (4, 4, 5))
    assert list(keys) == list(keys) == list(again)
    assert [index for index, _ in keys] != [index for index, _ in other]
    again.go_to(1)
    assert list(keys) != list(again)


@pytest.mark.parametrize(("num_items", "samples_per_epoch"), [(10, 10), (10, 16), (10, 4), (7, 30), (1, 3)])
def test_an_epoch_goes_on_from_any_key(num_items: int, samples_per_epoch: int) -> None:
    """Wherever the passes over the items begin and end."""
    keys = ShuffledKeys(num_items, samples_per_epoch=samples_per_epoch, seed=3)
    for epoch in range(num_items):
        keys.go_to(epoch)
        whole = list(keys)
        for first in range(samples_per_epoch + 1):
            keys.go_to(epoch, first)
            assert list(keys) == whole[first:]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_epoch_goes_on_from_any_batch_and_the_next_one_is_whole(trained: TrainClips, workers: int) -> None:
    loader = train_loader(trained, batch_size=2, seed=0, workers=workers)
    epochs = [epoch_of(train_loader(trained, batch_size=2, seed=0, workers=0), epoch) for epoch in (0, 1)]
    for first in (1, 2, 3):
        assert same(epoch_of(loader, 0, first), epochs[0][first:])
    assert same(epoch_of(loader, 1), epochs[1])
    assert len(of_epoch(loader, 0, first_batch=2)) == 3, "an epoch's length, also where a part is left"


def test_batches_do_not_depend_on_the_number_of_workers(trained: TrainClips) -> None:
    alone = train_loader(trained, batch_size=2, seed=0, workers=0)
    helped = train_loader(trained, batch_size=2, seed=0, workers=2)
    epochs = [epoch_of(alone, epoch) for epoch in range(2)]
    assert all(same(epochs[epoch], epoch_of(helped, epoch)) for epoch in range(2))
    assert not same(*epochs)
    # Back to the first epoch, as after a resumption.
    assert same(epochs[0], epoch_of(helped, 0))
    assert not same(epochs[0], epoch_of(train_loader(trained, batch_size=2, seed=1, workers=0), 0))


def test_an_epoch_abandoned_midway_leaves_the_next_one_whole(trained: TrainClips) -> None:
    loader = train_loader(trained, batch_size=1, seed=0, workers=1)
    expected = epoch_of(loader, 0)
    for _ in loader:
        break
    assert same(expected, epoch_of(loader, 0))


@pytest.mark.parametrize(
    ("batch_size", "samples_per_epoch", "num_batches"), [(2, None, 3), (5, None, 1), (8, None, 1), (3, 12, 4)]
)
def test_training_batches_are_always_full(
    trained: TrainClips, batch_size: int, samples_per_epoch: int | None, num_batches: int
) -> None:
    loader = train_loader(
        trained, batch_size=batch_size, samples_per_epoch=samples_per_epoch, seed=0, workers=0
    )
    batches = epoch_of(loader, 2)
    assert len(batches) == len(loader) == num_batches
    for videos, labels, indices in batches:
        assert videos.shape == (batch_size, 3, 8, 32, 32)
        assert labels.tolist() == indices.tolist()
        assert videos.dtype == torch.uint8 and labels.dtype == torch.int64


def test_an_epoch_of_unfilled_batches_is_refused(trained: TrainClips) -> None:
    with pytest.raises(AssertionError):
        train_loader(trained, batch_size=4, samples_per_epoch=6, seed=0, workers=0)


def test_loading_leaves_the_global_generators_alone(trained: TrainClips, tested: TestClips) -> None:
    before, numpy_before = torch.get_rng_state(), str(np.random.get_state())
    for loader in (
        train_loader(trained, batch_size=2, seed=0, workers=0),
        loaders.test_loader(tested, batch_size=2, workers=0, order_seed=1),
    ):
        list(loader)
    assert torch.equal(before, torch.get_rng_state())
    assert numpy_before == str(np.random.get_state())


@pytest.mark.parametrize("workers", [0, 2])
def test_testing_takes_every_item_once_in_the_listed_order(tested: TestClips, workers: int) -> None:
    batches = list(loaders.test_loader(tested, batch_size=2, workers=workers))
    assert [len(videos) for videos, _, _ in batches] == [2, 2, 1]
    assert batches[0][0].shape == (2, 1, 3, 8, 32, 32)
    assert order_of(batches) == [0, 1, 2, 3, 4]
    assert [label for _, labels, _ in batches for label in labels.tolist()] == [0, 1, 2, 3, 4]


def test_an_order_seed_mixes_the_items_the_same_way_each_time(tested: TestClips) -> None:
    loader = loaders.test_loader(tested, batch_size=2, workers=0, order_seed=0)
    order = order_of(list(loader))
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order != [0, 1, 2, 3, 4]
    assert order_of(list(loader)) == order
    orders = [
        order_of(list(loaders.test_loader(tested, batch_size=5, workers=0, order_seed=seed)))
        for seed in range(4)
    ]
    assert orders[0] == order
    assert len({tuple(one) for one in orders}) > 1


def test_workers_compute_with_one_thread_and_stay_between_epochs(items: list[Item]) -> None:
    clips = ThreadCounts(items, LENGTHS, **SHAPE, flip=False)
    loader = train_loader(clips, batch_size=1, seed=0, workers=1)
    counts = [(videos.item(), labels.item()) for _ in range(2) for videos, labels, _ in loader]
    assert {threads for threads, _ in counts} == {1}
    assert len({process for _, process in counts}) == 1


# Several processes that train together


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("num_items", [5, 24, 29])
def test_ranks_together_see_the_keys_of_a_single_one_each_once(num_items: int, num_ranks: int) -> None:
    single = ShuffledKeys(num_items, samples_per_epoch=48, seed=3)
    ranks = [
        ShuffledKeys(num_items, samples_per_epoch=48, seed=3, rank=rank, num_ranks=num_ranks)
        for rank in range(num_ranks)
    ]
    for epoch in (0, 1, 7):
        for keys in (single, *ranks):
            keys.go_to(epoch)
        own = [list(keys) for keys in ranks]
        assert {len(keys) for keys in own} == {len(ranks[0])} == {48 // num_ranks}
        assert [key for step in zip(*own, strict=True) for key in step] == list(single)
        ranks[0].go_to(epoch, first=4)
        assert list(ranks[0]) == own[0][4:], "a resumed rank goes on with its own"


def test_over_whole_passes_no_clip_is_lost_or_doubled() -> None:
    ranks = [ShuffledKeys(10, samples_per_epoch=20, seed=0, rank=rank, num_ranks=4) for rank in range(4)]
    seen = Counter(index for keys in ranks for index, _ in keys)
    assert seen == dict.fromkeys(range(10), 2)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("num_ranks", [1, 2, 3])
def test_an_evaluation_counts_each_clip_once(tested: TestClips, num_ranks: int, workers: int) -> None:
    seen = [
        index
        for rank in range(num_ranks)
        for _, _, indices in loaders.test_loader(
            tested, batch_size=2, workers=workers, rank=rank, num_ranks=num_ranks
        )
        for index in indices.tolist()
    ]
    assert sorted(seen) == list(range(len(tested)))


def test_an_epoch_has_room_for_every_item_on_all_ranks(trained: TrainClips) -> None:
    loader = train_loader(trained, batch_size=2, seed=0, workers=0, rank=1, num_ranks=3)
    assert loader.sampler.samples_per_epoch % 6 == 0  # type: ignore[attr-defined]
    assert loader.sampler.samples_per_epoch >= len(trained)  # type: ignore[attr-defined]


def test_repeats_bring_each_video_several_times_in_a_row_each_time_otherwise() -> None:
    keys = ShuffledKeys(6, samples_per_epoch=8, seed=0, repeats=2)
    stream = []
    for epoch in range(3):
        keys.go_to(epoch)
        stream += list(keys)
    items, seeds = [item for item, _ in stream], [seed for _, seed in stream]
    assert items[::2] == items[1::2]
    assert [sorted(items[start : start + 12 : 2]) for start in (0, 12)] == [list(range(6))] * 2
    assert len(set(seeds)) == len(seeds)


def test_repeats_do_not_depend_on_where_an_epoch_is_entered() -> None:
    keys = ShuffledKeys(5, samples_per_epoch=9, seed=0, repeats=3)
    keys.go_to(1)
    whole = list(keys)
    keys.go_to(1, 4)
    assert list(keys) == whole[4:]
