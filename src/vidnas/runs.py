"""The parts a verb needs, built from its settings: device, videos, loaders, supernet, network; and `load`."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import platformdirs
import torch
from torch import Tensor, nn
from tqdm import tqdm

from vidnas.config import ClipConfig, Device, EvaluateConfig, SearchConfig, TrainConfig, from_json, to_json
from vidnas.engine.checkpoint import load_checkpoint
from vidnas.engine.loop import Precision, best_precision
from vidnas.engine.runlog import RunLog, default_folder
from vidnas.errors import UsageError, UserError
from vidnas.figures.contact import draw_contact_sheet
from vidnas.figures.save import save_figure
from vidnas.genotype import Genotype, load_genotype, random_genotype
from vidnas.nn.network import Network, Supernet
from vidnas.video.datasets import TestClips, TrainClips, count_frames
from vidnas.video.layouts import Item, VideoIndex, direction_classes, index_videos
from vidnas.video.synthetic import write_clips
from vidnas.video.transforms import denormalize

BUILTIN = "builtin"
CHECKPOINT = "checkpoint.pt"
GENOTYPE = "genotype.json"
CLASSES = "classes.json"
TEST_SPLIT_SEED = 0
"""A test split that is made must not depend on the run's seed: every verb must find the same test videos."""
PROTOCOLS = MappingProxyType(
    {
        "paper": "one centre-cropped clip a video, no aggregation",
        "multi": "mean of 10 clips x 3 crops a video",
    }
)
"""What each protocol of an evaluation means."""


@contextmanager
def open_run(verb: str, config: SearchConfig | TrainConfig) -> Iterator[RunLog]:
    """A new run folder for a verb, its randomness seeded; says where it is."""
    with RunLog(Path(config.out) if config.out else default_folder(verb), to_json(config)) as log:
        log.say(f"Run folder: {log.folder}")
        torch.manual_seed(config.seed)
        yield log


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


def open_videos(config: ClipConfig | EvaluateConfig) -> VideoIndex:
    """The videos that `config.data` names; writes the built-in clips where they are asked for and missing."""
    data = builtin_clips() if config.data == BUILTIN else Path(config.data).expanduser()
    return index_videos(
        data,
        test_list=Path(config.test_list).expanduser() if config.test_list else None,
        split=config.split,
        split_by=config.split_by,
        group_regex=config.group_regex,
        seed=TEST_SPLIT_SEED,
    )


def builtin_clips() -> Path:
    """The folder of the built-in clips, in the user's cache."""
    folder = Path(platformdirs.user_cache_dir("vidnas")) / "builtin-clips"
    with tqdm(desc="Writing the built-in clips", unit="clip", leave=False, disable=None) as bar:
        write_clips(folder, progress=bar.update)
    return folder


def say_videos(log: RunLog, index: VideoIndex, *, flip: bool) -> None:
    """Tell what was found, and warn where mirroring clips contradicts the classes."""
    for note in index.notes:
        log.say(note)
    directions = direction_classes(index.classes)
    if flip and directions:
        log.say(
            f"Careful: {', '.join(directions)} carry a direction in their names, and half of the training "
            "clips are mirrored. If left and right are different classes, use --no-flip."
        )


def frame_counts(items: Sequence[Item], *, workers: int) -> list[int]:
    """How many frames each video has, by decoding it once; every unusable file is in the UserError."""
    with tqdm(total=len(items), desc="Counting frames", unit="video", leave=False, disable=None) as bar:
        return [info.num_frames for info in count_frames(items, workers=workers, progress=bar.update)]


def train_clips(
    items: Sequence[Item], counts: Sequence[int], config: SearchConfig | TrainConfig
) -> TrainClips:
    """Training clips as the settings ask for them."""
    return TrainClips(
        items,
        counts,
        size_px=config.size_px,
        segments=config.segments,
        frames_per_segment=config.frames_per_segment,
        flip=config.flip,
        single_frame=_single_frame(config),
    )


