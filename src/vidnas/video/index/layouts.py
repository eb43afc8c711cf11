"""What `--data` takes: recognises a data set's layout and lists its videos as they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from vidnas.errors import UsageError, UserError, counted
from vidnas.video.index.csvlist import is_csv_of_clips
from vidnas.video.index.faults import Fault, require_none
from vidnas.video.index.folders import FRAMES, VIDEOS, has_classes, merge, read_folders
from vidnas.video.index.hmdb51 import parse_hmdb51, split_files
from vidnas.video.index.items import Item, VideoIndex
from vidnas.video.index.listfiles import lists_of, read_csv, read_lines, read_named
from vidnas.video.index.lists import CLASS_LIST, lists_frames
from vidnas.video.index.located import Contents, finder_for, locate
from vidnas.video.index.official import ucf101_lists, ucf101_splits, whole_splits
from vidnas.video.index.partlists import by_part, csv_files, list_files, lists_of_videos, meant_as_lists
from vidnas.video.index.recognise import recognise
from vidnas.video.index.sources import ACCEPTED, Layout, Source, require_there
from vidnas.video.stores.pack import Pack, is_pack, open_pack
from vidnas.video.stores.remote import tree_of
from vidnas.video.stores.tree import Tree, frame_folders_in, local_tree, tree_of_names, videos_in


@dataclass(frozen=True)
class FolderLayout:
    """A layout of folders: what in them tells of it (in words; "" where nothing does), and its reader.

    Of the layouts that are found, those of the lowest rank count. `splits`: the numbers of its official
    splits, where it has such.
    """

    rank: int
    signs: Callable[[Tree], str]
    read: Callable[[Source, Tree], Contents]
    splits: Callable[[Tree], Sequence[int]] | None = None


def read_contents(source: Source) -> Contents:
    """What is in the data; UserError or UsageError where that is no data set at all."""
    require_there(source.data, source.test_list, source.roots)
    packs = [folder for folder in (source.data, *source.roots) if is_pack(folder)]
    if source.roots and packs:
        raise UsageError(f"--roots goes with videos, but {packs[0]} is a pack. Pack all of them into one.")
    contents = _read_file(source) if source.data.is_file() else _read_folder(source)
    if contents.faults:
        absent = [Fault(one.where, f"{one.what} is missing.") for one in contents.missing]
        require_none((*contents.faults, *absent), contents.lists)
    return contents


def _read_file(source: Source) -> Contents:
    """A list or a CSV file, perhaps with one of test videos."""
    layout = source.layout if source.layout != "auto" else _layout_of_file(source.data)
    if layout not in ("csv", "list", "frame-list"):
        raise UsageError(
            f"--layout {layout} is one of folders, but {source.data} is a file: csv, list or frame-list."
        )
    if source.split != 1:
        raise UsageError(f"--split {source.split} goes with official lists in a folder, not with a file.")
    files = {"": source.data}
    if source.test_list is not None:
        files = {"train": source.data, "test": source.test_list}
    lists = lists_of(files, source.roots)
    if source.columns is not None:
        return read_named(lists, source.columns)
    if layout == "csv":
        return read_csv(lists)
    plain = read_lines(lists, frames=layout == "frame-list")
    return plain if source.layout == "frame-list" else recognise(lists, plain)


def _layout_of_file(file: Path) -> Layout:
    if is_csv_of_clips(file):
        return "csv"
    return "frame-list" if lists_frames(file) else "list"


def _open_folder(source: Source) -> tuple[Tree, Layout]:
    """What lies below the data, and how it is to be read: a pack as the data were that it was made of."""
    if not is_pack(source.data):
        tree = _tree(source.data)
        return tree, source.layout if source.layout != "auto" else _layout_asked(source, tree)
    index = open_pack(source.data).index
    layout: Layout = index.facts["layout"]
    if source.layout not in ("auto", layout):
        raise UsageError(f"--layout {source.layout}: {source.data} is a pack of data read as {layout}.")
    return tree_of_names(source.data, [*index.names, *index.facts["lists"]]), layout


def _tree(folder: Path) -> Tree:
    return tree_of(folder) or local_tree(folder)


def _read_folder(source: Source) -> Contents:
    tree, layout = _open_folder(source)
    known = FOLDERS.get(layout)
    splits = known is not None and known.splits is not None
    if source.split != 1 and not splits:
        raise UsageError(
            f"--split {source.split}: {source.data} has no lists trainlist0K.txt and testlist0K.txt to "
            "choose from."
        )
    if is_pack(source.data) and not splits:
        return Contents(_packed_index(open_pack(source.data)))
    if known is None:
        raise UsageError(f"--layout {layout} is one of files, but {source.data} is a folder.")
    if source.columns is not None and layout not in ("csv", "list"):
        raise UsageError(f"--columns goes with a list, but none is read of the folder {source.data}.")
    return known.read(source, tree)


def _layout_asked(source: Source, tree: Tree) -> Layout:
    """By what is there; who names columns means the CSV file or the list in it, if there is one."""
    if source.columns is not None and not csv_files(tree) and meant_as_lists(tree):
        return "list"
    return _layout_of_folder(tree)


def _layout_of_folder(tree: Tree) -> Layout:
    """By what is there; UserError where that is more than one thing."""
    found: dict[Layout, str] = {}
    for rank in sorted({known.rank for known in FOLDERS.values()}):
        kinds = [(layout, known.signs(tree)) for layout, known in FOLDERS.items() if known.rank == rank]
        found = found or {layout: signs for layout, signs in kinds if signs}
        if found:
            break
    if len(found) > 1:
        told = "; ".join(f"{what} (--layout {layout})" for layout, what in found.items())
        raise UserError(f"--data {tree.root} can be read in {len(found)} ways. Say which one: {told}.")
    return next(iter(found), "videos")


def _read_ucf101(source: Source, tree: Tree) -> Contents:
    return read_lines(lists_of(ucf101_lists(tree, source.split), source.roots))


def _read_hmdb51(source: Source, tree: Tree) -> Contents:
    listing = parse_hmdb51(tree, source.split)
    lists = tuple(tree.root / name for name in split_files(tree)[source.split].values())
    notes = (f"Read the lists of HMDB51, split {source.split}.", *listing.notes)
    finders = dict.fromkeys(lists, finder_for(source.data, source.roots))
    return locate(replace(listing, notes=notes), finders, lists, parts_stated=True)


def _read_csv_in(source: Source, tree: Tree) -> Contents:
    names = csv_files(tree)
    if not names:
        raise UserError(f"{tree.root} has no CSV file with the columns path and label. {ACCEPTED}")
    lists = lists_of(by_part(tree, names), source.roots, tree.root)
    return read_named(lists, source.columns) if source.columns is not None else read_csv(lists)


def _read_list_in(source: Source, tree: Tree) -> Contents:
    names = meant_as_lists(tree)
    if not names:
        raise UsageError(
            f"--layout list is one of files, but {source.data} is a folder, and no list is in it."
        )
    lists = lists_of(by_part(tree, names), source.roots, tree.root)
    return (
        read_named(lists, source.columns)
        if source.columns is not None
        else recognise(lists, read_lines(lists))
    )


def _read_videos(source: Source, tree: Tree) -> Contents:
    index = merge([read_folders(own, VIDEOS) for own in (tree, *map(_tree, source.roots))])
    lists = list_files(tree)
    if not lists:
        return Contents(index)
    note = f"Not used: {' and '.join(lists)}, for the folders tell the classes; --layout list reads lists."
    return Contents(replace(index, notes=(*index.notes, note)))


def _read_frames(source: Source, tree: Tree) -> Contents:
    if any(tree_of(folder) for folder in (source.data, *source.roots)):
        raise UserError(
            f"{source.data} stands for folders of frames on another machine, which are not fetched one by "
            "one. Pack them there, and name the pack."
        )
    return Contents(merge([read_folders(own, FRAMES) for own in (tree, *map(_tree, source.roots))]))


def _signs_of_lists(tree: Tree) -> str:
    """Lists, be they as faulty as they may, where no folders tell the classes."""
    if has_classes(tree, VIDEOS) or has_classes(tree, FRAMES):
        return ""
    return " and ".join(lists_of_videos(tree))


def _signs_of_videos(tree: Tree) -> str:
    videos = videos_in(tree)
    return f"videos such as {videos[0]}" if videos else ""


def _signs_of_frames(tree: Tree) -> str:
    """The folders of frames in a class folder, where nothing but frames is."""
    with_videos = {name.rpartition("/")[0] for name in videos_in(tree)}
    folders = [name for name in frame_folders_in(tree) if "/" in name and name not in with_videos]
    return f"folders of frames such as {folders[0]}" if folders else ""


def _signs_of_ucf101(tree: Tree) -> str:
    return "trainlist0K.txt and testlist0K.txt" if ucf101_splits(tree) else ""


def _signs_of_hmdb51(tree: Tree) -> str:
    return "Class_test_splitK.txt" if split_files(tree) else ""


FOLDERS: Mapping[Layout, FolderLayout] = MappingProxyType(
    {
        "ucf101": FolderLayout(1, _signs_of_ucf101, _read_ucf101, whole_splits),
        "hmdb51": FolderLayout(1, _signs_of_hmdb51, _read_hmdb51, lambda tree: sorted(split_files(tree))),
        "csv": FolderLayout(1, lambda tree: " and ".join(csv_files(tree)), _read_csv_in),
        "list": FolderLayout(2, _signs_of_lists, _read_list_in),
        "videos": FolderLayout(3, _signs_of_videos, _read_videos),
        "frames": FolderLayout(3, _signs_of_frames, _read_frames),
    }
)
"""The layouts of folders, those that decide first."""


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
    known = FOLDERS.get(layout)
    if known is None or known.splits is None:
        return read_contents(source), layout
    splits = known.splits(tree) or [source.split]
    every = [read_contents(replace(source, split=split)) for split in splits]
    items = {item.path: item for one in every for item in (*one.index.train, *one.index.test)}
    lists = dict.fromkeys(path for one in every for path in one.lists)
    missing = dict.fromkeys(name for one in every for name in one.missing)
    index = replace(every[0].index, train=tuple(items.values()), test=())
    class_list = source.data / CLASS_LIST
    more = (class_list,) if layout == "ucf101" and class_list.is_file() else ()
    return Contents(index, (*lists, *more), tuple(missing)), layout
