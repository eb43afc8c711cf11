"""What a search or a training will need, foretold from a few steps of a throw-away copy of it."""

from collections.abc import Callable
from dataclasses import replace

import torch

from vidnas import networks, runs
from vidnas.config import SearchConfig, TrainConfig
from vidnas.engine import forecast
from vidnas.engine.forecast import Needs, Trial, Work, made_up_batch
from vidnas.engine.loop import Batch, Precision, Tally, WeightStep, train_epoch
from vidnas.engine.memory import check_memory
from vidnas.engine.runlog import RunLog
from vidnas.nas.architect import Architect
from vidnas.networks import Architecture
from vidnas.nn.native.library import kernels

SearchStep = Callable[[WeightStep, Architect, Batch, Batch, Tally], None]
"""search_step(step, architect, train_batch, val_batch, tally): a step of alpha and a step of the weights."""


def search_needs(
    config: SearchConfig, num_classes: int, precision: Precision, search_step: SearchStep
) -> Needs:
    """What the steps of this search need; UserError where the memory cannot suffice."""
    supernet = runs.build_supernet(config, num_classes).to(precision.device)
    check_memory(
        supernet, runs.clip_shape(config), config.batch_size, precision.device, remedy=_remedy(config)
    )
    needs = _search_needs(config, num_classes, precision, search_step)
    if not config.checkpoint_cells:
        return replace(needs, notes=_without_kernels(precision))
    without = _search_needs(replace(config, checkpoint_cells=False), num_classes, precision, search_step)
    note = f"With --checkpoint-cells: {forecast.of_step(needs)}; without it: {forecast.of_step(without)}."
    return replace(needs, notes=(note, *_without_kernels(precision)))


def _search_needs(
    config: SearchConfig, num_classes: int, precision: Precision, search_step: SearchStep
) -> Needs:
    return forecast.measure(
        lambda: search_trial(config, num_classes, precision, search_step),
        runs.clip_shape(config),
        clips_at_once=config.batch_size,
        evaluated_at_once=config.batch_size,
        precision=precision,
    )


def search_trial(
    config: SearchConfig, num_classes: int, precision: Precision, search_step: SearchStep
) -> Trial:
    """A throw-away search with a step on made-up clips."""
    supernet = runs.build_supernet(config, num_classes).to(precision.device)
    step = runs.build_search_step(supernet, config, precision, num_steps=forecast.MOST_STEPS)
    architect = runs.build_architect(supernet, config, precision)

    def prepare_step(num_clips: int) -> Callable[[], object]:
        train, val = (made_up_batch(num_clips, runs.clip_shape(config)) for _ in range(2))
        return lambda: search_step(step, architect, train, val, Tally())

    return Trial(supernet, prepare_step)


def train_needs(
    architecture: Architecture, config: TrainConfig, num_classes: int, precision: Precision
) -> Needs:
    """What the steps of this training need; UserError where the memory cannot suffice."""
    network = networks.build_network(architecture, config, num_classes).to(precision.device)
    clips_at_once = -(-config.batch_size // config.accumulate)
    check_memory(network, runs.clip_shape(config), clips_at_once, precision.device, remedy=_remedy(config))
    needs = forecast.measure(
        lambda: train_trial(architecture, config, num_classes, precision),
        runs.clip_shape(config),
        clips_at_once=clips_at_once,
        evaluated_at_once=config.batch_size,
        precision=precision,
    )
    # On trial all parts are of one size; of a batch that does not divide evenly the last ones are smaller.
    share = config.batch_size / (clips_at_once * config.accumulate)
    return replace(needs, step_sec=needs.step_sec * share, notes=_without_kernels(precision))


def train_trial(
    architecture: Architecture, config: TrainConfig, num_classes: int, precision: Precision
) -> Trial:
    """A throw-away training with a step on made-up clips, in as many parts as a batch is cut into."""
    network = networks.build_network(architecture, config, num_classes).to(precision.device)
    step = runs.build_train_step(network, config, precision, num_steps=forecast.MOST_STEPS)

    def prepare_step(clips_at_once: int) -> Callable[[], object]:
        batch = made_up_batch(clips_at_once * config.accumulate, runs.clip_shape(config))
        return lambda: train_epoch(step, [batch], Tally(), after_step=lambda: None)

    return Trial(network, prepare_step, networks.fold(network))


def say_needs(needs: Needs, work: Work, config: SearchConfig | TrainConfig, log: RunLog) -> None:
    """Tell what the work will take, and what to change if the memory will hardly suffice."""
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
