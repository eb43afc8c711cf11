"""The index of scans: it saves decoding, and no state of its file or of the videos makes it lie."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from vidnas.errors import UserError
from vidnas.video.scan import scan_index
from vidnas.video.scan.scan_index import ScanIndex, scan_indexed
from vidnas.video.scan.scans import Scan
from vidnas.video.stores.decode import VideoInfo, scan_video
from vidnas.video.stores.footage import state_of

Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path, write_video: Write) -> Path:
    """A folder of three videos of 3, 4 and 5 frames, and one that is none."""
    folder = tmp_path / "data"
    (folder / "in a folder").mkdir(parents=True)
    write_video(folder / "a.avi", 3)
    write_video(folder / "b.avi", 4)
    write_video(folder / "in a folder" / "ü \n'c'.avi", 5)
    (folder / "text.avi").write_text("no video")
    return folder


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are scanned from now on."""
    names: list[str] = []

    def scan_each(paths: list[Path], *, workers: int, **_: float) -> Any:
        assert workers == 2
        for position, path in enumerate(paths):
            names.append(path.name)
            try:
                yield position, scan_video(path)
            except UserError as error:
                yield position, error

    monkeypatch.setattr(scan_index, "scan_each", scan_each)
    return names


def open_index(root: Path) -> ScanIndex:
    return ScanIndex(root, root.parent / "cache")


def scan(root: Path, **more: Any) -> list[Scan]:
    paths = [root / "a.avi", root / "b.avi", root / "in a folder" / "ü \n'c'.avi"]
    return scan_indexed(paths, open_index(root), workers=2, progress=lambda _: None, **more)


def lengths(scans: list[Scan]) -> list[int]:
    return [scan.num_frames for scan in scans if isinstance(scan, VideoInfo)]


def test_a_second_scan_decodes_nothing_and_tells_the_same(root: Path, scanned: list[str]) -> None:
    first = scan(root)
    assert lengths(first) == [3, 4, 5]
    assert len(scanned) == 3
    assert scan(root) == first
    assert len(scanned) == 3
    root.rename(root.with_name("moved"))
    assert scan(root.with_name("moved")) == first
    assert len(scanned) == 3


