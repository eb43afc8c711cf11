"""The verb `search`: a cell is found in a supernet (paper, sections 2.2 and 3)."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from vidnas.assembly import forecasts, steps, videos
from vidnas.compare.verdict import judge_alpha
from vidnas.config.learning import SearchConfig
from vidnas.errors import counted
from vidnas.nas.genotype import Genotype, to_json
from vidnas.nas.methods.method import AlphaHistory, Method, search_step
from vidnas.nas.spaces.cell import CellSpace
from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.alphas import draw_alphas
from vidnas.report.geometry.cell import draw_cell
from vidnas.report.pages.verdicts import paragraphs
from vidnas.runs import begin, files, learnt
from vidnas.runs.keeper import Keeper
from vidnas.runs.log import RunLog
from vidnas.shapes import Alpha
from vidnas.training.forecast import Needs, Work
from vidnas.training.loop import Batch, Stateful, WeightStep, evaluate_epoch
from vidnas.training.pace import Pace, time_reading
from vidnas.verbs.clipsheet import draw_clips
from vidnas.video.clips.datasets import TrainClips
from vidnas.video.clips.loaders import of_epoch, test_loader, train_loader
from vidnas.video.index.division import divide
from vidnas.video.scan.scans import Scanned


@dataclass(frozen=True)
class EpochResult:
    """What one epoch of a search left: the genotype that alpha had then, and how well the supernet did."""

    genotype: Genotype
    mixing: list[list[float]]
    """Softmax of alpha, (edges, primitives)."""
    val_accuracy: float


@dataclass(frozen=True)
class SearchResult:
    """The found genotype, which epoch (from 1) it is of, and every epoch's result."""

    run_dir: Path
    genotype: Genotype
    epoch: int
    epochs: tuple[EpochResult, ...]


@dataclass(frozen=True)
class _Data:
    """Weights learn on train, alpha on val; val_test is val without chance, for judging epochs.

    `division` says how train and val were divided.
    """

    scanned: Scanned
    division: str
    train_clips: TrainClips
    train: DataLoader[Any]
    val: DataLoader[Any]
    val_test: DataLoader[Any]

    @property
    def num_val(self) -> int:
        """Videos of val."""
        return len(self.scanned.index.train) - len(self.train_clips)


def run_search(config: SearchConfig, *, resume: bool = False) -> SearchResult:
    """Search a cell and write the run folder. The test videos are never looked at.

    With `resume` the run in `config.out` goes on where it was saved last, and begins where there is none: on
    a CPU with the same number of threads it comes to bit for bit what an uninterrupted one does. UserError
    where the videos, the memory or the run folder do not allow it, before the first epoch.
    """
    begun_at = time.perf_counter()
    precision = steps.prepare(config)
    folder = begin.begun_folder(config) if resume else begin.new_folder("search", config.out)
    data = _open_data(config)
    num_classes = len(data.scanned.index.classes)
    needs = forecasts.search_needs(config, num_classes, precision, num_val=data.num_val)
    config = forecasts.settle_epochs(config, folder, begun_at, lambda: _pace(needs, data, config))
    with begin.open_run(folder, config, resume=resume) as log:
        supernet = steps.build_supernet(config, num_classes).to(precision.device)
        step = steps.build_search_step(supernet, config, precision, num_steps=config.epochs * len(data.train))
        method = steps.build_method(supernet, config, precision)
        alphas = AlphaHistory()
        kept = _parts(step, method, alphas)
        with Keeper(log, kept, every_sec=60 * config.checkpoint_minutes) as keeper:
            begin.begin_or_go_on(
                keeper, log, config, index=data.scanned.index, begin=lambda: _begin(data, config, log)
            )
            videos.say_cache(log, data.train_clips.cache)
            length = f"{counted(config.epochs, 'epoch')} of {counted(len(data.train), 'step')}"
            log.say(f"Searching for {length} on {precision.device}.")
            forecasts.say_needs(needs, _work(data, config, keeper), config, log)
            while keeper.epoch < config.epochs:
                supernet.train()
                for train, val in _batches(data, keeper, log):
                    search_step(step, method, train, val, keeper.tally)
                    keeper.step_done()
                keeper.save()  # before a validation that may take long
                numbers = _validate(config, data, step, keeper, log)
                alphas.epochs.append(method.judge())
                _write_epoch(keeper.epoch + 1, alphas.epochs[-1], supernet.space, log)
                _report_epoch(keeper.epoch + 1, config, numbers, log)
                keeper.epoch_done()
        results = _results(alphas, supernet.space, log)
        chosen = _choose(results, config)
        _write_result(chosen, results, supernet.space, config, log)
        videos.say_skipped(log, data.scanned)
        return SearchResult(log.folder, results[chosen].genotype, chosen + 1, tuple(results))


