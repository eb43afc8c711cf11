"""A comparison -> HTML: the table, accuracy against cost, curves and confusion matrices."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from vidnas.compare.paper_table import PaperRow, paper_row
from vidnas.compare.rows import Comparison, Row
from vidnas.errors import storable
from vidnas.report.geometry.confusion import draw_matrix
from vidnas.report.geometry.curves import Chart, Line
from vidnas.report.geometry.palette import series
from vidnas.report.geometry.shapes import Drawing
from vidnas.report.geometry.tradeoff import draw_tradeoffs, rate
from vidnas.report.pages import view
from vidnas.report.pages.render import render_template
from vidnas.runs.files import PAGE
from vidnas.runs.read import Run
from vidnas.training.latency import BUSY


@dataclass(frozen=True)
class Listed:
    """A line of the table, its number, and what stands in it ready to read."""

    number: int
    row: Row
    role: str
    pages: tuple[tuple[int, str], ...]
    """(seed, link to the page of its run)."""
    matrix: Drawing | None
    paper: PaperRow | None

    @property
    def apart(self) -> bool:
        """Whether it differs from the reference by more than the draw of the test videos."""
        interval = self.row.difference_interval
        return interval is not None and (interval[0] > 0 or interval[1] < 0)


def render_comparison(comparison: Comparison, runs: Mapping[str, Run], *, paper: bool) -> str:
    """The page of a comparison; `runs` is what the run folders hold, by their paths as seen from the page."""
    listed = [
        _listed(number, row, comparison, paper=paper) for number, row in enumerate(comparison.rows, start=1)
    ]
    return render_template(
        "comparison.html.j2",
        ["sort.js"],
        live=False,
        comparison=comparison,
        listed=listed,
        tradeoffs=draw_tradeoffs(rate(comparison)),
        charts=_curves(listed, runs),
        paper=paper,
        in_points=in_points,
        compared=comparison.compared,
        busy=BUSY,
    )


def in_points(share: float) -> str:
    """A difference of two shares in points, with its sign; a minus sign is one."""
    text = f"{100 * share:+.1f}"
    return "0.0" if math.isclose(float(text), 0) else text.replace("-", "\u2212")


def _listed(number: int, row: Row, comparison: Comparison, *, paper: bool) -> Listed:
    names = [storable(name) for name in comparison.classes]
    return Listed(
        number=number,
        row=row,
        role=series(number - 1),
        pages=tuple((run.seed, quote(os.fsencode(f"{run.run}/{PAGE}"))) for run in row.runs),
        matrix=draw_matrix(row.confusion, names) if row.runs else None,
        paper=paper_row(row.name, searched=comparison.searched) if paper else None,
    )


def _curves(listed: Sequence[Listed], runs: Mapping[str, Run]) -> list[Chart]:
    """Accuracy and loss on the training clips, of each network's first seed."""
    first = [(one, runs[one.row.runs[0].run]) for one in listed if one.row.runs]

    def lines(what: str) -> list[Line]:
        return [
            Line(f"{one.number} {storable(one.row.name)}", view.series_of(run, what), one.role)
            for one, run in first
        ]

    return view.overlaid(lines, accuracy="Accuracy on training clips", loss="Training loss")
