"""Every op against a formula or a brute force, and what must not be in it."""

import itertools
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from jaxtyping import TypeCheckError
from torch import Tensor, nn

from vidnas.nas.ops import BUILDERS, Activation, Pool
from vidnas.nas.primitives import PRIMITIVES
from vidnas.nn.norms import BatchStatsNorm
from vidnas.nn.pooling import avg_pool, max_pool

CONVOLUTIONS = ("conv_1", "conv_3", "sep_conv_3", "dil_conv_3")
POOLS = ("max_pool_3", "avg_pool_3")

STAGES: dict[str, list[object]] = {
    "conv_1": ["activation", (1, 1, 1), "norm"],
    "conv_3": ["activation", (1, 3, 3), "norm", "activation", (3, 1, 1), "norm"],
    "sep_conv_3": ["activation", (1, 1, 3), (1, 3, 1), "norm", "activation", (3, 1, 1), "norm"],
    "dil_conv_3": ["activation", (1, 3, 3), "norm", "activation", (3, 1, 1), "norm"],
}
"""What the design says each convolution consists of, kernels as (time, height, width)."""


def random_video(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def op_of(name: str, batch_stats: bool, *, channels: int = 2, activation: Activation = nn.ReLU) -> nn.Module:
    torch.manual_seed(0)
    return BUILDERS[name](channels, activation, batch_stats).double()


def modules_of(op: nn.Module) -> list[nn.Module]:
    """The op's parts in the order in which they run."""
    return list(op) if isinstance(op, nn.Sequential) else [op]


def normalized(video: Tensor) -> Tensor:
    """Batch norm by its formula."""
    axes = (0, 2, 3, 4)
    variance = video.var(dim=axes, correction=0, keepdim=True)
    return (video - video.mean(dim=axes, keepdim=True)) / (variance + 1e-5).sqrt()


def boxes(video: Tensor) -> Iterator[tuple[int, int, int, Tensor]]:
    """Every position with the part of the 3x3x3 box around it that lies inside the video."""

    def around(i: int) -> slice:
        return slice(max(i - 1, 0), i + 2)

    for t, y, x in itertools.product(*(range(extent) for extent in video.shape[2:])):
        yield t, y, x, video[:, :, around(t), around(y), around(x)]


# All ops


def test_there_is_an_op_for_each_primitive() -> None:
    assert list(BUILDERS) == list(PRIMITIVES)


@pytest.mark.parametrize("batch_stats", [True, False])
@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_op_keeps_the_shape(name: str, batch_stats: bool) -> None:
    op = op_of(name, batch_stats)
    for frames, size in itertools.product(range(1, 9), range(1, 10)):
        for height, width in ((size, size), (size, 10 - size)):
            video = random_video(2, 2, frames, height, width)
            assert op(video).shape == video.shape


@pytest.mark.parametrize("batch_stats", [True, False])
@pytest.mark.parametrize("name", PRIMITIVES)
def test_no_op_writes_into_its_input(name: str, batch_stats: bool) -> None:
    video = random_video(2, 2, 3, 4, 4)
    before = video.clone()
    op_of(name, batch_stats)(video)
    assert torch.equal(video, before)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_an_op_of_the_supernet_has_only_convolution_weights(name: str) -> None:
    op = op_of(name, True)
    parts = list(op.modules())
    assert not list(op.buffers()), "running statistics"
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in parts)
    weights = {id(part.weight) for part in parts if isinstance(part, nn.Conv3d)}
    assert {id(p) for p in op.parameters()} == weights


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_norms_of_the_network_have_parameters_and_running_statistics(name: str) -> None:
    norms = [part for part in modules_of(op_of(name, False)) if isinstance(part, nn.BatchNorm3d)]
    assert len(norms) == STAGES[name].count("norm")
    assert all(part.affine and part.track_running_stats for part in norms)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_both_forms_of_a_convolution_compute_the_same_while_training(name: str) -> None:
    of_supernet, of_network = op_of(name, True), op_of(name, False)
    video = random_video(2, 2, 3, 5, 4)
    torch.testing.assert_close(of_supernet(video), of_network(video), rtol=1e-12, atol=1e-12)


def test_an_unbatched_clip_is_refused() -> None:
    for module in (BatchStatsNorm(), Pool(max_pool), Pool(avg_pool), op_of("none", True)):
        with pytest.raises(TypeCheckError):
            module(random_video(3, 4, 5, 5))


# Convolutions


