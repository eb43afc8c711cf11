"""The verb `train`: a network is trained from scratch and tested after its last epoch."""

import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.utils.data import DataLoader

from vidnas.assembly import forecasts, networks, steps, videos
from vidnas.assembly.networks import Architecture
from vidnas.atomic import write_whole
from vidnas.compare.verdict import Finding, judge_test
from vidnas.config.learning import TrainConfig
from vidnas.errors import counted
from vidnas.nas.genotype import Genotype, to_json
from vidnas.report.answers import answers_csv, name_answers
from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.cell import draw_cell
from vidnas.report.geometry.confusion import draw_confusion
from vidnas.report.geometry.curves import Line, draw_curves, draw_lines
from vidnas.report.pages.verdicts import paragraphs
from vidnas.report.text import accuracy_line, cost_line
from vidnas.runs import begin, files, learnt
from vidnas.runs.keeper import Keeper
from vidnas.runs.log import RunLog
from vidnas.runs.read import Run
from vidnas.training.forecast import Needs, Work
from vidnas.training.loop import Precision, Stateful, WeightStep, evaluate_epoch, train_epoch
from vidnas.training.pace import Pace, time_reading
from vidnas.training.profile import Profile, profile_network
from vidnas.training.recipe import balancing_weights
from vidnas.training.scores import Scores, score
from vidnas.verbs.clipsheet import draw_clips
from vidnas.video.clips.datasets import TrainClips
from vidnas.video.clips.loaders import of_epoch, test_loader, train_loader
from vidnas.video.items import VideoIndex
from vidnas.video.scan.scanned import Scanned


@dataclass(frozen=True)
class TrainResult:
    """A trained network's run folder, scores on the test videos after the last epoch, and cost."""

    run_dir: Path
    architecture: Architecture
    scores: Scores
    profile: Profile
    checkpoint_bytes: int
    findings: tuple[Finding, ...] = ()
    """What makes the network worth little; of a control that sees single frames nothing."""


@dataclass(frozen=True)
class _Data:
    scanned: Scanned
    train_clips: TrainClips
    train: DataLoader[Any]
    test: DataLoader[Any]


def run_train(config: TrainConfig, *, resume: bool = False) -> TrainResult:
    """Train the network that `config` names on all training videos, then test it, and write the run folder.

    With `resume` the run in `config.out` goes on where it was saved last, and begins where there is none: on
    a CPU with the same number of threads it comes to bit for bit what an uninterrupted one does. UserError
    where the genotype, the videos, the memory or the run folder do not allow it, before the first
    epoch; among them test videos that the search of the genotype has seen.
    """
    begun_at = time.perf_counter()
    precision = steps.choose_precision(config.device)
    folder = begin.begun_folder(config) if resume else begin.new_folder("train", config.out)
    begun = begin.is_begun(folder)
    init = None if begun else networks.begins_with(config)
    architecture = Run(folder, config).architecture if begun else networks.choose_architecture(config, init)
    index = _open_videos(config)
    if not begun:
        _require_unseen(index, config, init)
    data = _open_data(index, config)
    needs = forecasts.train_needs(architecture, config, len(data.scanned.index.classes), precision)
    config = forecasts.settle_epochs(config, folder, begun_at, lambda: _pace(needs, data, config, precision))
    with begin.open_run(folder, config, resume=resume) as log:
        classes = data.scanned.index.classes
        network = networks.build_network(architecture, config, len(classes)).to(precision.device)
        step = steps.build_train_step(
            network,
            config,
            precision,
            num_steps=config.epochs * len(data.train),
            class_weights=_class_weights(data, config),
        )
        parts: dict[str, Stateful] = {
            "network": network,
            "optimizer": step.optimizer,
            "schedule": step.schedule,
            "scaler": step.scaler,
            **({"ema": step.average} if step.average is not None else {}),
        }
        with Keeper(log, parts, every_sec=60 * config.checkpoint_minutes) as keeper:
            begin.begin_or_go_on(
                keeper,
                log,
                config,
                begin=lambda: _begin(network, architecture, data, config, init, log),
                check_same=lambda: learnt.check_same(folder, data.scanned.index),
            )
            profile = _profile(network, config, precision)
            log.say(cost_line(profile, steps.describe_clip(config)))
            length = f"{counted(config.epochs, 'epoch')} of {counted(len(data.train), 'step')}"
            log.say(f"Training for {length} on {precision.device}.")
            forecasts.say_needs(needs, _work(data, config, keeper), config, log)
            while keeper.epoch < config.epochs:
                _train_epoch(config, data, step, keeper, log)
            scores = _test(step.tested, data, config, precision, log)
        checkpoint_bytes = log.path(files.CHECKPOINT).stat().st_size
        findings = () if config.single_frame else judge_test(scores, _train_accuracy(log), classes)
        result = TrainResult(log.folder, architecture, scores, profile, checkpoint_bytes, findings)
        _write_result(result, classes, config, log)
        videos.say_skipped(log, data.scanned)
        return result


