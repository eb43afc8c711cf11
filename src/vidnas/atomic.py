"""Files that appear whole or not at all, and places that must be new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the disk refuses within it is a UserError that names the path and the cause.

    That is a full disk, for example, or a folder without permission.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error


def write_whole(path: Path, content: bytes, *, partial: str | None = None) -> None:
    """Write `content` beside `path`, then rename it into place: a crash leaves the old file or the new one.

    `partial` is the name until then; where several processes may write at once, each needs its own.
    UserError where the disk refuses.
    """
    unfinished = path.with_name(partial or path.name + ".partial")
    with writing(path):
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _sync_folder(path.parent)
        except OSError:
            with suppress(OSError):  # on a disk that is read-only even this is refused
                unfinished.unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    """See to it that a renaming outlives a loss of power, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
