"""Supernet and network: the same plan of channels and sizes, the same function at one-hot mixing weights."""

import copy
import random
from collections.abc import Callable, Sequence
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from jaxtyping import TypeCheckError
from torch import Tensor, nn

from vidnas.nas.cell import Cell, MixedOp, SearchCell
from vidnas.nas.folded import FoldedNetwork
from vidnas.nas.genotype import Edge, Genotype, edge_sources, random_genotype
from vidnas.nas.network import AdaptedCell, Adapter, Network, Stem, Supernet
from vidnas.nas.ops import Pointwise
from vidnas.nas.primitives import PRIMITIVES
from vidnas.nn.head import Head

NAMES = tuple(PRIMITIVES)

CONVOLUTIONS_AND_SKIP = ("conv_1", "conv_3", "sep_conv_3", "dil_conv_3", "skip")
POOLS = ("max_pool_3", "avg_pool_3")


def random_video(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def small_supernet(*, num_cells: int = 3, stem_stride: int = 1) -> Supernet:
    torch.manual_seed(0)
    return Supernet(5, num_cells=num_cells, first_channels=2, stem_stride=stem_stride).double()


def small_network(genotype: Genotype, *, num_cells: int, stem_stride: int = 1) -> Network:
    torch.manual_seed(1)
    return Network(genotype, 5, num_cells=num_cells, first_channels=2, stem_stride=stem_stride).double()


def genotype_of(seed: int, primitives: Sequence[str]) -> Genotype:
    """Random edges whose primitives are among those given."""
    draw = random.Random(seed)
    return Genotype(
        tuple(
            tuple(Edge(edge.source, draw.choice(primitives)) for edge in node)
            for node in random_genotype(seed).nodes
        )
    )


# What alpha and the weights are


def test_alpha_has_a_row_per_edge_and_a_column_per_primitive_and_starts_near_0() -> None:
    alpha = small_supernet().alpha
    assert alpha.shape == (14, 8)
    assert 0.7e-3 < alpha.std() < 1.3e-3
    assert alpha.mean().abs() < 0.3e-3


def test_weights_and_alpha_are_all_parameters_told_apart_by_identity() -> None:
    supernet = small_supernet()
    supernet.head.register_parameter("alpha", nn.Parameter(torch.ones(1)))  # a weight, whatever its name
    weights = supernet.weights()
    parameters = dict(supernet.named_parameters())
    assert not any(p is supernet.alpha for p in weights.values())
    assert parameters.pop("alpha") is supernet.alpha
    assert list(weights) == list(parameters)
    assert all(weights[name] is parameters[name] for name in parameters)
    assert "alpha" in supernet.state_dict()


def test_a_supernet_has_neither_buffers_nor_a_mode() -> None:
    supernet, video = small_supernet(), random_video(2, 3, 2, 6, 6)
    assert not list(supernet.buffers())
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in supernet.modules())
    assert torch.equal(supernet(video), supernet.eval()(video))


def test_the_supernet_mixes_by_the_softmax_of_alpha_over_primitives() -> None:
    supernet, video = small_supernet(), random_video(2, 3, 2, 6, 6)
    with torch.no_grad():
        supernet.alpha.copy_(random_video(14, 8))
    powers = supernet.alpha.exp()
    mixing = powers / powers.sum(dim=1, keepdim=True)
    torch.testing.assert_close(supernet(video), supernet(video, mixing), rtol=1e-12, atol=1e-12)


def test_every_parameter_gets_a_gradient() -> None:
    video, labels = random_video(4, 3, 3, 8, 8), torch.tensor([0, 1, 2, 3])
    for model in (small_supernet(), small_network(random_genotype(0), num_cells=3)):
        F.cross_entropy(model(video), labels).backward()  # type: ignore[no-untyped-call]
        for name, p in model.named_parameters():
            assert p.grad is not None and p.grad.abs().max() > 0, name
            if name == "alpha":
                assert (p.grad != 0).all()


# The supernet holds every network


