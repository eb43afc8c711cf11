"""Folders of files that pass for clips, lists of them, and what the index says."""

from collections.abc import Sequence
from pathlib import Path

from vidnas.video.index.index import index_videos
from vidnas.video.index.sources import Source
from vidnas.video.items import VideoIndex


def index(data: Path, **more: object) -> VideoIndex:
    return index_videos(Source(data, **more), split_by="auto", group_regex=None, seed=0)  # type: ignore[arg-type]


def put(folder: Path, *names: str) -> Path:
    """Files with these names below the folder, no two alike; the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"clip {folder / name}")
    return folder


def write(file: Path, rows: Sequence[Sequence[object]], separator: str = "\t") -> Path:
    """The file, with a line for each row."""
    file.write_text("".join(separator.join(map(str, row)) + "\n" for row in rows))
    return file