def _open_videos(config: TrainConfig) -> VideoIndex:
    index = videos.open_videos(config)
    return videos.hold_out(index, config) if config.validate else index


def _require_unseen(index: VideoIndex, config: TrainConfig, init: Run | None) -> None:
    """UserError where a test video is one from which a run has learnt that this one owes something to."""
    source = None if config.network else networks.genotype_source(config)
    search = networks.run_of_genotype(source) if source else None
    if search is not None and (init is None or search != init.folder):
        learnt.check_unseen(index, search)
    if init is not None:
        learnt.check_unseen(index, init.folder, init.seen)


def _open_data(index: VideoIndex, config: TrainConfig) -> _Data:
    scanned = videos.scan(index, config)
    train, test = scanned.index.train, scanned.index.test
    train_clips = videos.train_clips(train, scanned.counts(train), config)
    test_clips = videos.test_clips(test, scanned.counts(test), config)
    return _Data(
        scanned,
        train_clips,
        train_loader(
            train_clips,
            batch_size=config.batch_size,
            seed=config.seed,
            workers=config.workers,
            repeats=config.repeats,
        ),
        test_loader(test_clips, batch_size=config.batch_size, workers=config.workers),
    )


def _class_weights(data: _Data, config: TrainConfig) -> Tensor | None:
    labels = [item.label for item in data.train_clips.items]
    return balancing_weights(labels, len(data.scanned.index.classes)) if config.balance else None


def _pace(needs: Needs, data: _Data, config: TrainConfig, precision: Precision) -> Pace:
    reading = time_reading(data.train_clips, workers=config.workers)
    train, test = (len(part) for part in (data.scanned.index.train, data.scanned.index.test))
    return forecasts.train_pace(needs, config, reading, precision, train=train, test=test)


def _profile(network: nn.Module, config: TrainConfig, precision: Precision) -> Profile:
    folded = networks.fold(network)
    return profile_network(network, steps.clip_shape(config), precision.device, inference=folded)


def _work(data: _Data, config: TrainConfig, keeper: Keeper) -> Work:
    """What is left to compute; the test at its end evaluates every test clip."""
    num_steps = len(data.train)
    steps_left = (config.epochs - keeper.epoch) * num_steps - keeper.step
    return Work(num_steps, 0, steps_left, len(data.scanned.index.test))


def _begin(
    network: nn.Module,
    architecture: Architecture,
    data: _Data,
    config: TrainConfig,
    init: Run | None,
    log: RunLog,
) -> None:
    """Tell and write down what is trained, and on what; take over the weights of another run if asked."""
    videos.say_videos(log, data.scanned.index, flip=config.flip, balance=config.balance)
    learnt.remember_seen(log, data.scanned, also=init.seen if init else None)
    draw_clips(log, data.train_clips, data.scanned.index.classes, config)
    if isinstance(architecture, Genotype):
        log.write(files.GENOTYPE, to_json(architecture))
    log.write(files.CLASSES, json.dumps(data.scanned.index.classes, ensure_ascii=False) + "\n")
    log.say(networks.describe_architecture(architecture))
    if init is not None:
        log.say(networks.start_from(network, data.scanned.index.classes, init))