def inherit(network: Network, supernet: Supernet) -> None:
    """Give the network the supernet's weights, and the supernet's own op where that is a pool with a norm."""
    network.load_state_dict(supernet.state_dict(), strict=False)  # stem, adapters, head
    for cell, supercell in zip(network.cells, supernet.cells, strict=True):
        assert isinstance(cell, AdaptedCell) and isinstance(supercell, AdaptedCell)
        assert isinstance(cell.cell, Cell) and isinstance(supercell.cell, SearchCell)
        edges = dict(zip(edge_sources(4), supercell.cell.edges, strict=True))
        for n, (node, ops) in enumerate(zip(cell.cell.genotype.nodes, cell.cell.nodes, strict=True)):
            assert isinstance(ops, nn.ModuleList)
            for i, edge in enumerate(node):
                mixed = edges[n, edge.source]
                assert isinstance(mixed, MixedOp)
                op = mixed.ops[NAMES.index(edge.primitive)]
                if edge.primitive in POOLS:
                    ops[i] = op
                else:
                    assert not ops[i].load_state_dict(op.state_dict(), strict=False).unexpected_keys


def one_hot(genotype: Genotype) -> Tensor:
    """Mixing weights that choose the genotype: its primitive on each kept edge, `none` on the others."""
    kept = {(n, edge.source): edge.primitive for n, node in enumerate(genotype.nodes) for edge in node}
    columns = [NAMES.index(kept.get(edge, "none")) for edge in edge_sources(4)]
    return torch.eye(8, dtype=torch.float64)[columns]


@pytest.mark.parametrize(
    ("seed", "primitives"),
    [
        *((seed, CONVOLUTIONS_AND_SKIP) for seed in range(4)),
        *((seed, NAMES[:-1]) for seed in range(4, 8)),
        (8, POOLS),
    ],
)
@pytest.mark.parametrize("stem_stride", [1, 2])
def test_a_supernet_with_one_hot_mixing_weights_is_the_network(
    seed: int, primitives: Sequence[str], stem_stride: int
) -> None:
    genotype = genotype_of(seed, primitives)
    supernet = small_supernet(num_cells=3, stem_stride=stem_stride)
    network = small_network(genotype, num_cells=3, stem_stride=stem_stride)
    inherit(network, supernet)
    video = random_video(2, 3, 3, 9, 8, seed=seed)
    expected = network.train()(video)
    assert expected.std(dim=0).max() > 1e-3
    torch.testing.assert_close(supernet(video, one_hot(genotype)), expected, rtol=1e-9, atol=1e-10)


# Channels, sizes, frames

SKIPS = Genotype(((Edge(0, "skip"), Edge(1, "skip")),) * 4)

SIZES_PX = {
    (112, 1): [112, 112, 56, 56, 28, 28, 14],
    (112, 2): [56, 56, 28, 28, 14, 14, 7],
    (57, 1): [57, 57, 29, 29, 15, 15, 8],
    (57, 2): [29, 29, 15, 15, 8, 8, 4],
}
"""(size of the clip, stride of the stem) -> height and width after the stem and after each of six cells."""


