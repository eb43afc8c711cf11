"""The two-stage ops that read one input, computed side by side: where nearly all of a network's time goes.

A *branch* is an op of two stages (nas/ops.py): activation, spatial convolution, norm; activation,
temporal convolution, norm. All branches of an input share its activation; their filters are stacked into one
wide convolution per kind and the last norm is one with the sum over the branches that lead to one node:

    z_b = S_b * act(x)                                   spatial, 3 x 3, some of them dilated
    y_b = T_b * act(norm(z_b; mid_weight, mid_bias))     temporal, 3 frames
    total_s + sum over the b with slot s of norm(y_b; weight, bias)

`_defined` is this in PyTorch ops, on every device and for every activation; native/branches.py is the same
for ReLU on a CPU. `FoldedBranches` are branches whose norms use fixed statistics: then they are part of the
filters.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.blend import Total, add_to, batch_norm, present
from vidnas.nn.layout import clips_of, images
from vidnas.nn.native.branches import Join, SumBranches, add_native
from vidnas.nn.native.library import kernels
from vidnas.nn.native.norms import EPS
from vidnas.nn.norms import weight_and_bias
from vidnas.shapes import FeatureFrames


class Branches(NamedTuple):
    """The stacked parameters of B branches of C channels, those with an undilated spatial stage first."""

    plain: Tensor
    """Spatial filters without dilation, (branches x C, C, 3, 3)."""
    dilated: Tensor
    """Spatial filters with dilation 2, (branches x C, C, 3, 3)."""
    temporal: Tensor
    """(B x C, C, 3)."""
    mid_weight: Tensor
    mid_bias: Tensor
    weight: Tensor
    bias: Tensor
    """Weight and bias of the norm behind either stage, (B x C)."""
    slots: tuple[int, ...]
    """To which total each branch is added."""


class BatchStats(NamedTuple):
    """Mean and unbiased variance that the batch had before either norm, (B x C)."""

    mid_mean: Tensor
    mid_var: Tensor
    mean: Tensor
    var: Tensor


class Stages(NamedTuple):
    """What a branch computes with."""

    spatial: list[Tensor]
    """Filters, (channels, channels, 1, 3, 3), or those of a row of 3 and of a column of 3 right behind it."""
    temporal: Tensor
    """(channels, channels, 3, 1, 1)."""
    norms: list[nn.Module]
    """Behind either stage."""


def stages_of(op: nn.Module) -> Stages:
    """The stages of an op that is a branch."""
    parts = list(op.children())
    *spatial, temporal = [part.weight for part in parts if isinstance(part, nn.Conv3d)]
    norms = [b for a, b in pairwise(parts) if isinstance(a, nn.Conv3d) and not isinstance(b, nn.Conv3d)]
    return Stages(spatial, temporal, norms)


def stack(plain: Sequence[Stages], dilated: Sequence[Stages], slots: tuple[int, ...]) -> Branches:
    """The branches with these stages."""
    stages = [*plain, *dilated]
    filters = _filters(stages)
    mid, final = ([weight_and_bias(s.norms[k], s.temporal) for s in stages] for k in (0, 1))
    lists = (
        filters[: len(plain)],
        filters[len(plain) :],
        [s.temporal for s in stages],
        *zip(*mid, strict=True),
        *zip(*final, strict=True),
    )
    joined = join([parts for parts in lists if parts])
    if not plain or not dilated:
        none = joined[0].new_zeros(0, *joined[0].shape[1:])
        joined.insert(1 if plain else 0, none)
    plain_filters, dilated_filters, temporal, mid_weight, mid_bias, weight, bias = joined
    spatial = plain_filters.squeeze(2), dilated_filters.squeeze(2)
    return Branches(*spatial, temporal.flatten(2), mid_weight, mid_bias, weight, bias, slots)


def _filters(stages: Sequence[Stages]) -> list[Tensor]:
    """Everyone's spatial filters. Those of a row, then a column are their outer product."""
    pairs = [s.spatial for s in stages if len(s.spatial) == 2]
    if not pairs:
        return [s.spatial[0] for s in stages]
    rows, columns = (torch.stack(part).flatten(3) for part in zip(*pairs, strict=True))
    products = iter(torch.einsum("bomy,bmix->boiyx", columns, rows).unsqueeze(3).unbind())
    return [next(products) if len(s.spatial) == 2 else s.spatial[0] for s in stages]


