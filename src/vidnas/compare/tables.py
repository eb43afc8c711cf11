"""A comparison as text: JSON and CSV for programs, Markdown and a console table for people."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import compress
from typing import TypeVar

from vidnas.compare.paper_table import paper_row
from vidnas.compare.rows import Comparison, Interval, Row
from vidnas.errors import aligned, counted
from vidnas.training.latency import BUSY

COLUMNS = (
    "network", "seeds", "accuracy", "spread", "interval_low", "interval_high", "balanced_accuracy",
    "difference", "difference_low", "difference_high", "train_accuracy", "parameters", "weight_bytes",
    "checkpoint_bytes", "macs", "latency_ms", "latency_spread_ms", "reference_ms", "busy_machine",
    "train_sec", "epochs", "failures", "warnings",
)  # fmt: skip
NONE = "-"
T = TypeVar("T")
Cells = Sequence[Sequence[str]]
"""A table line by line, its headings first."""
DIFFERENCE = 4
"""Number of its column in the table."""


def as_json(comparison: Comparison) -> str:
    """Everything but the single videos, which every run's predictions.csv has."""
    record = asdict(comparison)
    for row, told in zip(comparison.rows, record["rows"], strict=True):
        told["warnings"] = [asdict(finding) for finding in row.findings(comparison.classes)]
        for run in told["runs"]:
            for name in ("videos", "right", "groups"):
                del run[name]
    return json.dumps(record, indent=2) + "\n"


def as_csv(comparison: Comparison) -> str:
    """A line per network; accuracies are fractions of 1, what is not known is empty."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in comparison.rows:
        cost = row.cost
        costs = (
            (cost.parameters, cost.weight_bytes, cost.checkpoint_bytes, cost.macs, cost.latency_ms,
             cost.latency_spread_ms, cost.reference_ms, int(cost.busy)) if cost else (None,) * 8
        )  # fmt: skip
        table.writerow(
            [
                row.name,
                " ".join(str(run.seed) for run in row.runs),
                row.accuracy,
                row.spread,
                *(row.interval or (None, None)),
                row.balanced_accuracy,
                row.difference,
                *(row.difference_interval or (None, None)),
                row.train_accuracy,
                *costs,
                row.train_sec,
                row.epochs,
                " ".join(row.failures),
                "; ".join(finding.kind for finding in row.findings(comparison.classes)),
            ]
        )
    return text.getvalue()


def as_markdown(comparison: Comparison, *, paper: bool) -> str:
    """The table, its caption and, with `paper`, the paper's figures, as GitHub shows them."""
    return _told(comparison, _markdown_table, paper=paper) + "\n"


def as_text(comparison: Comparison, *, paper: bool) -> str:
    """The same for a terminal."""
    return _told(comparison, _columns, paper=paper)


def _told(comparison: Comparison, table: Callable[[Cells], str], *, paper: bool) -> str:
    parts = [table(_cells(comparison)), comparison.caption, _legend(comparison), *_warnings(comparison)]
    if paper:
        parts += [table(_paper_cells(comparison)), *_paper_notes(comparison)]
    return "\n\n".join(parts)


def standings(comparison: Comparison) -> str:
    """The bare table, without columns of which no row has anything yet."""
    headings, *lines = _cells(comparison)
    known = [any(text != NONE for text in column) for column in zip(*lines, strict=True)]
    return _columns([list(compress(line, known)) for line in (headings, *lines)])


def _cells(comparison: Comparison) -> Cells:
    headings = (
        "network", "accuracy", "95 % interval", "balanced accuracy", f"minus {comparison.reference}",
        "on training clips", "parameters", "weights", "checkpoint", "MACs", "latency", "training",
    )  # fmt: skip
    kept = [name != headings[DIFFERENCE] or comparison.compared for name in headings]
    return [list(compress(line, kept)) for line in (headings, *map(_row_cells, comparison.rows))]


