"""The layouts that data may have: a table of how each is recognised and read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidnas.errors import UsageError, UserError
from vidnas.video.index.faults import NoData
from vidnas.video.index.folders import FRAMES, VIDEOS, has_classes, merge, read_folders
from vidnas.video.index.listfiles import Lists, lists_of, read_csv, read_lines, read_named
from vidnas.video.index.lists import CLASS_LIST, lists_frames
from vidnas.video.index.located import Contents, finder_for, locate
from vidnas.video.index.official import parse_hmdb51, split_files, ucf101_lists, ucf101_splits, whole_splits
from vidnas.video.index.partlists import by_part, csv_files, list_files, lists_of_videos, meant_as_lists
from vidnas.video.index.recognise import recognise
from vidnas.video.index.sources import Source
from vidnas.video.index.tables import is_csv_of_clips
from vidnas.video.stores.footage import STORES, store_of
from vidnas.video.stores.tree import PICTURE_SUFFIXES, VIDEO_SUFFIXES, Tree, frame_folders_apart, videos_in


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A layout of data, of folders if it has a `read`, of a single file if it has `read_lists`.

    `signs` are what in a folder tells of it, in words ("": nothing); of the layouts that are found, those of
    the lowest `rank` count. `owns` recognises a single file. `splits` are the numbers of its official splits,
    where it has such, and `beside` the files that their lists need, too. `words` say what --data may be.
    """

    name: str
    words: str = ""
    rank: int = 0
    signs: Callable[[Tree], str] = lambda _: ""
    read: Callable[[Source, Tree], Contents] | None = None
    splits: Callable[[Tree], Sequence[int]] | None = None
    beside: tuple[str, ...] = ()
    owns: Callable[[Path], bool] = lambda _: False
    read_lists: Callable[[Source, Lists], Contents] | None = None


def _read_ucf101(source: Source, tree: Tree) -> Contents:
    return read_lines(lists_of(ucf101_lists(tree, source.split), source.roots))


def _read_hmdb51(source: Source, tree: Tree) -> Contents:
    listing = parse_hmdb51(tree, source.split)
    lists = tuple(tree.root / name for name in split_files(tree)[source.split].values())
    notes = (f"Read the lists of HMDB51, split {source.split}.", *listing.notes)
    finders = dict.fromkeys(lists, finder_for(source.data, source.roots))
    return locate(replace(listing, notes=notes), finders, lists, parts_stated=True)


def _read_csv(source: Source, lists: Lists) -> Contents:
    return read_csv(lists) if source.columns is None else read_named(lists, source.columns)


def _read_csv_in(source: Source, tree: Tree) -> Contents:
    names = csv_files(tree)
    if not names:
        raise NoData(f"{tree.root} has no CSV file with the columns path and label.")
    return _read_csv(source, lists_of(by_part(tree, names), source.roots, tree.root))


def _read_list(source: Source, lists: Lists) -> Contents:
    if source.columns is not None:
        return read_named(lists, source.columns)
    return recognise(lists, read_lines(lists))


def _read_list_in(source: Source, tree: Tree) -> Contents:
    names = meant_as_lists(tree)
    if not names:
        raise UsageError(
            f"--layout list is one of files, but {source.data} is a folder, and no list is in it."
        )
    return _read_list(source, lists_of(by_part(tree, names), source.roots, tree.root))


def _read_frame_list(source: Source, lists: Lists) -> Contents:
    if source.columns is not None:
        return read_named(lists, source.columns)
    plain = read_lines(lists, frames=True)
    return recognise(lists, plain) if source.layout == "auto" else plain


def _read_videos(source: Source, tree: Tree) -> Contents:
    index = merge([read_folders(own, VIDEOS) for own in _trees(source, tree)])
    lists = list_files(tree)
    if not lists:
        return Contents(index)
    note = f"Not used: {' and '.join(lists)}, for the folders tell the classes; --layout list reads lists."
    return Contents(replace(index, notes=(*index.notes, note)))


def _read_frames(source: Source, tree: Tree) -> Contents:
    for folder in (source.data, *source.roots):
        if why := store_of(folder).no_frame_folders:
            raise UserError(f"{source.data} {why}")
    return Contents(merge([read_folders(own, FRAMES) for own in _trees(source, tree)]))


def _trees(source: Source, tree: Tree) -> list[Tree]:
    return [tree, *(store_of(root).tree(root) for root in source.roots)]


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
    folders = [name for name in frame_folders_apart(tree) if "/" in name]
    return f"folders of frames such as {folders[0]}" if folders else ""


LAYOUTS = (
    Layout(
        name="videos",
        words="a folder with a folder of videos per class; train/ and test/ (or val/) folders of those, or "
        "of videos that a list beside them gives labels",
        rank=3,
        signs=_signs_of_videos,
        read=_read_videos,
    ),
    Layout(name="frames", rank=3, signs=_signs_of_frames, read=_read_frames),
    Layout(
        name="ucf101",
        words="the UCF101 layout (videos/Class/..., classInd.txt, trainlist01.txt, testlist01.txt)",
        rank=1,
        signs=lambda tree: "trainlist0K.txt and testlist0K.txt" if ucf101_splits(tree) else "",
        read=_read_ucf101,
        splits=whole_splits,
        beside=(CLASS_LIST,),
    ),
    Layout(
        name="hmdb51",
        words="the HMDB51 layout (Class/..., Class_test_split1.txt)",
        rank=1,
        signs=lambda tree: "Class_test_splitK.txt" if split_files(tree) else "",
        read=_read_hmdb51,
        splits=lambda tree: sorted(split_files(tree)),
    ),
    Layout(
        name="csv",
        words="a CSV file with the columns path and label",
        rank=1,
        signs=lambda tree: " and ".join(csv_files(tree)),
        read=_read_csv_in,
        owns=is_csv_of_clips,
        read_lists=_read_csv,
    ),
    Layout(
        name="list",
        words="a list file of `path label` or `folder num_frames label` lines, or of more columns "
        "(--columns)",
        rank=2,
        signs=_signs_of_lists,
        read=_read_list_in,
        read_lists=_read_list,
    ),
    Layout(name="frame-list", owns=lists_frames, read_lists=_read_frame_list),
)
"""In the order of messages; config.data.Layout has their names for the command line."""
LAYOUT_OF = {layout.name: layout for layout in LAYOUTS}

_WORDS = [*(layout.words for layout in LAYOUTS), *(store.accepted for store in STORES)]
ACCEPTED = (
    f"Accepted are: {'; '.join(filter(None, _WORDS))}. "
    "Wherever a video may stand, a folder of its frames may (--layout frames). "
    f"Videos end in {' '.join(sorted(VIDEO_SUFFIXES))}, frames in {' '.join(sorted(PICTURE_SUFFIXES))}."
)
"""What --data may be, for errors."""
