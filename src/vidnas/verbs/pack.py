"""The verb `pack`: every video decoded once, its frames kept in a form that trainings read fast."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from vidnas import console
from vidnas.assembly import videos
from vidnas.config.data import PackConfig
from vidnas.errors import UserError, are, counted, shown
from vidnas.video.index.contents import read_every_split
from vidnas.video.index.located import Contents
from vidnas.video.index.sources import Source
from vidnas.video.items import Item
from vidnas.video.make.packing import Packing, Quality, expected_bytes, write_shards
from vidnas.video.scan.scans import Scan, scan_videos
from vidnas.video.stores import footage
from vidnas.video.stores.decode import VideoInfo
from vidnas.video.stores.pack import open_pack
from vidnas.video.stores.shards import PackedClip

NOTHING = VideoInfo(0, 0, 0, 0.0)
"""Of a video that cannot be used."""


@dataclass(frozen=True)
class PackResult:
    """A pack: how many clips, what could not be packed, the bytes of both sides, and all of it as text."""

    num_clips: int
    faults: tuple[str, ...]
    source_bytes: int
    packed_bytes: int
    text: str


def run_pack(config: PackConfig) -> PackResult:
    """Pack the videos of `config.data`, or go on with it; with `verify` read all of it again.

    UserError where the data are no data set, a clip is listed but missing, or the pack is damaged.
    """
    out = Path(config.out).expanduser().absolute()
    if config.data:
        _pack(config, out)
    pack = open_pack(out)
    index = pack.index
    if config.verify:
        _verify(out, [name for name in index.names if name not in pack.faults], config)
    faults = tuple(pack.faults.values())
    source, packed = int(index.columns["source_bytes"].sum()), sum(index.shard_bytes)
    good = len(index) - len(faults)
    num_frames = int(index.columns["packed"].sum())
    lines = [
        f"{out}: {counted(good, 'clip')}, {counted(num_frames, 'frame')} in "
        f"{counted(len(index.shard_bytes), 'shard')}, {packed / 1e6:,.1f} MB; "
        f"their sources have {source / 1e6:,.1f} MB."
    ]
    if faults:
        lines.append(f"Careful: {counted(len(faults), 'video')} could not be packed:{videos.listed(faults)}")
    if config.verify:
        lines.append("Every frame is as it was written.")
    return PackResult(good, faults, source, packed, "\n".join(lines))


def _pack(config: PackConfig, out: Path) -> None:
    source = videos.source_of(config)
    contents, layout = read_every_split(source)
    if contents.missing:
        missing = videos.listed([str(one) for one in contents.missing])
        raise UserError(f"Listed but missing:{missing}\nRestore them, or mend the list.")
    items = (*contents.index.train, *contents.index.test)
    names = _names(items, source)
    scans, _ = videos.scan_all(items, config)
    faults = {name: str(scan) for name, scan in zip(names, scans, strict=True) if isinstance(scan, UserError)}
    if faults and (config.on_bad == "raise" or len(faults) == len(items)):
        told = videos.listed(list(faults.values()))
        raise UserError(f"{len(faults)} of {counted(len(items), 'video')} cannot be used:{told}")
    lists = {path: _relative(path, source) for path in contents.lists} if layout.splits else {}
    facts = {
        "layout": layout.name,
        "classes": contents.index.classes,
        "lists": {
            name: hashlib.blake2b(p.read_bytes(), digest_size=16).hexdigest() for p, name in lists.items()
        },
        "faults": faults,
    }
    clips = _clips(contents, names, scans)
    quality = Quality(config.short_side_px, config.quality, config.frames)
    packing = Packing(out, quality, clips, facts, shard_bytes=config.shard_mib << 20)
    with _locked(out):
        if packing.begin():
            return
        for path, name in lists.items():
            target = out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        jobs = packing.unfinished()
        todo = [clip for job in jobs for _, clip in job.clips]
        _check_room(out, sum(expected_bytes(clip, quality) for clip in todo))
        frames = sum(min(clip.info.num_frames, config.frames or clip.info.num_frames) for clip in todo)
        with console.bar(total=frames, label="Packing", unit="frame") as bar:
            write_shards(jobs, workers=config.workers, progress=bar.update, limit_sec=config.scan_limit_sec)
        packing.finish()


def _names(items: Sequence[Item], source: Source) -> list[str]:
    """What each clip is called in the pack; UserError where two would have one name."""
    first: dict[str, Path] = {}
    for item in items:
        name = _relative(item.path, source)
        if first.setdefault(name, item.path) is not item.path:
            raise UserError(f"{first[name]} and {item.path} would both be {name} in the pack. Rename one.")
    return list(first)


def _relative(path: Path, source: Source) -> str:
    """A path relative to the data or one of the roots; UserError where it is below none of them."""
    data = source.data if source.data.is_dir() else source.data.parent
    for root in (data, *source.roots):
        if path.is_relative_to(root) and ".." not in path.relative_to(root).parts:
            return path.relative_to(root).as_posix()
    raise UserError(
        f"{shown(path)} lies outside the data. Name the folder that it is below as one of --roots."
    )


def _clips(contents: Contents, names: Sequence[str], scans: Sequence[Scan]) -> list[tuple[Path, PackedClip]]:
    clips = []
    items = (*contents.index.train, *contents.index.test)
    for number, (item, name, scan) in enumerate(zip(items, names, scans, strict=True)):
        clip = PackedClip(
            name=name,
            info=NOTHING if isinstance(scan, UserError) else scan,
            source_bytes=_size(item.path),
            fingerprint=footage.fingerprint(item.path),
            label=item.label,
            part="train" if number < len(contents.index.train) else "test",
            group=item.group,
        )
        clips.append((item.path, clip))
    return clips


def _size(path: Path) -> int:
    try:
        return footage.size_bytes(path)
    except (OSError, UserError):
        return 0


def _check_room(out: Path, needed: int) -> None:
    free = shutil.disk_usage(out).free
    if needed > free:
        raise UserError(
            f"The pack needs about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in {out}. Use "
            "--frames to keep some of each clip, a lower --quality or --short-side-px, or another disk."
        )


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keeps a second packing out of the folder."""
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file. Name a new folder.")
    name = hashlib.blake2b(os.fsencode(os.path.realpath(out)), digest_size=8).hexdigest()
    lock = FileLock(platformdirs.user_cache_path("vidnas", ensure_exists=True) / f"pack-{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"Another process is packing into {out}.") from error
    try:
        yield
    finally:
        lock.release()


def _verify(out: Path, names: Sequence[str], config: PackConfig) -> None:
    """UserError that lists the clips with changed frames."""
    with console.bar(total=len(names), label="Verifying", unit="clip") as bar:
        scans = scan_videos(
            [out / name for name in names],
            workers=config.workers,
            progress=bar.update,
            limit_sec=config.scan_limit_sec,
        )
    faults = [str(scan) for scan in scans if isinstance(scan, UserError)]
    if faults:
        share = f"{len(faults)} of {counted(len(names), 'clip')} {are(len(faults))}"
        raise UserError(f"{share} damaged:{videos.listed(faults)}")
