"""The two-stage ops side by side: the kernels and their gradient against the definition in PyTorch's ops."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn import branches as module
from vidnas.nn.branches import BatchStats, Branches, FoldedBranches, sum_branches
from vidnas.nn.native.branches import SumBranches
from vidnas.nn.native.gradients import ParameterGradient
from vidnas.nn.native.library import kernels

SHAPES = {
    "odd": (2, 5, 9, 13),
    "below the dilation": (2, 2, 1, 2),
    "a column": (1, 2, 7, 1),
    "a pixel": (3, 2, 1, 1),
    "one frame": (2, 1, 8, 6),
    "more clips than are computed at once": (3, 3, 12, 5),
    "rows in blocks, and the last one short": (1, 2, 150, 130),
}
"""(batch, time, height, width)."""
KINDS = {
    "own slots": (2, 1, (0, 1, 2)),
    "shared slots": (2, 2, (0, 1, 1, 0)),
    "plain alone": (2, 0, (1, 0)),
    "dilated alone": (0, 2, (0, 0)),
    "an output of nothing": (1, 1, (2, 0)),
}
"""Number of plain branches, number of dilated ones, slots."""


def randoms(seed: int = 0, dtype: torch.dtype = torch.float64) -> Callable[..., Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def made(
    channels: int = 2,
    kind: str = "own slots",
    shape: str = "odd",
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
) -> tuple[Tensor, Branches]:
    """An input and branches, all of which want gradients."""
    plain, dilated, slots = KINDS[kind]
    batch, time, height, width = SHAPES[shape]
    new, wide = randoms(seed, dtype), (plain + dilated) * channels
    frames = new(batch, time, channels, height, width).requires_grad_()
    filters = (new(number * channels, channels, 3, 3) for number in (plain, dilated))
    tensors = (*filters, new(wide, channels, 3), *(new(wide) for _ in range(4)))
    return frames, branches_of([t.requires_grad_() for t in tensors], slots)


def branches_of(tensors: Sequence[Tensor], slots: tuple[int, ...]) -> Branches:
    plain, dilated, temporal, mid_weight, mid_bias, weight, bias = tensors
    return Branches(plain, dilated, temporal, mid_weight, mid_bias, weight, bias, slots)


def changed(branches: Branches, change: Callable[[Tensor], Tensor]) -> Branches:
    """The branches, all of their tensors changed and detached."""
    *tensors, slots = branches
    return branches_of([change(t.detach()) for t in tensors], slots)


Sum = Callable[[Tensor, Branches], tuple[Tensor, BatchStats]]


def native(frames: Tensor, branches: Branches) -> tuple[Tensor, BatchStats]:
    assert kernels(frames) is not None
    return summed(frames, branches)


def summed(
    frames: Tensor, branches: Branches, activation: nn.Module | None = None
) -> tuple[Tensor, BatchStats]:
    """The sums by slot, side by side."""
    totals = [None] * (1 + max(branches.slots))
    outs, stats = sum_branches(frames, branches, activation or nn.ReLU(), totals)
    return torch.cat(outs, dim=2), stats


def defined(
    frames: Tensor, branches: Branches, activation: Callable[[Tensor], Tensor] = torch.relu
) -> tuple[Tensor, BatchStats]:
    outs, stats = module._defined(frames, branches, activation, [None] * (1 + max(branches.slots)))
    return torch.cat(outs, dim=2), stats


def everything(compute: Sum, frames: Tensor, branches: Branches) -> dict[str, Tensor]:
    """The sums, the statistics, and the gradient in all that goes in."""
    out, stats = compute(frames, branches)
    inputs = {"frames": frames, **{n: t for n, t in branches._asdict().items() if isinstance(t, Tensor)}}
    gradients = torch.autograd.grad(
        out, list(inputs.values()), randoms(1, out.dtype)(*out.shape), materialize_grads=True
    )
    return {
        "out": out.detach(),
        **stats._asdict(),
        **{f"d_{n}": g for n, g in zip(inputs, gradients, strict=True)},
    }


def assert_same(found: dict[str, Tensor], true: dict[str, Tensor], allowed: float) -> None:
    """||a - b|| <= allowed x ||b||; gradients that are all but 0 are measured by the largest one."""
    assert list(found) == list(true)
    largest = max((float(t.norm()) for n, t in true.items() if n.startswith("d_")), default=0.0)
    for name, t in true.items():
        assert found[name].shape == t.shape and found[name].dtype == t.dtype, name
        scale = max(float(t.norm()), 1e-3 * largest if name.startswith("d_") else 0)
        assert float((found[name] - t).norm()) <= allowed * scale, name


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_kernels_and_their_gradient_are_what_is_defined(kind: str, shape: str) -> None:
    given = made(kind=kind, shape=shape)
    assert_same(everything(native, *given), everything(defined, *given), 1e-9)


@pytest.mark.parametrize("channels", [*range(1, 10), 16])
def test_so_they_are_for_every_number_of_channels(channels: int) -> None:
    for shape in ("odd", "one frame"):
        given = made(channels, "shared slots", shape)
        assert_same(everything(native, *given), everything(defined, *given), 1e-9)


@pytest.mark.parametrize("shape", ["odd", "one frame", "rows in blocks, and the last one short"])
@pytest.mark.parametrize("channels", [1, 3, 4, 8, 9])
def test_so_they_are_in_single_precision(channels: int, shape: str) -> None:
    """Away from kinks; the definition in double precision is the truth."""
    frames, branches = made(channels, "own slots", shape, torch.float32, seed=2)
    exact = changed(branches, lambda t: t.double().requires_grad_())
    true = everything(defined, frames.detach().double().requires_grad_(), exact)
    found, plain = (everything(compute, frames, branches) for compute in (native, defined))
    for name, t in true.items():
        error, rounded = (float((e[name].double() - t).norm() / t.norm()) for e in (found, plain))
        assert error <= 3 * rounded + 1e-4, name


def test_a_mean_far_from_0_costs_few_digits() -> None:
    frames, branches = made(3, dtype=torch.float32)
    frames = (10 + frames.detach()).requires_grad_()
    exact = changed(branches, lambda t: t.double().requires_grad_())
    true, _ = defined(frames.double(), exact)
    found, _ = native(frames, branches)
    assert (found - true).norm() < 1e-4 * true.norm()


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_finite_differences(kind: str) -> None:
    plain, dilated, slots = KINDS[kind]
    new, wide = randoms(4), plain + dilated
    filters = new(plain, 1, 3, 3), new(dilated, 1, 3, 3), new(wide, 1, 3)
    totals = [new(2, 2, 1, 3, 3) for _ in range(max(slots))]  # none of the last slot
    inputs = [new(2, 2, 1, 3, 3), *filters, *(new(wide) for _ in range(4)), *totals]

    def compute(*tensors: Tensor) -> tuple[Tensor, ...]:
        outs = SumBranches.apply(*tensors[:8], slots, *tensors[8:], None)  # type: ignore[no-untyped-call]
        return tuple(outs[:-4])

    assert torch.autograd.gradcheck(compute, [t.requires_grad_() for t in inputs])


@pytest.mark.parametrize("by_kernels", [True, False])
def test_they_are_added_to_the_totals(by_kernels: bool, no_kernels: Callable[[], None]) -> None:
    """Each to its own, which hands its gradient on; of no other's memory is anything written."""
    if not by_kernels:
        no_kernels()
    frames, branches = made(2, "an output of nothing")
    total = randoms(3)(*frames.shape).transpose(3, 4).contiguous().transpose(3, 4).requires_grad_()
    before, totals = total.detach().clone(), [None, total, total]
    found, _ = sum_branches(frames, branches, nn.ReLU(), totals)
    parts, _ = sum_branches(frames, branches, nn.ReLU(), [None, None, None])
    torch.testing.assert_close(found, [parts[0], total, total + parts[2]])
    assert parts[1].eq(0).all() and torch.equal(total, before)
    (gradient,) = torch.autograd.grad([found[1].sum(), 2 * found[2].sum()], [total])
    assert torch.equal(gradient, torch.full_like(total, 3))


