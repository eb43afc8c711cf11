"""Memory that a container or a job of a cluster leaves its processes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vidnas.training import cgroups, memory

Group = Callable[..., None]
VERSION_1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
VERSION_2 = "memory.max", "memory.current", "inactive_file"


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Group:
    """group(folder, files, limit, usage, cached): writes a group; the process is in the one of `join`."""
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path / "cgroup")
    monkeypatch.setattr(cgroups, "OWN", tmp_path / "own")

    def write(folder: str, files: tuple[str, str, str], limit: int | str, usage: int, cached: int) -> None:
        path = tmp_path / "cgroup" / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / files[0]).write_text(f"{limit}\n")
        (path / files[1]).write_text(f"{usage}\n")
        (path / "memory.stat").write_text(f"anon 5\n{files[2]} {cached}\n")

    return write


def join(*lines: str) -> None:
    cgroups.OWN.write_text("\n".join(lines) + "\n")


def test_a_container_of_either_version_leaves_its_limit_less_what_it_has_but_for_files(group: Group) -> None:
    group(".", VERSION_2, 1000, 700, 100)
    join("0::/")
    assert cgroups.left_bytes() == 400
    group("memory/docker/1a", VERSION_1, 2000, 700, 0)
    join("9:name=systemd:/docker/1a", "4:cpu,memory:/docker/1a", "0::/elsewhere")
    assert cgroups.left_bytes() == 400, "the least of all"
    join("4:memory:/docker/1a")
    assert cgroups.left_bytes() == 1300


def test_a_job_is_in_every_group_above_it(group: Group) -> None:
    group("slurm", VERSION_2, 1000, 900, 0)
    group("slurm/job_7", VERSION_2, 800, 100, 0)
    group("slurm/job_7/step_0", VERSION_2, "max", 100, 0)
    join("0::/slurm/job_7/step_0")
    assert cgroups.left_bytes() == 100


def test_a_group_that_holds_more_than_it_may_leaves_nothing(group: Group) -> None:
    group(".", VERSION_2, 1000, 1200, 50)
    join("0::/")
    assert cgroups.left_bytes() == 0


@pytest.mark.parametrize("own", ["0::/gone", "4:memory:/gone", "1:cpu:/"])
def test_where_no_group_limits_nothing_is_told(group: Group, own: str) -> None:
    group(".", VERSION_2, "max", 100, 0)
    join(own)
    assert cgroups.left_bytes() is None
    cgroups.OWN.unlink()
    assert cgroups.left_bytes() is None


@pytest.mark.skipif(not memory.MEMINFO.exists(), reason="only Linux has control groups")
def test_the_free_memory_is_no_more_than_a_group_leaves(group: Group) -> None:
    join("0::/")
    free = memory.free_bytes(torch.device("cpu"))
    group(".", VERSION_2, 2**24, 2**23, 0)
    assert memory.free_bytes(torch.device("cpu")) == 2**23
    group(".", VERSION_2, 2**60, 0, 0)
    after = memory.free_bytes(torch.device("cpu"))
    assert free is not None and after is not None and after > 2**24
