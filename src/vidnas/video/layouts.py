"""What `--data` takes: recognises a data set's layout and lists its videos as they are given."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vidnas.errors import UsageError, UserError
from vidnas.video.csvlist import is_csv_of_clips, parse_csv
from vidnas.video.folders import ACCEPTED, FRAMES, VIDEOS, merge, read_folders
from vidnas.video.footage import exists
from vidnas.video.hmdb51 import parse_hmdb51, split_files
from vidnas.video.items import Item, VideoIndex
from vidnas.video.lists import CLASS_LIST, ListedClip, Listing, lists_frames, parse_lists
from vidnas.video.pack import Pack, is_pack, open_pack
from vidnas.video.pictures import picture_names
from vidnas.video.remote import tree_of
from vidnas.video.tree import Tree, frame_folders_in, is_video, local_tree, tree_of_names, videos_in
from vidnas.words import counted

Layout = Literal["auto", "videos", "frames", "ucf101", "hmdb51", "csv", "list", "frame-list"]
"""How data are to be read; auto: by what is there."""


@dataclass(frozen=True)
class Source:
    """Where videos are and how they are to be read: what the settings of the same names say."""

    data: Path
    test_list: Path | None = None
    split: int = 1
    layout: Layout = "auto"
    roots: tuple[Path, ...] = ()
    """More folders below which the videos lie."""


@dataclass(frozen=True)
class Contents:
    """What a data set holds before anything is checked: no groups, an empty test part where none is given.

    `lists` are the files that name the videos (none: the folders do), `missing` the videos named in vain,
    each with `file:line`.
    """

    index: VideoIndex
    lists: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()


def read_contents(source: Source) -> Contents:
    """What is in the data; UserError or UsageError where that is no data set at all."""
    if not source.data.exists():
        raise UserError(f"--data {source.data} does not exist. {ACCEPTED}")
    for root in source.roots:
        if not root.is_dir():
            raise UserError(f"--roots {root} is no folder. Name those below which the videos lie.")
    packs = [folder for folder in (source.data, *source.roots) if is_pack(folder)]
    if source.roots and packs:
        raise UsageError(f"--roots goes with videos, but {packs[0]} is a pack. Pack all of them into one.")
    if len({os.path.realpath(folder) for folder in (source.data, *source.roots)}) <= len(source.roots):
        raise UsageError("--roots names a folder twice, or --data again.")
    if source.data.is_file():
        if is_video(source.data.name):
            raise UserError(f"--data {source.data} is a single video. {ACCEPTED}")
        return _read_file(source)
    if source.test_list is not None:
        raise UsageError(f"--test-list goes with a list file as --data, but {source.data} is a folder.")
    return _read_folder(source)


def _read_file(source: Source) -> Contents:
    """A list or a CSV file."""
    layout = source.layout if source.layout != "auto" else _layout_of_file(source.data)
    if layout not in ("csv", "list", "frame-list"):
        raise UsageError(
            f"--layout {layout} is one of folders, but {source.data} is a file: csv, list or frame-list."
        )
    if source.split != 1:
        raise UsageError(f"--split {source.split} goes with official lists in a folder, not with a file.")
    if layout != "csv":
        return _read_lists(source, source.data, source.test_list, frames=layout == "frame-list")
    if source.test_list is not None:
        raise UsageError("--test-list goes with list files; a CSV file has a column split for that.")
    return _read_csv(source, source.data)


def _layout_of_file(file: Path) -> Layout:
    if file.suffix.lower() == ".csv" or is_csv_of_clips(file):
        return "csv"
    return "frame-list" if lists_frames(file) else "list"


def _open_folder(source: Source) -> tuple[Tree, Layout]:
    """What lies below the data, and how it is to be read: a pack as the data were that it was made of."""
    if not is_pack(source.data):
        tree = _tree(source.data)
        return tree, source.layout if source.layout != "auto" else _layout_of_folder(tree)
    index = open_pack(source.data).index
    layout: Layout = index.facts["layout"]
    if source.layout not in ("auto", layout):
        raise UsageError(f"--layout {source.layout}: {source.data} is a pack of data read as {layout}.")
    return tree_of_names(source.data, [*index.names, *index.facts["lists"]]), layout


def _tree(folder: Path) -> Tree:
    return tree_of(folder) or local_tree(folder)


def _read_folder(source: Source) -> Contents:
    tree, layout = _open_folder(source)
    if source.split != 1 and layout not in ("ucf101", "hmdb51"):
        raise UsageError(
            f"--split {source.split}: {source.data} has no lists trainlist0K.txt and testlist0K.txt to "
            "choose from."
        )
    if layout == "ucf101":
        train_list, test_list = _chosen_lists(source.data, _official_lists(tree), source.split)
        return _read_lists(source, train_list, test_list)
    if layout == "hmdb51":
        lists = tuple(tree.root / name for name in split_files(tree).get(source.split, {}).values())
        listing = parse_hmdb51(tree, source.split)
        return _located(source, listing, lists, f"Read the lists of HMDB51, split {source.split}.")
    if is_pack(source.data):
        return Contents(_packed_index(open_pack(source.data)))
    if layout == "csv":
        return _read_csv(source, _only_csv(tree))
    if layout in ("list", "frame-list"):
        raise UsageError(f"--layout {layout} is one of files, but {source.data} is a folder.")
    if layout == "frames" and any(tree_of(folder) for folder in (source.data, *source.roots)):
        raise UserError(
            f"{source.data} stands for folders of frames on another machine, which are not fetched one by "
            "one. Pack them there, and name the pack."
        )
    trees = [tree, *map(_tree, source.roots)]
    clips = FRAMES if layout == "frames" else VIDEOS
    return Contents(merge([read_folders(own, clips) for own in trees]))


def _layout_of_folder(tree: Tree) -> Layout:
    """By what is there; UserError where that is more than one thing."""
    found: dict[Layout, str] = {}
    if _official_lists(tree):
        found["ucf101"] = "trainlist0K.txt and testlist0K.txt"
    if split_files(tree):
        found["hmdb51"] = "Class_test_splitK.txt"
    if _csv_files(tree):
        found["csv"] = " and ".join(_csv_files(tree))
    if not found:
        videos, frames = videos_in(tree), _frame_folders(tree)
        if videos and frames:
            found = {
                "videos": f"videos such as {videos[0]}",
                "frames": f"folders of frames such as {frames[0]}",
            }
        elif frames:
            found["frames"] = ""
    if len(found) > 1:
        kinds = "; ".join(f"{what} (--layout {layout})" for layout, what in found.items())
        raise UserError(f"--data {tree.root} can be read in {len(found)} ways. Say which one: {kinds}.")
    return next(iter(found), "videos")


def _frame_folders(tree: Tree) -> list[str]:
    """The folders of frames in a class folder, where nothing but frames is."""
    with_videos = {name.rpartition("/")[0] for name in videos_in(tree)}
    return [name for name in frame_folders_in(tree) if "/" in name and name not in with_videos]


def _csv_files(tree: Tree) -> list[str]:
    """The CSV files right in the folder whose header is that of a list of clips."""
    return [
        name
        for name in tree.files
        if "/" not in name and name.lower().endswith(".csv") and is_csv_of_clips(tree.root / name)
    ]


def _only_csv(tree: Tree) -> Path:
    files = _csv_files(tree)
    if len(files) == 1:
        return tree.root / files[0]
    if files:
        raise UserError(f"{tree.root} has {' and '.join(files)}. Name the one to be read as --data.")
    raise UserError(f"{tree.root} has no CSV file with the columns path and label. {ACCEPTED}")


def _official_lists(tree: Tree) -> dict[int, set[str]]:
    """The numbers K of UCF101's lists and, for each, which of trainlist and testlist are there."""
    found: dict[int, set[str]] = {}
    for name in tree.files:
        match = re.fullmatch(r"(trainlist|testlist)(\d\d)\.txt", name)
        if match:
            found.setdefault(int(match[2]), set()).add(match[1])
    return found


