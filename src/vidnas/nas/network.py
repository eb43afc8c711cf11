"""Whole networks: the supernet that is searched and the network built from a genotype.

Both are a stem, cells and a head. Cells count from 0; the odd ones reduce: their adapters halve height and
width, never time, and their channels double. All cells have the same architecture.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from vidnas.nas.cell import Cell, SearchCell
from vidnas.nas.genotype import Genotype
from vidnas.nas.ops import Activation, Pointwise
from vidnas.nas.primitives import PRIMITIVES
from vidnas.nas.spaces.cell import CellSpace
from vidnas.nn.frame_input import CHANNELS, ClipNorm, FrameInput, seen_frames
from vidnas.nn.head import Head
from vidnas.nn.layout import frames_first, images
from vidnas.nn.norms import image_filters, norm, norm_images
from vidnas.shapes import Alpha, Features, Logits, Video

Output = tuple[Features, ...]
"""What a cell or the stem hands on: its nodes' channels, one after the other without a copy."""


class CellPlan(NamedTuple):
    """What one cell needs to know: its nodes' channels, and each input's channels and spatial stride."""

    channels: int
    inputs: tuple[tuple[int, int], tuple[int, int]]


def plan_cells(num_cells: int, first_channels: int, num_nodes: int) -> list[CellPlan]:
    """Channels and strides of every cell of a network whose stem has `first_channels` channels."""
    plans = []
    channels, reductions = first_channels, 0
    before_last = last = (first_channels, 0)  # channels, reductions so far
    for index in range(num_cells):
        if index % 2 == 1:
            channels, reductions = channels * 2, reductions + 1
        inputs = tuple((source[0], 2 ** (reductions - source[1])) for source in (before_last, last))
        plans.append(CellPlan(channels, (inputs[0], inputs[1])))
        before_last, last = last, (channels * num_nodes, reductions)
    return plans


class Stem(nn.Sequential):
    """(1,3,3) convolution and norm: what `sees` names of RGB clips to the first channels; stride 2 halves
    height and width."""

    def __init__(
        self,
        channels: int,
        stride: int,
        *,
        batch_stats: bool,
        sees: FrameInput = "rgb",
        clip_norm: ClipNorm = "off",
    ) -> None:
        conv = nn.Conv3d(CHANNELS[sees], channels, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False)
        super().__init__(conv, norm(channels, batch_stats))
        self.stride = stride
        self.sees = sees
        self.clip_norm = clip_norm

    def forward(self, video: Video) -> Features:
        """A convolution of the single frames."""
        conv, norm = self
        seen = seen_frames(video, self.sees, self.clip_norm)
        out = F.conv2d(images(frames_first(seen)), image_filters(conv), stride=self.stride, padding=1)
        return norm_images(norm, out, video.shape[2])


class Adapter(Pointwise):
    """Activation, 1x1x1 convolution, norm: fits a cell's input to its channels and, strided, its size."""


class AdaptedCell(nn.Module):
    """A cell behind the adapters of its two inputs."""

    def __init__(self, cell: nn.Module, plan: CellPlan, activation: Activation, *, batch_stats: bool) -> None:
        super().__init__()
        self.adapters = nn.ModuleList(
            Adapter(channels, plan.channels, stride, activation, batch_stats=batch_stats)
            for channels, stride in plan.inputs
        )
        self.cell = cell

    def forward(self, before_last: Output, last: Output, *mixing: Alpha) -> Output:
        """Output of the cell; a SearchCell takes the mixing weights too."""
        before_last_adapter, last_adapter = self.adapters
        return self.cell(before_last_adapter(*before_last), last_adapter(*last), *mixing)  # type: ignore[no-any-return]


class Supernet(nn.Module):
    """All candidate networks at once, N(C) in the paper, with alpha as a parameter of its own.

    `alpha` has a row per edge and a column per primitive and starts as 1e-3 x standard normal. Norms have
    neither parameters nor running statistics.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        num_cells: int = 3,
        first_channels: int = 4,
        num_nodes: int = 4,
        stem_stride: int = 1,
        sees: FrameInput = "rgb",
        clip_norm: ClipNorm = "off",
        primitives: Iterable[str] = PRIMITIVES,
        activation: Activation = nn.ReLU,
        checkpoint_cells: bool = False,
    ) -> None:
        """`checkpoint_cells` keeps only the cells' outputs, and computes the rest again for the gradient."""
        super().__init__()
        primitives = tuple(primitives)
        self.space = CellSpace(num_nodes, primitives)
        self.checkpoint_cells = checkpoint_cells
        plans = plan_cells(num_cells, first_channels, num_nodes)
        self.alpha = nn.Parameter(1e-3 * torch.randn(len(self.space.edges), len(primitives)))
        self.stem = Stem(first_channels, stem_stride, batch_stats=True, sees=sees, clip_norm=clip_norm)
        self.cells = nn.ModuleList(
            AdaptedCell(
                SearchCell(plan.channels, num_nodes=num_nodes, primitives=primitives, activation=activation),
                plan, activation, batch_stats=True,
            )
            for plan in plans
        )  # fmt: skip
        self.head = Head(plans[-1].channels * num_nodes, num_classes)

    def forward(self, video: Video, mixing: Alpha | None = None) -> Logits:
        """Logits of a batch. `mixing` replaces the softmax of alpha over primitives."""
        if mixing is None:
            mixing = self.alpha.softmax(dim=-1)
        before_last: Output = (self.stem(video),)
        last = before_last
        for cell in self.cells:
            compute = _recomputed(cell) if self.checkpoint_cells else cell
            before_last, last = last, compute(before_last, last, mixing)
        return self.head(*last)  # type: ignore[no-any-return]

    def alphas(self) -> dict[str, nn.Parameter]:
        """The architecture parameters, by name."""
        return {"alpha": self.alpha}

    def weights(self) -> dict[str, Tensor]:
        """Every parameter but alpha (the paper's Theta), by name."""
        return {name: p for name, p in self.named_parameters() if p is not self.alpha}


def _recomputed(cell: nn.Module) -> Callable[..., Output]:
    """The cell, of which nothing but the output is kept for the gradient.

    Its parameters are looked up now: when it is computed again, other ones may be in their place
    (torch.func.functional_call).
    """
    parameters: dict[str, Tensor] = dict(cell.named_parameters())

    def compute(*inputs: object) -> Output:
        return functional_call(cell, parameters, inputs)  # type: ignore[no-any-return]

    return partial(checkpoint, compute, use_reentrant=False)


class Network(nn.Module):
    """The network of a genotype: batch norm with affine parameters, none behind pooling."""

    def __init__(
        self,
        genotype: Genotype,
        num_classes: int,
        *,
        num_cells: int = 6,
        first_channels: int = 8,
        stem_stride: int = 1,
        sees: FrameInput = "rgb",
        clip_norm: ClipNorm = "off",
        dropout: float = 0.0,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        num_nodes = len(genotype.nodes)
        plans = plan_cells(num_cells, first_channels, num_nodes)
        self.stem = Stem(first_channels, stem_stride, batch_stats=False, sees=sees, clip_norm=clip_norm)
        self.cells = nn.ModuleList(
            AdaptedCell(
                Cell(genotype, plan.channels, activation=activation), plan, activation, batch_stats=False
            )
            for plan in plans
        )
        self.head = Head(plans[-1].channels * num_nodes, num_classes, dropout)

    def forward(self, video: Video) -> Logits:
        """Logits of a batch."""
        before_last: Output = (self.stem(video),)
        last = before_last
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        return self.head(*last)  # type: ignore[no-any-return]
