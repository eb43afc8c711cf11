"""What lies below a folder, by name: layouts are recognised by names alone, wherever the files are."""

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import basename, splitext

from vidnas.errors import UserError

VIDEO_SUFFIXES = frozenset(
    (".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv")
)
PICTURE_SUFFIXES = frozenset((".jpeg", ".jpg", ".png"))
FLOW = "flow_"
"""How mmaction2 begins the names of optical flow beside the frames, which vidnas does not read."""


@dataclass(frozen=True)
class Tree:
    """The visible files and folders below `root`: names relative to it, with `/`, in the order of names.

    `dead_links` are links that are named like videos and lead nowhere.
    """

    root: Path
    files: tuple[str, ...]
    folders: tuple[str, ...] = ()
    dead_links: tuple[str, ...] = ()

    def below(self, folder: str) -> "Tree":
        """The part of it below one of its folders."""
        start = folder + "/"
        parts = ([n.removeprefix(start) for n in own if n.startswith(start)] for own in self._names())
        return Tree(self.root / folder, *map(tuple, parts))

    def tops(self) -> dict[str, "Tree"]:
        """The folders right below the root, each with what lies below it."""
        own: dict[str, list[list[str]]] = {name: [[], [], []] for name in self.folders if "/" not in name}
        for kind, names in enumerate(self._names()):
            for name in names:
                top, slash, rest = name.partition("/")
                if slash:
                    own[top][kind].append(rest)
        return {top: Tree(self.root / top, *map(tuple, parts)) for top, parts in own.items()}

    def _names(self) -> tuple[tuple[str, ...], ...]:
        return self.files, self.folders, self.dead_links


def local_tree(root: Path) -> Tree:
    """What is below a folder of this machine; UserError where a folder in it is closed.

    Links to folders are followed, each folder through one link at most, so that a circle of links ends.
    """
    files: list[str] = []
    folders: list[str] = []
    dead: list[str] = []
    entered = {os.path.realpath(root)}
    waiting = [""]
    while waiting:
        start = waiting.pop()
        for entry in _entries(root / start):
            name = f"{start}{entry.name}"
            if _is_folder(entry):
                real = os.path.realpath(entry.path)
                if not entry.is_symlink() or real not in entered:
                    entered.add(real)
                    folders.append(name)
                    waiting.append(f"{name}/")
            elif Path(entry.path).is_file():
                files.append(name)
            elif entry.is_symlink() and is_video(name):
                dead.append(name)
    return Tree(root, in_order(files), in_order(folders), in_order(dead))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The visible entries of a folder, those that are no links first."""
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise UserError(
            f"The folder {folder} cannot be read: {error.strerror}. Make it readable or move it away."
        ) from error
    return sorted(visible, key=lambda entry: (entry.is_symlink(), entry.name))


def tree_of_names(root: Path, names: Iterable[str]) -> Tree:
    """A tree of these files and the folders that they are in."""
    visible = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    parents = {str(parent) for name in visible for parent in PurePosixPath(name).parents}
    return Tree(root, in_order(visible), in_order(parents - {"."}))


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sorted as paths are: by the names of the folders, one after the other."""
    return tuple(sorted(names, key=lambda name: name.split("/")))


def naturally(names: Iterable[str]) -> list[str]:
    """Sorted as people count: `9.jpg` before `10.jpg`."""
    return sorted(names, key=lambda name: ([int(n) for n in re.findall(r"\d+", name)], name))


def is_video(name: str) -> bool:
    """Whether a file's name ends as a video's does."""
    return splitext(name)[1].lower() in VIDEO_SUFFIXES


def is_picture(name: str) -> bool:
    """Whether a file's name ends as a frame's does."""
    return splitext(name)[1].lower() in PICTURE_SUFFIXES and not basename(name).startswith((".", FLOW))


def picture_names(folder: Path) -> list[str]:
    """The names of the frames in a folder in the order in which people count; none where it has none."""
    return naturally(path.name for path in folder.iterdir() if is_picture(path.name) and path.is_file())


def videos_in(tree: Tree) -> list[str]:
    """The videos among the files."""
    return [name for name in tree.files if is_video(name)]


def frame_folders_apart(tree: Tree) -> list[str]:
    """The folders of frames in which no video lies: pictures beside videos are stills of them."""
    with_videos = {name.rpartition("/")[0] for name in videos_in(tree)}
    return [name for name in frame_folders_in(tree) if name not in with_videos]


def frame_folders_in(tree: Tree) -> list[str]:
    """The folders that hold frames: two pictures or more."""
    counts = Counter(name.rpartition("/")[0] for name in tree.files if "/" in name and is_picture(name))
    return list(in_order(parent for parent, count in counts.items() if count > 1))