def test_only_what_is_new_or_has_changed_is_decoded(
    root: Path, scanned: list[str], write_video: Write
) -> None:
    scan(root)
    scanned.clear()
    write_video(root / "b.avi", 7)
    assert lengths(scan(root)) == [3, 7, 5]
    assert scanned == ["b.avi"]
    state = (root / "a.avi").stat()
    os.utime(root / "a.avi", ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    scan(root)
    assert scanned == ["b.avi", "a.avi"]
    size = (root / "a.avi").stat().st_size
    with (root / "a.avi").open("ab") as file:
        file.write(b"\0")
    os.utime(root / "a.avi", ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert (root / "a.avi").stat().st_size == size + 1
    scan(root)
    assert scanned == ["b.avi", "a.avi", "a.avi"]


def test_a_scan_afresh_believes_nothing(root: Path, scanned: list[str]) -> None:
    scan(root)
    index = json.loads((root / ".vidnas-index.json").read_text())
    index["videos"]["a.avi"]["num_frames"] = 99
    (root / ".vidnas-index.json").write_text(json.dumps(index))
    assert lengths(scan(root)) == [99, 4, 5]
    assert lengths(scan(root, afresh=True)) == [3, 4, 5]
    assert lengths(scan(root)) == [3, 4, 5]
    assert len(scanned) == 6


def test_a_bad_file_is_looked_at_every_time_and_never_kept(root: Path, scanned: list[str]) -> None:
    for _ in range(2):
        (result,) = scan_indexed([root / "text.avi"], open_index(root), workers=2, progress=lambda _: None)
        assert isinstance(result, UserError)
    assert scanned == ["text.avi"] * 2
    scan(root)
    (root / "a.avi").write_bytes(b"")
    assert isinstance(scan(root)[0], UserError)
    assert set(stored(root)) == {"b.avi", "in a folder/ü \n'c'.avi"}


def test_other_files_stay_in_the_index_until_they_vanish(root: Path, scanned: list[str]) -> None:
    scan(root)
    (root / "b.avi").unlink()
    (root / "a.avi").touch()
    assert len(scan_indexed([root / "a.avi"], open_index(root), workers=2, progress=lambda _: None)) == 1
    assert set(stored(root)) == {"a.avi", "in a folder/ü \n'c'.avi"}
    assert len(scanned) == 4


def stored(root: Path) -> dict[str, Any]:
    """The videos in the index file."""
    index = json.loads((root / ".vidnas-index.json").read_text())
    assert (index["format"], index["version"]) == ("vidnas-index", 2)
    videos: dict[str, Any] = index["videos"]
    return videos


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "another format": lambda index: index.update(format="other"),
    "another version": lambda index: index.update(version=1),
    "another decoder": lambda index: index.update(decoder="PyAV 0.1"),
    "another reading of the same files": lambda index: index.update(decoder=f"PyAV {av.__version__}"),
    "no number of streams": lambda index: index["videos"]["a.avi"].pop("num_streams"),
    "no videos": lambda index: index.pop("videos"),
    "videos as a list": lambda index: index.update(videos=[1]),
    "an entry that is none": lambda index: index["videos"].update({"a.avi": 3}),
    "an unknown value": lambda index: index["videos"]["a.avi"].update(colour="red"),
    "a missing value": lambda index: index["videos"]["a.avi"].pop("size"),
    "a count as text": lambda index: index["videos"]["a.avi"].update(num_frames="3"),
    "a count that is true": lambda index: index["videos"]["a.avi"].update(num_frames=True),
    "a count of 0": lambda index: index["videos"]["a.avi"].update(num_frames=0),
    "a negative duration": lambda index: index["videos"]["a.avi"].update(duration_sec=-1),
    "an endless duration": lambda index: index["videos"]["a.avi"].update(duration_sec=float("inf")),
    "a name that no file has": lambda index: index["videos"].update({"\0": index["videos"].pop("a.avi")}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_built_anew(root: Path, scanned: list[str], damage: str) -> None:
    scan(root)
    file = root / ".vidnas-index.json"
    whole = json.loads(file.read_text())
    index = json.loads(file.read_text())
    DAMAGES[damage](index)
    file.write_text(json.dumps(index))
    assert lengths(scan(root)) == [3, 4, 5]
    assert scanned.count("a.avi") == 2
    assert json.loads(file.read_text()) == whole


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000])
def test_an_index_that_is_none_is_built_anew(root: Path, scanned: list[str], content: bytes) -> None:
    (root / ".vidnas-index.json").write_bytes(content)
    assert lengths(scan(root)) == [3, 4, 5]
    assert set(stored(root)) == {"a.avi", "b.avi", "in a folder/ü \n'c'.avi"}
    assert len(scanned) == 3


def test_where_the_folder_cannot_be_written_the_index_is_in_the_cache(root: Path, scanned: list[str]) -> None:
    (root / ".vidnas-index.json").mkdir()  # the super-user, too, cannot put a file there
    for _ in range(2):
        index = open_index(root)
        paths = [root / "a.avi", root / "b.avi"]
        assert lengths(scan_indexed(paths, index, workers=2, progress=lambda _: None)) == [3, 4]
    assert scanned == ["a.avi", "b.avi"]
    index.save()
    assert index.file is not None and index.file.parent == root.parent / "cache"
    assert index.note is not None and str(root) in index.note and str(index.file) in index.note
    assert [path.name for path in root.iterdir() if "partial" in path.name] == []
    other = root.with_name("other")
    root.rename(other)
    scan(other)
    assert len(scanned) == 5  # the index of another folder


def test_no_index_is_no_error(root: Path, scanned: list[str]) -> None:
    (root / ".vidnas-index.json").mkdir()
    (root.parent / "cache").write_text("not a folder")
    index = open_index(root)
    assert lengths(scan_indexed([root / "a.avi"], index, workers=2, progress=lambda _: None)) == [3]
    assert index.file is None
    assert index.note is not None and "could be written" in index.note
    assert scanned == ["a.avi"]


@pytest.mark.usefixtures("scanned")
def test_an_interrupted_scan_keeps_what_it_has_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def stop_at_second(count: int) -> None:
        counts.append(count)
        if counts == [0, 1, 1]:
            raise KeyboardInterrupt

    paths = [root / "a.avi", root / "b.avi", root / "in a folder" / "ü \n'c'.avi"]
    with pytest.raises(KeyboardInterrupt):
        scan_indexed(paths, open_index(root), workers=2, progress=stop_at_second)
    assert set(stored(root)) == {"a.avi", "b.avi"}
    # Killed, it could not save at the end: it saves now and then.
    saves: list[set[str]] = []
    monkeypatch.setattr(ScanIndex, "save", lambda self: saves.append(set(self._entries)))
    (root / ".vidnas-index.json").unlink()
    scan(root, save_every_sec=0.0)
    assert [len(names) for names in saves] == [1, 2, 3, 3]
    saves.clear()
    scan(root, save_every_sec=1000.0)
    assert [len(names) for names in saves] == [3]


def test_a_file_that_changes_while_it_is_scanned_is_scanned_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan_each(paths: list[Path], *, workers: int, **_: float) -> Any:
        info = scan_video(paths[0])
        with paths[0].open("ab") as file:
            file.write(bytes(workers))
        yield 0, info

    monkeypatch.setattr(scan_index, "scan_each", scan_each)
    scan_indexed([root / "a.avi"], open_index(root), workers=2, progress=lambda _: None)
    assert open_index(root).known(root / "a.avi") is None


def test_progress_counts_every_file(root: Path) -> None:
    counts: list[int] = []
    paths = [root / "a.avi", root / "b.avi"]
    scan_indexed(paths[:1], open_index(root), workers=1, progress=counts.append)
    assert counts == [0, 1]
    scan_indexed(paths, open_index(root), workers=1, progress=counts.append)
    assert counts == [0, 1, 1, 1]


@pytest.mark.usefixtures("scanned")
def test_two_processes_may_save_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(root)
    one, other = open_index(root), open_index(root)

    def save_other(_: int) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: None)
            patch.setattr(os, "getpid", lambda: -1)
            other.save()

    monkeypatch.setattr(os, "fsync", save_other)
    one.save()
    assert one.file == other.file == root / ".vidnas-index.json"
    assert len(stored(root)) == 3
    assert not list(root.glob("*.partial"))


def test_the_state_of_a_file_is_its_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    os.utime(tmp_path / "a", ns=(1, 5))
    assert state_of(tmp_path / "a") == (3, 5)
    assert state_of(tmp_path / "b") is None
