"""Whether a step fits into memory, and the most memory that the process has held."""

from pathlib import Path

import pytest
import torch
from torch import nn

from reference import PlainNetwork
from vidnas.errors import UserError
from vidnas.nas.genotype import Edge, Genotype, random_genotype
from vidnas.nas.network import Network, Supernet
from vidnas.training import memory

CPU = torch.device("cpu")
MIB = 2**20


def test_what_a_relu_keeps_is_its_output() -> None:
    model = nn.Sequential(nn.Conv3d(3, 3, 1), nn.ReLU())
    # The convolution keeps its input, the ReLU its output: 2 x 3 x 4 x 8 x 8 numbers of 4 bytes a clip.
    assert memory.activation_bytes(model, (1, 3, 4, 8, 8), CPU) == 2 * 3 * 4 * 8 * 8 * 4


@pytest.mark.parametrize("model", [Supernet(3, num_cells=2), Network(random_genotype(0), 3, num_cells=2)])
def test_the_estimate_grows_with_the_clip_and_leaves_no_trace(model: nn.Module) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    small, large = (memory.activation_bytes(model, (1, 3, 4, px, px), CPU) for px in (16, 32))
    assert large == pytest.approx(4 * small, rel=0.1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_estimate_is_the_same_every_time() -> None:
    """What is freed while the model computes counts, whether or not another piece takes its place."""
    model, others, found = Supernet(3, num_cells=2), [], set()
    for size in range(1, 40, 3):
        found.add(memory.activation_bytes(model, (1, 3, 4, 16, 16), CPU))
        others.append(torch.zeros(size))
    assert len(found) == 1


def test_a_step_that_does_not_fit_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model, shape = nn.Sequential(nn.Conv3d(3, 3, 1), nn.ReLU()), (1, 3, 4, 8, 8)
    one = memory.activation_bytes(model, shape, CPU)
    monkeypatch.setattr(memory, "free_bytes", lambda _device: 10 * one)
    memory.check_memory(model, shape, 10, CPU, "Use less.")
    with pytest.raises(UserError, match=r"A step on 11 clips of 4 x 8 x 8 needs about .* Use less\."):
        memory.check_memory(model, shape, 11, CPU, "Use less.")
    monkeypatch.setattr(memory, "free_bytes", lambda _device: None)
    memory.check_memory(model, shape, 11, CPU, "Use less.")


def test_the_free_memory_of_this_machine_is_plausible() -> None:
    free = memory.free_bytes(CPU)
    assert free is None or 2**27 < free < 2**45


def test_the_paper_s_training_needs_about_25_gib() -> None:
    """Batch 72 of 8 x 112 x 112; a quarter of the width and height stands for the whole, to 2 %."""
    names = (
        "conv_3",
        "conv_3",
        "conv_3",
        "dil_conv_3",
        "dil_conv_3",
        "dil_conv_3",
        "sep_conv_3",
        "sep_conv_3",
    )
    cell = Genotype(tuple((Edge(0, names[2 * i]), Edge(1, names[2 * i + 1])) for i in range(4)))
    plain, own = (
        16 * memory.activation_bytes(model, (1, 3, 8, 28, 28), CPU) * 72 / memory.GIB
        for model in (PlainNetwork(cell, 101), Network(cell, 101))
    )
    assert 24 < plain < 27
    assert 14 < own < 16, "and of that two fifths are saved"


@pytest.mark.skipif(not memory.can_tell_peak(CPU), reason="this system does not tell the peak of memory")
def test_the_peak_is_what_was_held_since_the_counting_began() -> None:
    held = memory.held_bytes(CPU)
    memory.count_anew(CPU)
    torch.ones(100 * MIB // 4)
    assert memory.peak_bytes(CPU) - held == pytest.approx(100 * MIB, rel=0.1)
    assert memory.held_bytes(CPU) - held < 10 * MIB
    memory.count_anew(CPU)
    assert memory.peak_bytes(CPU) - held < 10 * MIB


@pytest.mark.parametrize("name", ["STATUS", "COUNT_ANEW"])
def test_a_system_without_these_files_cannot_tell(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, name, tmp_path / "no folder" / "none")
    assert not memory.can_tell_peak(CPU)


def test_a_kernel_that_does_not_count_cannot_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "status").write_text("VmRSS:\t100 kB\n")
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    assert not memory.can_tell_peak(CPU)


def test_of_other_devices_only_cuda_tells() -> None:
    assert memory.can_tell_peak(torch.device("cuda"))
    assert not memory.can_tell_peak(torch.device("mps"))