def _chosen_lists(folder: Path, lists: Mapping[int, set[str]], split: int) -> tuple[Path, Path]:
    names = f"trainlist{split:02d}.txt", f"testlist{split:02d}.txt"
    if len(lists.get(split, ())) < 2:
        complete = [str(number) for number, kinds in sorted(lists.items()) if len(kinds) == 2]
        there = f"both are there for --split {', '.join(complete)}" if complete else "no such pair is there"
        raise UserError(f"--split {split} needs {names[0]} and {names[1]} in {folder}; {there}.")
    return folder / names[0], folder / names[1]


def _read_lists(
    source: Source, train_list: Path, test_list: Path | None, *, frames: bool = False
) -> Contents:
    listing = parse_lists(train_list, test_list, frames=frames)
    read = f"Read {train_list.name} and {test_list.name}." if test_list else f"Read {train_list.name}."
    lists = (train_list, test_list) if test_list else (train_list,)
    return _located(source, listing, lists, read)


def _read_csv(source: Source, file: Path) -> Contents:
    return _located(source, parse_csv(file), (file,), f"Read {file.name}.")


def _located(source: Source, listing: Listing, lists: tuple[Path, ...], read: str) -> Contents:
    """The listed clips as files, and the missing ones.

    They lie below the data or, of a list file, below the folder that it is in, or below one of `roots`;
    there perhaps in videos/.
    """
    missing: list[str] = []
    parts = []
    for clips, file in ((listing.train, lists[0]), (listing.test, lists[-1])):
        roots = (source.data if source.data.is_dir() else file.parent, *source.roots)
        parts.append(
            _existing(clips, [place for root in roots for place in (root, root / "videos")], missing)
        )
    train, test = parts
    return Contents(VideoIndex(listing.classes, train, test, (read, *listing.notes)), lists, tuple(missing))


