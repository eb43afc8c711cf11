"""The parts a verb needs, built from its settings: device, videos, loaders, supernet, network; and `load`."""

import json
import math
import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vidnas.config import ClipConfig, Device, SearchConfig, TrainConfig
from vidnas.configfile import from_json
from vidnas.engine.checkpoint import load_checkpoint
from vidnas.engine.keeper import CHECKPOINT as CHECKPOINT
from vidnas.engine.loop import Precision, WeightStep, best_precision
from vidnas.errors import UsageError, UserError
from vidnas.genotype import Genotype, load_genotype, random_genotype
from vidnas.nas.architect import Architect
from vidnas.nn.folded import FoldedNetwork
from vidnas.nn.network import Network, Supernet

GENOTYPE = "genotype.json"
CLASSES = "classes.json"
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


def clip_shape(config: ClipConfig) -> tuple[int, int, int, int, int]:
    """The shape of a batch of one clip."""
    return 1, 3, config.segments * config.frames_per_segment, config.size_px, config.size_px


def describe_clip(config: ClipConfig) -> str:
    """The size of a clip in words."""
    return f"{config.segments * config.frames_per_segment} frames of {config.size_px} x {config.size_px} px"


def describe_protocol(protocol: str, config: TrainConfig) -> str:
    """How an accuracy is measured, in words."""
    control = ", each clip one frame repeated (control)" if config.single_frame else ""
    return PROTOCOLS[protocol] + control


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
        checkpoint_cells=config.checkpoint_cells,
    )


def build_network(genotype: Genotype, config: TrainConfig, num_classes: int) -> Network:
    """The network of a genotype that the settings ask for."""
    return Network(
        genotype,
        num_classes,
        num_cells=config.num_cells,
        first_channels=config.first_channels,
        stem_stride=config.stem_stride,
    )


def read_genotype(source: str) -> Genotype:
    """The genotype in a file or in a search's run folder, or a random one for `random:SEED`."""
    if source.startswith("random:"):
        seed = source.removeprefix("random:")
        if not seed.isdecimal():
            raise UsageError(f"genotype is {source}; write random: and a whole number, as in random:0.")
        return random_genotype(int(seed))
    path = Path(source).expanduser()
    if path.is_dir() and not (path / GENOTYPE).exists():
        raise UserError(
            f"{path} holds no {GENOTYPE}. It must be the folder of a finished search; of an unfinished one "
            "take an epoch's, as in genotypes/epoch-001.json."
        )
    return load_genotype(path / GENOTYPE if path.is_dir() else path)


def genotype_source(config: TrainConfig) -> str:
    """Where the genotype comes from: by default the run whose weights are taken over."""
    source = config.genotype or config.init
    if source is None:
        raise UsageError("What is to be trained? Give --genotype FILE, a run folder, or random:SEED.")
    return source


def choose_genotype(config: TrainConfig) -> Genotype:
    """The genotype to train; UserError where the run `config.init` has no weights for that very network."""
    if config.init is None:
        return read_genotype(genotype_source(config))
    folder = Path(config.init).expanduser()
    learnt_config = load_train_config(folder)
    load(folder)  # what is wrong with its weights is told before anything is begun
    for name in ("num_cells", "first_channels", "stem_stride"):
        own, learnt = getattr(config, name), getattr(learnt_config, name)
        if own != learnt:
            flag = f"--{name.replace('_', '-')} {learnt}"
            raise UserError(
                f"{folder} was trained with {name} {learnt}, not {own}; use {flag}, or no --init."
            )
    genotype = load_genotype(folder / GENOTYPE)
    if config.genotype is not None and read_genotype(config.genotype) != genotype:
        raise UserError(f"{folder} was trained with another genotype; leave --genotype away to take its own.")
    return genotype


def run_of_genotype(source: str) -> Path | None:
    """The run folder that a genotype comes from, if it is in one."""
    path = Path(source).expanduser()
    folder = path if path.is_dir() else path.parent
    return folder if (folder / "config.json").exists() and path.exists() else None


def make_optimizer(
    weights: Sequence[Tensor], config: TrainConfig, num_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """The optimizer that the settings name and its schedule over all steps."""
    if config.optimizer == "adamw":
        optimizer = torch.optim.AdamW(weights, config.lr, weight_decay=config.weight_decay)
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, config.lr, num_steps)
    sgd = torch.optim.SGD(weights, config.lr, momentum=0.9, weight_decay=config.weight_decay)
    return sgd, torch.optim.lr_scheduler.CosineAnnealingLR(sgd, num_steps)