def _row_cells(row: Row) -> list[str]:
    accuracy = NONE if row.accuracy is None else f"{row.accuracy:.1%}"
    if row.spread is not None:
        accuracy += f" ± {row.spread:.1%} ({counted(len(row.runs), 'seed')})"
    difference = NONE if row.difference is None else f"{100 * row.difference:+.1f}"
    if row.difference_interval is not None:
        low, high = row.difference_interval
        difference += f" ({100 * low:+.1f} to {100 * high:+.1f})"
    cost = row.cost
    costs = (
        [
            f"{cost.parameters:,}",
            _megabytes(cost.weight_bytes),
            _megabytes(cost.checkpoint_bytes),
            f"{cost.macs / 1e6:,.1f} M",
            f"{cost.latency_ms:.1f} ± {cost.latency_spread_ms:.1f} ms" + (f" ({BUSY})" if cost.busy else ""),
        ]
        if cost
        else [NONE] * 5
    )
    return [
        row.name,
        accuracy,
        _or_none(row.interval, _range),
        _or_none(row.balanced_accuracy, "{:.1%}".format),
        difference,
        _or_none(row.train_accuracy, "{:.1%}".format),
        *costs,
        NONE if row.train_sec is None else _training(row),
    ]


def _or_none(value: T | None, words: Callable[[T], str]) -> str:
    return NONE if value is None else words(value)


def _range(interval: Interval) -> str:
    low, high = interval
    return f"{low:.1%} to {high:.1%}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.3g} MB"


def _training(row: Row) -> str:
    assert row.train_sec is not None and row.epochs is not None
    duration = f"{row.train_sec:.0f} s" if row.train_sec < 60 else f"{row.train_sec / 60:.1f} min"
    return f"{duration}, {counted(row.epochs, 'epoch')}"


def _legend(comparison: Comparison) -> str:
    differences = f"Differences to {comparison.reference} in points, paired by video. "
    together = ", all networks in one run" if len(comparison.rows) > 1 else ""
    return (
        "Accuracy: mean ± standard deviation over seeds. Intervals: 95 %, from resampling groups of test "
        "videos; they do not cover the seed. Balanced accuracy counts every class alike. On training clips: "
        "accuracy in the last epoch, while the network still learns and on clips as they were augmented. "
        f"{differences if comparison.compared else ''}Latency: median ± interquartile range of one "
        f"clip{together} on {comparison.machine}; where it says {BUSY}, other work had that, and the time is "
        "too long. MACs do not count pooling and norms. A checkpoint holds the optimizer's state too. "
        "Training: mean over seeds."
    )


def _warnings(comparison: Comparison) -> list[str]:
    said = [f"{row.name}, {failure}" for row in comparison.rows for failure in row.failures]
    failed = ["Failed:\n" + "\n".join(f"- {one}" for one in said)] if said else []
    return failed + [
        f"Careful: {finding.about(row.name)}"
        for row in comparison.rows
        for finding in row.findings(comparison.classes)
    ]


def _paper_cells(comparison: Comparison) -> Cells:
    headings = (
        "network", "parameters (paper)", "model size (paper)", "accuracy (paper)", "parameters", "weights",
        "checkpoint", "accuracy",
    )  # fmt: skip
    cells: list[Sequence[str]] = [headings]
    for row in comparison.rows:
        told, own = paper_row(row.name, searched=comparison.searched), _row_cells(row)
        if told is not None:
            paper = (told.parameters, told.model_size, f"{told.accuracy:.1%}")
            cells.append([row.name, *paper, *own[6:9], own[1]])
    return cells


def _paper_notes(comparison: Comparison) -> list[str]:
    known = [
        f"- {row.name}: {told.note}"
        for row in comparison.rows
        if (told := paper_row(row.name, searched=comparison.searched)) is not None and told.note
    ]
    return [
        "The paper's accuracies are of UCF101, split 1, 101 classes; others' data are not comparable.",
        "\n".join(known),
    ]


def _markdown_table(cells: Cells) -> str:
    lines = [cells[0], ["---"] * len(cells[0]), *cells[1:]]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _columns(cells: Cells) -> str:
    return "\n".join(aligned(cells))
