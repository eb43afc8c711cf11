"""The frames of a clip, whatever it is stored as: a video file, a folder of frames, or a part of a pack."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from vidnas.errors import UserError
from vidnas.shapes import Frames
from vidnas.video.stores import decode, pictures, remote
from vidnas.video.stores.decode import Frame, VideoInfo
from vidnas.video.stores.pack import Pack, pack_below
from vidnas.video.stores.shards import FINGERPRINT_BYTES

_HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20


def read_frames(
    path: Path, indices: Sequence[int] | None, *, short_side_px: int | None
) -> Generator[Frame, None, None]:
    """The frames numbered `indices` (ascending from 0), each once, or all of them for None: RGB and upright.

    They are resized, bilinearly and keeping the aspect, until the short side is `short_side_px`; None leaves
    their size alone. UserError if the clip ends before or cannot be read.
    """
    packed = _packed(path)
    if packed:
        pack, name = packed
        return pack.read_frames(name, indices, short_side_px=short_side_px)
    if path.is_dir():
        return pictures.read_frames(path, indices, short_side_px=short_side_px)
    return decode.read_frames(remote.fetched(path), indices, short_side_px=short_side_px)


def decode_frames(path: Path, indices: Sequence[int], *, short_side_px: int | None) -> Frames:
    """The frames numbered `indices` (ascending from 0, repeats allowed), as `read_frames` gives them."""
    with closing(read_frames(path, indices, short_side_px=short_side_px)) as frames:
        images = {frame.index: frame.image for frame in frames}
    return np.stack([images[index] for index in indices])


def require_side(paths: Iterable[Path], short_side_px: int) -> None:
    """UserError where these clips of one data set are in a pack and cannot be read with this short side."""
    for path in paths:
        packed = _packed(path)
        if packed is None or packed[0].suffices(short_side_px):
            return
        packed[0].frame_size(packed[1], short_side_px)


def side_within(path: Path, short_side_px: int) -> int | None:
    """A short side with which the clip can be read: this, or None, its own, where a pack has it smaller."""
    packed = _packed(path)
    return short_side_px if packed is None or packed[0].suffices(short_side_px) else None


def scan(path: Path) -> VideoInfo:
    """Read a clip to its end once; UserError where it cannot be used."""
    packed = _packed(path)
    if packed:
        pack, name = packed
        return pack.verify(name)
    return pictures.scan_pictures(path) if path.is_dir() else decode.scan_video(remote.fetched(path))


def told(path: Path) -> VideoInfo | UserError | None:
    """What a pack tells of a clip, without reading it; None where it is in none."""
    packed = _packed(path)
    if packed is None:
        return None
    pack, name = packed
    try:
        return pack.info(name)
    except UserError as error:
        return error


def exists(path: Path) -> bool:
    """Whether there is such a clip: a file, a folder, a part of a pack, a file of a mirror's."""
    packed = _packed(path)
    return packed[0].holds(packed[1]) if packed else path.exists() or remote.is_there(path)


def _packed(path: Path) -> tuple[Pack, str] | None:
    return None if path.exists() else pack_below(path)


def state_of(path: Path) -> tuple[int, int] | None:
    """Size in bytes and time of the last change in ns; None where nothing is there.

    A folder of frames is as large as its frames, and changes with each of them. Of a mirror's file only the
    size is known.
    """
    there = _size_there(path)
    if there is not None:
        return there, 0
    try:
        stats = [file.stat() for file in _files_of(path)]
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    changes = [stat.st_mtime_ns for stat in stats]
    if path.is_dir():
        changes.append(path.stat().st_mtime_ns)
    return sum(stat.st_size for stat in stats), max(changes)


def size_bytes(path: Path) -> int:
    """Bytes of a video, or of all frames in a folder; of a packed clip those of its source."""
    packed = _packed(path)
    if packed:
        return packed[0].source(packed[1]).source_bytes
    there = remote.size_there(path)
    if there is not None:
        return there
    return sum(file.stat().st_size for file in _files_of(path))


def fingerprint(path: Path) -> bytes:
    """Digest of the beginning and the end: with equal sizes it tells clips apart, without reading all."""
    packed = _packed(path)
    if packed:
        return packed[0].source(packed[1]).fingerprint
    try:
        with _files_of(remote.fetched(path))[0].open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _HEAD_BYTES))
            head += file.read()
    except (OSError, IndexError, UserError):  # which the scan of the videos will report
        head = bytes(path)
    return hashlib.blake2b(head, digest_size=FINGERPRINT_BYTES).digest()


def content_digest(path: Path) -> bytes:
    """Digest of all bytes of a clip; of a packed one its fingerprint. OSError where it cannot be read."""
    packed = _packed(path)
    if packed:
        return packed[0].source(packed[1]).fingerprint
    digest = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
    for part in _files_of(remote.fetched(path)):
        with part.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.digest()


def _size_there(path: Path) -> int | None:
    try:
        return remote.size_there(path)
    except UserError:
        return None


def _files_of(path: Path) -> list[Path]:
    return [path / name for name in pictures.picture_names(path)] if path.is_dir() else [path]
