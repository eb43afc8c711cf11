"""The page of a comparison."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidnas.compare.rows import Comparison
from vidnas.report.pages.comparison import in_points, render_comparison
from vidnas.runs.read import read_run

MakeRun = Callable[..., Path]


@pytest.fixture
def render(
    comparison: Comparison, make_training: MakeRun, parsed: Callable[[str], Any]
) -> Callable[..., Any]:
    """The parsed page of the comparison."""
    run = read_run(make_training())

    def page(of: Comparison = comparison, *, paper: bool = False) -> Any:
        runs = {one.run: run for row in of.rows for one in row.runs}
        return parsed(render_comparison(of, runs, paper=paper))

    return page


def table(text: str) -> str:
    """Text whose columns are not apart."""
    return re.sub(r"[ \n]+", "", text)


def test_a_row_has_accuracy_spread_interval_cost_and_links_to_its_runs(render: Callable[..., Any]) -> None:
    page = render()
    text = table(page.text)
    assert "60.0\u202f%±2.0" in text
    assert "40.0to80.0\u202f%57.7\u202f%" in text
    assert "666\u202fk2.66\u202fMB8.00\u202fMB910\u202fM12.3±0.4\u202fms" in text
    assert page.all("a", href="runs/c3d/seed-1/report.html")
    assert "Fiveclasses,chance50.0%." in text


def test_a_difference_whose_interval_excludes_0_has_a_sign_that_is_no_colour(
    render: Callable[..., Any],
) -> None:
    text = table(render().text)
    assert "−20.0(−30.0to−10.0)*" in text
    assert "+5.0(−5.0to+15.0)90" in text  # no sign before the next column


def test_a_network_that_only_guesses_comes_with_a_notice(
    comparison: Comparison, make_training: MakeRun, parsed: Callable[[str], Any]
) -> None:
    run = read_run(make_training())
    runs = {one.run: run for row in comparison.rows for one in row.runs}
    assert "learnt nothing" not in parsed(render_comparison(comparison, runs, paper=False)).text
    first, *others = comparison.rows
    dead = replace(first, runs=tuple(replace(one, train_accuracy=0.01) for one in first.runs))
    changed = replace(comparison, rows=(dead, *others))
    assert "learnt nothing" in parsed(render_comparison(changed, runs, paper=False)).text


def test_the_reference_says_so_and_has_no_difference(render: Callable[..., Any]) -> None:
    assert "searched2seeds:0,160.0\u202f%±2.040.0to80.0\u202f%57.7\u202f%reference" in table(render().text)


def test_a_network_with_one_seed_has_no_spread(render: Callable[..., Any]) -> None:
    assert "x3d-xsseed060.0\u202f%40.0to80.0\u202f%" in table(render().text)


def test_a_network_that_failed_has_a_row_and_a_sentence(render: Callable[..., Any]) -> None:
    page = render()
    text = table(page.text)
    assert "movinet-a0,seed9:nomemory<left>movinet-a0,seed8:nomemory<left>" in text
    assert f"movinet-a02failed{10 * '–'}" in text
    assert page.all("a", href="#failed-4")
    assert page.all("div", id="failed-4")


def test_a_network_of_which_some_trainings_failed_has_its_figures_and_the_sentences(
    render: Callable[..., Any],
) -> None:
    text = table(render().text)
    assert "seed0;1failed60.0\u202f%" in text
    assert "seed9:nomemory<left>" in text.split("50%?#,")[1]


def test_a_name_that_is_not_utf_8_can_be_shown_and_linked(render: Callable[..., Any]) -> None:
    page = render()
    assert "notUTF-8\ufffd,$x_{,50%?#" in table(page.text)
    assert page.all("a", href="runs/not%20UTF-8%20%FF%2C%20%24x_%7B%2C%2050%25%3F%23/seed-0/report.html")
    page.text.encode()


def test_names_are_text_and_never_markup(render: Callable[..., Any]) -> None:
    page = render()
    assert "a<script>alert(1)</script>&verylong" in table(page.text)
    assert not any("alert" in str(element) for element in page.all("script"))


def test_each_cost_has_a_chart_with_every_trained_network(render: Callable[..., Any]) -> None:
    page = render()
    told = [str(svg["aria-label"]) for svg in page.all("svg")]
    for cost in ("parameters", "MACs", "latency"):
        (label,) = [one for one in told if one.startswith(f"Accuracy against {cost}:")]
        assert "c3d" in label
        assert "movinet-a0" not in label


def test_a_latency_of_a_busy_machine_is_marked(comparison: Comparison, render: Callable[..., Any]) -> None:
    assert "msbusymachine" not in table(render().text)
    first, *others = comparison.rows
    assert first.cost is not None
    busy = replace(comparison, rows=(replace(first, cost=replace(first.cost, busy=True)), *others))
    page = render(busy)
    assert table(page.text).count("msbusymachine") == 1
    assert any("latency (busy machine)" in str(svg["aria-label"]) for svg in page.all("svg"))


def test_confusion_is_summed_over_the_seeds(render: Callable[..., Any]) -> None:
    page = render()
    assert "10106" in table(page.text).split("summedovertheseeds")[1]
    assert len(page.all("details")) == 11


def test_the_paper_s_table_stands_there_when_asked_for(render: Callable[..., Any]) -> None:
    assert "58.6" not in render().text
    text = table(render(paper=True).text)
    assert "searched0.67M7.32M58.6\u202f%" in text
    assert "c3d79M305M51.6\u202f%" in text
    assert "101classes;hereare2classes" in text
    assert "c3d:305Mare79.99Mparameters" in text


def test_only_a_searched_network_stands_beside_the_paper_s(
    comparison: Comparison, make_training: MakeRun, parsed: Callable[[str], Any]
) -> None:
    run = read_run(make_training())
    runs = {one.run: run for row in comparison.rows for one in row.runs}
    page = parsed(render_comparison(replace(comparison, reference="c3d", searched=None), runs, paper=True))
    text = table(page.text)
    assert "c3d79M305M51.6\u202f%" in text
    assert "58.6" not in text


def test_it_loads_nothing_and_runs_no_script_but_its_own(render: Callable[..., Any]) -> None:
    page = render(paper=True)
    assert len(page.all("script")) == 1
    assert not any("src" in element for _, element in page.elements)
    assert all(one["href"] == "data:," for one in page.all("link"))


@pytest.mark.parametrize(("share", "text"), [(0.123, "+12.3"), (-0.2, "\u221220.0"), (-0.0001, "0.0")])
def test_points_have_signs_and_no_negative_zero(share: float, text: str) -> None:
    assert in_points(share) == text


def test_of_one_network_nothing_is_said_of_differences(
    comparison: Comparison, render: Callable[..., Any]
) -> None:
    several, one = (render(of).text for of in (comparison, replace(comparison, rows=comparison.rows[:1])))
    for part in ("against no. 1", "reference", "A difference is in points", "all networks in one run"):
        assert part in several
        assert part not in one
    assert "Latency is the median of one clip ± the interquartile range on cpu, 2 threads" in one
