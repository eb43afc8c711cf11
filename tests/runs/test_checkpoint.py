import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vidnas.errors import UserError
from vidnas.runs import checkpoint
from vidnas.runs.checkpoint import load_checkpoint, save_checkpoint


def some_state() -> dict[str, object]:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    return {
        "epoch": 3,
        "note": None,
        "model": network.state_dict(),
        "random": {"torch": torch.get_rng_state(), "numpy": np.random.default_rng(1).bit_generator.state},
    }


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, some_state())
    return path


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    state = some_state()
    save_checkpoint(tmp_path / "a.pt", state)
    assert same(load_checkpoint(tmp_path / "a.pt"), state)


def test_saving_again_replaces_and_leaves_no_other_file(saved: Path) -> None:
    save_checkpoint(saved, {"epoch": 4})
    assert load_checkpoint(saved) == {"epoch": 4}
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.full_disk
def test_a_full_disk_keeps_the_old_checkpoint(saved: Path) -> None:
    with pytest.raises(UserError, match=r"Cannot write .*checkpoint\.pt"):
        save_checkpoint(saved, {"big": torch.zeros(100_000)})
    assert load_checkpoint(saved)["epoch"] == 3


def test_a_checkpoint_cut_anywhere_is_refused_by_name(saved: Path) -> None:
    whole = saved.read_bytes()
    cut = saved.with_name("cut.pt")
    for length in [*range(40), *range(40, len(whole) - 40, 97), *range(len(whole) - 40, len(whole))]:
        cut.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"cut\.pt is not a whole checkpoint"):
            load_checkpoint(cut)


def test_a_flipped_bit_is_refused_or_harmless(saved: Path) -> None:
    whole = saved.read_bytes()
    expected = load_checkpoint(saved)
    damaged = saved.with_name("damaged.pt")
    refused = 0
    for position in range(0, len(whole), 23):
        damaged.write_bytes(
            whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :]
        )
        try:
            loaded = load_checkpoint(damaged)
        except UserError as error:
            assert "damaged.pt" in str(error)
            refused += 1
        else:
            assert same(loaded, expected)
    assert refused > 100


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Cannot read the checkpoint .*none\.pt: No such file"):
        load_checkpoint(tmp_path / "none.pt")
    with pytest.raises(UserError, match=r"Cannot read the checkpoint .*: Is a directory"):
        load_checkpoint(tmp_path)


class Trap:
    """A pickle that would run code when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("code in the checkpoint was run",))


def test_files_that_are_no_checkpoints_are_refused_without_running_them(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    path.write_text("hello")
    with pytest.raises(UserError, match=r"other\.pt is not a whole checkpoint"):
        load_checkpoint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(UserError, match=r"other\.pt cannot be loaded as a vidnas checkpoint"):
        load_checkpoint(path)
    torch.save(Trap(), path)
    with pytest.raises(UserError, match=r"other\.pt cannot be loaded as a vidnas checkpoint"):
        load_checkpoint(path)
    torch.save({"model": {}}, path)
    with pytest.raises(UserError, match=r"other\.pt is a file of PyTorch but not a checkpoint"):
        load_checkpoint(path)


def test_another_version_is_refused(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "VERSION", 2)
    with pytest.raises(UserError, match="is a checkpoint of version 1; this vidnas reads version 2"):
        load_checkpoint(saved)
