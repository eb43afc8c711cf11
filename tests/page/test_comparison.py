"""The page of a comparison."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidnas.engine.comparison import Comparison
from vidnas.page.comparison import points, render_comparison
from vidnas.page.run import read_run

MakeRun = Callable[..., Path]


@pytest.fixture
def render(
    comparison: Comparison, make_training: MakeRun, parsed: Callable[[str], Any]
) -> Callable[..., Any]:
    """The parsed page of the comparison."""
    run = read_run(make_training())

    def page(*, paper: bool = False) -> Any:
        runs = {one.run: run for row in comparison.rows for one in row.runs}
        return parsed(render_comparison(comparison, runs, paper=paper))

    return page


def table(text: str) -> str:
    """Text whose columns are not apart."""
    return re.sub(r"[ \n]+", "", text)


def test_a_row_has_accuracy_spread_interval_cost_and_links_to_its_runs(render: Callable[..., Any]) -> None:
    page = render()
    text = table(page.text)
    assert "60.0\u202f%±2.0" in text
    assert "40.0to80.0\u202f%" in text
    assert "666\u202fk2.66\u202fMB8.00\u202fMB910\u202fM12.3±0.4\u202fms" in text
    assert page.all("a", href="runs/c3d/seed-1/report.html")
    assert "Fiveclasses,chance50.0%." in text


def test_a_difference_whose_interval_excludes_0_has_a_sign_that_is_no_colour(
    render: Callable[..., Any],
) -> None:
    text = table(render().text)
    assert "−20.0(−30.0to−10.0)*" in text
    assert "+5.0(−5.0to+15.0)90" in text  # no sign before the next column


def test_a_network_that_failed_has_a_row_and_a_sentence(render: Callable[..., Any]) -> None:
    text = table(render().text)
    assert "movinet-a0,seed0:nomemory<left>" in text
    assert f"movinet-a0{11 * '–'}" in text


def test_names_are_text_and_never_markup(render: Callable[..., Any]) -> None:
    page = render()
    assert "a<script>alert(1)</script>&verylong" in table(page.text)
    assert not any("alert" in str(element) for element in page.all("script"))


def test_each_cost_has_a_chart_with_every_trained_network(render: Callable[..., Any]) -> None:
    page = render()
    told = [str(svg["aria-label"]) for svg in page.all("svg")]
    for cost in ("parameters", "MACs", "latency, ms"):
        (label,) = [one for one in told if one.startswith(f"Accuracy against {cost}:")]
        assert "c3d" in label
        assert "movinet-a0" not in label


def test_confusion_is_summed_over_the_seeds(render: Callable[..., Any]) -> None:
    page = render()
    assert "10106" in table(page.text).split("summedovertheseeds")[1]
    assert len(page.all("details")) == 11


def test_the_paper_s_table_stands_there_when_asked_for(render: Callable[..., Any]) -> None:
    assert "58.6" not in render().text
    text = table(render(paper=True).text)
    assert "searched0.67M7.32M58.6\u202f%" in text
    assert "c3d79M305M51.6\u202f%" in text
    assert "101classes" in text


@pytest.mark.parametrize(("share", "text"), [(0.123, "+12.3"), (-0.2, "\u221220.0"), (-0.0001, "0.0")])
def test_points_have_signs_and_no_negative_zero(share: float, text: str) -> None:
    assert points(share) == text
