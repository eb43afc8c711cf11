"""The verb `compare`: networks trained by one recipe, side by side in accuracy and cost."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from vidnas.assembly import networks, steps
from vidnas.assembly.forecasts import Outlook
from vidnas.assembly.videos import Videos
from vidnas.atomic import write_whole
from vidnas.compare import jobs
from vidnas.compare.ahead import look_ahead, settle
from vidnas.compare.here import run_all
from vidnas.compare.jobs import Contestant, Job
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
from vidnas.runs.finished import SeedRun, is_finished, seed_runs
from vidnas.runs.log import RunLog
from vidnas.runs.read import read_run
from vidnas.training.latency import measure_latencies
from vidnas.training.pace import Countdown
from vidnas.training.profile import count_macs, count_parameters, count_weight_bytes
from vidnas.verbs.train import run_train

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
    contestants = jobs.read_contestants(config)
    folder = (
        begin.begun_folder(config, free=FREE_TO_CHANGE) if resume else begin.new_folder("compare", config.out)
    )
    opened = Videos(config)
    # what is wrong with the videos is told once, before anything is begun
    jobs.check_same_videos(contestants, opened.scanned(validate=config.validate).index, folder)
    failures: dict[str, list[str]] = {one.name: [] for one in contestants}
    with RunLog(folder, to_json(config), resume=resume) as log:
        log.write(files.CONFIG, to_json(config))
        log.say(f"Comparison: {folder}")
        show = partial(_show_so_far, contestants, config, failures, log)
        with begin.going_on_by("compare", folder):
            try:
                _train_all(jobs.plan(contestants, config, folder), opened, log, failures, after_each=show)
            except (Interrupted, KeyboardInterrupt):
                with suppress(UserError):
                    show()
                raise
            comparison = _compare(contestants, config, failures, log, with_costs=True)
            text = _write(comparison, config, log)
        return CompareResult(folder, comparison, text, passed=not any(failures.values()))


def _train_all(
    planned: Sequence[Job],
    opened: Videos,
    log: RunLog,
    failures: Mapping[str, list[str]],
    *,
    after_each: Callable[[], None],
) -> None:
    """Run the jobs that are not finished; what fails comes into `failures`, by row, in words.

    What can be foretold is told before: how long all will take, and which network cannot be trained.
    """
    outlook = Outlook(opened)
    todo = [job for job in planned if not is_finished(job.folder)]
    countdown = look_ahead(todo, outlook, log)
    run, begins = partial(_run, outlook, opened, log), partial(_announce, planned, countdown, log)
    for job, sec, failure in run_all(todo, run, begins=begins):
        if failure is None:
            countdown.done(str(job), sec)
        else:
            seed = f"seed {job.settings.seed}"
            failures[job.name].append(storable(f"{seed}: {failure}"))
            log.say(f"{job.name}, {seed}, failed: {failure}")
            countdown.dropped(str(job))
        after_each()


def _announce(planned: Sequence[Job], countdown: Countdown, log: RunLog, job: Job) -> None:
    """Say which one begins, of all that are planned or of the candidates of one."""
    log.check_stop()
    if job in planned:
        number, left = planned.index(job) + 1, f"{countdown} until the end of the comparison"
        log.say(f"[{number}/{len(planned)}] {job.name}, seed {job.settings.seed}; {left}")
    else:
        name, others = next((one.name, one.candidates) for one in planned if job in one.candidates)
        log.say(f"{name}: candidate {others.index(job) + 1} of {len(others)}")


def _run(outlook: Outlook, opened: Videos, log: RunLog, job: Job) -> None:
    """Train what a job names, or go on with it."""
    settings = job.settings
    if job.candidates:
        best, accuracy = jobs.best_candidate(job)
        settings = replace(settings, genotype=best)
        log.say(f"{job.name}: {best}, which has {accuracy:.1%} in validation.")
    settings = settle(settings, job.folder, outlook)
    run_train(replace(settings, out=str(job.folder)), resume=True, opened=opened)


def _show_so_far(
    contestants: Sequence[Contestant], config: CompareConfig, failures: Mapping[str, list[str]], log: RunLog
) -> None:
    """Print and write the table of what is finished, but for the costs, which are measured at the end."""
    if not any(_finished(contestants, log).values()):
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
    finished = _finished(contestants, log)
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


def _finished(contestants: Sequence[Contestant], log: RunLog) -> dict[str, list[SeedRun]]:
    """Every finished training of each network, by row; also with seeds that are no longer asked for."""
    return {one.name: seed_runs(jobs.row_folder(log.folder, one.name), log.folder) for one in contestants}


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
    device = steps.prepare(config).device
    built = {name: networks.load(folder)[0].to(device) for name, folder in trained.items()}
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
    device = steps.prepare(config).device
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
