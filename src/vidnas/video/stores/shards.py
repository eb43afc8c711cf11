"""Packed clips as files: shards of JPEG frames one behind the other, and one index of them.

A shard begins with a line of its own and its identity; then come the frames of its clips. The index holds,
for every clip, what a scan of the source told, and for every frame its length and checksum; it is a NumPy
archive behind its own checksum. So whatever was cut, exchanged or changed by a bit is noticed by whoever
reads it, and named.
"""

import hashlib
import io
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vidnas.atomic import write_whole
from vidnas.errors import UserError, shown
from vidnas.video.stores.decode import VideoInfo

INDEX = "pack.index"
FORMAT, VERSION = "vidnas-pack", 1
INDEX_HEAD = b"vidnas pack index\n"
DIGEST_BYTES = 32
HEAD = b"vidnas shard 1\n\0"
ID_BYTES = FINGERPRINT_BYTES = 16
FIRST_FRAME = len(HEAD) + ID_BYTES
"""Where in a shard the first frame begins."""
AGAIN = "Restore it from a copy, or remove the folder and pack the videos again."

Integers = npt.NDArray[np.integer[Any]]


def shard_name(number: int) -> str:
    """The file of a shard."""
    return f"shard-{number:05}.jpegs"


def shard_id(plan: str, number: int) -> bytes:
    """What a shard of this plan begins with, so that no other can stand in its place unnoticed."""
    return hashlib.blake2b(f"{plan} {number}".encode(), digest_size=ID_BYTES).digest()


@dataclass(frozen=True)
class PackedClip:
    """A clip: its name relative to the data, how the source is, and where its frames are.

    `source_bytes` and `fingerprint` tell which file it was; `label`, `part` and `group` are what a layout
    without official lists says of it. `lengths` and `checksums` have a number for every packed frame.
    """

    name: str
    info: VideoInfo
    source_bytes: int
    fingerprint: bytes
    label: int = -1
    part: str = ""
    group: str | None = None
    shard: int = -1
    offset: int = -1
    lengths: Integers = field(default_factory=lambda: np.zeros(0, np.uint32))
    checksums: Integers = field(default_factory=lambda: np.zeros(0, np.uint32))


_NUMBERS = ("source_bytes", "label", "shard", "offset")
_OF_SOURCE = ("num_frames", "width_px", "height_px")
_TEXTS = ("name", "part", "group")
_OF_FRAMES = ("lengths", "checksums")


class PackIndex:
    """All clips of a pack, column by column: a clip becomes an object when it is asked for.

    `facts` has the settings and what could not be packed (make/packing.py), `shard_bytes` the size of every
    shard.
    """

    def __init__(self, facts: dict[str, Any], columns: dict[str, Any]) -> None:
        self.facts = facts
        self.columns = columns
        self.names, self.parts, self.groups = (_texts(columns[name]) for name in _TEXTS)
        self.shard_bytes: list[int] = columns["shard_bytes"].tolist()
        self._ends = np.cumsum(columns["packed"])

    def __len__(self) -> int:
        return len(self.names)

    def clip(self, i: int) -> PackedClip:
        """The clip in row i."""
        own = slice(int(self._ends[i] - self.columns["packed"][i]), int(self._ends[i]))
        own_numbers: dict[str, Any] = {name: int(self.columns[name][i]) for name in _NUMBERS}
        of_source: dict[str, Any] = {name: int(self.columns[name][i]) for name in _OF_SOURCE}
        return PackedClip(
            name=self.names[i],
            info=VideoInfo(**of_source, duration_sec=float(self.columns["duration_sec"][i])),
            fingerprint=self.columns["fingerprint"][i].tobytes(),
            part=self.parts[i],
            group=self.groups[i] or None,
            **own_numbers,
            **{name: self.columns[name][own] for name in _OF_FRAMES},
        )


