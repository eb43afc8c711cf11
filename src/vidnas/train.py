"""The verb `train`: a genotype's network is trained from scratch and tested after its last epoch."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader

from vidnas import runs
from vidnas.config import TrainConfig
from vidnas.engine.checkpoint import save_checkpoint
from vidnas.engine.loop import Precision, Tally, WeightStep, evaluate_epoch, train_epoch
from vidnas.engine.profile import Profile, profile_network
from vidnas.engine.report import accuracy_line, cost_line
from vidnas.engine.runlog import RunLog
from vidnas.engine.scores import Scores, score
from vidnas.figures.cell import draw_cell
from vidnas.figures.confusion import draw_confusion
from vidnas.figures.curves import draw_curves
from vidnas.figures.save import save_figure
from vidnas.genotype import Genotype, to_json
from vidnas.video.layouts import Item
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
    classes: tuple[str, ...]
    train: DataLoader[Any]
    test: DataLoader[Any]
    test_items: tuple[Item, ...]


def run_train(config: TrainConfig) -> TrainResult:
    """Train the network of `config.genotype` on all training videos, then test it, and write the run folder.

    UserError where the genotype, the videos or the run folder do not allow it, before the first epoch.
    """
    precision = runs.choose_precision(config.device)
    genotype = runs.read_genotype(config.genotype)
    with runs.open_run("train", config) as log:
        data = _open_data(config, log)
        log.write(runs.GENOTYPE, to_json(genotype))
        log.write(runs.CLASSES, json.dumps(data.classes, ensure_ascii=False) + "\n")
        network = runs.build_network(genotype, config, len(data.classes)).to(precision.device)
        profile = profile_network(network, runs.clip_shape(config), precision.device)
        log.say(f"Genotype: {genotype}")
        log.say(cost_line(profile, runs.describe_clip(config)))
        step = _weight_step(network, config, precision, num_steps=config.epochs * len(data.train))
        log.say(f"Training for {config.epochs} epochs of {len(data.train)} steps on {precision.device}.")
        tallies = [_train_epoch(epoch, config, data, step, log) for epoch in range(1, config.epochs + 1)]
        scores = _test(network, data, config, precision, log)
        checkpoint_bytes = log.path(runs.CHECKPOINT).stat().st_size
        _write_result(genotype, tallies, scores, profile, checkpoint_bytes, data.classes, config, log)
        return TrainResult(log.folder, genotype, scores, profile, checkpoint_bytes)


def _open_data(config: TrainConfig, log: RunLog) -> _Data:
    index = runs.open_videos(config)
    runs.say_videos(log, index, flip=config.flip)
    counts = runs.frame_counts(index.train + index.test, workers=config.workers)
    num_train = len(index.train)
    train_clips = runs.train_clips(index.train, counts[:num_train], config)
    runs.draw_clips(log, train_clips, index.classes)
    return _Data(
        index.classes,
        train_loader(train_clips, batch_size=config.batch_size, seed=config.seed, workers=config.workers),
        test_loader(
            runs.test_clips(index.test, counts[num_train:], config),
            batch_size=config.batch_size,
            workers=config.workers,
        ),
        index.test,
    )


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
        f"{epoch_sec:.1f} s, {log.waiting_share:.0%} of it waiting for data"
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
    return score(predictions.scores, predictions.labels, runs.group_keys(data.test_items))


def _write_result(
    genotype: Genotype,
    tallies: list[Tally],
    scores: Scores,
    profile: Profile,
    checkpoint_bytes: int,
    classes: tuple[str, ...],
    config: TrainConfig,
    log: RunLog,
) -> None:
    result = {
        "protocol": "paper",
        "scores": asdict(scores),
        "cost": asdict(profile) | {"checkpoint_bytes": checkpoint_bytes},
    }
    log.write("result.json", json.dumps(result, indent=2) + "\n")
    log.record("test", config.epochs, top1=scores.top1, top5=scores.top5, mean_class=scores.mean_class)
    cell = draw_cell(genotype)
    for suffix in ("png", "svg"):
        save_figure(cell, log.path(f"cell.{suffix}"))
    caption = accuracy_line(scores, runs.PROTOCOLS["paper"])
    save_figure(draw_confusion(scores.confusion, classes, caption=caption), log.path("confusion.png"))
    curves = {
        "loss": {"train": [tally.loss for tally in tallies]},
        "accuracy": {"train": [tally.accuracy for tally in tallies]},
    }
    save_figure(draw_curves(curves), log.path("curves.png"))
    log.say(caption)
    log.say(f"The network is ready to use: vidnas.load({str(log.folder)!r})")
