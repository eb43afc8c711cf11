"""Reads folders of videos: a folder per class, or train/ and test/ (or val/) folders of those."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from vidnas.errors import UserError
from vidnas.video.decode import shown
from vidnas.video.items import Item, VideoIndex
from vidnas.video.lists import VIDEO_SUFFIXES

PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val"}
PARTS |= {"test": "test", "testing": "test"}
ACCEPTED = (
    "Accepted are: a folder with a folder of videos per class; train/ and test/ (or val/) folders of those; "
    "the UCF101 layout (videos/Class/..., classInd.txt, trainlist01.txt, testlist01.txt); a list file of "
    f"`path label` lines. Videos end in {' '.join(sorted(VIDEO_SUFFIXES))}."
)


def read_folders(data: Path) -> VideoIndex:
    """The videos of a folder without lists; the test part is empty where the folder has none.

    UserError where there is no folder of videos, or a part without any.
    """
    parts = _part_folders(data)
    if parts:
        return _read_parts(data, parts)
    inner = _class_folders(data / "videos")
    root, folders = (data / "videos", inner) if inner else (data, _class_folders(data))
    if not folders:
        raise UserError(f"--data {data} has no folder with videos. {ACCEPTED}")
    classes = tuple(folders)
    items = _items(folders, classes)
    notes = (f"Read a folder per class in {root}.", *_ignored(data, items), *_empty_folders(root, classes))
    return VideoIndex(classes, items, (), notes)


def videos_below(folder: Path) -> list[Path]:
    """The visible video files below a folder, sorted."""
    return [path for path in _files(folder) if _is_video(path)]


def broken_links(folder: Path) -> list[Path]:
    """The visible links below a folder that are named like videos and lead nowhere, sorted."""
    return [path for path in _visible(folder) if path.is_symlink() and not path.exists() and _is_video(path)]


def _part_folders(data: Path) -> dict[str, Path]:
    """The train/, val/ and test/ folders, if one of them holds class folders (else they are classes)."""
    names = {PARTS[path.name.lower()]: path for path in _folders(data) if path.name.lower() in PARTS}
    return names if "train" in names and any(map(_class_folders, names.values())) else {}


def _read_parts(data: Path, parts: Mapping[str, Path]) -> VideoIndex:
    """Training and test videos; val/ is the test where there is no test/, else it joins the training."""
    folders = {part: _class_folders(path) for part, path in parts.items()}
    for part, path in parts.items():
        if not folders[part]:
            raise UserError(
                f"{path} has no class folder with videos: put some there or remove it. {ACCEPTED}"
            )
    classes = tuple(sorted({name for own in folders.values() for name in own}))
    items = {part: _items(own, classes) for part, own in folders.items()}
    read = f"Read {', '.join(f'{path.name}/' for path in parts.values())} of {data}"
    if "test" in items and "val" in items:
        read += f": {parts['test'].name}/ is the test, {parts['val'].name}/ joins the training videos"
    elif "val" in items:
        read += f": {parts['val'].name}/ is the test"
    train = items["train"] + (items.get("val", ()) if "test" in items else ())
    test = items.get("test", items.get("val", ()))
    empty = [note for path in parts.values() for note in _empty_folders(path, classes)]
    return VideoIndex(classes, train, test, (f"{read}.", *_ignored(data, (*train, *test)), *empty))


def _items(folders: Mapping[str, Sequence[Path]], classes: Sequence[str]) -> tuple[Item, ...]:
    return tuple(
        Item(path, label, None) for label, name in enumerate(classes) for path in folders.get(name, ())
    )


def _folders(folder: Path) -> list[Path]:
    """The visible folders right in a folder, sorted; none where it does not exist."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    """Class name -> its videos, at any depth, for every folder in `folder` that holds some."""
    videos = {own.name: videos_below(own) for own in _folders(folder)}
    return {name: paths for name, paths in videos.items() if paths}


def _files(folder: Path) -> list[Path]:
    """The visible files below a folder, sorted."""
    return [path for path in _visible(folder) if path.is_file()]


def _visible(folder: Path) -> list[Path]:
    """What is below a folder and not hidden, sorted; UserError where a folder in it is closed."""

    def refuse(error: OSError) -> None:
        raise UserError(
            f"The folder {error.filename} cannot be read: {error.strerror}. Make it readable or move it away."
        ) from error

    found = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]  # so the others are not entered
        found += [Path(parent, name) for name in (*folders, *files) if not name.startswith(".")]
    return sorted(found)


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _ignored(data: Path, items: Collection[Item]) -> list[str]:
    """Sentences on the files that were not taken: other files, and videos outside the class folders."""
    taken = {item.path for item in items}
    left = [path for path in _files(data) if path not in taken]
    others = [path.relative_to(data) for path in left if not _is_video(path)]
    loose = [path.relative_to(data) for path in left if _is_video(path)]
    links = [path.relative_to(data) for path in broken_links(data)]
    kinds = (
        ("without a video suffix", others),
        ("outside the class folders", loose),
        ("a link to nowhere", links),
    )
    return [
        f"Ignored, since {why}: {shown(files[0])}{f' and {len(files) - 1} more' if files[1:] else ''}."
        for why, files in kinds
        if files
    ]


def _empty_folders(root: Path, classes: Collection[str]) -> list[str]:
    empty = [path.name for path in _folders(root) if path.name not in classes]
    return [f"Folders without videos in {root} are no classes: {', '.join(empty)}."] if empty else []
