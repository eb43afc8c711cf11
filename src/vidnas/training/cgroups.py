"""How much memory a container or a cluster's job, by its control groups (Linux), leaves its processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OWN = Path("/proc/self/cgroup")
"""Names the groups of this process, as "4:memory:/docker/1a2b" or, in version 2, "0::/user.slice"."""
MOUNT = Path("/sys/fs/cgroup")


class _Files(NamedTuple):
    """Where a group says how much it may have and how much it has, and of that what files' caches are."""

    limit: str
    usage: str
    cached: str


FILES = {
    "memory": _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    "": _Files("memory.max", "memory.current", "inactive_file"),
}
"""By the controller's name, which version 2 leaves away."""


def left_bytes() -> int | None:
    """The least that a control group of this process leaves it; None where none has a limit."""
    rooms = [_room(folder, files) for folder, files in _groups()]
    return min((room for room in rooms if room is not None), default=None)


def _groups() -> Iterator[tuple[Path, _Files]]:
    """The folders of this process's groups and of those that they are in, and what their files are called."""
    try:
        lines = OWN.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in set(controllers.split(",")) & set(FILES):
            root = MOUNT / controller
            folder = root / path.lstrip("/")
            for each in (folder, *folder.parents):
                if each.is_relative_to(root):
                    yield each, FILES[controller]


def _room(folder: Path, files: _Files) -> int | None:
    """What is left in a group; None where it has no limit, as its file says by "max", or there is none."""
    try:
        limit, usage = (int((folder / name).read_text()) for name in (files.limit, files.usage))
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return max(0, limit - usage + int(stat[files.cached]))
    except (OSError, ValueError, KeyError):
        return None
