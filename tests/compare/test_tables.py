"""A comparison as JSON, CSV, Markdown and a console table."""

import csv
import io
import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from vidnas.compare.rows import Comparison, Cost, make_row
from vidnas.compare.tables import as_csv, as_json, as_markdown, as_text
from vidnas.runs.finished import SeedRun
from vidnas.training.scores import score

UNEVEN = (0, 1, 0, 0) * 5
COST = Cost(665_965, 2_663_860, 8_000_000, 910_000_000, 12.34, 0.5)


def a_run(num_right: int, seed: int) -> SeedRun:
    groups = tuple(f"a/g{i // 2}" for i in range(20))
    right = (True,) * num_right + (False,) * (20 - num_right)
    labels = torch.tensor(UNEVEN)
    answers = torch.where(torch.tensor(right), labels, 1 - labels)
    scores = score(nn.functional.one_hot(answers, 2).float(), labels, groups)
    videos = tuple(f"{i}.avi" for i in range(20))
    return SeedRun(seed, f"runs/x/seed-{seed}", scores, 0.95, 90.0, 4, videos, right, groups)


def balanced_accuracy(num_right: int) -> float:
    """Of 15 clips of one class and 5 of another, when the first `num_right` are right."""
    ordered = [UNEVEN[i] for i in range(num_right)]
    return (ordered.count(0) / 15 + ordered.count(1) / 5) / 2


@pytest.fixture
def comparison() -> Comparison:
    searched = [a_run(12, 0), a_run(14, 1)]
    large = replace(COST, parameters=78_409_573)
    rows = (
        make_row("my|search", searched, COST, (), None),
        make_row("c3d", [a_run(8, 0)], large, ("seed 1: no memory",), searched),
        make_row("x3d-xs", [], None, ("seed 0: too small",), searched),
    )
    return Comparison(
        rows, "my|search", "my|search", ("a", "b"), "Ten videos, chance 50.0%.", "cpu, 2 threads"
    )


def test_the_csv_has_a_line_a_network_with_fractions_and_empty_places(comparison: Comparison) -> None:
    first, second, third = csv.DictReader(io.StringIO(as_csv(comparison)))
    assert (first["network"], first["seeds"]) == ("my|search", "0 1")
    assert float(first["accuracy"]) == pytest.approx(0.65)
    balanced = [balanced_accuracy(num_right) for num_right in (12, 14)]
    assert float(first["balanced_accuracy"]) == pytest.approx(sum(balanced) / 2) != 0.65
    assert (first["parameters"], first["checkpoint_bytes"], first["epochs"]) == ("665965", "8000000", "4")
    assert (first["difference"], second["spread"]) == ("", "")
    assert float(second["difference"]) == pytest.approx(-0.2)
    assert (third["accuracy"], third["macs"], third["failures"]) == ("", "", "seed 0: too small")


def test_the_json_holds_every_seed_but_no_single_video(comparison: Comparison) -> None:
    record = json.loads(as_json(comparison))
    assert record["reference"] == "my|search"
    assert [run["seed"] for run in record["rows"][0]["runs"]] == [0, 1]
    assert record["rows"][0]["runs"][0]["scores"]["top1"] == 0.6
    assert "videos" not in record["rows"][0]["runs"][0]


def test_people_read_points_with_the_interval_the_spread_and_the_protocol(comparison: Comparison) -> None:
    for text in (as_text(comparison, paper=False), as_markdown(comparison, paper=False)):
        assert "65.0% ± 7.1% (2 seeds)" in text
        assert "-20.0 (" in text
        assert "balanced accuracy" in text
        assert "78,409,573" in text
        assert "chance 50.0%" in text
        assert "- c3d, seed 1: no memory" in text
        assert "58.6%" not in text


def test_a_latency_measured_on_a_busy_machine_is_marked(comparison: Comparison) -> None:
    rows = [replace(row, cost=row.cost and replace(row.cost, busy=True)) for row in comparison.rows[:1]]
    busy = replace(comparison, rows=(*rows, *comparison.rows[1:]))
    for as_words in (as_text, as_markdown):
        text = as_words(busy, paper=False)
        assert "12.3 ± 0.5 ms (busy machine)" in text
        assert text.count("ms (busy machine)") == 1
        assert "ms (busy machine)" not in as_words(comparison, paper=False)
    first, second, third = csv.DictReader(io.StringIO(as_csv(busy)))
    assert (first["busy_machine"], second["busy_machine"], third["busy_machine"]) == ("1", "0", "")
    assert json.loads(as_json(busy))["rows"][0]["cost"]["busy"] is True


def test_names_cannot_break_the_markdown_table(comparison: Comparison) -> None:
    lines = [line for line in as_markdown(comparison, paper=False).splitlines() if line.startswith("|")]
    assert lines[2].startswith(r"| my\|search |")
    assert {line.replace(r"\|", "").count("|") for line in lines} == {13}


def test_the_paper_s_figures_stand_beside_those_with_its_names_and_the_searched_one(
    comparison: Comparison,
) -> None:
    text = as_text(comparison, paper=True)
    assert "58.6%" in text
    assert "51.6%" in text
    assert "305M are 79.99 M parameters" in text
    assert "101 classes; others' data are not comparable" in text


def test_only_a_searched_network_stands_beside_the_paper_s(comparison: Comparison) -> None:
    text = as_text(replace(comparison, searched=None), paper=True)
    assert "51.6%" in text
    assert "58.6%" not in text


def test_a_row_that_only_guesses_comes_with_a_warning_and_a_way_out(comparison: Comparison) -> None:
    assert "learnt nothing" not in as_text(comparison, paper=False)
    row = comparison.rows[1]
    dead = make_row(row.name, [replace(row.runs[0], train_accuracy=0.5)], row.cost, (), None)
    changed = replace(comparison, rows=(comparison.rows[0], dead))
    for text in (as_text(changed, paper=False), as_markdown(changed, paper=False)):
        assert "c3d has learnt nothing" in text
        assert "--lr" in text


def test_of_one_network_nothing_is_said_of_differences(comparison: Comparison) -> None:
    alone = replace(comparison, rows=comparison.rows[:1])
    for tell in (as_text, as_markdown):
        several, one = (tell(of, paper=False) for of in (comparison, alone))
        for part in ("minus my", "Differences to my|search in points", "all networks in one run"):
            assert part in several
            assert part not in one
        assert "65.0%" in one and "665,965" in one