def joined(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """A cell's nodes side by side."""
    return output if isinstance(output, Tensor) else torch.cat(output, dim=1)


def shapes_of(model: Supernet | Network, video: Tensor) -> list[tuple[int, ...]]:
    """(channels, time, height, width) after the stem and after every cell."""
    shapes: list[tuple[int, ...]] = []

    def note(_module: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        shapes.append(tuple(joined(output).shape[1:]))

    for part in (model.stem, *model.cells):
        part.register_forward_hook(note)
    model(video)
    return shapes


@pytest.mark.parametrize(("size_px", "stem_stride"), SIZES_PX)
@pytest.mark.parametrize("num_cells", range(2, 7))
def test_odd_cells_double_the_channels_and_halve_height_and_width(
    size_px: int, stem_stride: int, num_cells: int
) -> None:
    supernet = partial(Supernet, 5, primitives=("skip", "none"))
    for build in (supernet, partial(Network, SKIPS, 5)):
        model = build(num_cells=num_cells, first_channels=1, stem_stride=stem_stride)
        found = shapes_of(model.double(), random_video(2, 3, 1, size_px, size_px))
        channels = [1, 4, 8, 8, 16, 16, 32]
        sizes = SIZES_PX[size_px, stem_stride]
        expected = [(c, 1, px, px) for c, px in zip(channels, sizes, strict=True)]
        assert found == expected[: num_cells + 1]


@pytest.mark.parametrize(("source", "idle"), [(0, [1]), (1, [])])
def test_source_0_is_the_cell_before_last_and_source_1_the_last_one(source: int, idle: list[int]) -> None:
    network = small_network(Genotype(((Edge(source, "conv_1"),),) * 4), num_cells=3)
    logits = network(random_video(4, 3, 2, 8, 8))
    F.cross_entropy(logits, torch.tensor([0, 1, 2, 3])).backward()  # type: ignore[no-untyped-call]
    for i, cell in enumerate(network.cells):
        assert isinstance(cell, AdaptedCell)
        assert all((p.grad is None) == (i in idle) for p in cell.cell.parameters())
        used, unused = (cell.adapters[k] for k in (source, 1 - source))
        assert all((p.grad is None) == (i in idle) for p in used.parameters())
        assert all(p.grad is None for p in unused.parameters())


@pytest.mark.parametrize("num_frames", [1, 5, 8])
def test_no_module_changes_the_number_of_frames(num_frames: int) -> None:
    for model in (small_supernet(num_cells=4), small_network(random_genotype(3), num_cells=6, stem_stride=2)):
        seen: dict[nn.Module, tuple[int, int]] = {}

        def note(
            module: nn.Module,
            inputs: tuple[Tensor | tuple[Tensor, ...], ...],
            output: Tensor | tuple[Tensor, ...],
            seen: dict[nn.Module, tuple[int, int]] = seen,
        ) -> None:
            if joined(output).dim() == 5:
                seen[module] = joined(inputs[0]).shape[2], joined(output).shape[2]

        parts = list(model.modules())
        for part in parts:
            part.register_forward_hook(note)
        model(random_video(2, 3, num_frames, 9, 9))
        # A cell computes its ops together: each is called alone here. Then all are called but convolutions
        # that a stem or a pointwise op computes itself, what computes nothing, and activations of cells.
        for op in ops_of(model):
            channels = next((p.shape[1] for p in op.parameters()), 2)
            op(random_video(2, channels, num_frames, 9, 9))
        alone = {id(part) for outer in parts if isinstance(outer, Stem | Pointwise) for part in outer}
        idle = (nn.ModuleList, MixedOp, nn.Linear, Head, Supernet, Network, nn.ReLU)
        wanted = [part for part in parts if id(part) not in alone and not isinstance(part, idle)]
        assert {id(part) for part in wanted} <= {id(part) for part in seen}
        assert {seen[part] for part in wanted} == {(num_frames, num_frames)}
        # A stem's norm takes every frame for a clip, activations read frames first.
        assert all(before == after for before, after in seen.values())


def ops_of(model: nn.Module) -> list[nn.Module]:
    mixed = [part.ops for part in model.modules() if isinstance(part, MixedOp)]
    kept = [ops for part in model.modules() if isinstance(part, Cell) for ops in part.nodes]
    return [op for ops in (*mixed, *kept) if isinstance(ops, nn.ModuleList) for op in ops]


def test_an_unbatched_clip_is_refused() -> None:
    for model in (small_supernet(num_cells=1), small_network(SKIPS, num_cells=1)):
        with pytest.raises(TypeCheckError):
            model(random_video(3, 2, 6, 6))


# Stem, adapters, head


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("batch_stats", [True, False])
def test_the_stem_is_a_spatial_convolution_and_a_norm(stride: int, batch_stats: bool) -> None:
    torch.manual_seed(0)
    stem, video = Stem(4, stride, batch_stats=batch_stats).double(), random_video(2, 3, 2, 7, 7)
    weight = dict(stem.named_parameters())["0.weight"]
    assert weight.shape == (4, 3, 1, 3, 3)
    expected = F.conv3d(video, weight, stride=(1, stride, stride), padding=(0, 1, 1))
    expected = F.batch_norm(expected, None, None, training=True)
    torch.testing.assert_close(stem(video), expected, rtol=1e-10, atol=1e-10)
    assert len(list(stem.parameters())) == (1 if batch_stats else 3)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("batch_stats", [True, False])
def test_an_adapter_is_an_activation_a_pointwise_convolution_and_a_norm(
    stride: int, batch_stats: bool
) -> None:
    torch.manual_seed(0)
    adapter = Adapter(3, 4, stride, nn.ReLU, batch_stats=batch_stats).double()
    video = random_video(2, 3, 4, 7, 5)
    weight = dict(adapter.named_parameters())["1.weight"]
    expected = torch.einsum("oi,bithw->bothw", weight.flatten(1), video.relu()[..., ::stride, ::stride])
    expected = F.batch_norm(expected, None, None, training=True)
    for videos in ((video,), (video[:, :1], video[:, 1:]), (video[:, :2], video[:, 2:])):
        torch.testing.assert_close(adapter(*videos), expected, rtol=1e-10, atol=1e-10)
    assert len(list(adapter.parameters())) == (1 if batch_stats else 3)


def test_the_head_is_a_linear_layer_on_the_mean_over_time_and_space() -> None:
    head, video = Head(4, 3).double(), random_video(2, 4, 3, 5, 2)
    expected = (
        torch.stack([clip.flatten(1).mean(dim=1) for clip in video]) @ head.linear.weight.T + head.linear.bias
    )
    torch.testing.assert_close(head(video), expected)
    torch.testing.assert_close(head(video[:, :1], video[:, 1:]), expected)
    assert head.linear.bias is not None


# Norms that are not as vidnas builds them


def norms_in(network: nn.Module) -> list[nn.BatchNorm3d]:
    return [part for part in network.modules() if isinstance(part, nn.BatchNorm3d)]


def module_by_module(network: Network, video: Tensor, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """What the network computes when every norm is called itself."""
    with monkeypatch.context() as patch:
        for where in ("cell", "ops"):
            patch.setattr(f"vidnas.nas.{where}.by_the_batch", lambda *_: False)
        return network(video)  # type: ignore[no-any-return]


@pytest.mark.parametrize("frozen", ["all", "some"])
def test_frozen_norms_stay_frozen_while_training(frozen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, video = small_network(random_genotype(1), num_cells=3), random_video(3, 3, 4, 9, 9)
    network(video)
    for norm in norms_in(network)[:: 1 if frozen == "all" else 2]:
        norm.eval()
    twin = copy.deepcopy(network)
    before = {
        id(norm): norm.running_mean.clone() for norm in norms_in(network) if norm.running_mean is not None
    }
    torch.testing.assert_close(
        network(video), module_by_module(twin, video, monkeypatch), rtol=1e-9, atol=1e-9
    )
    for norm, other in zip(norms_in(network), norms_in(twin), strict=True):
        assert norm.running_mean is not None and other.running_mean is not None
        assert torch.equal(norm.running_mean, before[id(norm)]) == (not norm.training)
        torch.testing.assert_close(norm.running_mean, other.running_mean)
    if frozen == "all":
        torch.testing.assert_close(network(video), network.eval()(video))


def _wide_eps(norm: nn.BatchNorm3d) -> None:
    norm.eps = 0.1


def _cumulative(norm: nn.BatchNorm3d) -> None:
    norm.momentum = None


@pytest.mark.parametrize("change", [_wide_eps, _cumulative])
def test_norms_with_other_settings_are_what_they_say(
    change: Callable[[nn.BatchNorm3d], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, video = small_network(random_genotype(2), num_cells=2), random_video(3, 3, 4, 9, 9)
    for norm in norms_in(network):
        change(norm)
    twin = copy.deepcopy(network)
    found, true = network(video), module_by_module(twin, video, monkeypatch)
    torch.testing.assert_close(found, true, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(FoldedNetwork(network)(video), network.eval()(video), rtol=1e-9, atol=1e-9)


def test_a_network_can_be_exported() -> None:
    """The graph holds PyTorch's ops: where kernels read and write, no tracer sees anything."""
    network, video = small_network(random_genotype(0), num_cells=2).eval(), random_video(2, 3, 3, 8, 8)
    exported = torch.export.export(network, (video,), strict=False).module()
    other = random_video(2, 3, 3, 8, 8, seed=1)
    torch.testing.assert_close(exported(other), network(other), rtol=1e-9, atol=1e-9)
