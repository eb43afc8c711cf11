"""The settings of every verb as plain frozen data.

Every field's text below is also its help text on the command line. `from_json` is strict: an unknown
name is an error, never ignored.
"""

import dataclasses
import json
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

from vidnas.errors import UsageError, UserError

Device = Literal["auto", "cpu", "cuda", "mps"]
SplitBy = Literal["auto", "group", "clip"]
C = TypeVar("C")


@dataclass(frozen=True, kw_only=True)
class ClipConfig:
    """Which videos are read and how they become clips: shared by search and train."""

    data: str
    """Videos: a folder per class, train/ and test/ folders of those, the UCF101 layout, a list file of
    `path label` lines, or `builtin` for the built-in motion clips."""
    test_list: str | None = None
    """Test videos as a list file, beside a list file given as data."""
    split: int = 1
    """Number K of the official lists trainlist0K.txt and testlist0K.txt."""
    split_by: SplitBy = "auto"
    """What a division of the videos keeps together: the groups found in the file names, or single clips.
    auto: groups where every name has one, else clips."""
    group_regex: str | None = None
    """Regular expression whose first (...) is the group in a file name, for names other than UCF101's."""
    size_px: int = 112
    """Height and width of a clip, pixels."""
    segments: int = 4
    """Equal parts into which a video is cut (the paper's N_s)."""
    frames_per_segment: int = 2
    """Frames drawn from each part (the paper's N_r)."""
    flip: bool = True
    """Mirror half of the training clips. Turn it off where left and right are different classes."""
    num_cells: int
    """Depth of the network: cells."""
    first_channels: int
    """Channels of the stem and of a node in the first cell; every reduction doubles them."""
    stem_stride: int = 1
    """Spatial stride of the stem: 2 quarters the cost."""
    epochs: int
    """Passes over the training videos."""
    batch_size: int
    """Clips of one step."""
    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one. The clips do not depend on it."""
    device: Device = "auto"
    """Where to compute; auto takes CUDA or MPS, with mixed precision, where there is one."""
    seed: int = 0
    """Seed of everything random."""
    out: str | None = None
    """Run folder to write, new or empty; by default runs/VERB-DATE-TIME."""

    def __post_init__(self) -> None:
        _check_types(self)
        for name in (
            "size_px",
            "segments",
            "frames_per_segment",
            "num_cells",
            "first_channels",
            "epochs",
            "batch_size",
        ):
            _at_least(self, name, 1)
        _at_least(self, "workers", 0)
        _at_least(self, "seed", 0)
        _at_least(self, "split", 1)
        if self.stem_stride not in (1, 2):
            raise UsageError(f"stem_stride is {self.stem_stride}; allowed are 1 and 2.")


@dataclass(frozen=True, kw_only=True)
class SearchConfig(ClipConfig):
    """Search a cell: alpha learns on half of the training videos (val), the weights on the other half."""

    num_cells: int = 3
    first_channels: int = 4
    epochs: int = 50
    batch_size: int = 16
    order: Literal[1, 2] = 2
    """Order of the alpha gradient: 2 looks one weight step ahead (paper, eq. 5), 1 costs two fifths of it."""
    select: Literal["best", "last"] = "best"
    """Which epoch's genotype is the result: the one with the best validation accuracy, or the last one."""
    lr: float = 0.05
    """Learning rate of the weights (SGD), falling to lr_min by a cosine over steps."""
    lr_min: float = 0.001
    """Learning rate of the weights at the last step."""
    momentum: float = 0.9
    """Momentum of the weights' SGD."""
    weight_decay: float = 3e-4
    """Weight decay of the weights."""
    grad_clip: float = 5.0
    """Largest norm of the weights' gradient."""
    alpha_lr: float = 3e-4
    """Learning rate of alpha (Adam)."""
    alpha_weight_decay: float = 1e-3
    """Weight decay of alpha."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("lr", "grad_clip", "alpha_lr"):
            _positive(self, name)
        for name in ("lr_min", "momentum", "weight_decay", "alpha_weight_decay"):
            _not_negative(self, name)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(ClipConfig):
    """Train a genotype's network from scratch on all training videos; test it after the last epoch."""

    genotype: str
    """What to build: a genotype file, a search's run folder, or random:SEED for a random cell."""
    num_cells: int = 6
    first_channels: int = 8
    epochs: int = 600
    batch_size: int = 72
    accumulate: int = 1
    """Parts into which a batch is cut to save memory; batch norm then sees the parts."""
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """sgd: momentum 0.9 and a cosine to 0 over steps (the paper). adamw: one-cycle."""
    lr: float = 0.025
    """Highest learning rate."""
    weight_decay: float = 3e-4
    """Weight decay of every weight."""
    label_smoothing: float = 0.0
    """Share of the target spread over all classes."""
    single_frame: bool = False
    """Control experiment: every clip is one random frame repeated (the middle one when testing)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _positive(self, "lr")
        _not_negative(self, "weight_decay")
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"label_smoothing is {self.label_smoothing}; allowed are 0 to below 1.")
        if not 1 <= self.accumulate <= self.batch_size:
            raise UsageError(
                f"accumulate is {self.accumulate}; allowed are 1 to the batch size, {self.batch_size}."
            )


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Test a trained network: accuracy with an interval, per-class table, confusion matrix, cost."""

    run: str
    """Run folder of a training."""
    data: str
    """Videos, as for `vidnas train`; their classes must be among the run's."""
    test_list: str | None = None
    """Test videos as a list file, beside a list file given as data. This and the next three settings are by
    default those of the run where the data are its own."""
    split: int | None = None
    """Number K of the official lists trainlist0K.txt and testlist0K.txt."""
    split_by: SplitBy | None = None
    """What a division of the videos keeps together where no test split is given."""
    group_regex: str | None = None
    """Where the group stands in a file name."""
    protocol: Literal["paper", "multi"] = "paper"
    """paper: one centre-cropped clip of each video. multi: the mean of 10 clips x 3 crops."""
    batch_size: int = 16
    """Clips computed at once."""
    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        _check_types(self)
        _at_least(self, "batch_size", 1)
        _at_least(self, "workers", 0)
        if self.split is not None:
            _at_least(self, "split", 1)


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """Show the whole path on the built-in clips in a few minutes: search, derive, train, evaluate, draw."""

    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one."""
    device: Device = "auto"
    """Where to compute."""
    seed: int = 0
    """Seed of everything random."""
    out: str | None = None
    """Folder to write, new or empty; by default runs/demo-DATE-TIME."""


def to_json(config: object) -> str:
    """A config as JSON text."""
    assert dataclasses.is_dataclass(config) and not isinstance(config, type)
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(kind: type[C], text: str, *, origin: str = "config.json") -> C:
    """Read a config of class `kind` strictly; UserError names an unknown, missing or unsuitable setting."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{origin} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise UserError(f"{origin} must hold an object of settings.")
    assert dataclasses.is_dataclass(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    for name in data:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise UserError(f"{origin}: '{name}' is not a setting of {kind.__name__}.{hint}")
    missing = [
        f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING and f.name not in data
    ]
    if missing:
        raise UserError(f"{origin} lacks {', '.join(missing)}, which {kind.__name__} needs.")
    try:
        return kind(**data)
    except TypeError as error:
        raise UserError(f"{origin}: {error}.") from error
    except UsageError as error:
        raise UserError(f"{origin}: {error}") from error


def _at_least(config: object, name: str, smallest: int) -> None:
    value = getattr(config, name)
    if not isinstance(value, int) or value < smallest:
        raise UsageError(f"{name} is {value!r}; it must be a whole number of at least {smallest}.")


def _positive(config: object, name: str) -> None:
    value = getattr(config, name)
    if not isinstance(value, int | float) or not value > 0:
        raise UsageError(f"{name} is {value!r}; it must be greater than 0.")


def _not_negative(config: object, name: str) -> None:
    value = getattr(config, name)
    if not isinstance(value, int | float) or not value >= 0:
        raise UsageError(f"{name} is {value!r}; it must be at least 0.")


def _check_types(config: object) -> None:
    """UsageError for a choice that is none and for a switch that is neither True nor False."""
    for name, hint in get_type_hints(type(config)).items():
        value = getattr(config, name)
        kinds = get_args(hint) if get_origin(hint) is UnionType else (hint,)
        choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
        if choices and value not in choices and not (value is None and NoneType in kinds):
            raise UsageError(f"{name} is {value!r}; allowed are {', '.join(map(str, choices))}.")
        if hint is bool and not isinstance(value, bool):
            raise UsageError(f"{name} is {value!r}; allowed are True and False.")