@pytest.mark.parametrize("asked", ["frames", "weight"])
def test_a_second_derivative_is_refused(asked: str) -> None:
    """Also where only a last norm's weight, a mixing weight, is asked for: PyTorch alone would be silent."""
    frames, branches = made()
    out, _ = native(frames if asked == "frames" else frames.detach(), branches)
    tensor = frames if asked == "frames" else branches.weight
    with pytest.raises(RuntimeError, match=r"first derivatives only.*VIDNAS_NATIVE=0"):
        torch.autograd.grad(out.square().sum(), [tensor], create_graph=True)


def test_without_a_compiler_there_are_second_derivatives(no_kernels: Callable[[], None]) -> None:
    no_kernels()
    frames, branches = made()
    out, _ = summed(frames, branches)
    (first,) = torch.autograd.grad(out.square().sum(), [branches.weight], create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), [branches.weight])
    assert second.norm() > 0


def test_filters_whose_gradients_nobody_wants_get_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mixing weights' gradient alone is what a search asks for."""
    spied: list[bool] = []

    class Spied(ParameterGradient):
        def __init__(self, filters: Tensor, *, wanted: bool) -> None:
            spied.append(wanted)
            super().__init__(filters, wanted=wanted)

    monkeypatch.setattr("vidnas.nn.native.stages.ParameterGradient", Spied)
    frames, branches = made()
    true = everything(native, frames, branches)
    assert spied == [True] * 3
    spied.clear()
    fixed = changed(branches, lambda t: t)
    alone = fixed._replace(weight=branches.weight)
    out, _ = native(frames.detach(), alone)
    (found,) = torch.autograd.grad(out, [branches.weight], randoms(1)(*out.shape))
    assert spied == [False] * 3
    assert torch.equal(found, true["d_weight"])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_stays_in_sight(value: float) -> None:
    frames, branches = made()
    frames = frames.detach().clone()
    frames[1, 2, 0, 4, 4] = value
    out, stats = native(frames, branches)
    assert out.isnan().any(dim=4).all(), "every output takes part in the norm"
    assert stats.mid_var.isnan().all()
    frames, branches = made()
    broken = branches._replace(temporal=branches.temporal.detach().fill_(value))
    assert native(frames, broken)[0].isnan().all()


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_the_work(threads: int, set_threads: Callable[[int], None]) -> None:
    for shape in ("odd", "a pixel", "rows in blocks, and the last one short"):
        given = made(3, "shared slots", shape)
        alone = everything(native, *given)
        set_threads(threads)
        together, again = everything(native, *given), everything(native, *given)
        set_threads(1)
        assert_same(together, alone, 1e-11)
        assert all(torch.equal(t, again[name]) for name, t in together.items())


