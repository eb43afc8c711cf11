import os
from pathlib import Path
from stat import S_ISDIR

import pytest

from vidnas.atomic import write_whole
from vidnas.errors import UserError


def test_content_is_written_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.txt", b"new")]


def test_the_new_file_is_on_the_disk_before_it_gets_its_name_and_then_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    synced: list[tuple[bool, bytes]] = []
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.append((S_ISDIR(os.fstat(number).st_mode), path.read_bytes()))
    )
    write_whole(path, b"new")
    assert synced == [(False, b"old"), (True, b"new")]


@pytest.mark.full_disk
def test_a_full_disk_is_named_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(UserError, match=r"Cannot write .*a\.txt: (File too large|No space left on device)"):
        write_whole(path, bytes(1_000_000))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.txt", b"old")]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Cannot write .*missing.a\.txt: No such file"):
        write_whole(tmp_path / "missing" / "a.txt", b"")


def test_the_unfinished_file_has_the_name_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that two processes do not write into the same one."""
    seen: list[set[str]] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append({path.name for path in tmp_path.iterdir()}))
    write_whole(tmp_path / "a.txt", b"new", partial="mine")
    write_whole(tmp_path / "b.txt", b"new")
    assert seen[::2] == [{"mine"}, {"a.txt", "b.txt.partial"}]
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "b.txt"}


def test_a_disk_that_is_read_only_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a disk refuses even to remove what is not there."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(UserError, match=r"Cannot write .*a\.txt: Read-only file system"):
        write_whole(tmp_path / "a.txt", b"")
