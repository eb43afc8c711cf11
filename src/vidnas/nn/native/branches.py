"""branches.py on a CPU: the gradient worked out.

Kept for the gradient are z and y alone. Norms are a scale and a shift that the next kernel applies while it
reads; no activation, no normed value and no weighted one is ever stored.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from vidnas.nn.native import stages
from vidnas.nn.native.gradients import all_contiguous, first_derivative_only, only_wanted
from vidnas.nn.native.norms import Norm, norm_gradient, norm_of


class Join(torch.autograd.Function):
    """branches.join as one step of the gradient, where every list would be several."""

    @staticmethod
    def forward(ctx: Any, sizes: list[list[int]], *tensors: Tensor) -> tuple[Tensor, ...]:
        """How long each list's tensors are, and all of them, in; a tensor a list out."""
        ctx.sizes, rest = sizes, iter(tensors)
        return tuple(torch.cat(list(islice(rest, len(own)))) for own in sizes)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients in the joined tensors in, their parts out."""
        return None, *(
            part for grad, own in zip(grads, ctx.sizes, strict=True) for part in torch.split(grad, own)
        )


class SumBranches(torch.autograd.Function):
    """branches.sum_branches for ReLU and a batch's own statistics."""

    @staticmethod
    def forward(
        ctx: Any, frames: Tensor, plain: Tensor, dilated: Tensor, temporal: Tensor,
        mid_weight: Tensor, mid_bias: Tensor, weight: Tensor, bias: Tensor, slots: tuple[int, ...],
        *totals: Tensor | None,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """An input, the fields of Branches and the totals in; the new totals and BatchStats' fields out."""
        frames, plain, dilated, temporal = (t.contiguous() for t in (frames, plain, dilated, temporal))
        count = frames.numel() // frames.shape[2]
        z, moments = stages.spatial(frames, (plain, dilated))
        mid, mid_stats = norm_of(moments, count, mid_weight, mid_bias)
        y, moments = stages.temporal(z, mid, temporal)
        final, final_stats = norm_of(moments, count, weight, bias)
        ctx.save_for_backward(frames, plain, dilated, temporal, z, y, *mid, *final)
        ctx.slots = slots
        ctx.mark_non_differentiable(*mid_stats, *final_stats)
        return *stages.mix(y, final, slots, all_contiguous(totals)), *mid_stats, *final_stats

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, *grads_and_stats: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients in the new totals in, those in everything that `forward` takes out."""
        frames, plain, dilated, temporal, z, y, *norms = ctx.saved_tensors
        mid, final, grads = Norm(*norms[:3]), Norm(*norms[3:]), all_contiguous(grads_and_stats[:-4])
        _, *wanted, wanted_temporal = ctx.needs_input_grad[:4]
        count = frames.numel() // frames.shape[2]
        d_weight, d_bias, slopes = norm_gradient(final, stages.mix_backward(y, grads, ctx.slots), count)
        dz, moments, d_temporal = stages.temporal_backward(
            z, mid, temporal, y, grads, ctx.slots, slopes, wanted=wanted_temporal
        )
        d_mid_weight, d_mid_bias, slopes = norm_gradient(mid, moments, count)
        d_frames, d_spatial = stages.spatial_backward(frames, (plain, dilated), z, dz, slopes, wanted)
        d_norms = d_mid_weight, d_mid_bias, d_weight, d_bias
        return d_frames, *d_spatial, d_temporal, *d_norms, None, *only_wanted(ctx.needs_input_grad[9:], grads)


def add_native(
    outs: Sequence[Tensor], frames: Tensor, plain: Tensor, dilated: Tensor, mid_bias: Tensor,
    temporal: Tensor, bias: Tensor, slots: tuple[int, ...],
) -> None:  # fmt: skip
    """branches.FoldedBranches.add_to for ReLU, without a gradient."""
    z = stages.active_spatial(frames.contiguous(), (plain, dilated), mid_bias)
    stages.add_temporal(outs, z, temporal, bias, slots)
