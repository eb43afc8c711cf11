"""The verb `compare`: networks trained by one recipe, side by side in accuracy and cost."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from vidnas.assembly import forecasts, networks, steps, videos
from vidnas.atomic import write_whole
from vidnas.compare.jobs import Contestant, check_same_videos, finished_runs, read_contestants, train_all
from vidnas.compare.rows import Comparison, Cost, Row, make_row
from vidnas.compare.tables import as_csv, as_json, as_markdown, as_text, standings
from vidnas.compare.verdict import describe_chance
from vidnas.config.json_files import to_json
from vidnas.config.learning import CompareConfig
from vidnas.errors import Interrupted, UserError, counted, storable
from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.tradeoff import draw_sheet, rate
from vidnas.report.pages.comparison import render_comparison
from vidnas.report.pages.render import render_run
from vidnas.runs import begin, files
from vidnas.runs.finished import SeedRun
from vidnas.runs.log import RunLog
from vidnas.runs.read import read_run
from vidnas.training.latency import measure_latencies
from vidnas.training.profile import count_macs, count_parameters, count_weight_bytes
from vidnas.verbs.train import run_train
from vidnas.video.scan.scanned import Scanned

FREE_TO_CHANGE = ("networks", "depths", "seeds", "paper")
"""What a comparison that goes on may have otherwise: rows and seeds come on top, finished ones stay."""


@dataclass(frozen=True)
class CompareResult:
    """The comparison, where it was written, and the table as text; `passed` if no training failed."""

    run_dir: Path
    comparison: Comparison
    text: str
    passed: bool


def run_compare(config: CompareConfig, *, resume: bool = False) -> CompareResult:
    """Train what is missing of every network with every seed, one after the other, and compare all.

    With `resume` the comparison in `config.out` goes on: finished trainings are kept, an interrupted one
    goes on where it was saved, and networks and seeds may come on top. A training that fails is told of in
    its row and costs no other. UserError where the settings or the networks do not allow it, or all fail.
    """
    contestants = read_contestants(config)
    folder = (
        begin.begun_folder(config, free=FREE_TO_CHANGE) if resume else begin.new_folder("compare", config.out)
    )
    scanned = _scan(config)  # what is wrong with the videos is told once, before anything is begun
    check_same_videos(contestants, scanned.index, folder)
    failures: dict[str, list[str]] = {one.name: [] for one in contestants}
    with RunLog(folder, to_json(config), resume=resume) as log:
        log.write(files.CONFIG, to_json(config))
        log.say(f"Comparison: {folder}")
        outlook = forecasts.Outlook(scanned, config)
        show = partial(_show_so_far, contestants, config, failures, log)
        train = partial(run_train, resume=True)
        with begin.going_on_by("compare", folder):
            try:
                train_all(
                    contestants, config, outlook, log, train=train, failures=failures, after_training=show
                )
            except (Interrupted, KeyboardInterrupt):
                with suppress(UserError):
                    show()
                raise
            comparison = _compare(contestants, config, failures, log, with_costs=True)
            text = _write(comparison, config, log)
        return CompareResult(folder, comparison, text, passed=not any(failures.values()))


def _scan(config: CompareConfig) -> Scanned:
    """The videos, as the trainings will divide them."""
    index = videos.open_videos(config)
    return videos.scan(videos.hold_out(index, config) if config.validate else index, config)


def _show_so_far(
    contestants: Sequence[Contestant], config: CompareConfig, failures: Mapping[str, list[str]], log: RunLog
) -> None:
    """Print and write the table of what is finished, but for the costs, which are measured at the end."""
    if not any(finished_runs(one, log) for one in contestants):
        return
    comparison = _compare(contestants, config, failures, log, with_costs=False)
    _write_tables(comparison, config, log)
    log.say(f"So far:\n{standings(comparison)}")


def _compare(
    contestants: Sequence[Contestant],
    config: CompareConfig,
    failures: Mapping[str, list[str]],
    log: RunLog,
    *,
    with_costs: bool,
) -> Comparison:
    """All rows, from the run folders; costs are measured now, in one go."""
    finished = {one.name: finished_runs(one, log) for one in contestants}
    if not any(finished.values()):
        reasons = "\n".join(f"- {name}, {said}" for name, reasons in failures.items() for said in reasons)
        raise UserError(f"No training of the comparison came to its end:\n{reasons}")
    _require_one_test(finished, log.folder)
    classes = next(read_run(log.folder / done[0].run).class_names for done in finished.values() if done)
    first = {name: log.folder / done[0].run for name, done in finished.items() if done}
    costs = _costs(first, config, log) if with_costs else {}
    from_files = [one for one in contestants if Path(one.source).expanduser().exists()]
    searched = _at_set_depth(from_files[0], contestants, config) if from_files else None
    reference = searched or _at_set_depth(contestants[0], contestants, config)
    rows = [
        make_row(
            one.name,
            finished[one.name],
            costs.get(one.name),
            failures[one.name],
            None if one.name == reference else finished[reference],
        )
        for one in contestants
    ]
    caption = _caption(config, rows, classes)
    return Comparison(tuple(rows), reference, searched, classes, caption, _machine(config))


def _at_set_depth(first: Contestant, contestants: Sequence[Contestant], config: CompareConfig) -> str:
    """The row of a network; of its several depths that which is set."""
    depths = (one for one in contestants if one.source == first.source and one.num_cells == config.num_cells)
    return next(depths, first).name


def _require_one_test(finished: Mapping[str, Sequence[SeedRun]], folder: Path) -> None:
    """UserError if a training was tested on other videos than the first one."""
    done = [run for ones in finished.values() for run in ones]
    for run in done:
        if run.videos != done[0].videos:
            raise UserError(
                f"{folder / run.run} was tested on other videos than {folder / done[0].run}. Remove the one "
                "that is wrong, and the comparison trains it again."
            )


def _costs(trained: Mapping[str, Path], config: CompareConfig, log: RunLog) -> dict[str, Cost]:
    """What each network costs, by row; `trained` are their run folders."""
    device = steps.choose_precision(config.device).device
    built = {name: networks.load(folder).network.to(device) for name, folder in trained.items()}
    shape = steps.clip_shape(config)
    log.say(f"Measuring the latency of {counted(len(built), 'network')}, one clip at a time.")
    latencies = measure_latencies([networks.fold(network) for network in built.values()], shape, device)
    return {
        name: Cost(
            parameters=count_parameters(network),
            weight_bytes=count_weight_bytes(network),
            checkpoint_bytes=(trained[name] / files.CHECKPOINT).stat().st_size,
            macs=count_macs(network, shape),
            latency_ms=latency.median_ms,
            latency_spread_ms=latency.spread_ms,
            reference_ms=latency.reference_ms,
            busy=latency.busy,
        )
        for (name, network), latency in zip(built.items(), latencies, strict=True)
    }


def _caption(config: CompareConfig, rows: Sequence[Row], classes: Sequence[str]) -> str:
    """What an accuracy means nothing without."""
    scores = next(row.runs[0].scores for row in rows if row.runs)
    amount = counted(config.epochs, "epoch") if config.minutes is None else f"{config.minutes:g} min"
    extras = [
        f"{name.replace('_', ' ')} {getattr(config, name)}"
        for name, off in (
            ("warmup", 0.0), ("label_smoothing", 0.0), ("dropout", 0.0), ("mix", "none"), ("ema", 0.0),
            ("input", "rgb"), ("clip_norm", "off"), ("photometric", 0.0), ("repeats", 1),
        )
        if getattr(config, name) != off
    ]  # fmt: skip
    extras += ["classes weighed alike"] if config.balance else []
    recipe = ", ".join(
        [f"{config.optimizer} {config.lr:g}", f"weight decay {config.weight_decay:g}", *extras]
    )
    return (
        f"{storable(config.data)}, split {config.split}: {counted(scores.num_clips, 'test video')} of "
        f"{counted(scores.num_groups, 'group')}, {counted(len(classes), 'class')}, "
        f"{describe_chance(scores)}. Clips: {steps.describe_clip(config)}. Every "
        f"network from scratch, {amount}, batch {config.batch_size}, {recipe}, last epoch. "
        f"Protocol: {steps.describe_protocol('paper', config)}."
    )


def _machine(config: CompareConfig) -> str:
    device = steps.choose_precision(config.device).device
    threads = torch.get_num_threads()
    return f"{device}, {counted(threads, 'thread')}, PyTorch {torch.__version__}"


def _write_tables(comparison: Comparison, config: CompareConfig, log: RunLog) -> None:
    tables = (as_json(comparison), as_csv(comparison), as_markdown(comparison, paper=config.paper))
    for name, table in zip(files.COMPARISON, tables, strict=True):
        log.write(name, table)


def _write(comparison: Comparison, config: CompareConfig, log: RunLog) -> str:
    """Write the table in all its forms and every run's page; returns what to print."""
    pages = {run.run: read_run(log.folder / run.run) for row in comparison.rows for run in row.runs}
    for path, run in pages.items():
        write_whole(log.folder / path / files.PAGE, render_run(run).encode())
    _write_tables(comparison, config, log)
    picture = draw_sheet(rate(comparison), caption=comparison.caption)
    for name in files.TRADEOFF:
        save_figure(picture, log.path(name))
    log.write(files.COMPARISON_PAGE, render_comparison(comparison, pages, paper=config.paper))
    text = as_text(comparison, paper=config.paper)
    beside = "comparison.json, .csv, .md and tradeoff.png, .svg"
    return f"{text}\n\nWritten: {log.path(files.COMPARISON_PAGE)}; beside it {beside}"