def make_index(facts: dict[str, Any], clips: Sequence[PackedClip], shard_bytes: Sequence[int]) -> PackIndex:
    """An index of these clips."""
    none = np.zeros(0, np.uint32)
    columns: dict[str, Any] = {
        **{name: np.array([getattr(clip, name) for clip in clips], np.int64) for name in _NUMBERS},
        **{name: np.array([getattr(clip.info, name) for clip in clips], np.int64) for name in _OF_SOURCE},
        **{name: _text([getattr(clip, name) or "" for clip in clips]) for name in _TEXTS},
        **{name: np.concatenate([none, *(getattr(clip, name) for clip in clips)]) for name in _OF_FRAMES},
    }
    columns["duration_sec"] = np.array([clip.info.duration_sec for clip in clips], np.float64)
    columns["packed"] = np.array([len(clip.lengths) for clip in clips], np.int64)
    prints = b"".join(clip.fingerprint for clip in clips)
    columns["fingerprint"] = np.frombuffer(prints, np.uint8).reshape(len(clips), FINGERPRINT_BYTES)
    columns["shard_bytes"] = np.array(shard_bytes, np.int64)
    return PackIndex(facts, columns)


def write_index(index: PackIndex, file: Path) -> None:
    """Write an index, whole or not at all."""
    facts = json.dumps({"format": FORMAT, "version": VERSION, **index.facts})
    archive = io.BytesIO()
    np.savez(archive, facts=_text([facts]), **index.columns)
    write_whole(file, INDEX_HEAD + _digest(archive.getvalue()) + archive.getvalue())


def read_index(file: Path) -> PackIndex:
    """What `write_index` has written; UserError where it is missing, damaged, or of another version."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"{shown(file)} cannot be read: {error.strerror or error}. {AGAIN}") from error
    start = len(INDEX_HEAD) + DIGEST_BYTES
    archive = content[start:]
    if content[:start] != INDEX_HEAD + _digest(archive):
        raise UserError(f"{shown(file)} is damaged: it is not as it was written. {AGAIN}")
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        columns = {name: arrays[name] for name in arrays.files}
    facts = json.loads(_texts(columns.pop("facts"))[0])
    if (facts.pop("format"), facts.pop("version")) != (FORMAT, VERSION):
        raise UserError(f"{shown(file)} was written by another version of vidnas. Pack the videos again.")
    return PackIndex(facts, columns)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def _text(values: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Texts as bytes, each ended by a zero: arrays of texts would take the room of the longest for each."""
    return np.frombuffer("".join(f"{value}\0" for value in values).encode(), np.uint8)


def _texts(array: npt.NDArray[np.uint8]) -> list[str]:
    return array.tobytes().decode().split("\0")[:-1]


def require_size(shard: Path, expected_bytes: int) -> None:
    """UserError where a shard is missing or has another length than it was written with."""
    try:
        size = shard.stat().st_size
    except OSError as error:
        raise UserError(f"{shown(shard)} cannot be read: {error.strerror}. {AGAIN}") from error
    if size != expected_bytes:
        raise UserError(f"{shown(shard)} has {size} bytes instead of {expected_bytes}. {AGAIN}")


class ShardFile:
    """An open shard; UserError where it is missing, of another length than was written, or another one."""

    def __init__(self, path: Path, expected_bytes: int, identity: bytes) -> None:
        self.path = path
        require_size(path, expected_bytes)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise UserError(f"{shown(path)} cannot be read: {error.strerror}. {AGAIN}") from error
        if os.pread(self._descriptor, FIRST_FRAME, 0) != HEAD + identity:
            self.close()
            raise UserError(f"{shown(path)} is not the shard that belongs there. {AGAIN}")

    def frame(self, clip: PackedClip, index: int, offset: int) -> bytes:
        """The JPEG of a clip's packed frame; UserError where it is not what was written."""
        content = os.pread(self._descriptor, int(clip.lengths[index]), offset)
        if zlib.crc32(content) != int(clip.checksums[index]):
            raise UserError(
                f"{shown(self.path)} is damaged: frame {index} of {clip.name} has changed. {AGAIN}"
            )
        return content

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
