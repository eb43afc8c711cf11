"""A network for inference alone: every norm is part of the convolution before it, and siblings are merged.

A batch norm with fixed statistics is a scale and a shift by channel, so it goes into filters and a bias. The
ops that read one input are computed together as far as their primitive names a form for that (primitives.py),
the others one by one; every op adds its result to the node it leads to, so that a cell's output is written
where it stays.
"""

import copy
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vidnas.nas.cell import Cell
from vidnas.nas.network import AdaptedCell, Network
from vidnas.nas.ops import Pointwise
from vidnas.nas.primitives import PRIMITIVES
from vidnas.nn.blend import FoldedMap
from vidnas.nn.branches import BatchStats, FoldedBranches, stack, stages_of
from vidnas.nn.frame_input import seen_frames
from vidnas.nn.layout import channels_first, clips_of, frames_first, images
from vidnas.nn.native.norms import EPS
from vidnas.nn.norms import image_filters
from vidnas.shapes import FeatureFrames, Logits, Video

Nodes = tuple[FeatureFrames, ...]
"""What a cell or the stem hands on."""


class FoldedNetwork(nn.Module):
    """What a trained network computes in evaluation mode, several times faster and without gradients.

    It holds a copy: a network that is trained on must be folded anew.
    """

    head_weight: Tensor
    head_bias: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        conv, norm = network.stem
        self.stem = _FoldedConv(image_filters(conv), norm, network.stem.stride)
        self.sees, self.clip_norm = network.stem.sees, network.stem.clip_norm
        self.cells = nn.ModuleList(_FoldedCell(cell) for cell in network.cells)
        self.register_buffer("head_weight", network.head.linear.weight.detach().clone())
        self.register_buffer("head_bias", network.head.linear.bias.detach().clone())

    @torch.no_grad()
    def forward(self, video: Video) -> Logits:
        """Logits of a batch."""
        frames = frames_first(seen_frames(video, self.sees, self.clip_norm))
        before_last: Nodes = (clips_of(self.stem(frames, padding=1), video.shape[2]),)
        last = before_last
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        means = torch.cat([node.mean(dim=(1, 3, 4)) for node in last], dim=1)
        return F.linear(means, self.head_weight, self.head_bias)


class _FoldedConv(nn.Module):
    """A 2-D convolution of the frames with a norm in it."""

    filters: Tensor
    bias: Tensor

    def __init__(self, filters: Tensor, norm: nn.Module, stride: int = 1) -> None:
        super().__init__()
        assert isinstance(norm, nn.BatchNorm3d)
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        self.register_buffer("filters", (filters * scale[:, None, None, None]).detach().contiguous())
        self.register_buffer("bias", (norm.bias - norm.running_mean * scale).detach())
        self.stride = stride

    def forward(self, frames: FeatureFrames, padding: int = 0) -> Tensor:
        """The images that it makes, (batch x time, channels, height, width)."""
        return F.conv2d(images(frames), self.filters, self.bias, self.stride, padding)


def _folded_map(op: nn.Module) -> FoldedMap:
    """A 1 x 1 x 1 convolution between an activation and a norm."""
    assert isinstance(op, Pointwise)
    activation, conv, norm = op
    folded = _FoldedConv(image_filters(conv), norm)
    return FoldedMap(folded.filters.flatten(1), folded.bias, activation, op.stride)


class _FoldedOp(nn.Module):
    """An op as it is, but for norms right behind convolutions: these are in them."""

    def __init__(self, op: nn.Module) -> None:
        super().__init__()
        self.op = copy.deepcopy(op).requires_grad_(False).eval()
        for part in self.op.modules():
            if type(part) is nn.Sequential:
                _fold_norms(part)

    def forward(self, frames: FeatureFrames) -> FeatureFrames:
        """What the op makes of the frames."""
        return frames_first(self.op(channels_first(frames)))

    def train(self, _mode: bool = True) -> "_FoldedOp":
        """Nothing: what norms are left keep their statistics."""
        return self


def _fold_norms(parts: nn.Sequential) -> None:
    for i, (conv, norm) in enumerate(pairwise(list(parts))):
        if isinstance(conv, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d) and norm.track_running_stats:
            parts[i], parts[i + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()


class _FoldedCell(nn.Module):
    """A cell behind its adapters."""

    def __init__(self, adapted: nn.Module) -> None:
        super().__init__()
        assert isinstance(adapted, AdaptedCell) and isinstance(adapted.cell, Cell)
        self.adapters = nn.ModuleList(_folded_map(adapter) for adapter in adapted.adapters)
        self.num_nodes = len(adapted.cell.nodes)
        self.sources = nn.ModuleList(_FoldedSource(adapted.cell, s) for s in range(1 + self.num_nodes))

    def forward(self, before_last: Nodes, last: Nodes) -> Nodes:
        """Output of the cell."""
        inputs = [adapter(nodes) for adapter, nodes in zip(self.adapters, (before_last, last), strict=True)]
        nodes: Nodes = inputs[0].new_zeros(self.num_nodes, *inputs[0].shape).unbind()
        read = zip(self.sources, (*inputs, *nodes), strict=False)  # nobody reads the last node
        for source, frames in read:
            source(nodes, frames)
        return nodes


class _FoldedSource(nn.Module):
    """All ops that read one input of a cell."""

    def __init__(self, cell: Cell, source: int) -> None:
        super().__init__()
        self.activation = cell.activation
        branches = cell.branches(source)
        self.branches = _folded_branches(branches) if any(branches) else None
        self.maps, self.mapped = nn.ModuleList(), list[int]()
        ops: list[tuple[nn.Module, list[int]]] = []
        for name in PRIMITIVES:
            readers = cell.readers(source, [name])
            match PRIMITIVES[name].fuses:
                case "pointwise":
                    self.maps.extend(_folded_map(op) for _, op in readers)
                    self.mapped += [node for node, _ in readers]
                case "pool" | "input" if readers:  # one for all: it has no parameters
                    ops.append((_FoldedOp(readers[0][1]), [node for node, _ in readers]))
                case None:
                    ops += [(_FoldedOp(op), [node]) for node, op in readers]
        self.ops = nn.ModuleList(op for op, _ in ops)
        self.nodes = [nodes for _, nodes in ops]

    def forward(self, nodes: Nodes, frames: FeatureFrames) -> None:
        """Add to the nodes what these ops make of `frames`."""
        if self.branches is not None:
            self.branches.add_to(nodes, frames, self.activation)
        for op, node in zip(self.maps, self.mapped, strict=True):
            op([frames], nodes[node])
        for op, own in zip(self.ops, self.nodes, strict=True):
            part = op(frames)
            for node in own:
                nodes[node].add_(part)


def _folded_branches(kinds: Sequence[Sequence[tuple[int, nn.Module]]]) -> FoldedBranches:
    plain, dilated = ([stages_of(op) for _, op in kind] for kind in kinds)
    norms = [[s.norms[k] for s in (*plain, *dilated)] for k in (0, 1)]
    stats = [
        torch.cat(column) for of_stage in norms for column in zip(*map(_fixed_stats, of_stage), strict=True)
    ]
    return FoldedBranches(
        stack(plain, dilated, tuple(node for kind in kinds for node, _ in kind)), BatchStats(*stats)
    )


def _fixed_stats(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Mean and variance; the latter such that the usual eps makes the norm's own of it."""
    assert isinstance(norm, nn.BatchNorm3d)
    assert norm.running_mean is not None and norm.running_var is not None
    return norm.running_mean, norm.running_var + (norm.eps - EPS)
