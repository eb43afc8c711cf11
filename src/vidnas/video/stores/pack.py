"""Reads packed clips. A pack stands for the data it was made of: below it, every clip has its old name."""

from collections.abc import Generator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image

from vidnas.errors import UserError, counted, shown
from vidnas.video.items import Item, VideoIndex
from vidnas.video.processes.heartbeat import beat
from vidnas.video.stores.decode import Frame, VideoInfo, ends_before
from vidnas.video.stores.remote import fetched, fetched_anew, mirror_below
from vidnas.video.stores.shards import (
    INDEX,
    PackedClip,
    PackIndex,
    ShardFile,
    read_index,
    require_size,
    shard_id,
    shard_name,
)
from vidnas.video.stores.store import Footage, Store
from vidnas.video.stores.tree import Tree, tree_of_names
from vidnas.video.stores.upright import scaled_size

MOST_OPEN = 4
"""Packs that are kept open."""


class Pack:
    """An open pack. Shards are opened when they are first read, and stay open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.index: PackIndex = read_index(root / INDEX)
        self.rows = {name: row for row, name in enumerate(self.index.names)}
        self.faults: dict[str, str] = self.index.facts["faults"]
        self._shards: dict[int, ShardFile] = {}
        if mirror_below(root / INDEX) is None:
            for number, size in enumerate(self.index.shard_bytes):
                require_size(root / shard_name(number), size)

    def clip(self, name: str) -> PackedClip:
        """A clip; UserError where it could not be packed."""
        if name in self.faults:
            raise UserError(self.faults[name])
        return self.source(name)

    def source(self, name: str) -> PackedClip:
        """A clip as its source was, without a frame if it could not be packed; UserError where unknown."""
        if name not in self.rows:
            raise UserError(f"{shown(self.root / name)} is not in the pack.")
        return self.index.clip(self.rows[name])

    def info(self, name: str) -> VideoInfo:
        """What a scan of the clip would tell: it has as many frames as were packed."""
        clip = self.clip(name)
        return VideoInfo(len(clip.lengths), clip.info.width_px, clip.info.height_px, clip.info.duration_sec)

    def read_frames(
        self, name: str, indices: Sequence[int] | None, short_side_px: int | None
    ) -> Generator[Frame, None, None]:
        """The packed frames with these ascending numbers, or all for None, as decode.read_frames does."""
        clip = self.clip(name)
        size = self.frame_size(name, short_side_px)
        offsets = clip.offset + np.cumsum(clip.lengths, dtype=np.int64) - clip.lengths
        for index in range(len(clip.lengths)) if indices is None else sorted(set(indices)):
            if index >= len(clip.lengths):
                raise ends_before(self.root / name, index)
            content = self._shard(clip.shard).frame(clip, index, int(offsets[index]))
            yield Frame(index, None, _decoded(content, size, self.root / name))

    def verify(self, name: str) -> VideoInfo:
        """Read every frame of a clip and compare its checksum; UserError where one has changed."""
        clip = self.clip(name)
        offset = clip.offset
        for index, length in enumerate(clip.lengths.tolist()):
            self._shard(clip.shard).frame(clip, index, offset)
            beat()
            offset += length
        return self.info(name)

    def frame_size(self, name: str, short_side_px: int | None) -> tuple[int, int]:
        """(width, height) of a clip's frames; UserError where its source had more pixels than were packed."""
        info = self.source(name).info
        source = info.width_px, info.height_px
        packed_px: int = self.index.facts["short_side_px"]
        if short_side_px is None:
            return scaled_size(source, min(packed_px, *source))
        if packed_px < min(short_side_px, *source):
            raise UserError(
                f"{shown(self.root)} was packed with a short side of {packed_px} px, and clips of this size "
                f"need {short_side_px}. Use a smaller --size-px, or pack again with "
                f"--short-side-px {short_side_px}."
            )
        return scaled_size(source, short_side_px)

    def _shard(self, number: int) -> ShardFile:
        if number not in self._shards:
            identity = shard_id(self.index.facts["plan"], number)
            size = self.index.shard_bytes[number]
            path = fetched(self.root / shard_name(number))
            try:
                self._shards[number] = ShardFile(path, size, identity)
            except UserError:
                if not fetched_anew(path):  # of a pack that was there before
                    raise
                self._shards[number] = ShardFile(path, size, identity)
        return self._shards[number]


def _decoded(content: bytes, size: tuple[int, int], path: Path) -> np.ndarray:
    """The picture of a JPEG, scaled to (width, height)."""
    width, height = size
    try:
        image = simplejpeg.decode_jpeg(content, min_width=width, min_height=height, min_factor=1)
    except ValueError as error:
        raise UserError(f"A packed frame of {shown(path)} cannot be decoded: {error}.") from error
    if image.shape[:2] == (height, width):
        return np.asarray(image)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _is_pack(data: Path) -> bool:
    return (data / INDEX).is_file()


def open_pack(root: Path) -> Pack:
    """The pack in a folder; UserError where there is none."""
    if not _is_pack(root):
        raise UserError(f"{shown(root)} is no pack, for it has no {INDEX}. `vidnas pack` makes one.")
    stat = (root / INDEX).stat()
    return _opened(root, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=MOST_OPEN)
def _opened(root: Path, _mtime_ns: int, _size: int) -> Pack:
    return Pack(root)


def _footage(path: Path) -> Footage | None:
    """The clip in the pack that one of the folders is through which the path goes."""
    root = None if path.exists() else next(filter(_is_pack, path.parents), None)
    if root is None:
        return None
    pack, name = open_pack(root), path.relative_to(root).as_posix()
    return Footage(
        exists=lambda: name in pack.rows,
        scan=partial(pack.verify, name),
        read_frames=partial(pack.read_frames, name),
        told=partial(pack.info, name),
        size_bytes=lambda: pack.source(name).source_bytes,
        fingerprint=lambda: pack.source(name).fingerprint,
        short_side_px=pack.index.facts["short_side_px"],
        require_side=partial(pack.frame_size, name),
    )


def _tree(root: Path) -> Tree:
    index = open_pack(root).index
    return tree_of_names(root, [*index.names, *index.facts["lists"]])


def _index(root: Path) -> VideoIndex:
    """The clips of data that had no official lists: as these were read when the pack was made."""
    index, parts = open_pack(root).index, {"train": list[Item](), "test": list[Item]()}
    labels = index.columns["label"].tolist()
    for name, label, part, group in zip(index.names, labels, index.parts, index.groups, strict=True):
        parts[part].append(Item(root / name, label, group or None))
    facts = index.facts
    kept = "every frame" if facts["frames"] is None else f"{counted(facts['frames'], 'frame')} a clip"
    size = f"short side {facts['short_side_px']} px, JPEG quality {facts['quality']}"
    note = f"Read the pack {root}: {kept}, {size}."
    return VideoIndex(tuple(facts["classes"]), tuple(parts["train"]), tuple(parts["test"]), (note,))


PACKS = Store(
    footage=_footage,
    owns=_is_pack,
    tree=_tree,
    layout=lambda root: str(open_pack(root).index.facts["layout"]),
    index=_index,
    name="a pack",
    accepted="what `vidnas pack` has written",
)
"""What make/packing.py has written."""
