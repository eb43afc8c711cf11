"""The parts that the settings of the verbs are composed of, each declared once, as plain frozen data.

Every field's text below is also its help text on the command line, which groups the flags by these parts.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from vidnas.config.limits import (
    BelowOne,
    Count,
    File,
    Folder,
    Limit,
    Names,
    Natural,
    NotNegative,
    Positive,
    Settings,
)

SplitBy = Literal["auto", "group", "clip"]
Layout = Literal["auto", "videos", "frames", "ucf101", "hmdb51", "csv", "list", "frame-list"]
OnBad = Literal["raise", "skip"]
Device = Literal["auto", "cpu", "cuda", "mps"]
BUILTIN = "builtin"
"""The data that are the built-in clips."""


@dataclass(frozen=True, kw_only=True)
class Workers(Settings):
    """What decodes videos."""

    workers: Natural = 2
    """Processes that decode videos; 0 decodes in the main one, which a broken file may then crash. No result
    depends on it."""


@dataclass(frozen=True, kw_only=True)
class Decoding(Workers):
    """How videos are decoded."""

    scan_limit_sec: Positive = 60.0
    """Refuse a video whose decoder computes, or whose disk or server is silent, for so many seconds without a
    new frame. A machine that is busy with other things refuses none."""


@dataclass(frozen=True, kw_only=True)
class Data(Decoding):
    """Which videos there are and how they are divided."""

    data: Annotated[str, "FOLDER|FILE"]
    """Videos: a folder per class, train/ and test/ (or val/) folders of those, the layout of UCF101 or
    HMDB51, a CSV file or a list (docs/data.md has them all), or `builtin` for the built-in motion clips."""
    layout: Layout | None = None
    """How to read the data where more than one way is possible; auto: by what is there."""
    test_list: File | None = None
    """Test videos as a list file, beside a list file given as data."""
    split: Count | None = None
    """Number K of the official lists: trainlist0K.txt and testlist0K.txt, or Class_test_splitK.txt."""
    split_by: SplitBy | None = None
    """What a division of the videos keeps together: the groups found in the file names, or single clips.
    auto: groups where most names have one, else clips."""
    group_regex: Annotated[str, "REGEX"] | None = None
    """Regular expression whose first (...) is the group in a file name, for names other than UCF101's."""
    roots: Annotated[str, "FOLDER,..."] | None = None
    """More folders below which the videos lie, separated by commas: further disks with the same layout, or
    where the paths of a list begin."""
    columns: Names | None = None
    """What the columns of a list are, in their order, where that is not plain: path and label, perhaps split
    and group; any other name is a column that is not used, as in number,label,path."""


@dataclass(frozen=True, kw_only=True)
class UsedData(Data):
    """Videos from which clips are taken."""

    on_bad: OnBad = "raise"
    """What to do about videos that cannot be used: raise stops and lists them; skip goes on without them,
    and lists them again at the end."""


@dataclass(frozen=True, kw_only=True)
class DividedData(Data):
    """Videos of which no run knows yet how they are read and divided."""

    layout: Layout = "auto"
    split: Count = 1
    split_by: SplitBy = "auto"


@dataclass(frozen=True, kw_only=True)
class Machine(Workers):
    """What computes."""

    device: Device = "auto"
    """Where to compute; auto takes CUDA or MPS, with mixed precision, where there is one."""
    threads: Count | None = None
    """Threads that compute on a CPU; by default as many as there are cores that other programs leave free at
    the start. The numbers of a run depend on it to the last bits, so it goes on with as many."""


@dataclass(frozen=True, kw_only=True)
class Inference(Machine):
    """How a trained network is used."""

    batch_size: Count = 16
    """Clips computed at once."""


@dataclass(frozen=True, kw_only=True)
class Work(Machine):
    """How long is learnt, and where it is written."""

    epochs: Count
    """Passes over the training videos."""
    minutes: Positive | None = None
    """Instead of epochs: the time that the whole command may take, minutes, from the look through the videos
    to the result. As many epochs as fit, foretold from a few steps, are chosen at its beginning."""
    out: Folder | None = None
    """Run folder to write, new or empty; by default runs/VERB-DATE-TIME."""
    batch_size: Count
    """Clips of one step."""
    cache_mb: NotNegative | None = None
    """Memory for decoded frames, MB: where all of the training videos have room, only the first epoch
    decodes them. By default a quarter of what is free; 0: none. No result depends on it. Except on Linux it
    takes workers 0."""
    checkpoint_minutes: NotNegative = 10.0
    """Save the state at least this often, minutes, besides after every epoch; 0: after every step."""


