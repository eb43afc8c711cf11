"""The networks of runs: which one to train, built from the settings, and those already trained: `load`."""

import json
import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, get_args

from torch import Tensor, nn

from vidnas.config import Baseline, RecipeConfig, TrainConfig
from vidnas.configfile import from_json
from vidnas.engine.checkpoint import load_checkpoint
from vidnas.engine.keeper import CHECKPOINT as CHECKPOINT
from vidnas.errors import UsageError, UserError
from vidnas.genotype import Genotype, all_skip_genotype, load_genotype, random_genotype
from vidnas.nn.baselines import BASELINES, ClipSize
from vidnas.nn.folded import FoldedNetwork
from vidnas.nn.frame_input import CHANNELS, FrameInput, SeesFrames
from vidnas.nn.network import Network

GENOTYPE = "genotype.json"
CLASSES = "classes.json"
RANDOM = "random:"
"""Before a seed: a random cell."""
ALL_SKIP = "all-skip"
BEST_OF = "best-of:"
"""Before a number K: the best of K random cells, by validation. Only a comparison can choose it."""
CELLS = (
    "A cell is given as a genotype file, the run folder of a search or of a cell's training, "
    f"{RANDOM}SEED or {ALL_SKIP}."
)
APPEARANCE: Baseline = "2d-resnet-18"
"""The control that sees the colours of one frame, whatever the other networks see."""

Architecture = Genotype | Baseline
"""What a network is built from: a cell's genotype, or the name of a hand-designed network."""


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
            dropout=config.dropout,
        )
    sees: FrameInput = "rgb" if architecture == APPEARANCE else config.input
    clip = ClipSize(config.segments * config.frames_per_segment, config.size_px)
    build = BASELINES[architecture]
    network = build(num_classes, clip=clip, channels=CHANNELS[sees], dropout=config.dropout)
    return network if sees == "rgb" else SeesFrames(network, sees)


def describe_architecture(architecture: Architecture) -> str:
    """What is trained, in words."""
    if isinstance(architecture, Genotype):
        return f"Genotype: {architecture}"
    return f"Network: {architecture}, designed by hand (docs/rivals.md)"


def read_architecture(source: str) -> Architecture:
    """What a network is built from, by the name that a person gives it.

    That of a hand-designed network; or a cell: the one in a genotype file or a run folder, a random one for
    `random:SEED`, skips alone for `all-skip`. UserError for any other says what there is.
    """
    for name in get_args(Baseline):
        if name == source:
            return name  # type: ignore[no-any-return]
    if source.startswith(RANDOM):
        seed = source.removeprefix(RANDOM)
        if not seed.isdecimal():
            raise UsageError(f"{source} names no cell; write random: and a whole number, as in random:0.")
        return random_genotype(int(seed))
    if source == ALL_SKIP:
        return all_skip_genotype()
    path = Path(source).expanduser()
    if path.is_dir() and not (path / GENOTYPE).exists():
        raise UserError(
            f"{path} holds no {GENOTYPE}. It must be the folder of a finished search or of a cell's "
            "training; of an unfinished search take an epoch's, as in genotypes/epoch-001.json. A "
            "hand-designed network goes by its name."
        )
    if path.exists():
        return load_genotype(path / GENOTYPE if path.is_dir() else path)
    raise _unknown(source)


def _unknown(source: str) -> UserError:
    """What to say of a name that names no network."""
    hand_designed = ", ".join(get_args(Baseline))
    if source.startswith(BEST_OF):
        return UsageError(f"{source} is for a comparison: vidnas compare --networks {source}. {CELLS}")
    if "/" in source or source.endswith(".json"):
        return UserError(
            f"There is no file or folder {source}. {CELLS} A network may also be one designed by hand: "
            f"{hand_designed}."
        )
    close = get_close_matches(source.lower(), [*get_args(Baseline), ALL_SKIP], n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return UsageError(
        f"There is no network {source}.{hint} {CELLS} In a comparison it may also be {BEST_OF}K, the best of "
        f"K random cells. A network designed by hand is one of {hand_designed}."
    )


def read_genotype(source: str) -> Genotype:
    """The cell of this name, as `read_architecture` reads it; UsageError for a hand-designed network's."""
    architecture = read_architecture(source)
    if not isinstance(architecture, Genotype):
        raise UsageError(
            f"{source} is no cell but a hand-designed network: write --network {source}. (A file or folder "
            f"of that name is ./{source}.)"
        )
    return architecture


def genotype_source(config: TrainConfig) -> str:
    """Where the genotype comes from: by default the run whose weights are taken over."""
    source = config.genotype or config.init
    if source is None:
        raise UsageError(
            "What is to be trained? Give --genotype FILE, a run folder, random:SEED or all-skip; or a "
            "hand-designed network with --network."
        )
    return source


def choose_architecture(config: TrainConfig) -> Architecture:
    """What to train; UserError where the run `config.init` has no weights for that very network."""
    if config.init is not None:
        return _architecture_of_init(config, Path(config.init).expanduser())
    return config.network or read_genotype(genotype_source(config))


def architecture_of(folder: Path, config: TrainConfig) -> Architecture:
    """What the training in this run folder, whose settings these are, trains."""
    return config.network or load_genotype(folder / GENOTYPE)


def _architecture_of_init(config: TrainConfig, folder: Path) -> Architecture:
    learnt_config = load_train_config(folder)
    load(folder)  # what is wrong with its weights is told before anything is begun
    architecture = architecture_of(folder, learnt_config)
    names = ("num_cells", "first_channels", "stem_stride", "input")
    if not isinstance(architecture, Genotype):
        names = ("size_px", "segments", "frames_per_segment", "input")
    for name in names:
        own, learnt = getattr(config, name), getattr(learnt_config, name)
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
    return folder if (folder / "config.json").exists() and path.exists() else None


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
    network = build_network(architecture_of(folder, config), config, len(classes))
    state = load_checkpoint(folder / CHECKPOINT)
    try:
        network.load_state_dict(_averaged(state["ema"]) if config.ema else state["network"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{folder / CHECKPOINT} does not fit the settings and genotype of its run."
        ) from error
    return LoadedNetwork(network.eval(), classes)


def _averaged(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's own state in that of torch's AveragedModel of it."""
    return {name.removeprefix("module."): value for name, value in state.items() if name != "n_averaged"}


def start_from(network: nn.Module, classes: Sequence[str], config: TrainConfig) -> str:
    """Give a network the weights of the run `config.init`, but for the head where the classes differ.

    Returns what was taken. That the run's network is the same one, `choose_architecture` has made sure.
    """
    assert config.init is not None
    folder = Path(config.init).expanduser()
    learnt_network, learnt_classes = load(folder)
    same_head = tuple(classes) == learnt_classes
    state = {k: v for k, v in learnt_network.state_dict().items() if same_head or "head" not in k.split(".")}
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
    if '"networks"' in text:
        raise UserError(
            f"{folder} is a comparison; name one of its trainings, as in runs/NETWORK/seed-0 below it."
        )
    return from_json(TrainConfig, text, origin=str(path))
