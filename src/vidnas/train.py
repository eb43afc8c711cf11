"""The verb `train`: a genotype's network is trained from scratch and tested after its last epoch."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader

from vidnas import runs, videos
from vidnas.config import TrainConfig
from vidnas.engine.checkpoint import save_checkpoint
from vidnas.engine.loop import Precision, Tally, WeightStep, evaluate_epoch, train_epoch
from vidnas.engine.memory import check_memory
from vidnas.engine.profile import Profile, profile_network
from vidnas.engine.report import accuracy_line, cost_line
from vidnas.engine.runlog import RunLog
from vidnas.engine.scores import Scores, score
from vidnas.figures.cell import draw_cell
from vidnas.figures.confusion import draw_confusion
from vidnas.figures.curves import draw_curves
from vidnas.figures.save import save_figure
from vidnas.genotype import Genotype, to_json
from vidnas.video.datasets import TrainClips
from vidnas.video.layouts import VideoIndex
from vidnas.video.loaders import of_epoch, test_loader, train_loader


@dataclass(frozen=True)
class TrainResult:
    """A trained network's run folder, scores on the test videos after the last epoch, and cost."""

    run_dir: Path
    genotype: Genotype
    scores: Scores
    profile: Profile
    checkpoint_bytes: int


@dataclass(frozen=True)
class _Data:
    index: VideoIndex
    train_clips: TrainClips
    train: DataLoader[Any]
    test: DataLoader[Any]


def run_train(config: TrainConfig) -> TrainResult:
    """Train the network of `config.genotype` on all training videos, then test it, and write the run folder.

    UserError where the genotype, the videos, the memory or the run folder do not allow it, before the first
    epoch; among them test videos that the search of the genotype has seen.
    """
    precision = runs.choose_precision(config.device)
    genotype = runs.read_genotype(config.genotype)
    folder = runs.new_folder("train", config.out)
    data = _open_data(config)
    _require_memory(genotype, config, len(data.index.classes), precision)
    with runs.open_run(folder, config) as log:
        classes = data.index.classes
        videos.say_videos(log, data.index, flip=config.flip)
        videos.remember_seen(log, data.index)
        videos.draw_clips(log, data.train_clips, classes)
        log.write(runs.GENOTYPE, to_json(genotype))
        log.write(runs.CLASSES, json.dumps(classes, ensure_ascii=False) + "\n")
        network = runs.build_network(genotype, config, len(classes)).to(precision.device)
        profile = profile_network(network, runs.clip_shape(config), precision.device)
        log.say(f"Genotype: {genotype}")
        log.say(cost_line(profile, runs.describe_clip(config)))
        step = _weight_step(network, config, precision, num_steps=config.epochs * len(data.train))
        log.say(f"Training for {config.epochs} epochs of {len(data.train)} steps on {precision.device}.")
        tallies = [_train_epoch(epoch, config, data, step, log) for epoch in range(1, config.epochs + 1)]
        scores = _test(network, data, config, precision, log)
        checkpoint_bytes = log.path(runs.CHECKPOINT).stat().st_size
        result = TrainResult(log.folder, genotype, scores, profile, checkpoint_bytes)
        _write_result(result, tallies, classes, config, log)
        return result


def _open_data(config: TrainConfig) -> _Data:
    index = videos.open_videos(config)
    search_run = runs.run_of_genotype(config.genotype)
    if search_run is not None:
        videos.check_unseen(index, search_run)
    counts = videos.frame_counts(index.train + index.test, workers=config.workers)
    num_train = len(index.train)
    train_clips = videos.train_clips(index.train, counts[:num_train], config)
    test_clips = videos.test_clips(index.test, counts[num_train:], config)
    return _Data(
        index,
        train_clips,
        train_loader(train_clips, batch_size=config.batch_size, seed=config.seed, workers=config.workers),
        test_loader(test_clips, batch_size=config.batch_size, workers=config.workers),
    )


def _require_memory(genotype: Genotype, config: TrainConfig, num_classes: int, precision: Precision) -> None:
    network = runs.build_network(genotype, config, num_classes).to(precision.device)
    remedy = "Use --accumulate to cut batches into parts, a smaller --batch-size, or --stem-stride 2."
    clips_at_once = -(-config.batch_size // config.accumulate)
    check_memory(network, runs.clip_shape(config), clips_at_once, precision.device, remedy)


def _weight_step(
    network: nn.Module, config: TrainConfig, precision: Precision, *, num_steps: int
) -> WeightStep:
    weights = list(network.parameters())
    optimizer, schedule = runs.make_optimizer(weights, config, num_steps)
    return WeightStep(
        network,
        weights,
        optimizer,
        schedule,
        precision,
        label_smoothing=config.label_smoothing,
        accumulate=config.accumulate,
    )


def _train_epoch(epoch: int, config: TrainConfig, data: _Data, step: WeightStep, log: RunLog) -> Tally:
    started = time.perf_counter()
    lr = step.lr
    batches = of_epoch(data.train, epoch - 1)
    tally = train_epoch(step, log.progress(batches, total=len(batches), label=f"Epoch {epoch}"))
    epoch_sec = time.perf_counter() - started
    runs.require_finite(tally.loss, epoch, config.lr)
    log.record(
        "train",
        epoch,
        loss=tally.loss,
        accuracy=tally.accuracy,
        lr=lr,
        waiting_share=log.waiting_share,
        epoch_sec=epoch_sec,
    )
    log.say(
        f"Epoch {epoch}/{config.epochs}: loss {tally.loss:.3f}, accuracy {tally.accuracy:.1%}; "
        f"{epoch_sec:.1f} s, {log.waiting_share:.0%} of it waiting for data; "
        f"{runs.time_left(epoch, config.epochs, epoch_sec)}"
    )
    save_checkpoint(
        log.path(runs.CHECKPOINT),
        {
            "epoch": epoch,
            "network": step.model.state_dict(),
            "optimizer": step.optimizer.state_dict(),
            "schedule": step.schedule.state_dict(),
            "scaler": step.scaler.state_dict(),
        },
    )
    return tally


def _test(network: nn.Module, data: _Data, config: TrainConfig, precision: Precision, log: RunLog) -> Scores:
    batches = log.progress(data.test, total=len(data.test), label="Testing")
    predictions = evaluate_epoch(network, batches, precision, max_clips=config.batch_size)
    return score(predictions.scores, predictions.labels, videos.group_keys(data.index.test))


def _write_result(
    result: TrainResult, tallies: list[Tally], classes: tuple[str, ...], config: TrainConfig, log: RunLog
) -> None:
    scores, protocol = result.scores, runs.describe_protocol("paper", config)
    record = {
        "protocol": protocol,
        "scores": asdict(scores),
        "cost": asdict(result.profile) | {"checkpoint_bytes": result.checkpoint_bytes},
    }
    log.write("result.json", json.dumps(record, indent=2) + "\n")
    log.record("test", config.epochs, top1=scores.top1, top5=scores.top5, mean_class=scores.mean_class)
    cell = draw_cell(result.genotype)
    for suffix in ("png", "svg"):
        save_figure(cell, log.path(f"cell.{suffix}"))
    caption = accuracy_line(scores, protocol)
    save_figure(draw_confusion(scores.confusion, classes, caption=caption), log.path("confusion.png"))
    curves = {
        "training loss": {"train": [tally.loss for tally in tallies]},
        "training accuracy": {"train": [tally.accuracy for tally in tallies]},
    }
    save_figure(draw_curves(curves), log.path("curves.png"))
    log.say(caption)
    log.say(f"The network is ready to use: vidnas.load({str(log.folder)!r})")
