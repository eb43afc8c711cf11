"""What the page of a run says, part by part, as plain values for the template."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from vidnas.errors import counted, storable
from vidnas.nas.genotype import source_name
from vidnas.report.geometry.cell import draw_cell
from vidnas.report.geometry.confusion import confused
from vidnas.report.geometry.curves import Chart, Line, draw_lines
from vidnas.report.geometry.palette import series
from vidnas.report.geometry.shapes import Drawing
from vidnas.report.pages import words
from vidnas.runs.read import Run
from vidnas.runs.records import CellOfEpoch, Clip, Number, Test
from vidnas.training.latency import BUSY, TOO_LONG

MOST_ROWS = 100
"""Of the table of numbers by epoch; of more epochs it shows every n-th."""

COLUMN_NAMES = {
    "epoch": "epoch",
    "loss": "loss",
    "accuracy": "accuracy",
    "train_loss": "train loss",
    "train_accuracy": "train accuracy",
    "val_loss": "val loss",
    "val_accuracy": "val accuracy",
    "lr": "learning rate",
    "epoch_sec": "time",
    "waiting_share": "waiting for data",
}
"""The numbers of metrics.jsonl that the table shows, in its order."""


@dataclass(frozen=True)
class EpochView:
    """An epoch on the slider: which drawing is its cell's, and its alpha's mixing in thousandths by row."""

    epoch: int
    drawing: int
    text: str
    genotype: str
    mixing: tuple[tuple[int, ...], ...]
    kept: tuple[tuple[int, int], ...]
    """(row, column) of the primitives that the genotype keeps."""


MAX_EPOCHS = 80


@dataclass(frozen=True)
class Slider:
    """The cells of a search over its epochs; equal ones share a drawing. `start` is shown at first."""

    epochs: tuple[EpochView, ...]
    drawings: tuple[Drawing, ...]
    every: int
    """Of so many epochs one is shown, the found one and the last among them: a page must stay small."""
    start: int
    edges: tuple[str, ...]
    """Names of alpha's rows."""
    primitives: tuple[str, ...]
    """Names of its columns, as the run has them."""
    highest: int
    """The largest mixing of all."""


@dataclass(frozen=True)
class ClassRow:
    """A line of the per-class table."""

    name: str
    accuracy: Number | None
    clips: int
    taken_for: str


