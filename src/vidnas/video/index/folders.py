"""Reads folders of clips: a folder per class, or train/ and test/ (or val/) folders of those.

A clip is a video file or, in a data set of frames, a folder of pictures.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from vidnas.errors import UserError, shown
from vidnas.video.index.faults import NoData
from vidnas.video.index.parts import PARTS, join_parts
from vidnas.video.items import Item, VideoIndex
from vidnas.video.stores.tree import Tree, frame_folders_in, is_picture, is_video, videos_in


@dataclass(frozen=True)
class Clips:
    """What counts as a clip in folders: how they are called, found, and recognised by the name of a file."""

    noun: str
    one: str
    find: Callable[[Tree], list[str]]
    owns: Callable[[str], bool]
    missing: str


VIDEOS = Clips("videos", "video", videos_in, is_video, "without a video suffix")
FRAMES = Clips("folders of frames", "folder of frames", frame_folders_in, is_picture, "no frames")


def read_folders(tree: Tree, clips: Clips = VIDEOS) -> VideoIndex:
    """The clips of a folder without lists; the test part is empty where the folder has none.

    UserError where there is no folder of clips, or a part without any.
    """
    parts = _part_folders(tree, clips)
    if parts:
        return _read_parts(tree, parts, clips)
    inner = _class_folders(tree.below("videos"), clips)
    root, folders = (tree.below("videos"), inner) if inner else (tree, _class_folders(tree, clips))
    if not folders:
        raise _no_classes(tree, clips)
    if _are_flat_parts(folders):
        raise UserError(
            f"{' and '.join(f'{name}/' for name in folders)} of {tree.root} hold {clips.noun}, but no folder "
            "per class, so the classes are not known. Make these folders, or put a list beside them, as a "
            "CSV file whose header is path,label."
        )
    classes = tuple(folders)
    items = _items(root, folders, classes)
    per_class = "a folder per class" if clips is VIDEOS else "a folder of frame folders per class"
    ignored, empty = _ignored(tree, items, clips), _empty_folders(root, classes, clips)
    return VideoIndex(classes, items, (), (f"Read {per_class} in {root.root}.", *ignored, *empty))


def _no_classes(tree: Tree, clips: Clips) -> UserError:
    """What is there in place of folders of clips, and the short way out."""
    loose = [name for name in clips.find(tree) if "/" not in name]
    if loose:
        what, them = f"{len(loose):,} {clips.noun} lie", "them"
        if len(loose) == 1:
            what, them = f"1 {clips.one} lies", "it"
        return UserError(
            f"{what} right in {tree.root}, without a class, as {shown(loose[0])}. Put {them} "
            f"into a folder per class, or beside {them} a list of lines `path label` or a CSV file "
            "whose header is path,label."
        )
    return NoData(f"--data {tree.root} has no folder with {clips.noun}.")


def merge(indexes: Sequence[VideoIndex]) -> VideoIndex:
    """Several folders of the same kind as one: classes of one name are one class."""
    if len(indexes) == 1:
        return indexes[0]
    classes = tuple(sorted({name for index in indexes for name in index.classes}))
    labels = {name: label for label, name in enumerate(classes)}
    parts: list[list[Item]] = [[], []]
    for index in indexes:
        for part, items in zip(parts, (index.train, index.test), strict=True):
            part += [replace(item, label=labels[index.classes[item.label]]) for item in items]
    notes = tuple(note for index in indexes for note in index.notes)
    return VideoIndex(classes, tuple(parts[0]), tuple(parts[1]), notes)


def has_classes(tree: Tree, clips: Clips = VIDEOS) -> bool:
    """Whether folders tell two or more classes, or parts with classes."""
    if _part_folders(tree, clips):
        return True
    folders = _class_folders(tree.below("videos"), clips) or _class_folders(tree, clips)
    return len(folders) > 1 and not _are_flat_parts(folders)


def _are_flat_parts(folders: Collection[str]) -> bool:
    """Whether these folders of clips are train/ and another part, and not classes."""
    parts = [PARTS.get(name.lower()) for name in folders]
    return "train" in parts and len(parts) > 1 and None not in parts


def _part_folders(tree: Tree, clips: Clips) -> dict[str, Tree]:
    """The train/, val/ and test/ folders, if one of them holds class folders (else they are classes)."""
    tops = tree.tops()
    named = [name for name in tops if name.lower() in PARTS]
    parts = {PARTS[name.lower()]: tops[name] for name in named}
    if "train" not in parts or not any(_class_folders(below, clips) for below in parts.values()):
        return {}
    twice = [name for name in named if parts[PARTS[name.lower()]] is not tops[name]]
    if twice:
        raise UserError(f"{tree.root} has two folders for one part, {', '.join(named)}. Put them together.")
    others = [name for name, below in tops.items() if name not in named and clips.find(below)]
    if others and len(parts) == 1:
        raise UserError(
            f"{tree.root} may be a split, for it has {named[0]}/, or folders of classes, for it has "
            f"{others[0]}/. Rename or move one of them."
        )
    return parts


def _read_parts(tree: Tree, parts: Mapping[str, Tree], clips: Clips) -> VideoIndex:
    """Training and test clips; val/ is the test where there is no test/, else it joins the training."""
    folders = {part: _class_folders(below, clips) for part, below in parts.items()}
    for part, below in parts.items():
        if not folders[part]:
            raise NoData(f"{below.root} has no class folder with {clips.noun}: put some there or remove it.")
    classes = tuple(sorted({name for own in folders.values() for name in own}))
    items = {part: _items(parts[part], own, classes) for part, own in folders.items()}
    called = {part: f"{below.root.name}/" for part, below in parts.items()}
    train, test, how = join_parts(items, called)
    empty = [note for below in parts.values() for note in _empty_folders(below, classes, clips)]
    ignored = _ignored(tree, (*train, *test), clips)
    read = f"Read {', '.join(called.values())} of {tree.root}{f': {how}' if how else ''}."
    return VideoIndex(classes, train, test, (read, *ignored, *empty))


def _items(tree: Tree, folders: Mapping[str, Sequence[str]], classes: Sequence[str]) -> tuple[Item, ...]:
    return tuple(
        Item(tree.root / class_name / name, label, None)
        for label, class_name in enumerate(classes)
        for name in folders.get(class_name, ())
    )


def _class_folders(tree: Tree, clips: Clips) -> dict[str, list[str]]:
    """Class name -> its clips, at any depth and relative to it, for every folder that holds some."""
    found = {name: clips.find(below) for name, below in tree.tops().items()}
    return {name: names for name, names in found.items() if names}


def _ignored(tree: Tree, items: Collection[Item], clips: Clips) -> list[str]:
    """Sentences on the files that were not taken: other files, and clips outside the class folders."""
    taken = {item.path.relative_to(tree.root).as_posix() for item in items}
    left = [name for name in tree.files if not _is_taken(name, taken)]
    kinds = (
        (clips.missing, [name for name in left if not clips.owns(name)]),
        ("outside the class folders", [name for name in left if clips.owns(name)]),
        ("a link to nowhere", list(tree.dead_links)),
    )
    return [
        f"Ignored, since {why}: {shown(names[0])}{f' and {len(names) - 1} more' if names[1:] else ''}."
        for why, names in kinds
        if names
    ]


def _is_taken(name: str, taken: Collection[str]) -> bool:
    return name in taken or (is_picture(name) and str(PurePosixPath(name).parent) in taken)


def _empty_folders(tree: Tree, classes: Collection[str], clips: Clips) -> list[str]:
    empty = ", ".join(name for name in tree.tops() if name not in classes)
    return [f"Folders without {clips.noun} in {tree.root} are no classes: {empty}."] if empty else []
