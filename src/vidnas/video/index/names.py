"""Names as a person types them -> video files."""

import glob
from collections.abc import Sequence
from pathlib import Path

from vidnas.errors import UserError
from vidnas.video.stores.tree import (
    VIDEO_SUFFIXES,
    frame_folders_apart,
    in_order,
    is_video,
    local_tree,
    picture_names,
    videos_in,
)

_SUFFIXES = " ".join(sorted(VIDEO_SUFFIXES))


def find_videos(names: Sequence[str]) -> list[Path]:
    """The files that the names stand for, in their order and each once.

    A name is a file, whatever it ends in; a folder, whose videos and folders of frames are taken with those
    of the folders in it; or, where nothing has just that name, a pattern (`*`, `?`, `[...]`, `**`) of videos
    and folders. UserError for a name that stands for no video.
    """
    return list(dict.fromkeys(path for name in names for path in _find(name)))


def _find(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        return _require(_clips_below(path), f"The folder {path} holds no video")
    if path.exists():
        return [path]
    if not glob.has_magic(name):
        raise UserError(f"{path} does not exist. Give video files, folders of them, or a pattern in quotes.")
    # Path.glob takes no pattern that begins with the root.
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
    found = [
        video
        for match in matches
        for video in (_clips_below(match) if match.is_dir() else [match] * is_video(match.name))
    ]
    return _require(found, f"The pattern {name} matches no video")


def _clips_below(folder: Path) -> list[Path]:
    """The videos below a folder and the folders of frames, it itself perhaps."""
    tree = local_tree(folder)
    videos = videos_in(tree)
    itself = [folder] if all("/" in name for name in videos) and len(picture_names(folder)) > 1 else []
    return itself + [folder / name for name in in_order([*videos, *frame_folders_apart(tree)])]


def _require(videos: list[Path], otherwise: str) -> list[Path]:
    if not videos:
        raise UserError(
            f"{otherwise}. The name of a video ends in {_SUFFIXES}; others are to be named one by one."
        )
    return videos
