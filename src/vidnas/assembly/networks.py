"""The networks of runs: which one to train, built from the settings, and those already trained: `load`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from vidnas.assembly.architecture import Architecture, genotype_source, read_genotype
from vidnas.config.learning import Baseline, RecipeConfig, TrainConfig
from vidnas.errors import UserError
from vidnas.nas.folded import FoldedNetwork
from vidnas.nas.genotype import Genotype
from vidnas.nas.network import Network
from vidnas.nn.baselines import BASELINES, ClipSize
from vidnas.nn.frame_input import CHANNELS, FrameInput, SeesFrames
from vidnas.runs.files import CHECKPOINT
from vidnas.runs.read import Run, read_training
from vidnas.runs.settings import is_run

APPEARANCE: Baseline = "2d-resnet-18"
"""The control that sees the colours of one frame, whatever the other networks see."""


def build_network(architecture: Architecture, config: RecipeConfig, num_classes: int) -> nn.Module:
    """The network of an architecture, as the settings ask for it; it takes RGB clips."""
    if isinstance(architecture, Genotype):
        return Network(
            architecture,
            num_classes,
            num_cells=config.num_cells,
            first_channels=config.first_channels,
            stem_stride=config.stem_stride,
            sees=config.input,
            clip_norm=config.clip_norm,
            dropout=config.dropout,
        )
    sees: FrameInput = "rgb" if architecture == APPEARANCE else config.input
    clip = ClipSize(config.segments * config.frames_per_segment, config.size_px)
    build = BASELINES[architecture]
    network = build(num_classes, clip=clip, channels=CHANNELS[sees], dropout=config.dropout)
    as_they_come = sees == "rgb" and config.clip_norm == "off"
    return network if as_they_come else SeesFrames(network, sees, config.clip_norm)


def describe_architecture(architecture: Architecture) -> str:
    """What is trained, in words."""
    if isinstance(architecture, Genotype):
        return f"Genotype: {architecture}"
    return f"Network: {architecture}, designed by hand (docs/rivals.md)"


def choose_architecture(config: TrainConfig, init: Run | None = None) -> Architecture:
    """What to train; UserError where the run `init` has no weights for that very network."""
    if init is None:
        return config.network or read_genotype(genotype_source(config))
    load(init)  # what is wrong with its weights is told before anything is begun
    folder, architecture = init.folder, init.architecture
    names = ("num_cells", "first_channels", "stem_stride", "input", "clip_norm")
    if not isinstance(architecture, Genotype):
        names = ("size_px", "segments", "frames_per_segment", "input", "clip_norm")
    for name in names:
        own, learnt = getattr(config, name), getattr(init.config, name)
        if own != learnt:
            flag = f"--{name.replace('_', '-')} {learnt}"
            raise UserError(
                f"{folder} was trained with {name} {learnt}, not {own}; use {flag}, or no --init."
            )
    if config.network not in (None, architecture):
        raise UserError(f"{folder} was not trained with network {config.network}; leave --network away.")
    if config.genotype is not None and read_genotype(config.genotype) != architecture:
        raise UserError(f"{folder} was trained with another genotype; leave --genotype away to take its own.")
    return architecture


def run_of_genotype(source: str) -> Path | None:
    """The run folder that a genotype comes from, if it is in one."""
    path = Path(source).expanduser()
    folder = path if path.is_dir() else path.parent
    return folder if is_run(folder) and path.exists() else None


def fold(network: nn.Module) -> nn.Module:
    """What a trained network computes, for inference alone (nas/folded.py)."""
    return FoldedNetwork(network) if isinstance(network, Network) else network


def load(run: str | Path | Run) -> tuple[nn.Module, tuple[str, ...]]:
    """The trained network of a run, or of its folder, on the CPU, in evaluation mode, and its class names.

    It maps normalised clips (batch, 3, frames, size_px, size_px) to logits; UserError where the folder is not
    a training's or is damaged.
    """
    run = run if isinstance(run, Run) else read_training(Path(run).expanduser())
    config, classes = run.training, run.class_names
    network = build_network(run.architecture, config, len(classes))
    try:
        state = run.checkpoint
        network.load_state_dict(_averaged(state["ema"]) if config.ema else state["network"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{run.folder / CHECKPOINT} does not fit the settings and genotype of its run."
        ) from error
    return network.eval(), classes


def _averaged(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's own state in that of torch's AveragedModel of it."""
    return {name.removeprefix("module."): value for name, value in state.items() if name != "n_averaged"}


def start_from(network: nn.Module, classes: Sequence[str], init: Run) -> str:
    """Give a network the weights of the run `init`, but for the head where the classes differ.

    Returns what was taken. That the run's network is the same one, `choose_architecture` has made sure.
    """
    learnt_network, learnt_classes = load(init)
    same_head = tuple(classes) == learnt_classes
    state = {k: v for k, v in learnt_network.state_dict().items() if same_head or "head" not in k.split(".")}
    network.load_state_dict(state, strict=same_head)
    new = "" if same_head else "; the head is new, since the classes are others"
    return f"Weights from {init.folder}{new}."


def unfinished(run: Run) -> tuple[str, ...]:
    """A sentence if a training stopped before its last epoch."""
    epochs = run.config.epochs
    epoch = run.checkpoint.get("epoch", epochs)
    if epoch == epochs:
        return ()
    return (f"Careful: the training is not finished; this is its epoch {epoch} of {epochs}.",)
