"""What a search or a training will need, foretold from a few steps of a throw-away copy of it."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from vidnas.assembly import networks, oneclip, steps, videos
from vidnas.assembly.architecture import Architecture
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.errors import UsageError
from vidnas.nas.methods.method import search_step
from vidnas.nn.native.library import kernels
from vidnas.runs.log import RunLog
from vidnas.runs.settings import stored_config
from vidnas.training import forecast
from vidnas.training.cores import WORTH_TELLING, Others, describe_others
from vidnas.training.forecast import Needs, Trial, Work, made_up_batch
from vidnas.training.loop import Precision, Tally, train_epoch
from vidnas.training.memory import check_memory
from vidnas.training.pace import KEPT_FREE, Pace, Reading, pace, time_reading
from vidnas.video.clips.cache import FrameCache
from vidnas.video.scan.scans import Scanned

R = TypeVar("R", SearchConfig, TrainConfig)


def search_needs(config: SearchConfig, num_classes: int, precision: Precision, *, num_val: int = 0) -> Needs:
    """What the steps of this search need, which judges its epochs on `num_val` clips.

    UserError where the memory cannot suffice, or a batch is too small for the supernet's norms.
    """
    oneclip.check_search(config, num_classes, num_val)
    supernet = steps.build_supernet(config, num_classes).to(precision.device)
    check_memory(
        supernet, steps.clip_shape(config), config.batch_size, precision.device, remedy=_remedy(config)
    )
    needs = _search_needs(config, num_classes, precision)
    if not config.checkpoint_cells:
        return needs
    without = _search_needs(replace(config, checkpoint_cells=False), num_classes, precision)
    note = f"With --checkpoint-cells: {forecast.of_step(needs)}; without it: {forecast.of_step(without)}."
    return replace(needs, notes=(note, *needs.notes))


def _search_needs(config: SearchConfig, num_classes: int, precision: Precision) -> Needs:
    trial = partial(search_trial, config, num_classes, precision)
    return _measured(trial, config, config.batch_size, precision)


def _measured(
    trial: Callable[[], Trial], config: SearchConfig | TrainConfig, clips_at_once: int, precision: Precision
) -> Needs:
    shape, most, others = steps.clip_shape(config), config.batch_size, Others()
    needs = forecast.measure(
        trial, shape, clips_at_once=clips_at_once, evaluated_at_once=most, precision=precision
    )
    return replace(needs, notes=(*_without_kernels(precision), *_beside_others(others)))


def _beside_others(others: Others) -> tuple[str, ...]:
    """A sentence if other programs compute."""
    busy = others.busy_cores()
    if busy < WORTH_TELLING:
        return ()
    return (f"Careful: {describe_others(busy)}. The forecast holds as long as they do.",)


def search_trial(config: SearchConfig, num_classes: int, precision: Precision) -> Trial:
    """A throw-away search with a step on made-up clips."""
    supernet = steps.build_supernet(config, num_classes).to(precision.device)
    step = steps.build_search_step(supernet, config, precision, num_steps=forecast.MOST_STEPS)
    method = steps.build_method(supernet, config, precision)

    def prepare_step(num_clips: int) -> Callable[[], object]:
        train, val = (made_up_batch(num_clips, steps.clip_shape(config)) for _ in range(2))
        return lambda: search_step(step, method, train, val, Tally())

    return Trial(supernet, prepare_step)


def train_needs(
    architecture: Architecture, config: TrainConfig, num_classes: int, precision: Precision
) -> Needs:
    """What the steps of this training need.

    UserError where the memory cannot suffice, or a part of a batch is too small for the network's norms.
    """
    oneclip.check_training(architecture, config, num_classes)
    network = networks.build_network(architecture, config, num_classes).to(precision.device)
    clips_at_once = -(-config.batch_size // config.accumulate)
    check_memory(network, steps.clip_shape(config), clips_at_once, precision.device, remedy=_remedy(config))
    trial = partial(train_trial, architecture, config, num_classes, precision)
    needs = _measured(trial, config, clips_at_once, precision)
    # On trial all parts are of one size; of a batch that does not divide evenly the last ones are smaller.
    share = config.batch_size / (clips_at_once * config.accumulate)
    return replace(needs, step_sec=needs.step_sec * share)


def train_trial(
    architecture: Architecture, config: TrainConfig, num_classes: int, precision: Precision
) -> Trial:
    """A throw-away training with a step on made-up clips, in as many parts as a batch is cut into."""
    network = networks.build_network(architecture, config, num_classes).to(precision.device)
    step = steps.build_train_step(network, config, precision, num_steps=forecast.MOST_STEPS)

    def prepare_step(clips_at_once: int) -> Callable[[], object]:
        batch = made_up_batch(clips_at_once * config.accumulate, steps.clip_shape(config))
        return lambda: train_epoch(step, [batch], Tally(), after_step=lambda: None)

    return Trial(network, prepare_step, networks.fold(network))


def run_pace(
    needs: Needs, config: SearchConfig | TrainConfig, reading: Reading, train: int, test: int
) -> Pace:
    """How long an epoch takes on `train` videos; on `test` a search is judged each epoch, a training once."""
    size, device = config.batch_size, steps.choose_precision(config.device).device
    num_steps = -(-train // size)
    if isinstance(config, SearchConfig):
        return pace(needs, reading, device, steps=num_steps, step_clips=2 * size, validated=test)
    return pace(needs, reading, device, steps=num_steps, step_clips=size, tested=test)


class Outlook:
    """Foretells how long runs on the same videos take: every network is tried once, and the reading."""

    def __init__(self, opened: videos.Videos) -> None:
        self._opened = opened
        self._reading: Reading | None = None
        self._known: dict[TrainConfig, Pace] = {}

    def pace(self, config: TrainConfig) -> Pace:
        """The pace of a training, the time of its own forecast among what comes once.

        UserError where the network does not suit the clips, or the memory cannot suffice.
        """
        known = replace(config, seed=0, out=None, epochs=1)
        if known not in self._known:
            self._known[known] = self._try(config)
        return self._known[known]

    def search_pace(self, config: SearchConfig) -> Pace:
        """The same of a search, which divides the training videos in two halves."""
        begun_at = time.perf_counter()
        scanned, precision = self._opened.scanned(), steps.prepare(config)
        index = scanned.index
        needs = search_needs(config, len(index.classes), precision)
        train = len(index.train) // 2
        reading = self._read(scanned, config, self._opened.cache())
        found = run_pace(needs, config, reading, train, len(index.train) - train)
        return found._replace(once_sec=time.perf_counter() - begun_at)

    def _try(self, config: TrainConfig) -> Pace:
        begun_at = time.perf_counter()
        scanned = self._opened.scanned(validate=config.validate)
        precision, architecture = steps.prepare(config), networks.choose_architecture(config)
        index = scanned.index
        needs = train_needs(architecture, config, len(index.classes), precision)
        reading = self._read(scanned, config, self._opened.cache(validate=config.validate))
        found = run_pace(needs, config, reading, len(index.train), len(index.test))
        return found._replace(once_sec=found.once_sec + time.perf_counter() - begun_at)

    def _read(
        self, scanned: Scanned, config: SearchConfig | TrainConfig, cache: FrameCache | None
    ) -> Reading:
        if self._reading is None:
            train = scanned.index.train
            clips = videos.train_clips(train, scanned.counts(train), config, cache=cache)
            self._reading = time_reading(clips, workers=config.workers, cached=cache is not None)
        return self._reading


def settle_epochs(config: R, folder: Path, begun_at: float, find_pace: Callable[[], Pace]) -> R:
    """The settings with as many epochs as fit into `config.minutes`, where those are given.

    A run that is begun in `folder` keeps the number that was chosen at its beginning. `begun_at` is when the
    command began, on time.perf_counter's clock. UsageError where the time does not suffice for one epoch.
    """
    if config.minutes is None:
        return config
    begun = stored_config(type(config), folder)
    if begun is not None:
        return replace(config, epochs=begun.epochs)
    found = find_pace()
    spent_sec = time.perf_counter() - begun_at
    epochs = found.epochs_in((1 - KEPT_FREE) * 60 * config.minutes - spent_sec)
    if epochs < 1:
        raise UsageError(too_few_minutes(config.minutes, found, spent_sec))
    return replace(config, epochs=epochs)


def too_few_minutes(minutes: float, found: Pace, spent_sec: float = 0.0) -> str:
    """What to say where not one epoch fits, and how many minutes it would take."""
    least = (spent_sec + found.sec(1)) / (1 - KEPT_FREE) / 60
    digits = max(0, 1 - math.floor(math.log10(least)))  # two significant ones, rounded up and a little more
    enough = math.ceil(1.1 * least * 10**digits) / 10**digits
    rest = "" if spent_sec == 0 else f", and all else {forecast.in_words(spent_sec + found.once_sec)}"
    return (
        f"minutes is {minutes:g}, too few for one epoch, which takes about "
        f"{forecast.in_words(found.epoch_sec)} here{rest}. One epoch takes --minutes {enough:g}, a good "
        "result many times that. A smaller --size-px or --stem-stride 2 makes epochs shorter."
    )


def say_needs(needs: Needs, work: Work, config: SearchConfig | TrainConfig, log: RunLog) -> None:
    """Tell what the work will take, and what to change if the memory will hardly suffice."""
    if config.minutes is not None:
        log.say(f"That is as many epochs as fit into {config.minutes:g} min by the forecast.")
    for line in (forecast.describe(needs, work), *needs.notes, *forecast.warn(needs, _remedy(config))):
        log.say(line)


def _without_kernels(precision: Precision) -> tuple[str, ...]:
    """A sentence where a CPU computes without the kernels made for it, so that nobody waits without need."""
    if precision.device.type != "cpu" or kernels(torch.empty(0)) is not None:
        return ()
    return (
        "Careful: vidnas computes without its CPU kernels, several times slower. They need a C compiler that "
        "works and a cache folder that can be written: install gcc or clang, mend what CC or XDG_CACHE_HOME "
        "name, and do not set VIDNAS_NATIVE to 0.",
    )


def _remedy(config: SearchConfig | TrainConfig) -> str:
    smaller = "a smaller --batch-size or --size-px, or --stem-stride 2."
    if isinstance(config, TrainConfig):
        return f"Use --accumulate to cut batches into parts, {smaller}"
    return f"Use {smaller}" if config.checkpoint_cells else f"Use --checkpoint-cells, {smaller}"
