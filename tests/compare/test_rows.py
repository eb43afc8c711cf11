"""Networks side by side: means, spreads, and differences paired by video."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vidnas.compare.rows import make_row, paired_difference
from vidnas.runs.finished import SeedRun
from vidnas.training.scores import bootstrap_interval, score

GROUPS = tuple(f"a/g{i // 3}" for i in range(60))


def a_run(right: list[bool], *, seed: int = 0) -> SeedRun:
    labels = torch.zeros(len(right), dtype=torch.int64)
    logits = torch.tensor([[1.0, 0.0] if one else [0.0, 1.0] for one in right])
    return SeedRun(
        seed=seed,
        run=f"runs/x/seed-{seed}",
        scores=score(logits, labels, GROUPS),
        train_accuracy=0.9 + seed / 100,
        train_sec=60.0 + seed,
        epochs=5,
        videos=tuple(f"{i}.avi" for i in range(60)),
        right=tuple(right),
        groups=GROUPS,
    )


def random_right(seed: int, share: float) -> list[bool]:
    return [bool(value < share) for value in np.random.default_rng(seed).random(60)]


def test_a_row_is_the_mean_and_the_standard_deviation_over_its_seeds() -> None:
    runs = [a_run([True] * 30 + [False] * 30, seed=0), a_run([True] * 36 + [False] * 24, seed=1)]
    row = make_row("x", runs, None, (), None)
    assert row.accuracy == pytest.approx(0.55)
    assert row.spread == pytest.approx(np.std([0.5, 0.6], ddof=1))
    assert row.train_accuracy == pytest.approx(0.905)
    assert (row.train_sec, row.epochs) == (60.5, 5)
    assert row.difference is None


def test_the_interval_is_that_of_the_mean_over_seeds_by_groups() -> None:
    runs = [a_run(random_right(seed, 0.6), seed=seed) for seed in range(3)]
    row = make_row("x", runs, None, (), None)
    means = np.mean([run.right for run in runs], axis=0)
    assert row.interval == bootstrap_interval(means, GROUPS)
    single = make_row("x", runs[:1], None, (), None)
    assert single.interval == runs[0].scores.interval
    assert single.spread is None


def test_a_difference_is_paired_by_video_over_the_seeds_of_both() -> None:
    own = [a_run(random_right(seed, 0.8), seed=seed) for seed in (0, 1, 2)]
    other = [a_run(random_right(seed + 9, 0.5), seed=seed) for seed in (1, 2, 3)]
    found = paired_difference(own, other)
    assert found is not None
    values = np.mean([own[1].right, own[2].right], axis=0) - np.mean([other[0].right, other[1].right], axis=0)
    assert found[0] == pytest.approx(values.mean())
    assert found[1] == bootstrap_interval(values, GROUPS)


def test_what_is_hard_for_both_makes_the_paired_interval_narrow() -> None:
    base = random_right(0, 0.5)
    better = [*base]
    better[base.index(False)] = True
    found = paired_difference([a_run(better)], [a_run(base)])
    assert found is not None
    assert found[1][1] - found[1][0] < 0.1
    low, high = make_row("x", [a_run(base)], None, (), None).interval or (0, 0)
    assert high - low > 0.2


def test_networks_without_a_common_seed_have_no_difference() -> None:
    assert paired_difference([a_run([True] * 60, seed=0)], [a_run([True] * 60, seed=1)]) is None


def test_a_row_whose_trainings_all_failed_has_a_sentence_and_no_numbers() -> None:
    row = make_row("x", [], None, ["seed 0: no memory"], [a_run([True] * 60)])
    assert (row.accuracy, row.interval, row.difference, row.train_sec) == (None, None, None, None)
    assert row.failures == ("seed 0: no memory",)


@pytest.mark.parametrize(("accuracy", "nothing"), [(0.62, True), (0.63, False), (0.95, False)])
def test_a_network_that_only_guesses_has_learnt_nothing(accuracy: float, nothing: bool) -> None:
    labels = torch.tensor([0] * 30 + [1] * 30)
    logits = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    right = (logits.argmax(dim=1) == labels).tolist()
    run = replace(a_run(right), scores=score(logits, labels, GROUPS), train_accuracy=accuracy)
    assert make_row("c3d", [run], None, (), None).learnt_nothing is nothing


def test_of_a_network_that_did_not_train_nothing_is_said() -> None:
    assert not make_row("x", [], None, ["seed 0: no memory"], None).learnt_nothing
