from dataclasses import replace

import pytest
import torch
from torch import nn

from vidnas.training.profile import Profile, cost_line, count_macs, count_parameters, profile_network

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


def test_a_profile_gathers_it_all() -> None:
    profile = profile_network(small_network(), (1, 3, 8, 16, 12), CPU)
    assert profile.weight_bytes == 4 * profile.parameters == 4 * 141
    assert profile.macs == CONV_MACS + LINEAR_MACS
    assert profile.latency_ms > 0
    assert profile.reference_ms is not None and profile.reference_ms > 0
    assert (profile.threads, profile.device) == (torch.get_num_threads(), "cpu")


def test_bytes_follow_the_number_type() -> None:
    network = nn.Identity()
    network.register_parameter("small", nn.Parameter(torch.zeros(5, dtype=torch.float16)))
    assert profile_network(network, (1, 3, 2, 4, 4), CPU).weight_bytes == 10


PROFILE = Profile(300_000, 1_200_000, 20_000_000, 5.0, 0.1, 2, "cpu", 0.3)


@pytest.mark.parametrize(("threads", "said"), [(1, "cpu, 1 thread)"), (2, "cpu, 2 threads)")])
def test_a_cost_names_the_threads(threads: int, said: str) -> None:
    assert said in cost_line(replace(PROFILE, threads=threads), "8 frames of 64 x 64 px")


def test_a_latency_measured_on_a_busy_machine_is_marked_with_the_way_out() -> None:
    assert "usy machine" not in cost_line(PROFILE, "a clip")
    said = cost_line(replace(PROFILE, busy=True), "a clip")
    assert "5.0 ms" in said
    assert "Busy machine: other work had the machine, and the time is too long" in said
    assert "`vidnas evaluate` measures it again" in said