@pytest.mark.parametrize("batch_stats", [True, False])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_stages_are_activation_then_convolution_then_norm(name: str, batch_stats: bool) -> None:
    found: list[object] = []
    for part in modules_of(op_of(name, batch_stats, activation=nn.Softplus)):
        match part:
            case nn.Conv3d():
                found.append(part.kernel_size)
            case nn.Softplus():
                found.append("activation")
            case nn.BatchNorm3d() | BatchStatsNorm():
                found.append("norm")
            case _:
                found.append(part)
    assert found == STAGES[name]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_filters_are_dense_and_without_bias(name: str) -> None:
    convolutions = [part for part in op_of(name, True, channels=4).modules() if isinstance(part, nn.Conv3d)]
    for convolution in convolutions:
        assert convolution.groups == 1 and convolution.bias is None
        assert convolution.weight.shape[:2] == (4, 4)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_is_what_its_formula_says(name: str) -> None:
    video = random_video(2, 2, 3, 6, 5)
    op = op_of(name, True)
    weights = list(op.parameters())
    if name == "conv_1":
        expected = normalized(F.conv3d(video.relu(), weights[0]))
    else:
        if name == "sep_conv_3":  # a row of 3, then a column of 3, is one 3x3 filter
            filters = torch.einsum("omxhy,mixyw->oixhw", weights[1], weights[0])
        else:
            filters = weights[0]
        if name == "dil_conv_3":  # the nine taps spread over 5x5
            spread = torch.zeros(2, 2, 1, 5, 5, dtype=torch.float64)
            spread[..., ::2, ::2] = filters
            filters = spread
        reach = filters.shape[-1] // 2
        spatial = normalized(F.conv3d(video.relu(), filters, padding=(0, reach, reach)))
        expected = normalized(F.conv3d(spatial.relu(), weights[-1], padding=(1, 0, 0)))
    torch.testing.assert_close(op(video), expected, rtol=1e-10, atol=1e-10)


RECEPTIVE_FIELDS = {
    "conv_1": ({0}, {0}),
    "conv_3": ({-1, 0, 1}, {-1, 0, 1}),
    "sep_conv_3": ({-1, 0, 1}, {-1, 0, 1}),
    "dil_conv_3": ({-1, 0, 1}, {-2, 0, 2}),
    "avg_pool_3": ({-1, 0, 1}, {-1, 0, 1}),
    "skip": ({0}, {0}),
}
"""Frames and pixels (height and width alike) that reach an output, as offsets from it."""


@pytest.mark.parametrize("name", RECEPTIVE_FIELDS)
def test_receptive_fields(name: str) -> None:
    op = op_of(name, False, activation=nn.Softplus).eval()  # eval: no norm that mixes all positions
    video = random_video(1, 2, 7, 9, 9).requires_grad_()
    (gradient,) = torch.autograd.grad(op(video)[0, 0, 3, 4, 4], [video])
    reached = {(t - 3, y - 4, x - 4) for _, t, y, x in gradient[0].nonzero().tolist()}
    frames, pixels = RECEPTIVE_FIELDS[name]
    assert reached == set(itertools.product(frames, pixels, pixels))
    if name in CONVOLUTIONS:
        assert (gradient[0] != 0).any(dim=(1, 2, 3)).all(), "every channel is read"


# Pooling, skip and none


def test_average_pooling_is_the_mean_of_the_box_without_padding() -> None:
    for shape in ((2, 2, 4, 5, 3), (1, 2, 1, 2, 4), (1, 1, 2, 1, 1)):
        video = random_video(*shape)
        pooled = Pool(avg_pool)(video)
        for t, y, x, box in boxes(video):
            torch.testing.assert_close(pooled[:, :, t, y, x], box.mean(dim=(2, 3, 4)))


def test_average_pooling_keeps_a_constant() -> None:
    video = torch.full((1, 2, 3, 4, 5), 7.0, dtype=torch.float64)
    torch.testing.assert_close(Pool(avg_pool)(video), video)


def test_max_pooling_is_the_largest_value_of_the_box() -> None:
    for shape in ((2, 2, 4, 5, 3), (1, 2, 1, 2, 4), (1, 1, 2, 1, 1)):
        video = random_video(*shape) - 5  # all negative: a padded zero would win
        pooled = Pool(max_pool)(video)
        for t, y, x, box in boxes(video):
            assert torch.equal(pooled[:, :, t, y, x], box.amax(dim=(2, 3, 4)))


@pytest.mark.parametrize(("name", "pool"), [("max_pool_3", Pool(max_pool)), ("avg_pool_3", Pool(avg_pool))])
def test_pooling_has_a_norm_behind_it_in_the_supernet_only(name: str, pool: nn.Module) -> None:
    video = 3 + 2 * random_video(3, 2, 4, 5, 5)
    pooled = pool(video)
    torch.testing.assert_close(op_of(name, True)(video), normalized(pooled), rtol=1e-10, atol=1e-10)
    of_network = op_of(name, False)
    assert torch.equal(of_network(video), pooled)
    assert not of_network.state_dict()


@pytest.mark.parametrize("batch_stats", [True, False])
def test_skip_and_none_are_bare(batch_stats: bool) -> None:
    video = random_video(2, 2, 3, 4, 4)
    assert torch.equal(op_of("skip", batch_stats)(video), video)
    assert torch.equal(op_of("none", batch_stats)(video), torch.zeros_like(video))


# The norm


def test_the_norm_of_the_supernet_is_the_formula_with_the_statistics_of_the_batch() -> None:
    video = 3 + 2 * random_video(3, 2, 4, 5, 5)
    norm = BatchStatsNorm()
    for _ in range(2):
        torch.testing.assert_close(norm(video), normalized(video), rtol=1e-12, atol=1e-12)
        norm.eval()