@dataclass(frozen=True, kw_only=True)
class Run(Work):
    """How long one run learns, and where it is written."""

    seed: Natural = 0
    """Seed of everything random."""


@dataclass(frozen=True, kw_only=True)
class Clips(Settings):
    """How videos become clips, and what a network sees of them."""

    size_px: Count = 112
    """Height and width of a clip, pixels."""
    segments: Count = 4
    """Equal parts into which a video is cut (the paper's N_s)."""
    frames_per_segment: Count = 2
    """Frames drawn from each part (the paper's N_r)."""
    input: Literal["rgb", "residual", "both"] = "rgb"
    """What a network sees: the frames, their differences from frame to frame, or both."""
    clip_norm: Literal["off", "frames", "input"] = "off"
    """Subtract each clip's own mean and divide by its own standard deviation: of the frames, before the
    differences are taken, or of what the network sees."""
    flip: bool = True
    """Mirror half of the training clips. Turn it off where left and right are different classes."""
    photometric: BelowOne = 0.0
    """Change brightness, contrast and gamma of training clips by up to this share, as 0.4; all frames of a
    clip alike. 0: not at all."""


@dataclass(frozen=True, kw_only=True)
class Cells(Settings):
    """The size of a network of cells; nothing here is for one designed by hand."""

    num_cells: Count
    """Depth of a cell's network: cells."""
    first_channels: Count
    """Channels of its stem and of a node in the first cell; every reduction doubles them."""
    stem_stride: Annotated[int, Limit("allowed are 1 and 2", lambda value: value in (1, 2))] = 1
    """Spatial stride of its stem: 2 quarters the cost."""


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """How a network's weights are learnt."""

    optimizer: Literal["sgd", "adamw"] = "sgd"
    """sgd: with momentum 0.9 (the paper). adamw: its weight decay is decoupled and wants to be larger."""
    lr: Positive = 0.025
    """Highest learning rate; it falls to 0 by a cosine over steps."""
    warmup: BelowOne = 0.0
    """Share of the steps in which the learning rate rises to the highest, linearly, before it falls."""
    weight_decay: NotNegative = 3e-4
    """Weight decay of every weight."""
    label_smoothing: BelowOne = 0.0
    """Share of the target spread over all classes."""
    dropout: BelowOne = 0.0
    """Share of the features dropped before the last layer."""
    mix: Literal["none", "mixup", "cutmix"] = "none"
    """Blend each training clip with another: mixup averages them, cutmix pastes a box, the same in all
    frames. The target is blended alike."""
    balance: bool = False
    """Weigh every training clip in the loss by how rare its class is, so that uneven classes count alike."""
    ema: BelowOne = 0.0
    """Test an exponential moving average of the weights with this decay a step, as 0.99; 0: the weights."""
    repeats: Count = 1
    """Differently augmented clips of one video that come together in a batch."""
    accumulate: Count = 1
    """Parts into which a batch is cut to save memory; batch norm then sees the parts."""
    validate: bool = False
    """Do not look at the test videos: train on half of the training videos and test on the other half, as a
    search with seed 0 divides them. For choosing settings and cells."""


@dataclass(frozen=True, kw_only=True)
class Alternation(Settings):
    """How a search learns alpha and the weights in turns, and what it takes for its result."""

    order: Literal[1, 2] = 2
    """Order of the alpha gradient: 2 looks one weight step ahead (paper, eq. 5), 1 costs two fifths of it."""
    alpha_lr: Positive = 3e-4
    """Learning rate of alpha (Adam)."""
    alpha_weight_decay: NotNegative = 1e-3
    """Weight decay of alpha."""
    select: Literal["best", "last"] = "best"
    """Which epoch's genotype is the result: the best by val accuracy (of equals the later), or the last."""
    checkpoint_cells: bool = False
    """Keep only the cells' outputs and compute the rest again where the gradient needs it: less memory, more
    time."""
    lr: Positive = 0.05
    """Learning rate of the weights (SGD), falling to lr_min by a cosine over steps."""
    lr_min: NotNegative = 0.001
    """Learning rate of the weights at the last step."""
    momentum: NotNegative = 0.9
    """Momentum of the weights' SGD."""
    weight_decay: NotNegative = 3e-4
    """Weight decay of the weights."""
    grad_clip: Positive = 5.0
    """Largest norm of the weights' gradient."""
