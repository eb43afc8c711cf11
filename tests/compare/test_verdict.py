"""What numbers say against a result, and that they say nothing against sound ones."""

import json
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidnas.compare.rows import Row
from vidnas.compare.verdict import chance, describe_chance, judge_alpha, judge_test
from vidnas.nas.genotype import Edge, Genotype, all_skip_genotype, load_genotype, random_genotype
from vidnas.nas.primitives import PRIMITIVES
from vidnas.runs.finished import SeedRun
from vidnas.training.scores import Scores, scores_from

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def scores_of(confusion: list[list[int]], interval: tuple[float, float]) -> Scores:
    counts = np.array(confusion)
    sizes = counts.sum(axis=1)
    per_class = tuple(counts[i, i] / size if size else None for i, size in enumerate(sizes.tolist()))
    present = [share for share in per_class if share is not None]
    return Scores(
        top1=float(np.trace(counts) / counts.sum()), top5=1.0, top5_k=min(5, len(sizes)),
        balanced_accuracy=statistics.fmean(present), per_class=per_class,
        confusion=tuple(tuple(row) for row in confusion), interval=interval,
        num_clips=int(counts.sum()), num_groups=30,
    )  # fmt: skip


def even(num_classes: int, right: int, wrong: int, interval: tuple[float, float]) -> Scores:
    """Every class has `right` clips that are right, and `wrong` taken for each other class."""
    rows = [[right if i == j else wrong for j in range(num_classes)] for i in range(num_classes)]
    return scores_of(rows, interval)


def kinds(scores: Scores, train: float | None) -> list[str]:
    return [finding.kind for finding in judge_test(scores, train)]


def test_a_classifier_below_chance_that_has_learnt_its_training_clips_is_told_in_full() -> None:
    (finding,) = judge_test(even(6, 3, 4, (0.05, 0.19)), 0.71)
    assert finding.kind == "guesses"
    said = finding.about("The network", "vidnas train")
    assert said.startswith("The network cannot be told from guessing: 13.0% of the test videos right")
    for part in (
        "95 % interval 5.0% to 19.0%",
        "chance is 16.7%",
        "of its training clips it gets 71.0%",
        "Likely causes, in this order: other places, people or light in the test than in training;",
    ):
        assert part in said
    assert said.endswith(": vidnas train")


@pytest.mark.parametrize(("low", "told"), [(0.25, True), (0.26, False)])
def test_guessing_is_judged_by_the_interval(low: float, told: bool) -> None:
    assert kinds(even(4, 6, 2, (low, 0.6)), 0.6) == (["guesses"] if told else [])


def test_of_a_good_accuracy_on_a_small_test_the_size_is_the_likely_cause() -> None:
    (finding,) = judge_test(scores_of([[2, 0], [1, 1]], (0.25, 1.0)), 0.9)
    assert finding.kind == "guesses"
    assert finding.causes[0] == "a test too small to tell (4 videos, 30 groups)"


@pytest.mark.parametrize(("groups", "told"), [(4, True), (9, True), (10, False)])
def test_below_chance_the_size_is_a_likely_cause_of_few_groups_alone(groups: int, told: bool) -> None:
    (finding,) = judge_test(replace(even(6, 3, 4, (0.05, 0.3)), num_groups=groups), 0.71)
    assert finding.causes[0].startswith("a test too small to tell (138 videos, ") == told


@pytest.mark.parametrize("train", [0.1, 0.71])
def test_wrong_labels_are_a_likely_cause_of_guessing_and_of_learning_nothing(train: float) -> None:
    (finding,) = judge_test(even(6, 3, 4, (0.05, 0.3)), train)
    assert finding.causes[-1] == "labels that do not fit the videos (look at clips.png)"


@pytest.mark.parametrize(("train", "kind"), [(0.24, "learnt nothing"), (0.26, "guesses"), (None, "guesses")])
def test_who_is_no_better_on_training_clips_has_learnt_nothing(train: float | None, kind: str) -> None:
    assert kinds(even(5, 4, 4, (0.1, 0.3)), train) == [kind]


def test_training_clips_blended_beyond_recognition_say_nothing_against_a_good_test() -> None:
    assert kinds(even(5, 16, 1, (0.7, 0.9)), 0.21) == []


@pytest.mark.parametrize(("high", "told"), [(0.59, True), (0.61, False)])
def test_a_test_far_below_training_is_told_beyond_interval_and_margin(high: float, told: bool) -> None:
    # Between 20 % by chance and 100 % in training lies 60 %.
    assert kinds(even(5, 10, 2, (0.5, high)), 1.0) == (["learnt by heart"] if told else [])


def test_without_a_training_accuracy_only_the_test_is_judged() -> None:
    assert kinds(even(5, 10, 2, (0.5, 0.55)), None) == []


def test_one_answer_for_nearly_everything_is_told_by_its_class() -> None:
    found = judge_test(
        scores_of([[19, 1, 0], [19, 1, 0], [19, 0, 1]], (0.3, 0.5)), 0.5, ("run", "walk", "jump")
    )
    assert [finding.kind for finding in found] == ["guesses", "one answer"]
    assert found[1].sentence == "answers run for 95.0% of the test videos, of which 33.3% are it."
    unnamed = judge_test(scores_of([[19, 1], [19, 1]], (0.3, 0.6)), 0.5)[-1]
    assert unnamed.sentence.startswith("answers class 0 for 95.0%")


def test_one_answer_is_right_where_nearly_all_are_of_that_class() -> None:
    assert kinds(scores_of([[90, 2], [1, 7]], (0.93, 1.0)), 0.99) == []