def _parts(step: WeightStep, method: Method, alphas: AlphaHistory) -> dict[str, Stateful]:
    """What a checkpoint keeps."""
    return {
        "supernet": step.model,
        "weights_optimizer": step.optimizer,
        "schedule": step.schedule,
        "scaler": step.scaler,
        **method.state,
        "alphas": alphas,
    }


def _begin(data: _Data, config: SearchConfig, log: RunLog) -> None:
    """Tell and write down what is searched on."""
    videos.say_videos(log, data.scanned.index, flip=config.flip, balance=False)
    log.say(f"Weights learn on one part of the training videos, alpha on the other. {data.division}")
    learnt.remember_seen(log.folder, data.scanned)
    draw_clips(log, data.train_clips, data.scanned.index.classes, config)


def _open_data(config: SearchConfig) -> _Data:
    scanned = videos.scan(videos.open_videos(config), config, parts=("train",))
    index = scanned.index
    train, val, note = divide(
        index.train, classes=index.classes, by=config.split_by, fraction=0.5, seed=config.seed
    )
    cache = videos.frame_cache(scanned, config)
    train_clips, val_clips = (
        videos.train_clips(part, scanned.counts(part), config, cache=cache) for part in (train, val)
    )
    loader = train_loader(train_clips, batch_size=config.batch_size, seed=config.seed, workers=config.workers)
    num_clips = len(loader) * config.batch_size
    return _Data(
        scanned,
        note,
        train_clips,
        loader,
        # Another seed than the train stream's, and as many clips: every step has a fresh batch of either.
        train_loader(
            val_clips,
            batch_size=config.batch_size,
            samples_per_epoch=num_clips,
            seed=config.seed + 1,
            workers=config.workers,
        ),
        test_loader(
            videos.test_clips(val, scanned.counts(val), config, cache=cache),
            batch_size=config.batch_size,
            workers=config.workers,
            order_seed=config.seed,
        ),
    )


def _pace(needs: Needs, data: _Data, config: SearchConfig) -> Pace:
    reading = time_reading(
        data.train_clips, workers=config.workers, cached=data.train_clips.cache is not None
    )
    return forecasts.run_pace(needs, config, reading, len(data.train_clips), data.num_val)


def _work(data: _Data, config: SearchConfig, keeper: Keeper) -> Work:
    """What is left to compute."""
    num_steps, epochs_left = len(data.train), config.epochs - keeper.epoch
    steps_left = epochs_left * num_steps - keeper.step
    return Work(num_steps, data.num_val, steps_left, epochs_left * data.num_val)


def _batches(data: _Data, keeper: Keeper, log: RunLog) -> Iterator[tuple[Batch, Batch]]:
    """What is left of the epoch after `keeper.epoch`: a train batch and a val batch for every step."""
    train, val = (
        of_epoch(loader, keeper.epoch, first_batch=keeper.step) for loader in (data.train, data.val)
    )
    label = f"Epoch {keeper.epoch + 1}"
    return log.progress(zip(train, val, strict=True), total=len(train), label=label, done=keeper.step)


