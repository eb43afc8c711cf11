"""Checkpoints: the state of a run as one file that is always whole and holds data, never code."""

import io
import pickle
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vidnas.atomic import write_whole
from vidnas.errors import UserError

VERSION = 1


def save_checkpoint(path: Path, state: Mapping[str, object]) -> None:
    """Write `state`: tensors, numbers, strings, None and containers of these; "version" is added here.

    Whatever happens on the way, `path` stays the old checkpoint or is the new one. UserError when the
    file cannot be written.
    """
    assert "version" not in state
    buffer = io.BytesIO()  # torch.save into a file reports a full disk as a mysterious RuntimeError
    torch.save({"version": VERSION, **state}, buffer)
    write_whole(path, buffer.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; no code in the file is ever run.

    UserError names a file that is missing, damaged, of another version or no checkpoint at all.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read the checkpoint {path}: {error.strerror or error}.") from error
    if not _is_intact(content):
        raise UserError(
            f"{path} is not a whole checkpoint ({len(content):,} bytes): it is cut short, damaged or another "
            "kind of file. Take another copy of it, or run the training again."
        )
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:
        # PyTorch's own words advise to let the file run its code.
        raise UserError(
            f"{path} cannot be loaded as a vidnas checkpoint: it holds something else than tensors and plain "
            "values. Take another copy of it, or run the training again."
        ) from error
    return _without_version(state, path)


def _is_intact(content: bytes) -> bool:
    """Whether these bytes are an archive whose checksums all hold; torch.load itself checks none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError):
        # RuntimeError: a flipped bit may claim a password or an unknown compression.
        return False


def _without_version(state: object, path: Path) -> dict[str, Any]:
    if not isinstance(state, dict) or "version" not in state:
        raise UserError(f"{path} is a file of PyTorch but not a checkpoint that vidnas wrote.")
    if state["version"] != VERSION:
        raise UserError(
            f"{path} is a checkpoint of version {state['version']!r}; this vidnas reads version {VERSION}. "
            "Use the vidnas that wrote it."
        )
    return {name: value for name, value in state.items() if name != "version"}