def build_search_step(
    supernet: Supernet, config: SearchConfig, precision: Precision, *, num_steps: int
) -> WeightStep:
    """What steps the weights of a supernet in a search of so many steps."""
    weights = list(supernet.weights().values())
    sgd = torch.optim.SGD(weights, config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, num_steps, config.lr_min)
    return WeightStep(supernet, weights, sgd, schedule, precision, grad_clip=config.grad_clip)


def build_architect(supernet: Supernet, config: SearchConfig, precision: Precision) -> Architect:
    """What steps the alpha of a supernet as the settings ask for."""
    return Architect(
        supernet,
        order=config.order,
        lr=config.alpha_lr,
        weight_decay=config.alpha_weight_decay,
        # float16 would need a scaled loss; its first-order passes stay in float32
        autocast=nullcontext if precision.dtype is torch.float16 else precision.autocast,
    )


def build_train_step(
    network: nn.Module, config: TrainConfig, precision: Precision, *, num_steps: int
) -> WeightStep:
    """What steps the weights of a network in a training of so many steps."""
    weights = list(network.parameters())
    optimizer, schedule = make_optimizer(weights, config, num_steps)
    return WeightStep(
        network,
        weights,
        optimizer,
        schedule,
        precision,
        label_smoothing=config.label_smoothing,
        accumulate=config.accumulate,
    )


def fold(network: nn.Module) -> nn.Module:
    """What a trained network computes, for inference alone (nn/folded.py)."""
    return FoldedNetwork(network) if isinstance(network, Network) else network


class LoadedNetwork(NamedTuple):
    """A trained network, ready to use in evaluation mode, and the names of its classes."""

    network: nn.Module
    classes: tuple[str, ...]


def load(run_dir: str | Path) -> LoadedNetwork:
    """The trained network of a run folder on the CPU, in evaluation mode, and its class names.

    It maps normalised clips (batch, 3, frames, size_px, size_px) to logits; UserError where the folder is not
    a training's or is damaged.
    """
    folder = Path(run_dir).expanduser()
    config = load_train_config(folder)
    classes = read_classes(folder)
    network = build_network(load_genotype(folder / GENOTYPE), config, len(classes))
    state = load_checkpoint(folder / CHECKPOINT)
    try:
        network.load_state_dict(state["network"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{folder / CHECKPOINT} does not fit the settings and genotype of its run."
        ) from error
    return LoadedNetwork(network.eval(), classes)


def start_from(network: Network, classes: Sequence[str], config: TrainConfig) -> str:
    """Give a network the weights of the run `config.init`, but for the head where the classes differ.

    Returns what was taken. That the run's network is the same one, `choose_genotype` has made sure.
    """
    assert config.init is not None
    folder = Path(config.init).expanduser()
    learnt_network, learnt_classes = load(folder)
    same_head = tuple(classes) == learnt_classes
    state = {k: v for k, v in learnt_network.state_dict().items() if same_head or not k.startswith("head.")}
    network.load_state_dict(state, strict=same_head)
    return f"Weights from {folder}{'' if same_head else '; the head is new, since the classes are others'}."


def unfinished(folder: Path, config: TrainConfig) -> tuple[str, ...]:
    """A sentence if the training in this folder stopped before its last epoch."""
    epoch = load_checkpoint(folder / CHECKPOINT).get("epoch", config.epochs)
    if epoch == config.epochs:
        return ()
    return (f"Careful: the training is not finished; this is its epoch {epoch} of {config.epochs}.",)


def read_classes(folder: Path) -> tuple[str, ...]:
    """The class names of a training's run folder, in the order of the logits."""
    path = folder / CLASSES
    try:
        classes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or error
        raise UserError(f"Cannot read the classes of the run in {path}: {cause}.") from error
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise UserError(f"{path} must hold a list of class names.")
    if len(set(classes)) < len(classes):
        raise UserError(f"{path} holds a class name twice.")
    return tuple(classes)


def load_train_config(folder: Path) -> TrainConfig:
    """The settings of a training's run folder."""
    path = folder / "config.json"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{folder} is not the run folder of a training: cannot read {path.name} in it "
            f"({error.strerror if isinstance(error, OSError) else error}). A demo's are its train/ and "
            "single-frame/."
        ) from error
    if '"genotype"' not in text and '"alpha_lr"' in text:
        raise UserError(
            f"{folder} is the run folder of a search; first train: "
            f"vidnas train --genotype {shlex.quote(str(folder))} --data ..."
        )
    return from_json(TrainConfig, text, origin=str(path))
