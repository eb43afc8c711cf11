"""The calls of the kernels of spatial.c, temporal.c and mix.c.

Branches lie side by side: z and y are (batch, time, branches x C, height, width). Tensors are contiguous,
filters shaped as in branches.Branches; those of the spatial stage come as (plain, dilated).
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from vidnas.nn.native.gradients import ParameterGradient, Sums
from vidnas.nn.native.library import loaded_kernels
from vidnas.nn.native.norms import Norm, Slopes


def spatial(frames: Tensor, kinds: Sequence[Tensor]) -> tuple[Tensor, Sums]:
    """z = filters * relu(frames) and its moments."""
    moments = Sums(2, sum(len(filters) for filters in kinds))
    return _spatial(frames, kinds, None, moments), moments


def active_spatial(frames: Tensor, kinds: Sequence[Tensor], bias: Tensor) -> Tensor:
    """relu(filters * relu(frames) + bias)."""
    return _spatial(frames, kinds, bias, None)


def _spatial(frames: Tensor, kinds: Sequence[Tensor], bias: Tensor | None, moments: Sums | None) -> Tensor:
    library = loaded_kernels(frames)
    batch, time, channels, height, width = frames.shape
    wide = sum(len(filters) for filters in kinds)
    z = frames.new_empty(batch, time, wide, height, width)
    sums = [moments.at(k) if moments else None for k in (0, 1)]
    for filters, dilation, first in _by_dilation(kinds):
        own_bias = None if bias is None else bias[first:][: len(filters)]
        library.share(
            "spatial_forward",
            library.count("spatial_items", batch * time, channels, height, width, dilation),
            frames, filters, own_bias, z, *sums, batch * time, channels, wide, first, len(filters), height,
            width, dilation,
        )  # fmt: skip
    return z


def spatial_backward(
    frames: Tensor, kinds: Sequence[Tensor], z: Tensor, dz: Tensor, slopes: Slopes, wanted: Sequence[bool]
) -> tuple[Tensor, list[Tensor | None]]:
    """The gradients in the frames and in those filters that are `wanted`; `dz` is that behind the norm."""
    library = loaded_kernels(frames)
    batch, time, channels, height, width = frames.shape
    d_frames = torch.empty_like(frames)
    d_kinds = [ParameterGradient(filters, wanted=want) for filters, want in zip(kinds, wanted, strict=True)]
    for filters, dilation, first in _by_dilation(kinds):
        wide = channels + len(filters)
        library.share(
            "spatial_backward",
            library.count("spatial_items", batch * time, wide, height, width, dilation),
            frames, filters, z, dz, *slopes, d_frames, int(first > 0), d_kinds[dilation - 1].at(),
            batch * time, channels, z.shape[2], first, len(filters), height, width, dilation,
        )  # fmt: skip
    return d_frames, [d_filters.total() for d_filters in d_kinds]


def _by_dilation(kinds: Sequence[Tensor]) -> Iterator[tuple[Tensor, int, int]]:
    """The kinds of spatial filters that there are, each with its dilation and its first channel in z."""
    plain, dilated = kinds
    if len(plain):
        yield plain, 1, 0
    if len(dilated):
        yield dilated, 2, len(plain)


def temporal(z: Tensor, norm: Norm, filters: Tensor) -> tuple[Tensor, Sums]:
    """y = filters * relu(norm(z)), each branch by itself, and its moments."""
    library = loaded_kernels(z)
    batch, time, wide, pixels, channels = *z.flatten(3).shape, filters.shape[1]
    y, moments = torch.empty_like(z), Sums(2, wide)
    library.share(
        "temporal_forward", batch * library.count("num_spans", time, channels, pixels),
        z, norm.scale, norm.shift, filters, y, moments.at(0), moments.at(1), time, channels, wide, pixels,
    )  # fmt: skip
    return y, moments


def temporal_backward(
    z: Tensor, norm: Norm, filters: Tensor, y: Tensor, grads: Sequence[Tensor], slots: Sequence[int],
    slopes: Slopes, *, wanted: bool,
) -> tuple[Tensor, Sums, Tensor | None]:  # fmt: skip
    """dz in front of the activation, its sum and that of dz x z, and the filters' gradient if `wanted`.

    `grads` are those in the sums by slot, `slopes` lead from them to that in y.
    """
    library = loaded_kernels(z)
    batch, time, wide, pixels, channels = *z.flatten(3).shape, filters.shape[1]
    dz, moments = torch.empty_like(z), Sums(2, wide)
    # taps before inputs, as the kernel adds them up
    d_filters = ParameterGradient(filters.transpose(1, 2), wanted=wanted)
    library.share(
        "temporal_backward", batch * library.count("num_spans", time, channels, pixels),
        z, norm.scale, norm.shift, filters, y, grads, slots, *slopes, dz, moments.at(0), moments.at(1),
        d_filters.at(), time, channels, wide, pixels,
    )  # fmt: skip
    found = d_filters.total()
    return dz, moments, None if found is None else found.transpose(1, 2)


def add_temporal(
    outs: Sequence[Tensor], z: Tensor, filters: Tensor, bias: Tensor, slots: Sequence[int]
) -> None:
    """outs[slots[b]] += filters * z + bias for every branch b."""
    library = loaded_kernels(z)
    batch, time, wide, pixels, channels = *z.flatten(3).shape, filters.shape[1]
    library.share(
        "temporal_add", batch * library.count("num_spans", time, channels, pixels),
        z, filters, bias, slots, outs, time, channels, wide, pixels,
    )  # fmt: skip


def mix(y: Tensor, norm: Norm, slots: Sequence[int], totals: Sequence[Tensor | None]) -> list[Tensor]:
    """For every slot its total, where there is one, plus the branches behind their norm."""
    library = loaded_kernels(y)
    batch, time, wide, height, width = y.shape
    channels = wide // len(slots)
    outs = [y.new_empty(batch, time, channels, height, width) for _ in totals]
    library.share(
        "mix_forward", batch * time,
        y, norm.scale, norm.shift, slots, totals, outs, channels, wide, len(outs), height * width,
    )  # fmt: skip
    return outs


def mix_backward(y: Tensor, grads: Sequence[Tensor], slots: Sequence[int]) -> Sums:
    """By channel of y the sums of g and of g x y, where g is the gradient in the branch's slot."""
    library = loaded_kernels(y)
    batch, time, wide, pixels = y.flatten(3).shape
    sums = Sums(2, wide)
    library.share(
        "mix_backward", batch * time,
        y, grads, slots, sums.at(0), sums.at(1), wide // len(slots), wide, pixels,
    )  # fmt: skip
    return sums
