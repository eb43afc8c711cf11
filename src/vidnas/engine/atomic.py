"""Files that appear whole or not at all."""

import os
from pathlib import Path

from vidnas.errors import UserError


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, then rename it into place: a crash leaves the old file or the new one.

    UserError names the path and the cause (a full disk, a folder without permission).
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error
