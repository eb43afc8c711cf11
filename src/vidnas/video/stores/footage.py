"""The frames of a clip, wherever it lies: every question goes to its store, a row of `STORES`."""

import hashlib
import os
from collections.abc import Generator, Hashable, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from vidnas.errors import UserError
from vidnas.shapes import Frames
from vidnas.video.stores import decode
from vidnas.video.stores.decode import Frame, VideoInfo
from vidnas.video.stores.pack import PACKS
from vidnas.video.stores.pictures import PICTURES
from vidnas.video.stores.remote import MIRRORS
from vidnas.video.stores.shards import FINGERPRINT_BYTES
from vidnas.video.stores.store import Footage, Store

_HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20


def _file(path: Path) -> Footage:
    return Footage(
        exists=path.exists,
        scan=partial(decode.scan_video, path),
        read_frames=partial(decode.read_frames, path),
        files=lambda: [path],
    )


FILES = Store(footage=_file, owns=lambda _: True)
"""Video files of this machine, in folders or lists."""
STORES = (PACKS, PICTURES, MIRRORS, FILES)
"""Where frames may lie: the first that knows a clip, or owns a folder of data, answers for it."""


def store_of(data: Path) -> Store:
    """The store of a folder of data, or of a list."""
    return next(store for store in STORES if store.owns(data))


def footage_of(path: Path) -> Footage:
    """The clip of a path, be it there or not."""
    return next(clip for store in STORES if (clip := store.footage(path)) is not None)


def read_frames(
    path: Path, indices: Sequence[int] | None, *, short_side_px: int | None
) -> Generator[Frame, None, None]:
    """The frames numbered `indices` (ascending from 0), each once, or all of them for None: RGB and upright.

    They are resized, bilinearly and keeping the aspect, until the short side is `short_side_px`; None leaves
    their size alone. UserError if the clip ends before or cannot be read.
    """
    return footage_of(path).read_frames(indices, short_side_px)


def decode_frames(path: Path, indices: Sequence[int], *, short_side_px: int | None) -> Frames:
    """The frames numbered `indices` (ascending from 0, repeats allowed), as `read_frames` gives them."""
    with closing(read_frames(path, indices, short_side_px=short_side_px)) as frames:
        images = {frame.index: frame.image for frame in frames}
    return np.stack([images[index] for index in indices])


def require_side(paths: Iterable[Path], short_side_px: int) -> None:
    """UserError where these clips of one data set are too small in their store for this short side."""
    for path in paths:
        clip = footage_of(path)
        if _suffices(clip, short_side_px):
            return
        clip.require_side(short_side_px)


def side_within(path: Path, short_side_px: int) -> int | None:
    """A short side with which the clip can be read: this, or None, its own, where it may be smaller."""
    return short_side_px if _suffices(footage_of(path), short_side_px) else None


def _suffices(clip: Footage, short_side_px: int) -> bool:
    return clip.short_side_px is None or clip.short_side_px >= short_side_px


def scan(path: Path) -> VideoInfo:
    """Read a clip to its end once; UserError where it cannot be used."""
    return footage_of(path).scan()


def told(path: Path) -> VideoInfo | UserError | None:
    """What the store knows of a clip without reading it; None where it must be read."""
    clip = None if path.exists() else footage_of(path)
    try:
        return clip.told() if clip and clip.told else None
    except UserError as error:
        return error


def exists(path: Path) -> bool:
    """Whether there is such a clip: a file, a folder with frames, or what another store has."""
    return path.is_file() or footage_of(path).exists()


def identity(path: Path) -> Hashable:
    """One for all links to a file; what is in a pack or on another machine has none but its path."""
    try:
        stat = path.stat()
    except OSError:
        return os.path.normpath(path)
    return stat.st_dev, stat.st_ino


def state_of(path: Path) -> tuple[int, int] | None:
    """Size in bytes and time of the last change in ns; None where nothing is there, or can be kept of it.

    A folder of frames is as large as its frames, and changes with each of them. Of a file on another machine
    only the size is known.
    """
    clip = footage_of(path)
    try:
        if clip.told:
            return None
        if clip.size_bytes:
            return clip.size_bytes(), 0
        stats = [file.stat() for file in clip.files()]
        changes = [path.stat().st_mtime_ns, *(stat.st_mtime_ns for stat in stats)]
    except (OSError, ValueError, UserError):  # ValueError: a name that no file can have
        return None
    return sum(stat.st_size for stat in stats), max(changes)


def size_bytes(path: Path) -> int:
    """Bytes of a video, or of all frames in a folder; of a packed clip those of its source."""
    clip = footage_of(path)
    return clip.size_bytes() if clip.size_bytes else sum(file.stat().st_size for file in clip.files())


def fingerprint(path: Path) -> bytes:
    """Digest of the beginning and the end: with equal sizes it tells clips apart, without reading all."""
    clip = footage_of(path)
    if clip.fingerprint:
        return clip.fingerprint()
    try:
        with clip.files()[0].open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _HEAD_BYTES))
            head += file.read()
    except (OSError, IndexError, UserError):  # which the scan of the videos will report
        head = bytes(path)
    return hashlib.blake2b(head, digest_size=FINGERPRINT_BYTES).digest()


def content_digest(path: Path) -> bytes:
    """Digest of all bytes of a clip; of a packed one its fingerprint. OSError where it cannot be read."""
    clip = footage_of(path)
    if clip.fingerprint:
        return clip.fingerprint()
    digest = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
    for part in clip.files():
        with part.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.digest()