def test_clips(
    items: Sequence[Item], counts: Sequence[int], config: SearchConfig | TrainConfig, *, multi: bool = False
) -> TestClips:
    """One centre-cropped clip of each video or, with `multi`, 10 clips x 3 crops."""
    return TestClips(
        items,
        counts,
        size_px=config.size_px,
        segments=config.segments,
        frames_per_segment=config.frames_per_segment,
        single_frame=_single_frame(config),
        num_clips=10 if multi else 1,
        num_crops=3 if multi else 1,
    )


def _single_frame(config: SearchConfig | TrainConfig) -> bool:
    return isinstance(config, TrainConfig) and config.single_frame


def clip_shape(config: ClipConfig) -> tuple[int, int, int, int, int]:
    """The shape of a batch of one clip."""
    return 1, 3, config.segments * config.frames_per_segment, config.size_px, config.size_px


def describe_clip(config: ClipConfig) -> str:
    """The size of a clip in words."""
    return f"{config.segments * config.frames_per_segment} frames of {config.size_px} x {config.size_px} px"


def draw_clips(log: RunLog, clips: TrainClips, classes: Sequence[str]) -> None:
    """Write clips.png: a training clip of each of the first classes, as the network will see it."""
    first = {item.label: index for index, item in reversed(list(enumerate(clips.items)))}
    chosen = [first[label] for label in sorted(first)[:8]]
    samples = [clips[index, 0] for index in chosen]
    sheet = draw_contact_sheet(
        [denormalize(clip) for clip, _, _ in samples], [classes[label] for _, label, _ in samples]
    )
    save_figure(sheet, log.path("clips.png"))


def build_supernet(config: SearchConfig, num_classes: int) -> Supernet:
    """The supernet that the settings ask for."""
    return Supernet(
        num_classes,
        num_cells=config.num_cells,
        first_channels=config.first_channels,
        stem_stride=config.stem_stride,
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
    return load_genotype(path / GENOTYPE if path.is_dir() else path)


def group_keys(items: Sequence[Item]) -> list[str]:
    """What is resampled together: the (class, group) of a video, or the video alone where it has none."""
    return [f"{item.label}/{item.group}" if item.group else str(item.path) for item in items]


def make_optimizer(
    weights: Sequence[Tensor], config: TrainConfig, num_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """The optimizer that the settings name and its schedule over all steps."""
    if config.optimizer == "adamw":
        optimizer = torch.optim.AdamW(weights, config.lr, weight_decay=config.weight_decay)
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, config.lr, num_steps)
    sgd = torch.optim.SGD(weights, config.lr, momentum=0.9, weight_decay=config.weight_decay)
    return sgd, torch.optim.lr_scheduler.CosineAnnealingLR(sgd, num_steps)


class LoadedNetwork(NamedTuple):
    """A trained network, ready to use in evaluation mode, and the names of its classes."""

    network: nn.Module
    classes: tuple[str, ...]


def load(run_dir: str | Path) -> LoadedNetwork:
    """The trained network of a run folder on the CPU, in evaluation mode, and its class names.

    It maps normalised clips (batch, 3, frames, size_px, size_px) to logits; UserError where the folder is not
    a training's or is damaged.
    """
    folder = Path(run_dir)
    config = load_train_config(folder)
    classes = read_classes(folder)
    network = build_network(load_genotype(folder / GENOTYPE), config, len(classes))
    state = load_checkpoint(folder / CHECKPOINT)
    try:
        network.load_state_dict(state["network"])
    except (KeyError, RuntimeError) as error:
        raise UserError(
            f"{folder / CHECKPOINT} does not fit the settings and genotype of its run."
        ) from error
    return LoadedNetwork(network.eval(), classes)


def read_classes(folder: Path) -> tuple[str, ...]:
    """The class names of a training's run folder, in the order of the logits."""
    path = folder / CLASSES
    try:
        classes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"Cannot read the classes of the run in {path}: {error}.") from error
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise UserError(f"{path} must hold a list of class names.")
    return tuple(classes)


def load_train_config(folder: Path) -> TrainConfig:
    """The settings of a training's run folder."""
    path = folder / "config.json"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{folder} is not the run folder of a training: cannot read {path.name} in it ({error})."
        ) from error
    return from_json(TrainConfig, text, origin=str(path))
