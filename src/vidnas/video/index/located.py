"""Where the clips of lists lie: below the list's folder, its videos/, train/ and the like, or --roots."""

import os
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vidnas.errors import counted
from vidnas.video.index.faults import Fault, Missing
from vidnas.video.index.lists import ListedClip, Listing, repeated
from vidnas.video.index.parts import PARTS, join_parts
from vidnas.video.items import Item, VideoIndex
from vidnas.video.stores.footage import exists, footage_of, identity
from vidnas.video.stores.tree import is_video


@dataclass(frozen=True)
class Contents:
    """What a data set holds before anything is checked: no groups, an empty test part where none is given.

    `lists` are the files that name the videos (none: the folders do), `missing` the videos named in vain,
    `faults` what else is wrong in the lists.
    """

    index: VideoIndex
    lists: tuple[Path, ...] = ()
    missing: tuple[Missing, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass
class Finder:
    """Finds listed clips: in `folders`, the first one that has it, or else in the folders of parts.

    In all of them the name may lack its suffix. `parts`: train, val or test -> folder.
    """

    folders: Sequence[Path]
    parts: Mapping[str, Path] = field(default_factory=dict)
    _stems: dict[Path, Mapping[str, list[str]]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether there is such a clip."""
        return bool(self.find(name))

    def find(self, name: str, part: str = "") -> list[Path]:
        """Where a clip of a part ("": not known) is: one path, none, or several that are equally likely."""
        if not name:
            return []
        for folder in self.folders:
            if exists(folder / name):
                return [folder / name]
        own = [
            folder for of, folder in self.parts.items() if not part or (of == "train") == (part == "train")
        ]
        for folders in (own, self.folders, self.parts.values()):
            found = [path for folder in folders for path in self._completed(folder / name)]
            if found:
                return found
        return []

    def _completed(self, path: Path) -> list[Path]:
        """The path itself, or the videos of this name with a suffix."""
        if exists(path):
            return [path]
        if is_video(path.name):
            return []
        if path.parent not in self._stems:
            self._stems[path.parent] = _videos_by_stem(path.parent)
        return [path.with_name(name) for name in self._stems[path.parent].get(path.name, ())]

    def part_of(self, path: Path) -> str:
        """The part in whose folder a path lies; "" for none."""
        return next((part for part, folder in self.parts.items() if path.is_relative_to(folder)), "")


def finder_for(folder: Path, roots: Sequence[Path] = (), data: Path | None = None) -> Finder:
    """Finds the clips of a list in this folder, or below the folder of all data, or one that begins there."""
    starts = dict.fromkeys((folder, *([data] if data is not None else []), *roots))
    top = data or folder
    parts: dict[str, Path] = {}
    with suppress(OSError):  # a folder that cannot be listed can still be read
        for entry in sorted(entry for entry in top.iterdir() if entry.name.lower() in PARTS):
            if entry.is_dir():
                parts.setdefault(PARTS[entry.name.lower()], entry)
    return Finder([place for start in starts for place in (start, start / "videos")], parts)


def _videos_by_stem(folder: Path) -> Mapping[str, list[str]]:
    stems: dict[str, list[str]] = {}
    if folder.is_dir():
        for name in sorted(entry.name for entry in folder.iterdir() if is_video(entry.name)):
            stems.setdefault(name.rpartition(".")[0], []).append(name)
    return stems


def locate(
    listing: Listing, finders: Mapping[Path, Finder], lists: tuple[Path, ...], *, parts_stated: bool
) -> Contents:
    """The listed clips as files, the missing ones, and those that are listed twice.

    `finders` are those of the lists. Where no parts were stated and all clips lie in train/ and another
    folder of a part, these are the parts.
    """
    missing: list[Missing] = []
    faults = list(listing.faults)
    found: dict[str, list[Item]] = {"train": [], "test": []}
    first: dict[Hashable, tuple[ListedClip, Path]] = {}
    of_list = {str(file): finder for file, finder in finders.items()}
    for part, clips in (("train", listing.train), ("test", listing.test)):
        for clip in clips:
            finder = of_list[clip.where.rpartition(":")[0]]
            item = _located(clip, finder, part if parts_stated else "", missing, faults)
            if item is not None and not _is_repeated(clip, item, first, faults):
                found[part].append(item)
    train, test = tuple(found["train"]), tuple(found["test"])
    how: list[str] = []
    if not parts_stated and not missing and not faults:
        train, test, how = _parts_by_folder((*train, *test), next(iter(finders.values())))
    index = VideoIndex(listing.classes, train, test, (*listing.notes, *how))
    return Contents(index, lists, tuple(missing), tuple(faults))


def _located(
    clip: ListedClip, finder: Finder, part: str, missing: list[Missing], faults: list[Fault]
) -> Item | None:
    """The clip as a file; None where there is none, which is then added to `missing` or `faults`."""
    paths = finder.find(clip.path, part)
    if not paths:
        missing.append(Missing(clip.where, clip.path))
        return None
    if len(paths) > 1:
        what = f"{clip.path!r} may be {' or '.join(map(str, paths))}. Write which one."
        faults.append(Fault(clip.where, what))
        return None
    num_frames = clip.num_frames or 0
    lacking = num_frames - footage_of(paths[0]).num_pictures() if num_frames else 0
    if lacking > 0:
        missing.append(Missing(clip.where, f"{lacking} of {counted(num_frames, 'frame')} of {clip.path}"))
        return None
    return Item(paths[0], clip.label, clip.group)


def _is_repeated(
    clip: ListedClip, item: Item, first: dict[Hashable, tuple[ListedClip, Path]], faults: list[Fault]
) -> bool:
    """Whether its file was listed before: with another label, or in one list by the same path."""
    before, path = first.setdefault(identity(item.path), (clip, item.path))
    if before is clip:
        return False
    one_list = before.where.rpartition(":")[0] == clip.where.rpartition(":")[0]
    same_path = os.path.normpath(path.absolute()) == os.path.normpath(item.path.absolute())
    if before.label == clip.label and not (one_list and same_path):
        return False  # a link, or a clip in both parts: what is said of copies is said of it
    faults.append(repeated(clip, before.where, same_label=before.label == clip.label))
    return True


def _parts_by_folder(
    items: tuple[Item, ...], finder: Finder
) -> tuple[tuple[Item, ...], tuple[Item, ...], list[str]]:
    """The items by the part folder that they lie in, where that makes two parts; else all in the first."""
    parts: dict[str, list[Item]] = {}
    for item in items:
        parts.setdefault(finder.part_of(item.path), []).append(item)
    if "" in parts or "train" not in parts or len(parts) == 1:
        return items, (), []
    names = {part: f"{finder.parts[part].name}/" for part in parts}
    train, test, how = join_parts(parts, names)
    told = f"Its clips lie in {' and '.join(names.values())}, which are the parts"
    return train, test, [f"{told}: {how}." if how and "test" in parts else f"{told}."]