def test_of_uneven_classes_chance_is_the_largest_class() -> None:
    always_the_largest = scores_of([[80, 0], [20, 0]], (0.72, 0.88))
    assert chance(always_the_largest) == 0.8
    assert describe_chance(always_the_largest) == (
        "chance 80.0% (always the largest class), of the balanced accuracy 50.0%"
    )
    guesses, one_answer = judge_test(always_the_largest, 0.95)
    assert one_answer.kind == "one answer"
    assert "always answering the largest class gets 80.0%" in guesses.sentence


def test_who_knows_the_small_classes_too_does_not_guess() -> None:
    # 76 % are right, less than the largest class is, but of either class three quarters.
    assert kinds(scores_of([[61, 19], [5, 15]], (0.68, 0.84)), 0.9) == []


def test_a_class_without_test_videos_makes_chance_even() -> None:
    """All videos of a class are of it: always answering that class is then no guess."""
    some = scores_of([[30, 10, 0], [0, 0, 0], [0, 0, 0]], (0.6, 0.9))
    assert chance(some) == pytest.approx(1 / 3)
    assert kinds(some, 0.8) == []


def test_even_classes_have_one_chance_for_either_metric() -> None:
    assert describe_chance(even(8, 3, 1, (0.2, 0.4))) == "chance 12.5%"


def documented_rows() -> Iterator[tuple[str, Row, tuple[str, ...]]]:
    for path in sorted((RESULTS / "table2").glob("*.json")):
        record = json.loads(path.read_text())
        for row in record.get("rows", ()):
            yield f"{path.stem}: {row['name']}", _row(row), tuple(record["classes"])


def _row(record: dict[str, Any]) -> Row:
    runs = tuple(
        SeedRun(
            **{**run, "scores": scores_from(run["scores"])}, videos=(), right=(), groups=()
        )
        for run in record["runs"]
    )  # fmt: skip
    own = {name: record[name] for name in ("name", "accuracy", "spread", "difference")}
    low, high = record["interval"]
    return Row(**own, runs=runs, cost=None, failures=(), interval=(low, high), difference_interval=None)


UNSOUND = {
    "table: stc-resnet-101": ["guesses", "one answer"],
    "time-lowest-rate: c3d-8": ["guesses"],
}
"""Of the documented rows those whose interval covers chance, as docs/results.md says of them."""


def test_of_the_documented_results_those_at_chance_are_told_and_no_others() -> None:
    rows = list(documented_rows())
    assert len(rows) > 30
    found = {name: [one.kind for one in row.findings(classes)] for name, row, classes in rows}
    assert {name: told for name, told in found.items() if told} == UNSOUND
    for name, row, _ in rows:
        for run in row.runs:
            assert bool(kinds(run.scores, run.train_accuracy)) == (name in UNSOUND)


@pytest.mark.parametrize("name", ["searched", "random-0", "random-1", "random-2", "single-frame"])
def test_nothing_is_said_against_the_other_documented_trainings(name: str) -> None:
    record = json.loads((RESULTS / "ucf101_5" / f"{name}.json").read_text())
    assert kinds(scores_from(record["scores"]), record["train_accuracy"]) == []


def test_nothing_is_said_against_the_demo_s_network_however_well_it_trains() -> None:
    record = json.loads((RESULTS / "demo.json").read_text())["searched"]
    assert kinds(scores_of(record["confusion"], tuple(record["interval"])), 1.0) == []


NAMES = tuple(PRIMITIVES)


def mixing(**shares: float) -> list[list[float]]:
    """Every edge's, the rest shared by the other primitives."""
    rest = (1 - sum(shares.values())) / (len(PRIMITIVES) - len(shares))
    return [[shares.get(name, rest) for name in PRIMITIVES]] * 14


@pytest.mark.parametrize(("largest", "told"), [(0.125, True), (0.13, True), (0.14, False), (0.159, False)])
def test_alpha_that_hardly_moved_is_told(largest: float, told: bool) -> None:
    """The demo's alpha has 15.9 % in the epoch that it chooses, and 13.9 % after its first."""
    found = judge_alpha(mixing(conv_3=largest), NAMES, random_genotype(0))
    assert [finding.kind for finding in found] == (["alpha still"] if told else [])
    if told:
        assert "12.5%" in found[0].sentence


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({"skip": 0.1, "none": 0.71}, True),
        ({"skip": 0.08, "none": 0.60, "conv_1": 0.15}, False),  # docs/results.md, epoch 44
        ({"skip": 0.45, "none": 0.45}, True),
    ],
)
def test_alpha_that_is_nearly_all_skip_and_none_is_told(shares: dict[str, float], told: bool) -> None:
    found = judge_alpha(mixing(**shares), NAMES, random_genotype(0))
    assert [finding.kind for finding in found] == (["alpha collapsed"] if told else [])


def test_a_cell_of_skips_is_told() -> None:
    (finding,) = judge_alpha(mixing(skip=0.3), NAMES, all_skip_genotype())
    assert finding.kind == "alpha collapsed"
    assert "8 of its cell's 8 ops are skips" in finding.sentence


def test_a_cell_with_some_skips_is_not() -> None:
    nodes = tuple((Edge(0, "skip" if i < 2 else "conv_1"), Edge(1, "conv_3")) for i in range(4))
    assert judge_alpha(mixing(skip=0.3), NAMES, Genotype(nodes)) == ()


def test_no_documented_search_is_told() -> None:
    for path in (RESULTS / "table2" / "genotypes").glob("*.json"):
        assert (
            judge_alpha(mixing(none=0.6, skip=0.08), NAMES, load_genotype(path)) == ()
        )  # as in its last epoch
