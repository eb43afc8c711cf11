"""The settings of the verbs that learn and test, composed of parts.

What differs by the verb, as a default, stands here; what a setting is stands in its part.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from vidnas.config.limits import Cell, Count, Folder, Names, Numbers, Positive, idle, names, whole_numbers
from vidnas.config.parts import Alternation, Cells, Clips, DividedData, Inference, Recipe, Run, UsedData, Work
from vidnas.errors import UsageError

Baseline = Literal[
    "3d-resnet-18", "3d-resnet-50", "3d-resnet-101", "3d-resnet-18-a", "3d-resnet-50-a", "3d-resnet-101-a",
    "c3d", "c3d-8", "stc-resnet-18", "stc-resnet-50", "stc-resnet-101", "3d-mobilenetv2-0.45",
    "3d-shufflenet-0.5", "3d-shufflenet-1.0", "x3d-xs", "movinet-a0", "2d-resnet-18",
]  # fmt: skip
"""The hand-designed networks, in the order of docs/rivals.md; nn/baselines builds them."""

NETWORKS = (
    "names (of hand-designed networks, as c3d; random:SEED, all-skip, best-of:K, genotype files, run folders)"
)
"""What a comparison takes, in words."""


@dataclass(frozen=True, kw_only=True)
class SearchConfig(Alternation, Run, Cells, Clips, DividedData, UsedData):
    """Search a cell: alpha learns on half of the training videos (val), the weights on the other half."""

    num_cells: Count = 3
    first_channels: Count = 4
    epochs: Count = 50
    batch_size: Count = 16


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(Recipe, Work, Cells, Clips, DividedData, UsedData):
    """How a network is trained: shared by train and compare, whatever the network."""

    num_cells: Count = 6
    first_channels: Count = 8
    epochs: Count = 600
    batch_size: Count = 72

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.accumulate > self.batch_size:
            raise UsageError(
                f"accumulate is {self.accumulate}; allowed are 1 to the batch size, {self.batch_size}."
            )


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RecipeConfig, Run):
    """Train a network from scratch on all training videos; test it after the last epoch."""

    genotype: Cell | None = None
    """The cell to build it from: a genotype file, the run folder of a search or of a cell's training,
    random:SEED for a random cell, or all-skip. By default, with init, that run's."""
    network: Baseline | None = None
    """A hand-designed network instead; num_cells, first_channels and stem_stride are not for it."""
    init: Folder | None = None
    """Run folder of a training whose weights this one starts from. The classes may be others: the head is
    then new."""
    single_frame: bool = False
    """Control experiment: every clip is one random frame repeated (the middle one when testing)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.single_frame and self.input != "rgb":
            raise UsageError(
                f"input is {self.input}, but with single_frame every frame is the same: use --input rgb."
            )
        if self.genotype is not None and self.network is not None:
            raise UsageError(f"Give --genotype {self.genotype} or --network {self.network}, not both.")


@dataclass(frozen=True, kw_only=True)
class CompareConfig(RecipeConfig):
    """Train several networks by one recipe, each with several seeds, and compare accuracy and cost."""

    networks: Names
    """Networks, separated by commas: names of hand-designed ones as for train, random:SEED, all-skip, the
    best of K random cells in validation as best-of:K, genotype files and run folders. The first file or
    folder, else the first network, is the reference that the others are compared with; of several depths,
    the one with --num-cells cells."""
    seeds: Numbers = "0"
    """Seeds, separated by commas: every network is trained once with each."""
    depths: Numbers | None = None
    """Depth study: numbers of cells, separated by commas; every cell's network is built with each of them."""
    minutes: Positive | None = None
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
class EvaluateConfig(UsedData, Inference):
    """Test a trained network: accuracy with an interval, per-class table, confusion matrix, cost.

    What says how the videos are read and divided is by default as in the run, where the data are its own.
    """

    run: Folder
    """Run folder of a training."""
    protocol: Literal["paper", "multi"] = "paper"
    """paper: one centre-cropped clip of each video. multi: the mean of 10 clips x 3 crops."""
    data: Annotated[str, "FOLDER|FILE"]
    """Videos, as for `vidnas train`; their classes must be among the run's."""


def refuse_cells(config: TrainConfig | CompareConfig, given: Collection[str]) -> None:
    """UsageError where one of the settings that a person gave is about cells, and no network has any."""
    if isinstance(config, TrainConfig):
        by_hand, why = config.network is not None, f"with network {config.network}, which has no cells"
    else:
        by_hand = set(names(config, "networks")) <= set(get_args(Baseline))
        why = f"with networks {config.networks}, none of which has cells"
    for name in Cells.__annotations__:
        if by_hand and name in given:
            raise idle(name, why)
