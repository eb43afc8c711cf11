"""What a network costs: parameters, bytes, multiply-accumulates and measured latency."""

import copy
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

WARM_UPS = 3


@dataclass(frozen=True)
class Profile:
    """The cost of a network on one input."""

    parameters: int
    weight_bytes: int
    """Bytes of the parameters as they lie in memory."""
    macs: int
    """Multiply-accumulates of convolutions and matrix products; the rest (pooling, norms) is not counted."""
    latency_ms: float
    """Median time of one forward pass."""
    latency_spread_ms: float
    """Interquartile range of that time."""
    threads: int
    """Threads that a CPU could use."""
    device: str


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
    latency_ms, spread_ms = measure_latency(inference or module, video_shape, device)
    return Profile(
        parameters=count_parameters(module),
        weight_bytes=count_weight_bytes(module),
        macs=count_macs(module, video_shape),
        latency_ms=latency_ms,
        latency_spread_ms=spread_ms,
        threads=torch.get_num_threads(),
        device=str(device),
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
    with _evaluating(shapes_only), FlopCounterMode(display=False) as counter:
        shapes_only(torch.zeros(video_shape, device="meta"))
    return int(counter.get_total_flops()) // 2


def measure_latency(
    module: nn.Module, video_shape: tuple[int, ...], device: torch.device, repeats: int = 10
) -> tuple[float, float]:
    """Median and interquartile range, in ms, of a forward pass after a few unmeasured ones; repeats >= 2."""
    return measure_latencies([module], video_shape, device, repeats)[0]


def measure_latencies(
    modules: Sequence[nn.Module], video_shape: tuple[int, ...], device: torch.device, repeats: int = 10
) -> list[tuple[float, float]]:
    """The same of several modules in turn, so that a machine that slows down does so for all of them.

    Before each measured pass one is unmeasured where there are others: they have filled the caches.
    """
    video = torch.zeros(video_shape, device=device)
    times_ms: list[list[float]] = [[] for _ in modules]
    for _ in range(WARM_UPS + repeats):
        for module, own_ms in zip(modules, times_ms, strict=True):
            with _evaluating(module):
                if len(modules) > 1:
                    module(video)
                own_ms.append(_time_ms(module, video, device))
    return [_median_and_range(own_ms[WARM_UPS:]) for own_ms in times_ms]


def _time_ms(module: nn.Module, video: torch.Tensor, device: torch.device) -> float:
    synchronize(device)
    start = time.perf_counter()
    module(video)
    synchronize(device)
    return (time.perf_counter() - start) * 1000


def _median_and_range(times_ms: Sequence[float]) -> tuple[float, float]:
    lower, median, upper = statistics.quantiles(times_ms, n=4, method="inclusive")
    return median, upper - lower


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation without gradients; afterwards every submodule is back in its own mode."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes.items():
            part.training = training


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what was asked of it: accelerators return at once."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
