"""The pools by kernels against PyTorch's, ties, borders and numbers that are none included."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vidnas.nn.native.library import kernels
from vidnas.nn.pooling import _pool, avg_pool, max_pool, thin, thin_all

Pool = Callable[[Tensor], Tensor]
POOLS: dict[str, tuple[Pool, Pool]] = {
    "max": (max_pool, partial(_pool, pool=F.max_pool2d)),
    "avg": (avg_pool, partial(_pool, pool=partial(F.avg_pool2d, count_include_pad=False))),
}
"""Each with what it is meant to be."""
BOTH = pytest.mark.parametrize("name", POOLS)
SHAPES = [
    (2, 5, 3, 9, 11), (1, 1, 1, 1, 1), (2, 1, 2, 1, 7), (1, 2, 1, 7, 1), (3, 2, 1, 2, 2), (1, 3, 9, 3, 130)
]  # fmt: skip


def frames_of(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def with_gradient(pool: Pool, frames: Tensor) -> tuple[Tensor, Tensor]:
    frames = frames.clone().requires_grad_()
    pooled = pool(frames)
    (gradient,) = torch.autograd.grad(pooled, [frames], frames_of(*frames.shape, seed=1).to(frames.dtype))
    return pooled.detach(), gradient


@BOTH
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_pool_and_its_gradient_are_pytorch_s(name: str, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    pool, defined = POOLS[name]
    frames = frames_of(*shape).to(dtype)
    assert kernels(frames) is not None
    exact = dtype == torch.float64
    for found, true in zip(with_gradient(pool, frames), with_gradient(defined, frames), strict=True):
        assert found.dtype == dtype
        torch.testing.assert_close(found, true, rtol=1e-12 if exact else 1e-5, atol=1e-12 if exact else 1e-6)
    without_gradient = pool(frames)
    torch.testing.assert_close(without_gradient, with_gradient(pool, frames)[0], rtol=0, atol=0)


@pytest.mark.parametrize("values", [1, 2, 3])
def test_the_gradient_of_equal_largest_values_goes_where_pytorch_sends_it(values: int) -> None:
    generator = torch.Generator().manual_seed(values)
    frames = torch.randint(values, (2, 4, 3, 6, 7), generator=generator).double()
    pool, defined = POOLS["max"]
    for found, true in zip(with_gradient(pool, frames), with_gradient(defined, frames), strict=True):
        assert torch.equal(found, true) or torch.allclose(found, true, rtol=1e-14, atol=1e-14)


def test_of_equal_values_the_first_wins() -> None:
    frames = torch.zeros(1, 3, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(max_pool(frames)[0, 1, 0, 1, 1], [frames])
    assert gradient.nonzero().tolist() == [[0, 0, 0, 0, 0]]


@BOTH
def test_the_gradient_is_that_of_finite_differences(name: str) -> None:
    frames = frames_of(2, 3, 2, 4, 3, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(POOLS[name][0], [frames])


@BOTH
def test_a_second_derivative_is_refused(name: str) -> None:
    frames = frames_of(1, 2, 1, 3, 3).requires_grad_()
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(POOLS[name][0](frames).sum(), [frames], create_graph=True)


@BOTH
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_stays_in_sight(name: str, value: float) -> None:
    pool, defined = POOLS[name]
    for place in ((0, 0, 0, 0, 0), (1, 2, 1, 3, 4), (0, 3, 0, 4, 5)):
        frames = frames_of(2, 4, 2, 5, 6)
        frames[place] = value
        for own in (frames, frames.clone().requires_grad_()):
            torch.testing.assert_close(pool(own).detach(), defined(frames), equal_nan=True)
    frames = torch.full((1, 3, 1, 3, 3), value, dtype=torch.float64)
    torch.testing.assert_close(pool(frames), frames, equal_nan=True)


def test_the_gradient_of_nan_goes_where_pytorch_sends_it() -> None:
    frames = frames_of(1, 4, 1, 5, 5)
    frames[0, 1, 0, 2, 2] = frames[0, 2, 0, 1, 3] = frames[0, 1, 0, 2, 3] = math.nan
    pool, defined = POOLS["max"]
    torch.testing.assert_close(with_gradient(pool, frames)[1], with_gradient(defined, frames)[1])


@BOTH
def test_frames_and_gradients_may_lie_anyhow(name: str) -> None:
    pool, defined = POOLS[name]
    for frames in (
        frames_of(2, 3, 4, 5, 6).transpose(1, 2),
        frames_of(2, 3, 4, 5, 6).transpose(3, 4),
        frames_of(2, 3, 4, 9, 9)[..., ::2, 1::3],
        frames_of(1, 3, 1, 5, 5).expand(2, -1, 2, -1, -1),
    ):
        torch.testing.assert_close(pool(frames), defined(frames))
        inputs = frames.clone().requires_grad_()
        gradients = [
            torch.autograd.grad(p(inputs).mean(dim=(3, 4)).sum(), [inputs])[0] for p in (pool, defined)
        ]
        torch.testing.assert_close(*gradients)


@BOTH
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_the_work(name: str, threads: int, set_threads: Callable[[int], None]) -> None:
    pool, frames = POOLS[name][0], frames_of(5, 3, 1, 6, 7)
    alone = with_gradient(pool, frames)
    set_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(with_gradient(pool, frames), alone, strict=True))


@BOTH
def test_half_precision_goes_pytorch_s_way(name: str) -> None:
    pool, frames = POOLS[name][0], frames_of(2, 3, 2, 5, 5)
    assert kernels(frames.bfloat16()) is None
    pooled = pool(frames.bfloat16())
    assert pooled.dtype == torch.bfloat16
    torch.testing.assert_close(pooled.double(), pool(frames), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("shape", [(1, 2, 3, 5, 7), (2, 1, 2, 4, 6), (1, 1, 1, 1, 1)])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_thinning_keeps_every_so_many_th_pixel(shape: tuple[int, ...], stride: int) -> None:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()
    found, expected = thin(frames, stride), frames[..., ::stride, ::stride]
    assert torch.equal(found, expected)
    weights = torch.randn(found.shape, dtype=torch.float64, generator=generator)
    gradients = (torch.autograd.grad((made * weights).sum(), frames)[0] for made in (found, expected))
    assert torch.equal(*gradients)
    assert torch.autograd.gradcheck(lambda x: thin(x, stride), frames)


def test_several_inputs_are_thinned_together() -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = (2, 3, 1, 5, 4), (2, 3, 4, 5, 4)
    inputs = [torch.randn(s, dtype=torch.float64, generator=generator).requires_grad_() for s in shapes]
    found = thin_all(inputs, 2)
    for thinned, frames in zip(found, inputs, strict=True):
        assert torch.equal(thinned, frames[..., ::2, ::2])
    (only_second,) = torch.autograd.grad(found[1].sum(), inputs[1])
    assert only_second.sum() == found[1].numel()
    assert torch.autograd.gradcheck(lambda *all_inputs: tuple(thin_all(all_inputs, 2)), inputs)
