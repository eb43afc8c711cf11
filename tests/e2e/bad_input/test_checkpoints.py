"""Checkpoints that are cut, flipped, replaced or booby-trapped, for everything that reads one."""

import io
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pairs import in_pairs

from vidnas.errors import UserError
from vidnas.runs.checkpoint import load_checkpoint

Refused = Callable[..., str]
OnRun = Callable[..., tuple[object, ...]]

LOADING = ("evaluate", "predict", "init")
USES = pytest.mark.parametrize("use", LOADING)


@pytest.fixture
def spoil(a_run: Path) -> Callable[[bytes], Path]:
    """spoil(content): the checkpoint of the run, now with this content."""

    def put(content: bytes) -> Path:
        (a_run / "checkpoint.pt").write_bytes(content)
        return a_run / "checkpoint.pt"

    return put


@USES
def test_a_checkpoint_cut_anywhere(
    use: str, refused: Refused, on_run: OnRun, a_run: Path, spoil: Callable[[bytes], Path]
) -> None:
    """At every twentieth of it and within the last bytes, each for one of the uses."""
    content = (a_run / "checkpoint.pt").read_bytes()
    sizes = [len(content) * place // 20 for place in range(20)] + [len(content) - 22, len(content) - 1]
    for size in sizes[LOADING.index(use) :: len(LOADING)]:
        names = (spoil(content[:size]), "is not a whole checkpoint", f"({size:,} bytes)", "another copy")
        refused(*on_run(use, a_run), names=names)


@pytest.mark.slow
def test_a_checkpoint_cut_at_every_place(a_run: Path, spoil: Callable[[bytes], Path]) -> None:
    """In steps of 64 bytes, and of one at the end, where an archive keeps its list."""
    content = (a_run / "checkpoint.pt").read_bytes()
    sizes = [*range(0, len(content) - 200, 64), *range(len(content) - 200, len(content))]
    assert len(sizes) > 500
    for size in sizes:
        path = spoil(content[:size])
        with pytest.raises(UserError, match=re.escape(str(path)) + " is not a whole checkpoint"):
            load_checkpoint(path)


@pytest.mark.slow
def test_a_checkpoint_with_any_bit_flipped_is_named_or_as_good_as_before(
    a_run: Path, spoil: Callable[[bytes], Path]
) -> None:
    """As the next test has it for a command, of many more bits."""
    content = (a_run / "checkpoint.pt").read_bytes()
    right = load_checkpoint(a_run / "checkpoint.pt")["network"]
    rng = np.random.default_rng(300)
    refusals = 0
    for place, bit in zip(rng.integers(len(content), size=300), rng.integers(8, size=300), strict=True):
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        path = spoil(bytes(flipped))
        try:
            found = load_checkpoint(path)["network"]
        except UserError as error:
            refusals += 1
            assert str(path) in str(error), (place, bit)
        else:
            assert found.keys() == right.keys(), (place, bit)
            assert all(torch.equal(found[name], right[name]) for name in right), (place, bit)
    assert refusals > 100


def test_a_checkpoint_with_a_flipped_bit_is_named_or_as_good_as_before(
    vidnas: Callable[..., tuple[int, str, str]], on_run: OnRun, a_run: Path, tmp_path: Path
) -> None:
    """Checksums guard all that matters; a flip in the archive's dates, say, changes nothing."""
    path = a_run / "checkpoint.pt"
    content = np.frombuffer(path.read_bytes(), np.uint8)
    assert vidnas(*on_run("predict", a_run))[0] == 0
    right = (tmp_path / "out.csv").read_bytes()
    rng = np.random.default_rng(16)
    refusals = 0
    for place, bit in zip(rng.integers(len(content), size=16), rng.integers(8, size=16), strict=True):
        flipped = content.copy()
        flipped[place] ^= np.uint8(1 << bit)
        path.write_bytes(flipped.tobytes())
        (tmp_path / "out.csv").unlink(missing_ok=True)
        code, _out, err = vidnas(*on_run("predict", a_run))
        if code == 0:
            assert (tmp_path / "out.csv").read_bytes() == right, (place, bit)
        else:
            refusals += 1
            assert (code, err.startswith("vidnas: "), str(path) in err) == (1, True, True), (place, bit, err)
            assert "must not happen" not in err
            assert not (tmp_path / "out.csv").exists()
    assert refusals > 5


class Trap:
    """Whoever unpickles it makes a folder."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("trapped",)


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


OTHERS = {
    "nothing": b"",
    "text": b"this is no checkpoint\n" * 1000,
    "zeros": bytes(100_000),
    "noise": np.random.default_rng(0).bytes(100_000),
    "a pickle": pickle.dumps({"version": 1, "network": {}}),
    "a pickle with code": pickle.dumps(Trap()),
    "a web page": b"<!DOCTYPE html><html><body>Login</body></html>",
    "an archive": zipped(hello=b"world"),
    "an empty archive": zipped(),
    "a saved tensor": saved(torch.zeros(3)),
    "a saved list": saved([1, 2]),
    "another's checkpoint": saved({"state_dict": {"a": torch.zeros(3)}, "epoch": 3}),
    "a later version": saved({"version": 99, "network": {}}),
    "code in a checkpoint": saved({"version": 1, "network": Trap()}),
    "a whole module": saved({"version": 1, "network": torch.nn.Linear(2, 2)}),
    "code in an archive": zipped(archive__data__pkl=pickle.dumps(Trap()), archive__version=b"3"),
    "no weights": saved({"version": 1}),
    "other weights": saved({"version": 1, "network": {"a": torch.zeros(3)}}),
    "weights that are none": saved({"version": 1, "network": "none"}),
    "a list for weights": saved({"version": 1, "network": [torch.zeros(3)]}),
    "numbers for weights": saved({"version": 1, "network": {"stem.0.weight": 3}}),
}


@in_pairs(LOADING, OTHERS, "kind")
def test_a_checkpoint_that_is_something_else(
    use: str,
    kind: str,
    refused: Refused,
    on_run: OnRun,
    a_run: Path,
    spoil: Callable[[bytes], Path],
    tmp_path: Path,
) -> None:
    refused(*on_run(use, a_run), names=(spoil(OTHERS[kind]),))
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("kind", ["noise", "a saved list", "code in a checkpoint", "other weights"])
def test_a_run_with_another_checkpoint_cannot_be_resumed(
    kind: str,
    vidnas: Callable[..., tuple[int, str, str]],
    on_run: OnRun,
    a_run: Path,
    spoil: Callable[[bytes], Path],
    tmp_path: Path,
) -> None:
    """All that changes is that log.txt and the lock tell of the attempt."""
    path = spoil(OTHERS[kind])
    before = {file: file.read_bytes() for file in a_run.rglob("*") if file.is_file()}
    code, out, err = vidnas(*on_run("resume", a_run))
    assert (code, out, err.count("vidnas: ")) == (1, "", 1)
    assert f"vidnas: {path} " in err
    assert "must not happen" not in err
    after = {file: file.read_bytes() for file in a_run.rglob("*") if file.is_file()}
    changed = {file.name for file in before | after if before.get(file) != after.get(file)}
    assert changed <= {"log.txt", ".lock"}
    assert after[a_run / "log.txt"].startswith(before[a_run / "log.txt"])
    assert not (tmp_path / "trapped").exists()


def test_the_trap_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap()))
    assert (tmp_path / "trapped").is_dir()


@USES
def test_a_checkpoint_that_may_not_be_read(
    use: str, refused: Refused, on_run: OnRun, a_run: Path, obey_permissions: Callable[[], None]
) -> None:
    """After the comparison of all files, which root may read."""
    (a_run / "checkpoint.pt").chmod(0)
    names = (a_run / "checkpoint.pt", "Permission denied")
    refused(*on_run(use, a_run), names=names, prepare=obey_permissions)


@USES
def test_a_folder_in_place_of_a_checkpoint(use: str, refused: Refused, on_run: OnRun, a_run: Path) -> None:
    (a_run / "checkpoint.pt").unlink()
    (a_run / "checkpoint.pt").mkdir()
    refused(*on_run(use, a_run), names=(a_run / "checkpoint.pt", "Is a directory"))


@pytest.mark.parametrize("use", ["report", "draw", "genotype"])
def test_what_needs_no_weights_does_not_read_them(
    use: str,
    vidnas: Callable[..., tuple[int, str, str]],
    on_run: OnRun,
    a_run: Path,
) -> None:
    (a_run / "checkpoint.pt").write_bytes(b"")
    code, _, err = vidnas(*on_run(use, a_run))
    assert code == 0, err