def _train_epoch(config: TrainConfig, data: _Data, step: WeightStep, keeper: Keeper, log: RunLog) -> None:
    """Train the epoch after `keeper.epoch`, or what an interruption left of it, and save."""
    epoch, tally = keeper.epoch + 1, keeper.tally
    batches = of_epoch(data.train, keeper.epoch, first_batch=keeper.step)
    shown = log.progress(batches, total=len(batches), label=f"Epoch {epoch}", done=keeper.step)
    train_epoch(step, shown, tally, after_step=keeper.step_done)
    epoch_sec = keeper.epoch_sec
    steps.require_finite(tally.loss, epoch, config.lr)
    log.record(
        "train",
        epoch,
        loss=tally.loss,
        accuracy=tally.accuracy,
        lr=step.lr,
        waiting_share=log.waiting_share,
        epoch_sec=epoch_sec,
    )
    log.say(
        f"Epoch {epoch}/{config.epochs}: loss {tally.loss:.3f}, accuracy {tally.accuracy:.1%}; "
        f"{epoch_sec:.1f} s, {log.waiting_share:.0%} of it waiting for data; "
        f"{steps.time_left(epoch, config.epochs, epoch_sec)}"
    )
    keeper.epoch_done()


def _test(network: nn.Module, data: _Data, config: TrainConfig, precision: Precision, log: RunLog) -> Scores:
    batches = log.progress(data.test, total=len(data.test), label="Testing")
    predictions = evaluate_epoch(networks.fold(network), batches, precision, max_clips=config.batch_size)
    index = data.scanned.index
    answers = name_answers(
        predictions.scores,
        predictions.labels,
        [(item.path, item.group) for item in index.test],
        index.classes,
    )
    write_whole(log.path(files.PREDICTIONS), answers_csv(answers, index.classes))
    return score(predictions.scores, predictions.labels, videos.group_keys(index.test))


def _train_accuracy(log: RunLog) -> float:
    """On the training clips, in the last epoch."""
    return float([record["accuracy"] for record in log.records if record["kind"] == "train"][-1])


def _write_result(result: TrainResult, classes: tuple[str, ...], config: TrainConfig, log: RunLog) -> None:
    scores, protocol = result.scores, steps.describe_protocol("paper", config)
    record = {
        "protocol": protocol,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "scores": asdict(scores),
        "warnings": [asdict(finding) for finding in result.findings],
        "cost": asdict(result.profile) | {"checkpoint_bytes": result.checkpoint_bytes},
    }
    log.write(files.RESULT, json.dumps(record, indent=2) + "\n")
    numbers = {name: getattr(scores, name) for name in ("top1", "top5", "balanced_accuracy")}
    log.record("test", config.epochs, **numbers)
    if isinstance(result.architecture, Genotype):
        cell = draw_cell(result.architecture)
        for name in files.CELL:
            save_figure(cell, log.path(name))
    caption = accuracy_line(scores, protocol)
    save_figure(draw_confusion(scores.confusion, classes, caption=caption), log.path(files.CONFUSION))
    epochs = [record for record in log.records if record["kind"] == "train"]
    lines = {
        what: Line("train", [(one["epoch"], one[what]) for one in epochs]) for what in ("loss", "accuracy")
    }
    charts = [
        draw_lines("training loss", [lines["loss"]]),
        draw_lines("training accuracy", [lines["accuracy"]], share=True),
    ]
    save_figure(draw_curves(charts), log.path(files.CURVES))
    log.say(caption)
    for paragraph in paragraphs(result.findings, config):
        log.say(f"Careful: {paragraph}")
    state = "kept, but not worth using" if result.findings else "ready to use"
    log.say(f"The network is {state}: vidnas.load({str(log.folder)!r})")
