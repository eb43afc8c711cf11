import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from vidnas.errors import UserError
from vidnas.shapes import Labels, Logits
from vidnas.training.scores import bootstrap_interval, score


def random_test(num_clips: int, num_classes: int, seed: int = 0) -> tuple[Logits, Labels, list[str]]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(num_classes, (num_clips,), generator=generator)
    logits = torch.randn(num_clips, num_classes, generator=generator)
    logits[torch.arange(num_clips), labels] += 1.5
    return logits, labels, [str(i // 3) for i in range(num_clips)]


@pytest.mark.parametrize("num_classes", [2, 4, 5, 7, 12])
def test_scores_agree_with_counting_by_hand(num_classes: int) -> None:
    logits, labels, groups = random_test(90, num_classes)
    found = score(logits, labels, groups)
    rows = [sorted(range(num_classes), key=lambda c: -row[c]) for row in logits.tolist()]
    truth = labels.tolist()
    assert found.top1 == pytest.approx(np.mean([row[0] == t for row, t in zip(rows, truth, strict=True)]))
    assert found.top5 == pytest.approx(np.mean([t in row[:5] for row, t in zip(rows, truth, strict=True)]))
    assert found.top5_k == min(5, num_classes)
    for true in range(num_classes):
        predicted = [row[0] for row, t in zip(rows, truth, strict=True) if t == true]
        assert found.confusion[true] == tuple(predicted.count(c) for c in range(num_classes))
        assert found.per_class[true] == pytest.approx(predicted.count(true) / len(predicted))
    assert found.balanced_accuracy == pytest.approx(np.mean(np.array(found.per_class, dtype=float)))
    assert (found.num_clips, found.num_groups) == (90, 30)


def test_balanced_accuracy_counts_every_class_alike() -> None:
    labels = torch.tensor([0] * 9 + [1])
    logits = torch.tensor([[1.0, 0.0]] * 10)
    found = score(logits, labels, [str(i) for i in range(10)])
    assert (found.top1, found.balanced_accuracy) == (0.9, 0.5)


def test_a_class_without_clips_has_no_accuracy_and_is_left_out_of_the_mean() -> None:
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 3.0, 9.0]])
    found = score(logits, torch.tensor([0, 2]), ["a", "b"])
    assert found.per_class == (1.0, None, 1.0)
    assert found.balanced_accuracy == 1.0


def test_of_equal_logits_the_lower_class_ranks_first() -> None:
    # So many classes that a sort that is not stable would shuffle them.
    found = score(torch.zeros(100, 100), torch.arange(100), [str(i) for i in range(100)])
    assert found.per_class == (1.0, *[0.0] * 99)
    assert found.top5 == pytest.approx(5 / 100)


def test_half_precision_logits_are_scored() -> None:
    logits = torch.tensor([[0.0, 2.0], [2.0, 0.0]], dtype=torch.bfloat16)
    assert score(logits, torch.tensor([1, 0]), ["a", "b"]).top1 == 1.0


def test_a_network_that_answers_nan_has_no_score() -> None:
    logits = torch.tensor([[0.0, 1.0], [math.nan, 1.0], [math.nan, math.nan]])
    with pytest.raises(UserError, match="not a number for 2 of 3 clips"):
        score(logits, torch.tensor([0, 1, 0]), ["a", "b", "c"])


def test_scores_become_strict_json() -> None:
    logits, labels, groups = random_test(30, 6)
    found = score(logits, labels, groups)
    data = json.loads(json.dumps(dataclasses.asdict(found), allow_nan=False))
    assert data["top1"] == found.top1
    assert data["confusion"] == [list(row) for row in found.confusion]


def test_groups_that_are_all_alike_leave_nothing_to_chance() -> None:
    correct = np.array([True, False] * 10)
    assert bootstrap_interval(correct, [str(i // 2) for i in range(20)], seed=0, resamples=200) == (0.5, 0.5)


def test_the_interval_of_independent_clips_is_the_textbook_one() -> None:
    correct = np.arange(400) < 240
    low, high = bootstrap_interval(correct, [str(i) for i in range(400)], seed=0, resamples=4000)
    half = 1.96 * math.sqrt(0.6 * 0.4 / 400)
    assert [low, high] == pytest.approx([0.6 - half, 0.6 + half], abs=0.006)


def test_clips_that_err_together_widen_the_interval_by_the_square_root_of_their_number() -> None:
    correct = np.repeat(np.arange(40) < 24, 9)
    alone = bootstrap_interval(correct, [str(i) for i in range(360)], seed=0, resamples=4000)
    together = bootstrap_interval(correct, [str(i // 9) for i in range(360)], seed=0, resamples=4000)
    assert (together[1] - together[0]) / (alone[1] - alone[0]) == pytest.approx(3, rel=0.1)


def test_groups_of_unequal_size_count_by_their_clips() -> None:
    # Two groups, 1 clip right and 9 wrong: a draw of two groups gives 1, 0.1 or 0.
    correct = np.array([True] + [False] * 9)
    low, high = bootstrap_interval(correct, ["a"] + ["b"] * 9, seed=0, resamples=2000)
    assert (low, high) == (0.0, 1.0)
    means = {bootstrap_interval(correct, ["a"] + ["b"] * 9, seed=s, resamples=1)[0] for s in range(50)}
    assert means == {0.0, 0.1, 1.0}


def test_the_interval_is_a_function_of_the_seed_and_holds_the_accuracy() -> None:
    logits, labels, groups = random_test(90, 5)
    found = score(logits, labels, groups, seed=3)
    assert found == score(logits, labels, groups, seed=3)
    assert found.interval != score(logits, labels, groups, seed=4).interval
    assert found.interval[0] < found.top1 < found.interval[1]
