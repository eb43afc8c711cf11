"""One network trained and tested: what `train`, comparisons and whatever else trains networks share.

Pictures and judgements are the caller's: `prepare` looks at all that can be refused, `run` trains and tests.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.utils.data import DataLoader

from vidnas.assembly import forecasts, networks, steps, videos
from vidnas.assembly.architecture import Architecture, genotype_source
from vidnas.config.learning import TrainConfig
from vidnas.errors import counted
from vidnas.nas.genotype import Genotype, to_json
from vidnas.runs import begin, files, learnt
from vidnas.runs.keeper import Keeper
from vidnas.runs.log import RunLog
from vidnas.runs.read import Run, read_training
from vidnas.training.forecast import Needs, Work
from vidnas.training.loop import Precision, Predictions, Stateful, WeightStep, evaluate_epoch, train_epoch
from vidnas.training.pace import Pace, time_reading
from vidnas.training.profile import Profile, cost_line, profile_network
from vidnas.training.recipe import balancing_weights
from vidnas.training.scores import Scores, score
from vidnas.video.clips.datasets import TrainClips
from vidnas.video.clips.loaders import of_epoch, test_loader, train_loader
from vidnas.video.items import VideoIndex
from vidnas.video.scan.scans import Scanned


@dataclass(frozen=True)
class Training:
    """A training that can begin or go on: its settings with the epochs that it will have, and its parts."""

    config: TrainConfig
    folder: Path
    architecture: Architecture
    init: Run | None
    """The run whose weights it begins with."""
    scanned: Scanned
    train_clips: TrainClips
    train: DataLoader[Any]
    test: DataLoader[Any]
    needs: Needs
    precision: Precision


class Trained(NamedTuple):
    """What a network answers to the test videos after its last epoch, how good that is, what it costs."""

    predictions: Predictions
    scores: Scores
    profile: Profile


def prepare(config: TrainConfig, opened: videos.Videos, *, resume: bool) -> Training:
    """Look at all that a training needs; `opened` are its videos, perhaps opened for others before.

    UserError where the genotype, the videos, the memory or the run folder do not allow it; among them test
    videos that the search of the genotype has seen.
    """
    begun_at = time.perf_counter()
    precision = steps.prepare(config)
    folder = begin.begun_folder(config) if resume else begin.new_folder("train", config.out)
    begun = begin.is_begun(folder)
    init = read_training(Path(config.init).expanduser()) if config.init and not begun else None
    architecture = Run(folder, config).architecture if begun else networks.choose_architecture(config, init)
    if not begun:
        _require_unseen(opened.index(validate=config.validate), config, init)
    scanned = opened.scanned(validate=config.validate)
    index, workers = scanned.index, config.workers
    needs = forecasts.train_needs(architecture, config, len(index.classes), precision)
    cache = opened.cache(validate=config.validate)
    train_clips = videos.train_clips(index.train, scanned.counts(index.train), config, cache=cache)
    test_clips = videos.test_clips(index.test, scanned.counts(index.test), config)

    def pace() -> Pace:
        reading = time_reading(train_clips, workers=workers, cached=cache is not None)
        return forecasts.run_pace(needs, config, reading, len(index.train), len(index.test))

    config = forecasts.settle_epochs(config, folder, begun_at, pace)
    batch_size, seed, repeats = config.batch_size, config.seed, config.repeats
    train = train_loader(train_clips, batch_size=batch_size, seed=seed, workers=workers, repeats=repeats)
    test = test_loader(test_clips, batch_size=batch_size, workers=workers)
    return Training(config, folder, architecture, init, scanned, train_clips, train, test, needs, precision)


def _require_unseen(index: VideoIndex, config: TrainConfig, init: Run | None) -> None:
    """UserError where a test video is one from which a run has learnt that this one owes something to."""
    source = None if config.network else genotype_source(config)
    search = networks.run_of_genotype(source) if source else None
    if search is not None and (init is None or search != init.folder):
        learnt.check_unseen(index, search)
    if init is not None:
        learnt.check_unseen(index, init.folder, init.seen)


def run(training: Training, log: RunLog, *, begins: Callable[[], None]) -> Trained:
    """Train from where the run stands to its last epoch, then test; `begins` is called at the very beginning.

    On a CPU with the same number of threads an interrupted run comes to bit for bit what another does.
    """
    config, precision, index = training.config, training.precision, training.scanned.index
    network = networks.build_network(training.architecture, config, len(index.classes))
    network = network.to(precision.device)
    num_steps, weights = config.epochs * len(training.train), _class_weights(training)
    step = steps.build_train_step(network, config, precision, num_steps=num_steps, class_weights=weights)
    with Keeper(log, _parts(network, step), every_sec=60 * config.checkpoint_minutes) as keeper:
        start = partial(_begin, network, training, log, begins)
        begin.begin_or_go_on(keeper, log, config, index=index, begin=start)
        folded = networks.fold(network)
        profile = profile_network(network, steps.clip_shape(config), precision.device, inference=folded)
        log.say(cost_line(profile, steps.describe_clip(config)))
        videos.say_cache(log, training.train_clips.cache)
        length = f"{counted(config.epochs, 'epoch')} of {counted(len(training.train), 'step')}"
        log.say(f"Training for {length} on {precision.device}.")
        forecasts.say_needs(training.needs, _work(training, keeper), config, log)
        while keeper.epoch < config.epochs:
            _train_epoch(training, step, keeper, log)
        predictions = _test(step.tested, training, log)
    scores = score(predictions.scores, predictions.labels, videos.group_keys(index.test))
    return Trained(predictions, scores, profile)


def _class_weights(training: Training) -> Tensor | None:
    labels = [item.label for item in training.train_clips.items]
    return balancing_weights(labels, len(training.scanned.index.classes)) if training.config.balance else None


def _parts(network: nn.Module, step: WeightStep) -> dict[str, Stateful]:
    """What a checkpoint keeps."""
    return {
        "network": network,
        "optimizer": step.optimizer,
        "schedule": step.schedule,
        "scaler": step.scaler,
        **({"ema": step.average} if step.average is not None else {}),
    }


def _begin(network: nn.Module, training: Training, log: RunLog, begins: Callable[[], None]) -> None:
    """Tell and write down what is trained, and on what; take over the weights of another run if asked."""
    config, index = training.config, training.scanned.index
    videos.say_videos(log, index, flip=config.flip, balance=config.balance)
    also = training.init.seen if training.init else None
    learnt.remember_seen(log.folder, training.scanned, also=also)
    begins()
    if isinstance(training.architecture, Genotype):
        log.write(files.GENOTYPE, to_json(training.architecture))
    log.write(files.CLASSES, json.dumps(index.classes, ensure_ascii=False) + "\n")
    log.say(networks.describe_architecture(training.architecture))
    if training.init is not None:
        log.say(networks.start_from(network, index.classes, training.init))


def _work(training: Training, keeper: Keeper) -> Work:
    """What is left to compute; the test at its end evaluates every test clip."""
    num_steps = len(training.train)
    steps_left = (training.config.epochs - keeper.epoch) * num_steps - keeper.step
    return Work(num_steps, 0, steps_left, len(training.scanned.index.test))


def _train_epoch(training: Training, step: WeightStep, keeper: Keeper, log: RunLog) -> None:
    """Train the epoch after `keeper.epoch`, or what an interruption left of it, and save."""
    config, epoch, tally = training.config, keeper.epoch + 1, keeper.tally
    batches = of_epoch(training.train, keeper.epoch, first_batch=keeper.step)
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


def _test(network: nn.Module, training: Training, log: RunLog) -> Predictions:
    batches = log.progress(training.test, total=len(training.test), label="Testing")
    network, most = networks.fold(network), training.config.batch_size
    return evaluate_epoch(network, batches, training.precision, max_clips=most)
