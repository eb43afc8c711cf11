"""What a network costs: parameters, bytes, multiply-accumulates and measured latency."""

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vidnas.errors import counted
from vidnas.training.latency import BUSY, TOO_LONG, evaluating, measure_latencies


@dataclass(frozen=True)
class Profile:
    """The cost of a network on one input."""

    parameters: int
    weight_bytes: int
    """Bytes of the parameters as they lie in memory."""
    macs: int
    """Multiply-accumulates of convolutions and matrix products; the rest (pooling, norms) is not counted."""
    latency_ms: float
    """Median time of one forward pass, measured as training/latency.py says."""
    latency_spread_ms: float
    """Interquartile range of that time."""
    threads: int
    """Threads that a CPU could use."""
    device: str
    reference_ms: float | None = None
    """Time of the reference that training/latency.py measures beside: by it, two profiles can be compared."""
    busy: bool = False
    """Whether the machine had other work throughout, so that the latency is too long."""


def cost_line(profile: Profile, clip: str) -> str:
    """Parameters, bytes, multiply-accumulates and latency of one clip."""
    threads = counted(profile.threads, "thread")
    return (
        f"Network: {profile.parameters:,} parameters ({profile.weight_bytes / 1e6:.2f} MB), "
        f"{profile.macs / 1e9:.3f} GMACs for a clip of {clip}, {profile.latency_ms:.1f} ms a clip "
        f"(spread {profile.latency_spread_ms:.1f} ms; {profile.device}, {threads})."
        + (f" {BUSY.capitalize()}: {TOO_LONG}." if profile.busy else "")
    )


def profile_network(
    module: nn.Module,
    video_shape: tuple[int, ...],
    device: torch.device,
    *,
    inference: nn.Module | None = None,
) -> Profile:
    """The cost of `module`, which lies on `device`, for one input of `video_shape`.

    `inference` is another form of it, whose latency counts. The shape is that of a Video: (batch, channels,
    time, height, width), a batch of 1 for a clip.
    """
    (latency,) = measure_latencies([inference or module], video_shape, device)
    return Profile(
        parameters=count_parameters(module),
        weight_bytes=count_weight_bytes(module),
        macs=count_macs(module, video_shape),
        latency_ms=latency.median_ms,
        latency_spread_ms=latency.spread_ms,
        threads=torch.get_num_threads(),
        device=str(device),
        reference_ms=latency.reference_ms,
        busy=latency.busy,
    )


def count_parameters(module: nn.Module) -> int:
    """The numbers that training changes, shared ones counted once."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_weight_bytes(module: nn.Module) -> int:
    """Bytes of the parameters as they lie in memory."""
    return sum(parameter.numel() * parameter.element_size() for parameter in module.parameters())


def count_macs(module: nn.Module, video_shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of one forward pass on zeros of `video_shape`, without computing anything."""
    shapes_only = copy.deepcopy(module).to("meta")
    with evaluating(shapes_only), FlopCounterMode(display=False) as counter:
        shapes_only(torch.zeros(video_shape, device="meta"))
    return int(counter.get_total_flops()) // 2
