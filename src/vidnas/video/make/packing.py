"""Writes packs: every clip decoded once, its frames kept as JPEG.

Shards are written one by one, each by one process, whole or not at all; what belongs to it in the index lies
beside it until all are there. So a packing that was ended in any way goes on where it was.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from pebble import ProcessExpired

from vidnas.atomic import write_whole
from vidnas.errors import UserError
from vidnas.video.clips.sampling import even_indices
from vidnas.video.processes.heartbeat import LIMIT_SEC, limited
from vidnas.video.processes.workers import CONTEXT
from vidnas.video.scan.scans import decoding_pool, what_it_did
from vidnas.video.stores import footage
from vidnas.video.stores.decode import READING
from vidnas.video.stores.shards import (
    HEAD,
    INDEX,
    PackedClip,
    PackIndex,
    make_index,
    read_index,
    shard_id,
    shard_name,
    write_index,
)

PLAN = "plan.json"
BYTES_A_PIXEL = 0.5
"""About what a pixel takes in a JPEG of quality 90; at 75 it is two thirds of that."""
FEWEST_SHARDS = 32
"""So many at least, so that all processes have work until the end."""
POLL_SEC = 0.2


@dataclass(frozen=True)
class Quality:
    """How frames are kept: their short side, pixels (of smaller videos their own), and JPEG's quality.

    `frames` is how many evenly spaced ones of each clip; None keeps all.
    """

    short_side_px: int
    quality: int
    frames: int | None


@dataclass(frozen=True)
class _Job:
    """A shard to write: clips as a scan found them, with the files or folders that they are."""

    out: Path
    plan: str
    number: int
    quality: Quality
    clips: tuple[tuple[Path, PackedClip], ...]


class Packing:
    """A pack in the making in the folder `out`: `plan` stands for everything that enters it."""

    def __init__(
        self,
        out: Path,
        quality: Quality,
        clips: Sequence[tuple[Path, PackedClip]],
        facts: dict[str, Any],
        *,
        shard_bytes: int,
    ) -> None:
        """`clips` are those that can be packed and, without a frame, those that cannot."""
        self.out = out
        self.quality = quality
        named = [
            (c.name, c.source_bytes, c.fingerprint.hex(), c.info.num_frames, c.label, c.part, c.group)
            for _, c in clips
        ]
        content = json.dumps([READING, asdict(quality), facts, named, shard_bytes])
        self.plan = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        self.facts = {**facts, **asdict(quality), "plan": self.plan}
        self.bad = [clip for _, clip in clips if not clip.info.num_frames]
        self.jobs = self._jobs([pair for pair in clips if pair[1].info.num_frames], shard_bytes)

    def begin(self) -> bool:
        """Make the folder ready, or find it so; whether the pack is complete already.

        UserError where it holds anything but the beginning of this very pack.
        """
        if (self.out / INDEX).is_file():
            self._require_same(read_index(self.out / INDEX).facts.get("plan"))
            self._clear()
            return True
        if (self.out / PLAN).is_file():
            with suppress(ValueError, OSError):
                begun = json.loads((self.out / PLAN).read_text()).get("plan")
                self._require_same(begun)
                return False
        if self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            raise UserError(f"--out {self.out} is not empty, and no pack. Name a new folder.")
        self.out.mkdir(parents=True, exist_ok=True)
        write_whole(self.out / PLAN, json.dumps({"plan": self.plan}).encode())
        return False

    def unfinished(self) -> list[_Job]:
        """The shards that are still to be written."""
        return [job for job in self.jobs if self._piece(job.number) is None]

    def finish(self) -> PackIndex:
        """Write the index of all shards; the pack is complete then."""
        clips, sizes = list(self.bad), []
        for job in self.jobs:
            piece = self._piece(job.number)
            assert piece is not None
            clips += [piece.clip(row) for row in range(len(piece))]
            sizes += piece.shard_bytes
        index = make_index(self.facts, sorted(clips, key=lambda clip: clip.name.split("/")), sizes)
        write_index(index, self.out / INDEX)
        self._clear()
        return index

    def _clear(self) -> None:
        """Remove what the complete pack does not need."""
        for name in (PLAN, *(_piece_name(job.number) for job in self.jobs)):
            (self.out / name).unlink(missing_ok=True)

    def _require_same(self, plan: object) -> None:
        if plan != self.plan:
            raise UserError(
                f"--out {self.out} holds a pack of other videos or with other settings, or one of an earlier "
                "version of vidnas. Name a new folder, or remove that one."
            )

    def _piece(self, number: int) -> PackIndex | None:
        """The index of a shard that has been written."""
        try:
            piece = read_index(self.out / _piece_name(number))
            size = (self.out / shard_name(number)).stat().st_size
        except (UserError, OSError):
            return None
        return piece if (piece.facts.get("plan"), piece.shard_bytes) == (self.plan, [size]) else None

    def _jobs(self, clips: Sequence[tuple[Path, PackedClip]], shard_bytes: int) -> list[_Job]:
        sizes = [expected_bytes(clip, self.quality) for _, clip in clips]
        limit = min(shard_bytes, max(1, sum(sizes) // FEWEST_SHARDS))
        shards: list[list[tuple[Path, PackedClip]]] = []
        room = 0
        for pair, size in zip(clips, sizes, strict=True):
            if not shards or room < size / 2:
                shards.append([])
                room = limit
            shards[-1].append(pair)
            room -= size
        return [_Job(self.out, self.plan, n, self.quality, tuple(own)) for n, own in enumerate(shards)]


def expected_bytes(clip: PackedClip, quality: Quality) -> int:
    """About how many bytes a clip will take."""
    info = clip.info
    frames = info.num_frames if quality.frames is None else min(info.num_frames, quality.frames)
    scale = min(1.0, quality.short_side_px / max(1, min(info.width_px, info.height_px)))
    return round(frames * info.width_px * info.height_px * scale**2 * BYTES_A_PIXEL)


def write_shards(
    jobs: Sequence[_Job],
    *,
    workers: int,
    progress: Callable[[int], object],
    limit_sec: float = LIMIT_SEC,
) -> None:
    """Write shards in so many processes, or in this one for 0; `progress(n)` is called after n frames or so.

    UserError where one fails, or its decoder computes, or waits, for a frame longer than `limit_sec`; those
    that were written stay.
    """
    done = CONTEXT.Value("q", 0)
    if workers == 0:
        _count_in(done)
        for job in jobs:
            before = done.value
            _write_shard(job, None)
            progress(done.value - before)
        return
    with decoding_pool(min(workers, len(jobs)), _count_in, done) as pool:
        futures: dict[Future[None], _Job]
        futures = {pool.schedule(_write_shard, (job, limit_sec)): job for job in jobs}
        waiting: set[Future[None]] = set(futures)
        told = 0
        while waiting:
            finished, waiting = wait(waiting, timeout=POLL_SEC)
            for future in finished:
                try:
                    future.result()
                except ProcessExpired as error:
                    clips = futures[future].clips
                    which = f"One of the clips from {clips[0][1].name} to {clips[-1][1].name}"
                    raise UserError(f"{which} {what_it_did(error, limit_sec)}") from error
            progress(done.value - told)
            told = done.value


_done: Any = None
"""Where a worker counts the frames that it has packed: shared memory, which no task can be handed."""


def _count_in(done: Any) -> None:
    global _done
    _done = done


def _write_shard(job: _Job, limit_sec: float | None) -> None:
    """In a worker: the shard, then its piece of the index."""
    path = job.out / shard_name(job.number)
    unfinished = path.with_name(path.name + ".partial")
    clips = []
    try:
        with unfinished.open("wb") as file:
            file.write(HEAD + shard_id(job.plan, job.number))
            for source, clip in job.clips:
                offset, lengths, checksums = file.tell(), [], []
                with nullcontext() if limit_sec is None else limited(limit_sec):
                    for content in _jpegs(source, clip, job.quality):
                        file.write(content)
                        lengths.append(len(content))
                        checksums.append(zlib.crc32(content))
                clips.append(
                    replace(
                        clip,
                        shard=job.number,
                        offset=offset,
                        lengths=np.array(lengths, np.uint32),
                        checksums=np.array(checksums, np.uint32),
                    )
                )
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error
    write_index(make_index({"plan": job.plan}, clips, [size]), job.out / _piece_name(job.number))


def _jpegs(source: Path, clip: PackedClip, quality: Quality) -> Iterator[bytes]:
    info = clip.info
    indices: Sequence[int] = range(info.num_frames)
    if quality.frames is not None:
        indices = sorted(set(even_indices(info.num_frames, 1, quality.frames)))
    short_side_px = min(quality.short_side_px, info.width_px, info.height_px)
    for frame in footage.read_frames(source, indices, short_side_px=short_side_px):
        yield simplejpeg.encode_jpeg(
            frame.image, quality=quality.quality, colorsubsampling="420", fastdct=True
        )
        with _done.get_lock():
            _done.value += 1


def _piece_name(number: int) -> str:
    return f"{shard_name(number)}.index"