def _validate(
    config: SearchConfig, data: _Data, step: WeightStep, keeper: Keeper, log: RunLog
) -> dict[str, float]:
    """The numbers of an epoch; UserError if its steps have diverged."""
    waiting_share = log.waiting_share
    tally = keeper.tally
    steps.require_finite(tally.loss, keeper.epoch + 1, config.lr)
    batches = log.progress(data.val_test, total=len(data.val_test), label="Validating")
    val = evaluate_epoch(step.model, batches, step.precision, max_clips=config.batch_size)
    return {
        "train_loss": tally.loss,
        "train_accuracy": tally.accuracy,
        "val_loss": val.loss,
        "val_accuracy": val.accuracy,
        "lr": step.lr,
        "waiting_share": waiting_share,
        "epoch_sec": keeper.epoch_sec,
    }


def _write_epoch(epoch: int, alpha: Alpha, space: CellSpace, log: RunLog) -> None:
    """Write the epoch's genotype and alpha into the run folder."""
    log.write(files.cell_of(epoch), to_json(space.derive(alpha)))
    log.write(files.alpha_of(epoch), json.dumps({"epoch": epoch, **space.record(alpha)}) + "\n")


def _results(alphas: AlphaHistory, space: CellSpace, log: RunLog) -> list[EpochResult]:
    """What every epoch left, from alpha after it and the log's record of it."""
    accuracies = [record["val_accuracy"] for record in log.records if record["kind"] == "search"]
    return [
        EpochResult(space.derive(alpha), alpha.softmax(dim=-1).tolist(), accuracy)
        for alpha, accuracy in zip(alphas.epochs, accuracies, strict=True)
    ]


def _report_epoch(epoch: int, config: SearchConfig, numbers: dict[str, float], log: RunLog) -> None:
    log.record("search", epoch, **numbers)
    log.say(
        f"Epoch {epoch}/{config.epochs}: "
        f"train loss {numbers['train_loss']:.3f}, accuracy {numbers['train_accuracy']:.1%}; "
        f"val loss {numbers['val_loss']:.3f}, accuracy {numbers['val_accuracy']:.1%}; "
        f"{numbers['epoch_sec']:.1f} s, "
        f"{numbers['waiting_share']:.0%} of the steps' time waiting for data; "
        f"{steps.time_left(epoch, config.epochs, numbers['epoch_sec'])}"
    )


def _choose(results: list[EpochResult], config: SearchConfig) -> int:
    """Index of the epoch whose genotype is the result; of equally good ones the later, longer trained."""
    if config.select == "last":
        return len(results) - 1
    return max(range(len(results)), key=lambda number: (results[number].val_accuracy, number))


def _write_result(
    chosen: int, results: list[EpochResult], space: CellSpace, config: SearchConfig, log: RunLog
) -> None:
    result = results[chosen]
    log.write(files.GENOTYPE, to_json(result.genotype))
    rule = "the best val accuracy" if config.select == "best" else "the last epoch"
    findings = judge_alpha(result.mixing, space.primitives, result.genotype)
    selection = {
        "select": config.select,
        "epoch": chosen + 1,
        "val_accuracy": result.val_accuracy,
        "warnings": [asdict(finding) for finding in findings],
    }
    log.write(files.SELECTION, json.dumps(selection, indent=2) + "\n")
    cell = draw_cell(result.genotype, title=f"Cell of epoch {chosen + 1} ({rule})")
    for name in files.CELL:
        save_figure(cell, log.path(name))
    history = np.array([epoch.mixing for epoch in results])
    accuracies = [epoch.val_accuracy for epoch in results]
    alphas = draw_alphas(history, accuracies, chosen + 1, space.edges, space.primitives)
    save_figure(alphas, log.path(files.ALPHAS))
    log.say(f"Found, by {rule} (epoch {chosen + 1}, val {result.val_accuracy:.1%}): {result.genotype}")
    for paragraph in paragraphs(findings, config):
        log.say(f"Careful: {paragraph}")
    log.say(f"Genotype: {log.path(files.GENOTYPE)}   Picture: {log.path(files.CELL[0])}")
