"""The parts a verb needs, built from its settings: device, supernet, and what steps it and its weights."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from types import MappingProxyType

import torch
from torch import Tensor, nn

from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.parts import Clips, Device, Machine, Recipe
from vidnas.errors import UsageError, UserError, counted
from vidnas.nas.methods.darts import Architect, darts
from vidnas.nas.methods.method import Method
from vidnas.nas.network import Supernet
from vidnas.training.loop import Precision, WeightStep, best_precision
from vidnas.training.recipe import averaged, warmed_cosine

PROTOCOLS = MappingProxyType(
    {
        "paper": "one centre-cropped clip a video, no aggregation",
        "multi": "mean of 10 clips x 3 crops a video",
    }
)
"""What each protocol of an evaluation means."""


def choose_precision(device: Device) -> Precision:
    """The device asked for, or the best there is, with mixed precision where it has that."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return best_precision(torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name])))
    if not available[device]:
        usable = ", ".join(name for name, there in available.items() if there)
        raise UsageError(
            f"device is {device}, which this PyTorch cannot use here; it can use {usable} or auto."
        )
    return best_precision(torch.device(device))


def prepare(config: Machine) -> Precision:
    """Let as many threads compute as the settings say, if they do; returns where to compute, and in what."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    return choose_precision(config.device)


def clip_shape(config: Clips) -> tuple[int, int, int, int, int]:
    """The shape of a batch of one clip."""
    return 1, 3, config.segments * config.frames_per_segment, config.size_px, config.size_px


def describe_clip(config: Clips) -> str:
    """The size of a clip in words."""
    frames = counted(config.segments * config.frames_per_segment, "frame")
    return f"{frames} of {config.size_px} x {config.size_px} px"


def describe_protocol(protocol: str, config: Recipe) -> str:
    """How an accuracy is measured, in words."""
    held_out = ", half of the training videos (validation)" if config.validate else ""
    single_frame = isinstance(config, TrainConfig) and config.single_frame
    return (
        PROTOCOLS[protocol] + held_out + (", each clip one frame repeated (control)" if single_frame else "")
    )


def time_left(epoch: int, epochs: int, epoch_sec: float) -> str:
    """What remains after this epoch (from 1), in words."""
    if epoch == epochs:
        return "done"
    minutes = (epochs - epoch) * epoch_sec / 60
    return f"about {minutes:.0f} min left" if minutes >= 1 else "less than a minute left"


def require_finite(loss: float, epoch: int, lr: float) -> None:
    """UserError if a training has diverged."""
    if not math.isfinite(loss):
        raise UserError(
            f"The training diverged in epoch {epoch}: its loss is {loss}. Use a smaller learning rate than "
            f"--lr {lr:g}, or a larger batch."
        )


def build_supernet(config: SearchConfig, num_classes: int) -> Supernet:
    """The supernet that the settings ask for."""
    return Supernet(
        num_classes,
        num_cells=config.num_cells,
        first_channels=config.first_channels,
        stem_stride=config.stem_stride,
        sees=config.input,
        clip_norm=config.clip_norm,
        checkpoint_cells=config.checkpoint_cells,
    )


def make_optimizer(
    weights: Sequence[Tensor], config: Recipe, num_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """The optimizer that the settings name and its schedule over all steps."""
    optimizer: torch.optim.Optimizer  # fused: in one loop in C++ over all the small tensors
    if config.optimizer == "adamw":
        optimizer = torch.optim.AdamW(weights, config.lr, weight_decay=config.weight_decay, fused=True)
    else:
        optimizer = _sgd(weights, config, momentum=0.9)
    return optimizer, warmed_cosine(optimizer, num_steps=num_steps, warmup=config.warmup)


def _sgd(weights: Sequence[Tensor], config: Recipe | SearchConfig, momentum: float) -> torch.optim.SGD:
    decay = config.weight_decay
    return torch.optim.SGD(weights, config.lr, momentum=momentum, weight_decay=decay, fused=True)


def build_search_step(
    supernet: Supernet, config: SearchConfig, precision: Precision, *, num_steps: int
) -> WeightStep:
    """What steps the weights of a supernet in a search of so many steps."""
    weights = list(supernet.weights().values())
    sgd = _sgd(weights, config, config.momentum)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, num_steps, config.lr_min)
    return WeightStep(supernet, weights, sgd, schedule, precision, grad_clip=config.grad_clip)


def _darts(supernet: Supernet, config: SearchConfig, precision: Precision) -> Method:
    architect = Architect(
        supernet,
        order=config.order,
        lr=config.alpha_lr,
        weight_decay=config.alpha_weight_decay,
        # float16 would need a scaled loss; its first-order passes stay in float32
        autocast=nullcontext if precision.dtype is torch.float16 else precision.autocast,
    )
    return darts(architect)


METHODS = {"darts": _darts}
"""The search methods by name: (supernet, settings, precision) -> Method."""


def build_method(supernet: Supernet, config: SearchConfig, precision: Precision) -> Method:
    """How a supernet is searched as the settings ask for."""
    return METHODS["darts"](supernet, config, precision)


def build_train_step(
    network: nn.Module,
    config: Recipe,
    precision: Precision,
    *,
    num_steps: int,
    class_weights: Tensor | None = None,
) -> WeightStep:
    """What steps a network's weights in a training of so many steps; its loss may be weighted by class."""
    weights = list(network.parameters())
    optimizer, schedule = make_optimizer(weights, config, num_steps)
    return WeightStep(
        network,
        weights,
        optimizer,
        schedule,
        precision,
        label_smoothing=config.label_smoothing,
        class_weights=None if class_weights is None else class_weights.to(precision.device),
        mix=config.mix,
        accumulate=config.accumulate,
        average=averaged(network, config.ema) if config.ema else None,
    )
