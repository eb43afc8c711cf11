"""Linear maps behind norms: covariance and blend against their definition, and a norm as a matrix."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.blend import FoldedMap, LinearMap, blend, covariance, normed, normed_map
from vidnas.nn.layout import images
from vidnas.nn.native.blend import Blend, Covariance, MapNorms, NormedBlend
from vidnas.nn.native.library import kernels

INPUTS = {
    "one of 1 channel": ([1], [True], [True]),
    "one of 9": ([9], [False], [True]),
    "three": ([2, 3, 4], [True, False, False], [True, True, False]),
    "as the paper's": ([4, 4, 4, 4], [True, False, False, False], [True, True, True, False]),
    "16 and 1": ([16, 1], [False, True], [False, True]),
}
"""Channels of each input, whether it is seen through a ReLU, whether it is taken less its mean."""
SIZES = [(2, 3, 5, 7), (1, 1, 1, 1), (3, 1, 33, 61), (1, 2, 70, 90)]
"""(batch, time, height, width)."""


def randoms(seed: int = 0, dtype: torch.dtype = torch.float64) -> Callable[..., Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def inputs_of(name: str, sizes: tuple[int, ...], *, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    new, (batch, time, height, width) = randoms(dtype=dtype), sizes
    return [(0.5 + new(batch, time, c, height, width)).requires_grad_() for c in INPUTS[name][0]]


def seen(inputs: Sequence[Tensor], rectified: Sequence[bool]) -> Tensor:
    """All pixels of all inputs, (channels, pixels)."""
    joined = torch.cat([t.relu() if r else t for t, r in zip(inputs, rectified, strict=True)], dim=2)
    return images(joined).transpose(0, 1).flatten(1)


def defined_covariance(inputs: Sequence[Tensor], rectified: Sequence[bool]) -> Tensor:
    pixels = seen(inputs, rectified)
    centred = pixels - pixels.mean(dim=1, keepdim=True)
    return centred @ centred.T / pixels.shape[1]


def defined_blend(
    inputs: Sequence[Tensor], rectified: Sequence[bool], centred: Sequence[bool], matrix: Tensor
) -> Tensor:
    parts = []
    for t, is_rectified, is_centred in zip(inputs, rectified, centred, strict=True):
        part = t.relu() if is_rectified else t
        parts.append(part - part.mean(dim=(0, 1, 3, 4), keepdim=True) if is_centred else part)
    return torch.einsum("oi,btihw->btohw", matrix, torch.cat(parts, dim=2))


def blended(
    inputs: Sequence[Tensor], rectified: Sequence[bool], centred: Sequence[bool], matrix: Tensor, mean: Tensor
) -> Tensor:
    (out,) = blend(inputs, rectified, centred, matrix, mean)
    return out


def means(inputs: Sequence[Tensor], rectified: Sequence[bool], centred: Sequence[bool]) -> Tensor:
    """The mean that `blend` is given: 0 where an input is taken as it is."""
    kept = torch.tensor([c for t, c in zip(inputs, centred, strict=True) for _ in range(t.shape[2])])
    return seen(inputs, rectified).detach().mean(dim=1) * kept


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", INPUTS)
def test_the_covariance_is_that_of_all_pixels(
    name: str, sizes: tuple[int, ...], native: bool, no_kernels: Callable[[], None]
) -> None:
    if not native:
        no_kernels()
    inputs, rectified = inputs_of(name, sizes), INPUTS[name][1]
    mean, found = covariance(inputs, rectified)
    true = defined_covariance(inputs, rectified)
    torch.testing.assert_close(mean, seen(inputs, rectified).mean(dim=1), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found, true, rtol=1e-10, atol=1e-12)
    weight = randoms(2)(*true.shape)
    for a, b in zip(*(torch.autograd.grad(c, inputs, weight) for c in (found, true)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-14)
    assert not mean.requires_grad


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("rows", [1, 4, 5, 8, 17])
@pytest.mark.parametrize("name", INPUTS)
def test_a_blend_is_the_matrix_times_the_inputs(
    name: str, rows: int, native: bool, no_kernels: Callable[[], None]
) -> None:
    if not native:
        no_kernels()
    _, rectified, centred = INPUTS[name]
    for sizes in SIZES:
        inputs = inputs_of(name, sizes)
        matrix = randoms(1)(rows, sum(INPUTS[name][0])).requires_grad_()
        found = blended(inputs, rectified, centred, matrix, means(inputs, rectified, centred))
        true = defined_blend(inputs, rectified, centred, matrix)
        torch.testing.assert_close(found, true, rtol=1e-10, atol=1e-11)
        weight = randoms(2)(*true.shape)
        pairs = (torch.autograd.grad(c, [matrix, *inputs], weight) for c in (found, true))
        for a, b in zip(*pairs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("mean", [0, 3, 1000])
def test_in_single_precision_a_variance_has_digits_however_far_from_0_the_numbers_are(
    mean: float, native: bool, no_kernels: Callable[[], None]
) -> None:
    """A pool over much of a small map is all but constant."""
    if not native:
        no_kernels()
    frames = (mean + randoms(dtype=torch.float32)(3, 2, 4, 9, 11)).float()
    true = defined_covariance([frames.double()], [False])
    _, found = covariance([frames], [False])
    torch.testing.assert_close(found.double(), true, rtol=1e-5, atol=1e-5)


def test_a_blend_with_norms_in_it_is_the_sum_of_normed_maps() -> None:
    new, inputs = randoms(), inputs_of("three", (2, 3, 5, 7))
    rectified, centred = [True, False, False], [True, True, False]
    matrices, weights = [new(6, t.shape[2]) for t in inputs], [new(6) for _ in range(2)]
    mean, cov = covariance(inputs[:2], rectified[:2])
    normed_ones = [
        normed(w, m, c) for w, m, c in zip(weights, matrices, (cov[:2, :2], cov[2:, 2:]), strict=False)
    ]
    columns = [*normed_ones, matrices[2]]
    found = blended(inputs, rectified, centred, torch.cat(columns, dim=1), F.pad(mean, (0, 4)))
    first, second, third = (
        torch.einsum("oi,btihw->bothw", m, t.relu() if r else t)
        for m, t, r in zip(matrices, inputs, rectified, strict=True)
    )
    true = (
        F.batch_norm(first, None, None, weights[0], training=True)
        + F.batch_norm(second, None, None, weights[1], training=True)
        + third
    )
    torch.testing.assert_close(found.transpose(1, 2), true, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("native", [True, False])
def test_a_blend_is_added_to_totals_in_equal_parts(native: bool, no_kernels: Callable[[], None]) -> None:
    if not native:
        no_kernels()
    inputs, matrix = inputs_of("three", (2, 3, 5, 7)), randoms(1)(6, 9)
    _, rectified, centred = INPUTS["three"]
    mean, total = means(inputs, rectified, centred), randoms(2)(2, 3, 2, 5, 7).requires_grad_()
    found = blend(inputs, rectified, centred, matrix, mean, [None, total, None])
    parts = blended(inputs, rectified, centred, matrix, mean).chunk(3, dim=2)
    torch.testing.assert_close(found, [parts[0], total + parts[1], parts[2]])
    (gradient,) = torch.autograd.grad(3 * torch.stack(found).sum(), [total])
    assert torch.equal(gradient, torch.full_like(gradient, 3))


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("rows", [1, 4, 5, 17])
@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_map_with_a_norm_is_a_pointwise_convolution_and_a_batch_norm(
    stride: int, rectified: bool, rows: int, native: bool, no_kernels: Callable[[], None]
) -> None:
    if not native:
        no_kernels()
    inputs, new = inputs_of("three", (2, 3, 5, 7)), randoms(1)
    matrix, weight, bias = (t.requires_grad_() for t in (new(rows, 9), new(rows), new(rows)))
    found, mean, var = normed_map(LinearMap(inputs, rectified, matrix, stride), weight, bias)
    read = [frames[..., ::stride, ::stride] for frames in inputs]
    plain = defined_blend(read, [rectified] * 3, [False] * 3, matrix)
    true = F.batch_norm(plain.transpose(1, 2), None, None, weight, bias, training=True).transpose(1, 2)
    torch.testing.assert_close(found, true, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(mean, plain.mean(dim=(0, 1, 3, 4)))
    torch.testing.assert_close(var, plain.transpose(0, 2).flatten(1).var(dim=1))
    assert not mean.requires_grad and not var.requires_grad
    wanted, factors = [matrix, weight, bias, *inputs], randoms(2)(*true.shape)
    for a, b in zip(*(torch.autograd.grad(out, wanted, factors) for out in (found, true)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("rows", [1, 4, 5, 17])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Softplus()])
def test_a_folded_map_is_a_pointwise_convolution_with_a_bias_and_adds_in_place(
    activation: nn.Module, stride: int, rows: int, native: bool, no_kernels: Callable[[], None]
) -> None:
    if not native:
        no_kernels()
    inputs, new = inputs_of("three", (2, 3, 5, 7)), randoms(1)
    matrix, bias = new(rows, 9), new(rows)
    read = torch.cat([activation(frames[..., ::stride, ::stride]) for frames in inputs], dim=2)
    true = torch.einsum("oi,btihw->btohw", matrix, read) + bias[:, None, None]
    folded, total = FoldedMap(matrix, bias, activation, stride), new(*true.shape)
    with torch.no_grad():
        torch.testing.assert_close(folded(inputs), true, rtol=1e-12, atol=1e-12)
        expected = total + true
        assert folded(inputs, total) is total
        torch.testing.assert_close(total, expected, rtol=1e-12, atol=1e-12)


def test_their_gradients_are_those_of_finite_differences() -> None:
    inputs = [(t.detach()[..., :2, :2]).requires_grad_() for t in inputs_of("three", (2, 2, 3, 3))]
    matrix = randoms(3)(6, 9).requires_grad_()
    _, rectified, centred = INPUTS["three"]

    def cov(*inputs: Tensor) -> Tensor:
        return Covariance.apply(tuple(rectified), *inputs)[1]  # type: ignore[no-any-return, no-untyped-call]

    def added(matrix: Tensor, total: Tensor, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        given = tuple(rectified), tuple(centred), 2, matrix, means(inputs, rectified, centred), None, total
        return Blend.apply(*given, *inputs)  # type: ignore[no-any-return, no-untyped-call]

    def normed_one(matrix: Tensor, weight: Tensor, bias: Tensor, *inputs: Tensor) -> Tensor:
        return NormedBlend.apply(tuple(rectified), matrix, weight, bias, *inputs)[0]  # type: ignore[no-any-return, no-untyped-call]

    new = randoms(5)
    weight, bias, total = (t.requires_grad_() for t in (new(6), new(6), new(2, 2, 3, 2, 2)))
    assert torch.autograd.gradcheck(cov, inputs)
    assert torch.autograd.gradcheck(added, [matrix, total, *inputs])
    assert torch.autograd.gradcheck(normed_one, [matrix, weight, bias, *inputs])


@pytest.mark.parametrize("threads", [1, 3])
def test_norms_of_maps_side_by_side_are_those_of_each(
    threads: int, set_threads: Callable[[int], None]
) -> None:
    set_threads(threads)
    new = randoms(7)
    square, given = new(6, 6), [new(5), new(5), new(5, 4), new(5, 2)]
    cov = square @ square.T  # of 4 + 2 channels
    variables = [t.requires_grad_() for t in (cov, *given)]
    weights, matrices = given[:2], given[2:]
    found = MapNorms.apply(cov, *weights, *matrices)  # type: ignore[no-untyped-call]
    blocks = cov[:4, :4], cov[4:, 4:]
    parts = [normed(*each) for each in zip(weights, matrices, blocks, strict=True)]
    expected = torch.cat(parts, dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    grads = [torch.autograd.grad(out.square().sum(), variables) for out in (found, expected)]
    torch.testing.assert_close(*grads, rtol=1e-11, atol=1e-12)
    assert torch.autograd.gradcheck(MapNorms.apply, variables)


@pytest.mark.parametrize("asked", ["inputs", "matrix"])
def test_a_second_derivative_is_refused(asked: str) -> None:
    inputs, matrix = inputs_of("one of 9", (2, 1, 3, 3)), randoms(1)(4, 9).requires_grad_()
    given = inputs if asked == "inputs" else [t.detach() for t in inputs]
    out = blended(given, [False], [False], matrix, matrix.new_zeros(9))
    tensors = inputs if asked == "inputs" else [matrix]
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(out.square().sum(), tensors, create_graph=True)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(covariance(inputs, [False])[1].sum(), inputs, create_graph=True)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("rectified", [True, False])
def test_what_is_no_number_stays_in_sight(rectified: bool, value: float) -> None:
    frames = randoms()(2, 1, 3, 4, 4)
    frames[1, 0, 1, 2, 2] = value
    mean, cov = covariance([frames], [rectified])
    assert not mean[1].isfinite() and not cov[1].isfinite().any()
    out = blended([frames], [rectified], [True], randoms(1)(2, 3), mean)
    assert not out.isfinite().any()
    bare = blended([frames], [rectified], [False], randoms(1)(2, 3), torch.zeros(3, dtype=torch.float64))
    assert not bare[1, 0, :, 2, 2].isfinite().any()
    assert bare.isfinite().sum() == bare.numel() - 2
    assert not normed(torch.ones(2).double(), randoms(1)(2, 3), cov).isfinite().any()


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_the_work(threads: int, set_threads: Callable[[int], None]) -> None:
    inputs, matrix = inputs_of("three", (2, 2, 5, 7)), randoms(1)(5, 9).requires_grad_()
    _, rectified, centred = INPUTS["three"]

    def everything() -> list[Tensor]:
        mean, cov = covariance(inputs, rectified)
        out = blended(inputs, rectified, centred, matrix, means(inputs, rectified, centred))
        grads = torch.autograd.grad(out.square().sum() + cov.square().sum(), [matrix, *inputs])
        return [mean, cov, out.detach(), *grads]

    alone = everything()
    set_threads(threads)
    for found, again, expected in zip(everything(), everything(), alone, strict=True):
        assert torch.equal(found, again)
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)


def test_inputs_may_lie_anyhow() -> None:
    frames = randoms()(2, 3, 4, 5, 6).requires_grad_()
    turned = frames.transpose(1, 2)  # 3 channels in 4 frames
    assert not turned.is_contiguous()
    torch.testing.assert_close(covariance([turned], [True])[1], defined_covariance([turned], [True]))
    wide = randoms(2)(3, 5).T
    mean = means([turned], [True], [True])
    found, true = blended([turned], [True], [True], wide, mean), defined_blend([turned], [True], [True], wide)
    torch.testing.assert_close(found, true)
    gradients = [torch.autograd.grad(c.sum(dim=2).mean(), [frames])[0] for c in (found, true)]
    torch.testing.assert_close(*gradients)


def test_half_precision_goes_pytorch_s_way() -> None:
    frames, matrix = randoms()(2, 3, 4, 5, 6), randoms(1)(5, 4)
    half = frames.bfloat16()
    assert kernels(half) is None
    mean, cov = covariance([half], [True])
    assert cov.dtype == torch.float32
    torch.testing.assert_close(cov.double(), defined_covariance([frames], [True]), rtol=2e-2, atol=2e-2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = blended([half], [True], [True], matrix.float(), mean)
    assert found.dtype == torch.bfloat16
    true = defined_blend([frames], [True], [True], matrix)
    assert (found.double() - true).norm() < 2e-2 * true.norm()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("channels", [2, 4])
def test_a_map_of_other_channels_than_it_is_given_is_an_error(
    native: bool, channels: int, no_kernels: Callable[[], None]
) -> None:
    if native:
        assert kernels(torch.empty(0)) is not None
    else:
        no_kernels()
    with pytest.raises((ValueError, RuntimeError)):
        blend([torch.randn(1, 1, 3, 4, 4)], [True], [False], torch.randn(5, channels), torch.zeros(3))
