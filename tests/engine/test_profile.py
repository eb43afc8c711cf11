from typing import Protocol

import pytest
import torch
from torch import Tensor, nn

from vidnas.engine.profile import count_macs, count_parameters, measure_latency, profile_network

CPU = torch.device("cpu")


def small_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(3, 4, (1, 3, 3), padding=(0, 1, 1), bias=False),
        nn.BatchNorm3d(4),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(4, 5),
    )


CONV_MACS = 8 * 16 * 12 * 4 * (3 * 3 * 3)  # outputs x channels out x (channels in x kernel)
LINEAR_MACS = 4 * 5


def test_parameters_are_counted_as_by_hand() -> None:
    assert count_parameters(small_network()) == 4 * 27 + (4 + 4) + (4 * 5 + 5)


def test_shared_parameters_count_once() -> None:
    shared = nn.Linear(4, 4, bias=False)
    assert count_parameters(nn.Sequential(shared, nn.ReLU(), shared)) == 16


def test_macs_are_counted_as_by_hand() -> None:
    assert count_macs(small_network(), (1, 3, 8, 16, 12)) == CONV_MACS + LINEAR_MACS
    assert count_macs(small_network(), (2, 3, 8, 16, 12)) == 2 * (CONV_MACS + LINEAR_MACS)


def test_a_grouped_strided_convolution_costs_less() -> None:
    conv = nn.Conv3d(4, 8, 3, stride=(1, 2, 2), padding=1, groups=2)
    assert count_macs(conv, (1, 4, 6, 8, 8)) == 6 * 4 * 4 * 8 * (2 * 27)


def test_profiling_leaves_modes_statistics_and_gradients_alone() -> None:
    network = small_network().train()
    network[1].eval()  # type: ignore[index]
    modes = [part.training for part in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    profile_network(network, (1, 3, 4, 8, 8), CPU)
    assert [part.training for part in network.modules()] == modes
    torch.testing.assert_close(network.state_dict(), state, rtol=0, atol=0)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_modes_come_back_after_an_error() -> None:
    network = small_network().train()
    with pytest.raises(RuntimeError):
        count_macs(network, (1, 7, 4, 8, 8))
    assert network.training


class Clock(Protocol):
    def sleep(self, sec: float) -> None: ...


class Sleeper(nn.Module):
    """Takes as long as its schedule says, call by call, and notes how it was called."""

    def __init__(self, schedule_ms: list[float], clock: Clock) -> None:
        super().__init__()
        self.schedule_ms = schedule_ms
        self.clock = clock
        self.graded: list[bool] = []

    def forward(self, video: Tensor) -> Tensor:
        self.graded.append(self.training or torch.is_grad_enabled())
        self.clock.sleep(self.schedule_ms.pop(0) / 1000)
        return video


def test_latency_is_the_median_after_the_warm_up(clock: Clock) -> None:
    sleeper = Sleeper([60, 60, 60, 10, 12, 14, 16, 50], clock)
    median, spread = measure_latency(sleeper, (1, 3, 1, 1, 1), CPU, repeats=5)
    assert median == pytest.approx(14)
    assert spread == pytest.approx(4)  # from 12 to 16: one outlier does not move the quartiles
    assert sleeper.graded == [False] * 8


def test_a_profile_gathers_it_all() -> None:
    profile = profile_network(small_network(), (1, 3, 8, 16, 12), CPU)
    assert profile.weight_bytes == 4 * profile.parameters == 4 * 141
    assert profile.macs == CONV_MACS + LINEAR_MACS
    assert profile.latency_ms > 0
    assert (profile.threads, profile.device) == (torch.get_num_threads(), "cpu")


def test_bytes_follow_the_number_type() -> None:
    network = nn.Identity()
    network.register_parameter("small", nn.Parameter(torch.zeros(5, dtype=torch.float16)))
    assert profile_network(network, (1, 3, 2, 4, 4), CPU).weight_bytes == 10


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_an_accelerator_is_waited_for() -> None:
    cuda = torch.device("cuda")
    network = nn.Sequential(*[nn.Conv3d(64, 64, 3, padding=1) for _ in range(20)]).to(cuda)
    small, _ = measure_latency(network, (1, 64, 8, 8, 8), cuda)
    large, _ = measure_latency(network, (1, 64, 16, 112, 112), cuda)
    assert large > 5 * small
