"""Files that appear whole or not at all, and places that must be new."""

import os
from contextlib import suppress
from pathlib import Path

from vidnas.errors import UserError


def require_new(path: Path, name: str) -> None:
    """UserError where the file cannot be made: it exists, or its folder is missing or cannot be written.

    `name` is what the message calls the setting, such as --out.
    """
    if path.exists() or path.is_symlink():
        raise UserError(f"{name} {path} exists already. Name a new file, or remove that one.")
    if not path.parent.is_dir():
        raise UserError(f"{name} {path} is in a folder that does not exist. Make it first.")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{name} {path} is in a folder in which you may not write. Name another.")


def write_whole(path: Path, content: bytes, *, partial: str | None = None) -> None:
    """Write `content` beside `path`, then rename it into place: a crash leaves the old file or the new one.

    `partial` is the name until then; where several processes may write at once, each needs its own.
    UserError names the path and the cause (a full disk, a folder without permission).
    """
    unfinished = path.with_name(partial or path.name + ".partial")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # on a disk that is read-only even this is refused
            unfinished.unlink(missing_ok=True)
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error


def _sync_folder(folder: Path) -> None:
    """See to it that a renaming outlives a loss of power, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