def slider(run: Run) -> Slider | None:
    """The slider of a search that has cells; it starts at the found cell, or else at the last one."""
    if not run.cells:
        return None
    every = -(-len(run.cells) // MAX_EPOCHS)
    always = {run.chosen_epoch, run.cells[-1].epoch}
    cells = [cell for i, cell in enumerate(run.cells) if i % every == 0 or cell.epoch in always]
    genotypes = list(dict.fromkeys(cell.genotype for cell in cells))
    accuracy = {int(line["epoch"]): line.get("val_accuracy") for line in run.epochs}
    chosen = [index for index, cell in enumerate(cells) if cell.epoch == run.chosen_epoch]
    views = tuple(
        _epoch_view(cell, genotypes.index(cell.genotype), accuracy.get(cell.epoch)) for cell in cells
    )
    with_alpha = next((cell for cell in cells if cell.mixing), cells[-1])
    return Slider(
        epochs=views,
        drawings=tuple(draw_cell(genotype) for genotype in genotypes),
        every=every,
        start=chosen[0] if chosen else len(cells) - 1,
        edges=tuple(f"{source_name(source)} → node {node}" for node, source in with_alpha.edges),
        primitives=with_alpha.primitives,
        highest=max((share for view in views for row in view.mixing for share in row), default=0),
    )


def _epoch_view(cell: CellOfEpoch, drawing: int, accuracy: Number | None) -> EpochView:
    return EpochView(
        epoch=cell.epoch,
        drawing=drawing,
        text="no validation yet" if accuracy is None else f"validation accuracy {words.percent(accuracy)}",
        genotype=str(cell.genotype),
        mixing=tuple(tuple(round(1000 * share) for share in row) for row in cell.mixing),
        kept=tuple(
            (cell.edges.index((node, edge.source)), cell.primitives.index(edge.primitive))
            for node, edges in enumerate(cell.genotype.nodes if cell.mixing else ())
            for edge in edges
        ),
    )


def curves(run: Run) -> list[Chart]:
    """Loss, accuracy and learning rate over the epochs, as far as there are any."""
    parts = (("train", "train_"), ("val", "val_")) if run.verb == "search" else (("train", ""),)
    mark = [(run.chosen_epoch, "found")] if run.chosen_epoch else []
    tests = [run.result] if run.result else []
    level = [(test.scores["top1"], f"test {words.percent(test.scores['top1'])}") for test in tests]

    def lines(what: str) -> list[Line]:
        return [
            Line(name, series_of(run, prefix + what), series(i)) for i, (name, prefix) in enumerate(parts)
        ]

    charts = (
        draw_lines("Loss", lines("loss"), uprights=mark),
        draw_lines("Accuracy", lines("accuracy"), share=True, levels=level, uprights=mark),
        draw_lines("Learning rate", [Line("lr", series_of(run, "lr"), series(2))], legend=False),
    )
    return [chart for chart in charts if chart is not None]


def overlaid(lines: Callable[[str], list[Line]], *, accuracy: str, loss: str) -> list[Chart]:
    """Charts of accuracy and loss with these titles; `lines` gives those of a number of metrics.jsonl."""
    charts = draw_lines(accuracy, lines("accuracy"), share=True), draw_lines(loss, lines("loss"))
    return [chart for chart in charts if chart is not None]


def series_of(run: Run, name: str) -> list[tuple[Number, Number]]:
    """A number of metrics.jsonl over the epochs."""
    return [(line["epoch"], line[name]) for line in run.epochs if name in line]


def val_accuracy(run: Run) -> Number | None:
    """A search's validation accuracy in the epoch whose cell was found, or else in the last one."""
    found = [line for line in run.epochs if line["epoch"] == (run.chosen_epoch or run.last_epoch)]
    return found[0].get("val_accuracy") if found else None


def epoch_table(run: Run) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the numbers by epoch: at most about MOST_ROWS, the last epoch among them."""
    names = [name for name in COLUMN_NAMES if any(name in line for line in run.epochs)]
    every = -(-len(run.epochs) // MOST_ROWS) or 1
    lines = [line for i, line in enumerate(run.epochs) if (len(run.epochs) - 1 - i) % every == 0]
    rows = [[_in_table(name, line.get(name)) for name in names] for line in lines]
    return [COLUMN_NAMES[name] for name in names], rows


def _in_table(name: str, value: Number | None) -> str:
    if value is None:
        return "–"
    if name.endswith(("accuracy", "share")):
        return words.percent(value)
    if name == "epoch_sec":
        return words.duration(value)
    return f"{value:.0f}" if name == "epoch" else f"{value:.4g}"


def class_names(run: Run, test: Test) -> list[str]:
    """The names of a test's classes, numbers where the run has lost them."""
    count = len(test.scores["per_class"])
    known = run.classes if len(run.classes) == count else [f"class {label}" for label in range(count)]
    return [storable(name) for name in known]


def class_rows(test: Test, names: Sequence[str]) -> list[ClassRow]:
    """The per-class table, the worst class first."""
    confusion, rows = test.scores["confusion"], []
    for label, accuracy in enumerate(test.scores["per_class"]):
        found = confused(confusion, label)
        taken_for = f"{names[found[0]]} ({found[1]})" if found else "–"
        rows.append(ClassRow(names[label], accuracy, sum(confusion[label]), taken_for))
    return sorted(rows, key=lambda row: 2.0 if row.accuracy is None else row.accuracy)


def tested_clips(run: Run) -> tuple[str, tuple[Clip, ...]]:
    """The thumbnails of the last evaluation that has any, and its file's name; empty without one."""
    finished = run.result.made if run.result else ""
    for test in reversed(run.evaluations):
        if test.clips and test.made >= finished:  # an earlier one tested a network that was not done
            return test.source, test.clips
    return "", ()


def costs(run: Run) -> list[tuple[str, str, str]]:
    """(what, how much, how it is meant), of the network and of the run."""
    rows = []
    test = run.latest_test
    if test is not None:
        cost = test.cost
        work, latency = words.quantity(cost["macs"]), f"{cost['latency_ms']:.1f}{words.NARROW}ms"
        spread, threads = cost.get("latency_spread_ms"), counted(cost["threads"], "thread")
        measured = f"one clip on {cost.get('device', 'its device')}, {threads}"
        measured += f", half of the times within {spread:.1f} ms" if spread is not None else ""
        measured += f"; {BUSY}: {TOO_LONG}" if cost.get("busy") else ""
        rows += [
            ("Parameters", f"{cost['parameters']:,}", "numbers that training changes"),
            ("Size", words.quantity(cost["weight_bytes"], "B"), "of the parameters in memory"),
            ("Work", f"{work} MACs", "multiply-accumulates of one clip, without pooling"),
            ("Latency", latency, measured),
        ]
        if "checkpoint_bytes" in cost:
            size = words.quantity(cost["checkpoint_bytes"], "B")
            rows.append(("Checkpoint", size, "the file, to go on from"))
    times = [line["epoch_sec"] for line in run.epochs if "epoch_sec" in line]
    if times:
        waits = [line["waiting_share"] for line in run.epochs if "waiting_share" in line]
        waiting = f"; {words.percent(median(waits))} of it waiting for data" if waits else ""
        rows.append(("Time of an epoch", words.duration(median(times)), f"the median{waiting}"))
    if run.total_sec:
        rows.append(("Time in all", words.duration(run.total_sec), "of the run up to its last line"))
    return rows