def join(lists: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Every list's tensors, one behind the other along the first axis."""
    if kernels(*(t for tensors in lists for t in tensors)) is None:
        return [torch.cat(list(tensors)) for tensors in lists]
    sizes = [[len(t) for t in tensors] for tensors in lists]
    return list(Join.apply(sizes, *(t for tensors in lists for t in tensors)))  # type: ignore[no-untyped-call]


def sum_branches(
    frames: FeatureFrames, branches: Branches, activation: nn.Module, totals: Sequence[Total]
) -> tuple[list[FeatureFrames], BatchStats]:
    """What the branches of an input lead to: totals[s] and the branches of slot s, added up."""
    *parameters, slots = branches
    if not isinstance(activation, nn.ReLU) or kernels(frames, *parameters, *present(totals)) is None:
        return _defined(frames, branches, activation, totals)
    *outs, mid_mean, mid_var, mean, var = SumBranches.apply(frames, *parameters, slots, *totals)  # type: ignore[no-untyped-call]
    return outs, BatchStats(mid_mean, mid_var, mean, var)


def _defined(
    frames: FeatureFrames,
    branches: Branches,
    activation: Callable[[Tensor], Tensor],
    totals: Sequence[Total],
) -> tuple[list[FeatureFrames], BatchStats]:
    z = _spatial(activation(frames), branches.plain, branches.dilated)
    z, mid_mean, mid_var = batch_norm(z, branches.mid_weight, branches.mid_bias)
    y = _temporal(clips_of(activation(z), frames.shape[1]), branches.temporal, len(branches.slots))
    y, mean, var = batch_norm(y, branches.weight, branches.bias)
    parts = _sum_by_slot(y, branches.slots, frames, len(totals)).chunk(len(totals), dim=2)
    return add_to(totals, parts), BatchStats(mid_mean, mid_var, mean, var)


def _spatial(active: FeatureFrames, plain: Tensor, dilated: Tensor, bias: Tensor | None = None) -> Tensor:
    """The images that the spatial filters make, (batch x time, B x C, height, width)."""
    frames = images(active)
    parts = [
        F.conv2d(frames, filters, padding=dilation, dilation=dilation)
        for filters, dilation in ((plain, 1), (dilated, 2))
        if len(filters)
    ]
    z = torch.cat(parts, dim=1)
    return z if bias is None else z + bias[:, None, None]


def _temporal(hidden: FeatureFrames, filters: Tensor, branches: int, bias: Tensor | None = None) -> Tensor:
    """Every branch's own convolution over time, (batch, B x C, time, height x width)."""
    over_time = hidden.flatten(3).transpose(1, 2)
    return F.conv2d(over_time, filters.unsqueeze(-1), bias, padding=(1, 0), groups=branches)


def _sum_by_slot(y: Tensor, slots: tuple[int, ...], frames: FeatureFrames, num_slots: int) -> FeatureFrames:
    """The branches' results, as `_temporal` returns them, summed by slot and shaped like `frames`."""
    batch, time, channels, height, width = frames.shape
    y = y.reshape(batch, len(slots), channels, time, height, width)
    out = y.new_zeros(batch, num_slots, *y.shape[2:])
    out = out.index_add(1, torch.tensor(slots, device=y.device), y)
    return out.flatten(1, 2).transpose(1, 2)


class FoldedBranches(nn.Module):
    """Branches behind fixed statistics, for inference: their norms are in the filters and in two biases."""

    plain: Tensor
    dilated: Tensor
    mid_bias: Tensor
    temporal: Tensor
    bias: Tensor

    def __init__(self, branches: Branches, stats: BatchStats) -> None:
        """`stats` are the running ones: their variance is used as it is."""
        super().__init__()
        mid_scale, scale = (
            weight * (var + EPS).rsqrt()
            for weight, var in ((branches.mid_weight, stats.mid_var), (branches.weight, stats.var))
        )
        plain_channels = len(branches.plain)
        folded = {
            "plain": branches.plain * mid_scale[:plain_channels, None, None, None],
            "dilated": branches.dilated * mid_scale[plain_channels:, None, None, None],
            "mid_bias": branches.mid_bias - stats.mid_mean * mid_scale,
            "temporal": branches.temporal * scale[:, None, None],
            "bias": branches.bias - stats.mean * scale,
        }
        for name, tensor in folded.items():
            self.register_buffer(name, tensor.detach().contiguous())
        self.slots = branches.slots

    def add_to(self, totals: Sequence[FeatureFrames], frames: FeatureFrames, activation: nn.Module) -> None:
        """Add what branch b makes of `frames` to totals[slots[b]], which are contiguous."""
        filters = self.plain, self.dilated, self.mid_bias, self.temporal, self.bias
        if isinstance(activation, nn.ReLU) and kernels(frames, *totals, *filters) is not None:
            add_native(totals, frames, *filters, self.slots)
            return
        hidden = activation(_spatial(activation(frames), self.plain, self.dilated, self.mid_bias))
        y = _temporal(clips_of(hidden, frames.shape[1]), self.temporal, len(self.slots), self.bias)
        found = _sum_by_slot(y, self.slots, frames, len(totals)).chunk(len(totals), dim=2)
        for total, part in zip(totals, found, strict=True):
            total += part