def _existing(clips: Sequence[ListedClip], folders: Sequence[Path], missing: list[str]) -> tuple[Item, ...]:
    """The clips that are there; the others are added to `missing`, each with what is wrong."""
    items = []
    for clip in clips:
        path = next((path for folder in folders if exists(path := folder / clip.path)), None)
        frames = len(picture_names(path)) if path is not None and path.is_dir() else None
        if path is None or frames == 0:
            missing.append(f"{clip.path} ({clip.where})")
        elif clip.num_frames is not None and (frames or 0) < clip.num_frames:
            share = f"{clip.num_frames - (frames or 0)} of {counted(clip.num_frames, 'frame')}"
            missing.append(f"{share} of {clip.path} ({clip.where})")
        else:
            items.append(Item(path, clip.label, clip.group))
    return tuple(items)


def _packed_index(pack: Pack) -> VideoIndex:
    """The clips of a pack of data that had no official lists: as these were read when it was made."""
    index = pack.index
    parts: dict[str, list[Item]] = {"train": [], "test": []}
    for name, label, part, group in zip(
        index.names, index.columns["label"].tolist(), index.parts, index.groups, strict=True
    ):
        parts[part].append(Item(pack.root / name, label, group or None))
    facts = index.facts
    kept = "every frame" if facts["frames"] is None else f"{counted(facts['frames'], 'frame')} a clip"
    size = f"short side {facts['short_side_px']} px, JPEG quality {facts['quality']}"
    note = f"Read the pack {pack.root}: {kept}, {size}."
    return VideoIndex(tuple(facts["classes"]), tuple(parts["train"]), tuple(parts["test"]), (note,))


def read_every_split(source: Source) -> tuple[Contents, Layout]:
    """What is in the data with all of its official splits, each clip once, and how it was read."""
    if not source.data.is_dir():
        contents = read_contents(source)
        return contents, source.layout if source.layout != "auto" else _layout_of_file(source.data)
    tree, layout = _open_folder(source)
    if layout not in ("ucf101", "hmdb51"):
        return read_contents(source), layout
    splits = split_files(tree) if layout == "hmdb51" else _complete(_official_lists(tree))
    every = [read_contents(replace(source, split=split)) for split in sorted(splits) or [source.split]]
    items = {item.path: item for one in every for item in (*one.index.train, *one.index.test)}
    lists = dict.fromkeys(path for one in every for path in one.lists)
    missing = dict.fromkeys(name for one in every for name in one.missing)
    index = replace(every[0].index, train=tuple(items.values()), test=())
    class_list = source.data / CLASS_LIST
    more = (class_list,) if layout == "ucf101" and class_list.is_file() else ()
    return Contents(index, (*lists, *more), tuple(missing)), layout


def _complete(lists: Mapping[int, set[str]]) -> list[int]:
    return [number for number, kinds in lists.items() if len(kinds) == 2]
