"""The settings of every verb as plain frozen data.

Every field's text below is also its help text on the command line.
"""

from dataclasses import dataclass
from typing import Literal

from vidnas.errors import UsageError
from vidnas.limits import at_least, check_types, not_negative, positive

Device = Literal["auto", "cpu", "cuda", "mps"]
SplitBy = Literal["auto", "group", "clip"]
Layout = Literal["auto", "videos", "frames", "ucf101", "hmdb51", "csv", "list", "frame-list"]
OnBad = Literal["raise", "skip"]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which videos there are and how they are divided."""

    data: str
    """Videos: a folder per class, train/ and test/ folders of those, the layout of UCF101 or HMDB51, a CSV
    file or a list (docs/data.md has them all), or `builtin` for the built-in motion clips."""
    test_list: str | None = None
    """Test videos as a list file, beside a list file given as data."""
    split: int = 1
    """Number K of the official lists: trainlist0K.txt and testlist0K.txt, or Class_test_splitK.txt."""
    split_by: SplitBy = "auto"
    """What a division of the videos keeps together: the groups found in the file names, or single clips.
    auto: groups where every name has one, else clips."""
    group_regex: str | None = None
    """Regular expression whose first (...) is the group in a file name, for names other than UCF101's."""
    layout: Layout = "auto"
    """How to read the data where more than one way is possible; auto: by what is there."""
    roots: str | None = None
    """More folders below which the videos lie, separated by commas: further disks with the same layout, or
    where the paths of a list begin."""


@dataclass(frozen=True, kw_only=True)
class ClipConfig(DataConfig):
    """Which videos are read and how they become clips: shared by search and train."""

    on_bad: OnBad = "raise"
    """What to do about videos that cannot be used: raise stops and lists them; skip goes on without them,
    and lists them again at the end."""
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
    checkpoint_minutes: float = 10.0
    """Save the state at least this often, minutes, besides after every epoch; 0: after every step."""
    out: str | None = None
    """Run folder to write, new or empty; by default runs/VERB-DATE-TIME."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("size_px", "segments", "frames_per_segment", "num_cells", "first_channels"):
            at_least(self, name, 1)
        at_least(self, "epochs", 1)
        at_least(self, "batch_size", 1)
        at_least(self, "workers", 0)
        at_least(self, "seed", 0)
        at_least(self, "split", 1)
        not_negative(self, "checkpoint_minutes")
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
    """Which epoch's genotype is the result: the best by val accuracy (of equals the later), or the last."""
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
    checkpoint_cells: bool = False
    """Keep only the cells' outputs and compute the rest again where the gradient needs it: less memory, more
    time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("lr", "grad_clip", "alpha_lr"):
            positive(self, name)
        for name in ("lr_min", "momentum", "weight_decay", "alpha_weight_decay"):
            not_negative(self, name)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(ClipConfig):
    """Train a genotype's network from scratch on all training videos; test it after the last epoch."""

    genotype: str | None = None
    """What to build: a genotype file, a run folder, or random:SEED for a random cell. By default, with init,
    that run's."""
    init: str | None = None
    """Run folder of a training whose weights this one starts from. The classes may be others: the head is
    then new."""
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
        positive(self, "lr")
        not_negative(self, "weight_decay")
        not_negative(self, "label_smoothing")
        at_least(self, "accumulate", 1)
        if self.label_smoothing >= 1:
            raise UsageError(f"label_smoothing is {self.label_smoothing}; allowed are 0 to below 1.")
        if self.accumulate > self.batch_size:
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
    """Test videos as a list file, beside a list file given as data. This and the next five settings are by
    default those of the run where the data are its own."""
    split: int | None = None
    """Number K of the official lists: trainlist0K.txt and testlist0K.txt, or Class_test_splitK.txt."""
    split_by: SplitBy | None = None
    """What a division of the videos keeps together where no test split is given."""
    group_regex: str | None = None
    """Where the group stands in a file name."""
    layout: Layout | None = None
    """How to read the data where more than one way is possible."""
    roots: str | None = None
    """More folders below which the videos lie, separated by commas."""
    on_bad: OnBad = "raise"
    """What to do about videos that cannot be used: raise stops and lists them; skip goes on without them,
    and lists them again at the end."""
    protocol: Literal["paper", "multi"] = "paper"
    """paper: one centre-cropped clip of each video. multi: the mean of 10 clips x 3 crops."""
    batch_size: int = 16
    """Clips computed at once."""
    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        check_types(self)
        at_least(self, "batch_size", 1)
        at_least(self, "workers", 0)
        if self.split is not None:
            at_least(self, "split", 1)


@dataclass(frozen=True, kw_only=True)
class CheckConfig(DataConfig):
    """Decode every video of a data set once and say what is there and what is wrong."""

    workers: int = 2
    """Processes that decode videos."""

    def __post_init__(self) -> None:
        check_types(self)
        at_least(self, "split", 1)
        at_least(self, "workers", 1)


@dataclass(frozen=True, kw_only=True)
class PackConfig(DataConfig):
    """Decode every video once and keep its frames as JPEG, which later runs read many times faster."""

    data: str = ""
    """Videos, as for `vidnas train`; not needed to verify a pack."""
    out: str
    """Folder of the pack: new, or that of a packing that was interrupted, which then goes on."""
    short_side_px: int = 128
    """Short side of the frames, pixels; smaller videos keep their size. 128 is for clips of up to 112 px."""
    quality: int = 90
    """Quality of the JPEGs, 1 to 100."""
    frames: int | None = None
    """Evenly spaced frames kept of each clip; by default every one."""
    shard_mib: int = 256
    """Size of a shard, MiB, about."""
    workers: int | None = None
    """Processes that pack; by default one per core."""
    on_bad: OnBad = "skip"
    """What to do about videos that cannot be used: skip packs the others and lists them at the end; raise
    stops before anything is written."""
    verify: bool = False
    """Read the whole pack again and compare its checksums."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("split", "short_side_px", "quality", "shard_mib"):
            at_least(self, name, 1)
        for name in ("frames", "workers"):
            if getattr(self, name) is not None:
                at_least(self, name, 1)
        if self.quality > 100:
            raise UsageError(f"quality is {self.quality}; allowed are 1 to 100.")
        if not self.data and not self.verify:
            raise UsageError("Name the videos with --data, or verify a pack with --verify.")
