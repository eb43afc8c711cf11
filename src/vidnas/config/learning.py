"""The settings of the verbs that learn and test, as plain frozen data.

Every field's text below is also its help text on the command line.
"""

from dataclasses import dataclass
from typing import Literal

from vidnas.config.data import DataConfig, Layout, OnBad, SplitBy
from vidnas.config.limits import (
    at_least,
    below_one,
    check_types,
    names,
    not_negative,
    positive,
    whole_numbers,
)
from vidnas.errors import UsageError

Device = Literal["auto", "cpu", "cuda", "mps"]
Baseline = Literal[
    "3d-resnet-18",
    "3d-resnet-50",
    "3d-resnet-101",
    "3d-resnet-18-a",
    "3d-resnet-50-a",
    "3d-resnet-101-a",
    "c3d",
    "c3d-8",
    "stc-resnet-18",
    "stc-resnet-50",
    "stc-resnet-101",
    "3d-mobilenetv2-0.45",
    "3d-shufflenet-0.5",
    "3d-shufflenet-1.0",
    "x3d-xs",
    "movinet-a0",
    "2d-resnet-18",
]
"""The hand-designed networks, in the order of docs/rivals.md; nn/baselines builds them."""


NETWORKS = (
    "names (of hand-designed networks, as c3d; random:SEED, all-skip, best-of:K, genotype files, run folders)"
)
"""What a comparison takes, in words."""


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
    photometric: float = 0.0
    """Change brightness, contrast and gamma of training clips by up to this share, as 0.4; all frames of a
    clip alike. 0: not at all."""
    num_cells: int
    """Depth of a cell's network: cells."""
    first_channels: int
    """Channels of its stem and of a node in the first cell; every reduction doubles them."""
    stem_stride: int = 1
    """Spatial stride of its stem: 2 quarters the cost."""
    input: Literal["rgb", "residual", "both"] = "rgb"
    """What a network sees: the frames, their differences from frame to frame, or both."""
    clip_norm: Literal["off", "frames", "input"] = "off"
    """Subtract each clip's own mean and divide by its own standard deviation: of the frames, before the
    differences are taken, or of what the network sees."""
    epochs: int
    """Passes over the training videos."""
    minutes: float | None = None
    """Instead of epochs: the time that the whole command may take, minutes, from the look through the videos
    to the result. As many epochs as fit, foretold from a few steps, are chosen at its beginning."""
    batch_size: int
    """Clips of one step."""
    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one. The clips do not depend on it."""
    device: Device = "auto"
    """Where to compute; auto takes CUDA or MPS, with mixed precision, where there is one."""
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
        at_least(self, "split", 1)
        not_negative(self, "checkpoint_minutes")
        if self.minutes is not None:
            positive(self, "minutes")
        positive(self, "scan_limit_sec")
        below_one(self, "photometric")
        if self.stem_stride not in (1, 2):
            raise UsageError(f"stem_stride is {self.stem_stride}; allowed are 1 and 2.")


@dataclass(frozen=True, kw_only=True)
class SearchConfig(ClipConfig):
    """Search a cell: alpha learns on half of the training videos (val), the weights on the other half."""

    num_cells: int = 3
    first_channels: int = 4
    epochs: int = 50
    batch_size: int = 16
    seed: int = 0
    """Seed of everything random."""
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
        at_least(self, "seed", 0)
        for name in ("lr", "grad_clip", "alpha_lr"):
            positive(self, name)
        for name in ("lr_min", "momentum", "weight_decay", "alpha_weight_decay"):
            not_negative(self, name)


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(ClipConfig):
    """How a network is trained: shared by train and compare, whatever the network."""

    num_cells: int = 6
    first_channels: int = 8
    epochs: int = 600
    batch_size: int = 72
    accumulate: int = 1
    """Parts into which a batch is cut to save memory; batch norm then sees the parts."""
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """sgd: with momentum 0.9 (the paper). adamw: its weight decay is decoupled and wants to be larger."""
    lr: float = 0.025
    """Highest learning rate; it falls to 0 by a cosine over steps."""
    warmup: float = 0.0
    """Share of the steps in which the learning rate rises to the highest, linearly, before it falls."""
    weight_decay: float = 3e-4
    """Weight decay of every weight."""
    label_smoothing: float = 0.0
    """Share of the target spread over all classes."""
    balance: bool = False
    """Weigh every training clip in the loss by how rare its class is, so that uneven classes count alike."""
    dropout: float = 0.0
    """Share of the features dropped before the last layer."""
    mix: Literal["none", "mixup", "cutmix"] = "none"
    """Blend each training clip with another: mixup averages them, cutmix pastes a box, the same in all
    frames. The target is blended alike."""
    ema: float = 0.0
    """Test an exponential moving average of the weights with this decay a step, as 0.99; 0: the weights."""
    repeats: int = 1
    """Differently augmented clips of one video that come together in a batch."""
    validate: bool = False
    """Do not look at the test videos: train on half of the training videos and test on the other half, as a
    search with seed 0 divides them. For choosing settings and cells."""

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "lr")
        not_negative(self, "weight_decay")
        for name in ("warmup", "label_smoothing", "dropout", "ema"):
            below_one(self, name)
        at_least(self, "accumulate", 1)
        at_least(self, "repeats", 1)
        if self.accumulate > self.batch_size:
            raise UsageError(
                f"accumulate is {self.accumulate}; allowed are 1 to the batch size, {self.batch_size}."
            )


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RecipeConfig):
    """Train a network from scratch on all training videos; test it after the last epoch."""

    genotype: str | None = None
    """The cell to build it from: a genotype file, the run folder of a search or of a cell's training,
    random:SEED for a random cell, or all-skip. By default, with init, that run's."""
    network: Baseline | None = None
    """A hand-designed network instead; num_cells, first_channels and stem_stride are not for it."""
    init: str | None = None
    """Run folder of a training whose weights this one starts from. The classes may be others: the head is
    then new."""
    seed: int = 0
    """Seed of everything random."""
    single_frame: bool = False
    """Control experiment: every clip is one random frame repeated (the middle one when testing)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "seed", 0)
        if self.single_frame and self.input != "rgb":
            raise UsageError(
                f"input is {self.input}, but with single_frame every frame is the same: use --input rgb."
            )
        if self.genotype is not None and self.network is not None:
            raise UsageError(f"Give --genotype {self.genotype} or --network {self.network}, not both.")


@dataclass(frozen=True, kw_only=True)
class CompareConfig(RecipeConfig):
    """Train several networks by one recipe, each with several seeds, and compare accuracy and cost."""

    networks: str
    """Networks, separated by commas: names of hand-designed ones as for train, random:SEED, all-skip, the
    best of K random cells in validation as best-of:K, genotype files and run folders. The first file or
    folder, else the first network, is the reference that the others are compared with; of several depths,
    the one with --num-cells cells."""
    seeds: str = "0"
    """Seeds, separated by commas: every network is trained once with each."""
    depths: str | None = None
    """Depth study: numbers of cells, separated by commas; every cell's network is built with each of them."""
    minutes: float | None = None
    """Equal training time instead of equal epochs: the time of each single training, not of the whole
    comparison, minutes. Each network gets as many epochs as fit, foretold from a few steps."""
    paper: bool = False
    """Set the paper's Table 2 beside the results, and say what is known of its figures."""

    def __post_init__(self) -> None:
        super().__post_init__()
        names(self, "networks", NETWORKS)
        whole_numbers(self, "seeds", 0)
        if self.depths is not None:
            whole_numbers(self, "depths", 1)


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Test a trained network: accuracy with an interval, per-class table, confusion matrix, cost."""

    run: str
    """Run folder of a training."""
    data: str
    """Videos, as for `vidnas train`; their classes must be among the run's."""
    test_list: str | None = None
    """Test videos as a list file, beside a list file given as data. This and the next six settings are by
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
    columns: str | None = None
    """What the columns of a list are, as in number,label,path."""
    on_bad: OnBad = "raise"
    """What to do about videos that cannot be used: raise stops and lists them; skip goes on without them,
    and lists them again at the end."""
    protocol: Literal["paper", "multi"] = "paper"
    """paper: one centre-cropped clip of each video. multi: the mean of 10 clips x 3 crops."""
    batch_size: int = 16
    """Clips computed at once."""
    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one."""
    scan_limit_sec: float = 60.0
    """Refuse a video whose decoder computes, or whose disk or server is silent, for so many seconds without a
    new frame. A machine that is busy with other things refuses none."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        check_types(self)
        at_least(self, "batch_size", 1)
        at_least(self, "workers", 0)
        positive(self, "scan_limit_sec")
        if self.split is not None:
            at_least(self, "split", 1)
