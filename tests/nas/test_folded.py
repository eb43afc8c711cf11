"""The network for inference against the plain one in evaluation mode, with norms that have seen something."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from reference import PlainNetwork
from vidnas.nas.folded import FoldedNetwork
from vidnas.nas.genotype import Edge, Genotype, random_genotype
from vidnas.nas.network import Network

ALLOWED = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Relative errors of logits."""
SAME_TWICE = Genotype(((Edge(0, "conv_3"), Edge(1, "conv_3")),) * 4)
ALL_KINDS = Genotype(
    (
        (Edge(0, "conv_1"), Edge(1, "dil_conv_3")),
        (Edge(0, "max_pool_3"), Edge(2, "avg_pool_3")),
        (Edge(2, "skip"), Edge(3, "sep_conv_3")),
        (Edge(0, "max_pool_3"), Edge(4, "conv_3")),
    )
)
NO_BRANCHES = Genotype(((Edge(0, "skip"), Edge(1, "conv_1")), (Edge(1, "avg_pool_3"), Edge(2, "skip"))))
GENOTYPES = {f"random {seed}": random_genotype(seed) for seed in range(5)}
GENOTYPES |= {"same twice": SAME_TWICE, "all kinds": ALL_KINDS, "no branches": NO_BRANCHES}


def network_of(genotype: Genotype, *, stem_stride: int = 1, first_channels: int = 3) -> Network:
    torch.manual_seed(0)
    network = Network(
        genotype, 5, num_cells=3, first_channels=first_channels, stem_stride=stem_stride
    ).double()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm3d):
            for tensor in (norm.weight, norm.bias, norm.running_mean):
                nn.init.normal_(tensor)  # type: ignore[arg-type]
            nn.init.uniform_(norm.running_var, 0.5, 2)  # type: ignore[arg-type]
    return network.eval()


def video_of(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def error(found: Tensor, true: Tensor) -> float:
    return float((found.double() - true).norm() / true.norm())


@pytest.mark.parametrize("dtype", ALLOWED)
@pytest.mark.parametrize("stem_stride", [1, 2])
@pytest.mark.parametrize("name", GENOTYPES)
def test_a_folded_network_gives_the_logits_of_the_plain_one(
    name: str, stem_stride: int, dtype: torch.dtype
) -> None:
    network, video = network_of(GENOTYPES[name], stem_stride=stem_stride), video_of(2, 3, 3, 9, 11)
    plain = PlainNetwork(GENOTYPES[name], 5, num_cells=3, first_channels=3, stem_stride=stem_stride).double()
    plain.load_state_dict(network.state_dict())
    with torch.no_grad():
        true = plain.eval()(video)
    assert error(FoldedNetwork(network.to(dtype))(video.to(dtype)), true) <= ALLOWED[dtype]


@pytest.mark.parametrize("name", GENOTYPES)
def test_so_it_does_without_a_compiler(name: str, no_kernels: Callable[[], None]) -> None:
    network, video = network_of(GENOTYPES[name]), video_of(2, 3, 2, 7, 6)
    with torch.no_grad():
        true = network(video)
    no_kernels()
    assert error(FoldedNetwork(network)(video), true) <= 1e-9


@pytest.mark.parametrize("shape", [(1, 3, 1, 8, 8), (1, 3, 5, 57, 57), (5, 3, 8, 4, 5), (2, 3, 2, 1, 1)])
@pytest.mark.parametrize("first_channels", [1, 4])
def test_so_it_does_for_clips_of_other_sizes(shape: tuple[int, ...], first_channels: int) -> None:
    network, video = network_of(ALL_KINDS, first_channels=first_channels), video_of(*shape)
    with torch.no_grad():
        assert error(FoldedNetwork(network)(video), network(video)) <= 1e-9


def test_so_it_does_with_another_activation() -> None:
    torch.manual_seed(0)
    network = Network(ALL_KINDS, 5, num_cells=2, first_channels=2, activation=nn.Softplus).double().eval()
    video = video_of(2, 3, 2, 6, 6)
    with torch.no_grad():
        assert error(FoldedNetwork(network)(video), network(video)) <= 1e-9


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_the_work(threads: int, set_threads: Callable[[int], None]) -> None:
    network, video = network_of(ALL_KINDS), video_of(2, 3, 2, 9, 9)
    folded = FoldedNetwork(network)
    alone = folded(video)
    set_threads(threads)
    assert error(folded(video), alone) < 1e-13
    assert torch.equal(folded(video), folded(video))


def test_it_holds_a_copy_and_leaves_the_network_as_it_was() -> None:
    network, video = network_of(ALL_KINDS), video_of(2, 3, 2, 6, 6)
    before = copy.deepcopy(network.state_dict())
    folded = FoldedNetwork(network)
    logits = folded(video)
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.zero_()
    assert torch.equal(folded(video), logits)


def test_its_mode_and_gradients_do_not_matter() -> None:
    folded, video = FoldedNetwork(network_of(ALL_KINDS)), video_of(2, 3, 2, 6, 6)
    logits = folded(video.clone().requires_grad_())
    assert not logits.requires_grad
    assert not list(folded.parameters())
    assert torch.equal(folded.train()(video), folded.eval()(video))


def test_it_goes_to_another_precision_as_a_whole() -> None:
    network, video = network_of(ALL_KINDS), video_of(2, 3, 2, 6, 6)
    with torch.no_grad():
        true = network(video)
    folded = FoldedNetwork(copy.deepcopy(network).float())
    assert {t.dtype for t in folded.state_dict().values()} == {torch.float32}
    assert error(folded.to(torch.float64)(video), true) <= 1e-4
    rounded = FoldedNetwork(network).to(torch.bfloat16)(video.bfloat16())
    assert rounded.dtype == torch.bfloat16
    assert error(rounded, true) < 5e-2


def test_norms_that_have_no_statistics_of_their_own_are_refused() -> None:
    network = network_of(ALL_KINDS)
    norm = network.get_submodule("stem.1")
    assert isinstance(norm, nn.BatchNorm3d)
    norm.running_mean = norm.running_var = None
    with pytest.raises(AssertionError):
        FoldedNetwork(network)