def test_tensors_may_lie_anyhow() -> None:
    frames, branches = made(3)
    true = everything(native, frames, branches)
    shuffled = changed(branches, lambda t: t.transpose(0, -1).contiguous().transpose(0, -1).requires_grad_())
    strided = frames.detach().repeat_interleave(2, dim=-1)[..., ::2].requires_grad_()
    assert not strided.is_contiguous() and not shuffled.plain.is_contiguous()
    assert_same(everything(native, strided, shuffled), true, 1e-12)
    out, _ = native(frames, branches)
    (found,) = torch.autograd.grad(out.sum(dim=2).mean(), [frames])  # an expanded gradient
    (expected,) = torch.autograd.grad(defined(frames, branches)[0].sum(dim=2).mean(), [frames])
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_statistics_are_those_a_batch_norm_would_remember() -> None:
    frames, branches = made()
    _, stats = native(frames, branches)
    z = module._spatial(frames.relu(), branches.plain, branches.dilated)
    torch.testing.assert_close(stats.mid_mean, z.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(stats.mid_var, z.var(dim=(0, 2, 3)))
    assert not any(t.requires_grad for t in stats)


def test_half_precision_goes_pytorch_s_way() -> None:
    frames, branches = made(3)
    true, _ = defined(frames, branches)
    assert kernels(frames.bfloat16()) is None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, stats = summed(frames.bfloat16(), changed(branches, lambda t: t.float()))
    assert found.dtype == torch.bfloat16 and stats.var.dtype == torch.float32
    assert (found.double() - true).norm() < 3e-2 * true.norm()


def test_another_activation_goes_pytorch_s_way() -> None:
    frames, branches = made()
    found, _ = summed(frames, branches, nn.Softplus())
    assert torch.equal(found, defined(frames, branches, nn.Softplus())[0])


# Behind fixed statistics


@pytest.mark.parametrize("channels", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_folded_branches_add_what_is_defined(kind: str, channels: int) -> None:
    for shape in ("odd", "one frame", "below the dilation"):
        frames, branches = made(channels, kind, shape)
        new = randoms(5)
        wide = len(branches.temporal)
        stats = BatchStats(new(wide), new(wide).exp(), new(wide), new(wide).exp())
        out = new(*frames.shape[:2], (max(branches.slots) + 2) * channels, *frames.shape[3:])
        folded = FoldedBranches(branches, stats)
        totals = [part.contiguous() for part in torch.split(out, channels, dim=2)]
        with torch.no_grad():
            folded.add_to(totals, frames, nn.ReLU())
            found = torch.cat(totals, dim=2)
            true = _behind_fixed_statistics(frames, branches, stats)
        assert torch.equal(found[:, :, true.shape[2] :], out[:, :, true.shape[2] :]), "no output of theirs"
        assert (
            found[:, :, : true.shape[2]] - out[:, :, : true.shape[2]] - true
        ).norm() <= 1e-11 * true.norm()


def _behind_fixed_statistics(frames: Tensor, branches: Branches, stats: BatchStats) -> Tensor:
    z = module._spatial(frames.relu(), branches.plain, branches.dilated)
    z = F.batch_norm(z, stats.mid_mean, stats.mid_var, branches.mid_weight, branches.mid_bias).relu()
    y = module._temporal(z.reshape(*frames.shape[:2], *z.shape[1:]), branches.temporal, len(branches.slots))
    y = F.batch_norm(y, stats.mean, stats.var, branches.weight, branches.bias)
    return module._sum_by_slot(y, branches.slots, frames, 1 + max(branches.slots))
