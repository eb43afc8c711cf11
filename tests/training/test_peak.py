"""The most memory that the process has held."""

from pathlib import Path

import pytest
import torch

from vidnas.training import peak

CPU = torch.device("cpu")
MIB = 2**20


@pytest.mark.skipif(not peak.can_tell(CPU), reason="this system does not tell the peak of memory")
def test_the_peak_is_what_was_held_since_the_counting_began() -> None:
    held = peak.held_bytes(CPU)
    peak.count_anew(CPU)
    torch.ones(100 * MIB // 4)
    assert peak.peak_bytes(CPU) - held == pytest.approx(100 * MIB, rel=0.1)
    assert peak.held_bytes(CPU) - held < 10 * MIB
    peak.count_anew(CPU)
    assert peak.peak_bytes(CPU) - held < 10 * MIB


@pytest.mark.parametrize("name", ["STATUS", "COUNT_ANEW"])
def test_a_system_without_these_files_cannot_tell(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peak, name, tmp_path / "no folder" / "none")
    assert not peak.can_tell(CPU)


def test_a_kernel_that_does_not_count_cannot_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "status").write_text("VmRSS:\t100 kB\n")
    monkeypatch.setattr(peak, "STATUS", tmp_path / "status")
    assert not peak.can_tell(CPU)


def test_of_other_devices_only_cuda_tells() -> None:
    assert peak.can_tell(torch.device("cuda"))
    assert not peak.can_tell(torch.device("mps"))
