"""What changes behind a command's back: videos, the index of them, and where its output goes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vidnas.assembly import videos as vidnas_videos
from vidnas.video.scan.scan_index import FILE_NAME

OnData = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]

CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (Path.unlink, "No such file or directory"),
    "emptied": (lambda path: path.write_bytes(b""), "it is empty (0 bytes)"),
    "overwritten": (lambda path: path.write_bytes(bytes(3000)), "Invalid data"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:6000]), "let `vidnas check` scan it anew"),
}


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("change", CHANGES)
def test_a_video_that_changes_after_the_scan_is_named(
    change: str, workers: int, vidnas: Vidnas, on_data: OnData, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = vidnas_videos.scan
    do, cause = CHANGES[change]

    def scan_then_change(*arguments: object, **more: object) -> object:
        scanned = scan(*arguments, **more)  # type: ignore[arg-type]
        for path in videos.rglob("*.avi"):
            do(path)
        return scanned

    monkeypatch.setattr(vidnas_videos, "scan", scan_then_change)
    code, out, err = vidnas(*on_data("train", videos), "--workers", workers)
    told = err.strip().splitlines()[-1]
    assert (code, out) == (1, "")
    assert told.startswith(f"vidnas: {videos}/"), err
    assert cause in told


def test_an_index_that_lies_is_found_out_and_mended_by_check(
    vidnas: Vidnas, on_data: OnData, videos: Path
) -> None:
    """Size and time of the files are as they were, so it is believed until a frame is missing."""
    index = json.loads((videos / FILE_NAME).read_text())
    for entry in index["videos"].values():
        entry["num_frames"] = 1000
    (videos / FILE_NAME).write_text(json.dumps(index))
    code, _, err = vidnas(*on_data("train", videos))
    assert (code, "let `vidnas check` scan it anew" in err) == (1, True)
    assert vidnas("check", "--data", videos)[0] == 0
    code, _, err = vidnas("train", "--resume", "out")
    assert code == 0, err


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": "vidnas-index"}', bytes(1000)],
    ids=range(8),
)
def test_a_damaged_index_only_costs_time(
    content: bytes, vidnas: Vidnas, on_data: OnData, videos: Path
) -> None:
    (videos / FILE_NAME).write_bytes(content)
    code, _, err = vidnas(*on_data("train", videos))
    assert code == 0, err
    assert len(json.loads((videos / FILE_NAME).read_text())["videos"]) == 16


def test_an_index_that_is_a_folder_only_costs_time(vidnas: Vidnas, on_data: OnData, videos: Path) -> None:
    (videos / FILE_NAME).unlink()
    (videos / FILE_NAME).mkdir()
    code, _, err = vidnas(*on_data("train", videos))
    assert code == 0, err
    assert f"{videos} cannot be written; its index of videos is " in err


@pytest.mark.parametrize(
    ("shell", "code", "told"),
    [
        ('"$@" | true; exit ${PIPESTATUS[0]}', 141, ""),  # as a shell says of SIGPIPE
        ('"$@" >/dev/full', 1, "vidnas: No space left on device.\n"),
        ('"$@" >&-', 0, ""),
    ],
    ids=["closed pipe", "full disk", "closed"],
)
@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_output_that_goes_nowhere(flag: str, shell: str, code: int, told: str) -> None:
    """In a real process, since Python writes out what is left when it ends."""
    if "/dev/full" in shell and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    command = ["bash", "-c", shell, "bash", sys.executable, "-m", "vidnas", flag]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=buffered)
    assert (ended.returncode, ended.stderr) == (code, told)
