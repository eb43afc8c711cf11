"""The videos of a run: found, scanned, turned into clips."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import platformdirs
import torch

from vidnas import console
from vidnas.config.learning import RecipeConfig, SearchConfig, TrainConfig
from vidnas.config.parts import BUILTIN, Data, DividedData, UsedData
from vidnas.errors import UserError, counted
from vidnas.runs.log import RunLog
from vidnas.training.memory import free_bytes
from vidnas.video.clips.cache import FrameCache, can_share
from vidnas.video.clips.datasets import TestClips, TrainClips
from vidnas.video.clips.transforms import scaled_short_side
from vidnas.video.index.division import divide
from vidnas.video.index.index import direction_classes, index_new_videos, index_videos
from vidnas.video.index.sources import Source, is_address
from vidnas.video.index.tables import parse_columns
from vidnas.video.items import Item, VideoIndex
from vidnas.video.make.synthetic import VERSION, write_clips
from vidnas.video.scan.scan_index import ScanIndex, scan_indexed
from vidnas.video.scan.scans import Scan, Scanned, sort_out
from vidnas.video.stores.decode import VideoInfo
from vidnas.video.stores.remote import mirror
from vidnas.video.stores.upright import scaled_size

MAX_LISTED = 20
MB = 1e6
CACHE_SHARE = 0.25
"""Share of the free memory that decoded frames may take."""
UNEVEN = 3
"""How many times as many videos one class must have as another for it to be told."""
Part = Literal["train", "test"]
TEST_SPLIT_SEED = 0
"""A test split that is made must not depend on the run's seed: every verb must find the same test videos."""


def scan(
    index: VideoIndex,
    config: UsedData,
    *,
    parts: Sequence[Part] = ("train", "test"),
) -> Scanned:
    """Decode the videos of these parts once, except those that the index file beside them knows.

    Where some cannot be used, `config.on_bad` decides: one UserError lists them, or they are left out of the
    parts (which stay divided as they are) as long as every class keeps some.
    """
    chosen = [item for part in parts for item in getattr(index, part)]
    scans, store = scan_all(chosen, config)
    infos, bad = sort_out(chosen, scans)
    if bad and config.on_bad == "raise":
        raise UserError(
            f"{len(bad)} of {counted(len(chosen), 'video')} cannot be used:{listed(bad)}\n"
            f"Mend them or take them out (`vidnas check --data {shlex.quote(config.data)}` looks at all), or "
            "use --on-bad skip to go on without them."
        )
    notes = list(index.notes)
    if bad:
        videos = counted(len(chosen), "video")
        notes.append(f"Skipped: {len(bad)} of {videos}, which cannot be used. The end lists them.")
    if store.note:
        notes.append(store.note)
    good = {part: _good(index, part, infos, bad) for part in parts}
    return Scanned(replace(index, **good, notes=tuple(notes)), infos, tuple(bad))  # type: ignore[arg-type]


def _good(
    index: VideoIndex, part: Part, infos: Mapping[Path, VideoInfo], bad: Sequence[str]
) -> tuple[Item, ...]:
    """The good videos of a part; UserError where a class has lost its last one."""
    items: tuple[Item, ...] = getattr(index, part)
    good = tuple(item for item in items if item.path in infos)
    lost = {item.label for item in items} - {item.label for item in good}
    if lost:
        names = ", ".join(index.classes[label] for label in sorted(lost))
        raise UserError(
            f"No {'training' if part == 'train' else 'test'} video of {names} can be used:{listed(bad)}\n"
            "Every class needs one: mend or replace some of them."
        )
    return good


def scan_all(items: Sequence[Item], config: Data, *, afresh: bool = False) -> tuple[list[Scan], ScanIndex]:
    """Decode these videos of `config.data`; unless `afresh`, those alone that the index file does not know.

    That file, which comes second, lies beside them or in the user's cache.
    """
    data = data_path(config.data)
    cache = Path(platformdirs.user_cache_dir("vidnas")) / "indexes"
    store = ScanIndex(data.parent if data.is_file() else data, cache)
    with console.bar(total=len(items), label="Checking videos", unit="video") as bar:
        scans = scan_indexed(
            [item.path for item in items],
            store,
            workers=config.workers,
            progress=bar.update,
            afresh=afresh,
            limit_sec=config.scan_limit_sec,
        )
    return scans, store


def describe_skipped(scanned: Scanned) -> tuple[str, ...]:
    """The videos that were skipped, as a note for the end of a run; none where all could be used."""
    if not scanned.skipped:
        return ()
    return (f"Careful: {counted(len(scanned.skipped), 'video')} could not be used:{listed(scanned.skipped)}",)


def say_skipped(log: RunLog, scanned: Scanned) -> None:
    """Tell at the end of a run which videos were skipped."""
    for note in describe_skipped(scanned):
        log.say(note)


def listed(sentences: Sequence[str]) -> str:
    """The first sentences as lines, each behind a line break, and how many more there are."""
    more = [f"... and {len(sentences) - MAX_LISTED} more."] if len(sentences) > MAX_LISTED else []
    return "".join(f"\n  {line}" for line in [*sentences[:MAX_LISTED], *more])


def open_videos(config: Data) -> VideoIndex:
    """The videos that `config.data` names, in a training and a test part."""
    return index_videos(
        source_of(config),
        split_by=config.split_by or "auto",
        group_regex=config.group_regex,
        seed=TEST_SPLIT_SEED,
    )


def hold_out(index: VideoIndex, config: DividedData) -> VideoIndex:
    """The training videos alone, half of them as the test part: the val part of a search with seed 0."""
    train, val, note = divide(
        index.train, classes=index.classes, by=config.split_by, fraction=0.5, seed=TEST_SPLIT_SEED
    )
    note = f"The test videos are left alone; half of the training videos are tested on instead. {note}"
    return replace(index, train=train, test=val, notes=(*index.notes, note))


class Videos:
    """The videos of one run, or of several with these data: found once, and decoded once a division."""

    def __init__(self, config: SearchConfig | RecipeConfig) -> None:
        self._config = config
        self._scanned: dict[bool, Scanned] = {}
        self._caches: dict[bool, FrameCache | None] = {}

    def index(self, *, validate: bool) -> VideoIndex:
        """All of them, as a training with `validate` or one without divides them."""
        return hold_out(self._found, self._config) if validate else self._found

    def scanned(self, *, validate: bool = False) -> Scanned:
        """Those of them that can be used."""
        if validate not in self._scanned:
            self._scanned[validate] = scan(self.index(validate=validate), self._config)
        return self._scanned[validate]

    def cache(self, *, validate: bool = False) -> FrameCache | None:
        """Where the frames of the training videos stay."""
        if validate not in self._caches:
            self._caches[validate] = frame_cache(self.scanned(validate=validate), self._config)
        return self._caches[validate]

    @cached_property
    def _found(self) -> VideoIndex:
        return open_videos(self._config)


def open_new_videos(config: Data) -> VideoIndex:
    """The videos that `config.data` names, all of them for a test where they come without a test split."""
    return index_new_videos(source_of(config), group_regex=config.group_regex)


def source_of(config: Data) -> Source:
    """Where the videos are, as these settings say."""
    return Source(
        data_path(config.data),
        test_list=data_path(config.test_list) if config.test_list else None,
        split=config.split or 1,
        layout=config.layout or "auto",
        roots=tuple(data_path(root) for root in (config.roots or "").split(",") if root),
        columns=parse_columns(config.columns) if config.columns is not None else None,
    )


def data_path(data: str) -> Path:
    """The file or folder that --data names, of data on another machine the mirror here.

    The built-in clips are written where they are meant and missing.
    """
    if data == BUILTIN:
        return builtin_clips()
    return mirror(data) if is_address(data) else Path(data).expanduser()


def builtin_clips() -> Path:
    """The folder of the built-in clips, in the user's cache."""
    folder = Path(platformdirs.user_cache_dir("vidnas")) / f"builtin-clips-v{VERSION}"
    with console.bar(total=None, label="Writing the built-in clips", unit="clip") as bar:
        write_clips(folder, progress=bar.update)
    return folder


def uneven(items: Sequence[Item], classes: Sequence[str], remedy: str) -> tuple[str, ...]:
    """A sentence that ends with `remedy`, where the largest class has at least UNEVEN times the smallest."""
    counts = Counter(item.label for item in items)
    if max(counts.values(), default=0) < UNEVEN * min(counts.values(), default=1):
        return ()
    (largest, most), *_, (smallest, least) = counts.most_common()
    return (
        f"The classes are uneven: {classes[largest]} has {most / least:.0f} times as many videos as "
        f"{classes[smallest]}. Balanced accuracy counts every class alike{remedy}",
    )


def say_videos(log: RunLog, index: VideoIndex, *, flip: bool, balance: bool) -> None:
    """Tell what was found, and warn where classes are uneven, or mirroring clips contradicts them."""
    remedy = (
        ", and so does this training's loss." if balance else "; --balance lets the loss of a training do so."
    )
    for note in (*index.notes, *uneven(index.train, index.classes, remedy)):
        log.say(note)
    directions = direction_classes(index.classes)
    if flip and directions:
        log.say(
            f"Careful: {', '.join(directions)} carry a direction in their names, and half of the training "
            "clips are mirrored. If left and right are different classes, use --no-flip."
        )


def frame_cache(scanned: Scanned, config: SearchConfig | RecipeConfig) -> FrameCache | None:
    """Room for all frames of the training videos; None where there is too little, or none is wanted."""
    if config.workers > 0 and not can_share():
        if config.cache_mb:
            console.say("Every epoch decodes its videos: on this system --cache-mb needs --workers 0.")
        return None
    short_side_px, items = scaled_short_side(config.size_px), scanned.index.train
    needed = sum(_frames_bytes(scanned.infos[item.path], short_side_px) for item in items)
    if config.cache_mb is None:
        room = (free_bytes(torch.device("cpu")) or 0) * CACHE_SHARE
    else:
        room = config.cache_mb * MB
    if needed <= room:
        with suppress(OSError):
            return FrameCache((item.path for item in items), needed, shared=config.workers > 0)
    if config.cache_mb:
        console.say(
            f"Every epoch decodes its videos: all frames of the training videos take {needed / MB:.0f} MB, "
            f"more than --cache-mb {config.cache_mb:g} or the machine allows."
        )
    return None


def _frames_bytes(info: VideoInfo, short_side_px: int) -> int:
    """Of all frames of a video with this short side."""
    width_px, height_px = scaled_size((info.width_px, info.height_px), short_side_px)
    return 3 * width_px * height_px * info.num_frames


def say_cache(log: RunLog, cache: FrameCache | None) -> None:
    """Tell where decoded frames stay in memory."""
    if cache is not None:
        log.say(f"Decoded frames stay in memory: {cache.num_bytes / MB:.0f} MB in all (--cache-mb).")


def train_clips(
    items: Sequence[Item],
    counts: Sequence[int],
    config: SearchConfig | TrainConfig,
    *,
    cache: FrameCache | None = None,
) -> TrainClips:
    """Training clips as the settings ask for them."""
    return TrainClips(
        items,
        counts,
        size_px=config.size_px,
        segments=config.segments,
        frames_per_segment=config.frames_per_segment,
        flip=config.flip,
        photometric=config.photometric,
        single_frame=_single_frame(config),
        cache=cache,
    )


def test_clips(
    items: Sequence[Item],
    counts: Sequence[int],
    config: SearchConfig | TrainConfig,
    *,
    multi: bool = False,
    cache: FrameCache | None = None,
) -> TestClips:
    """One centre-cropped clip of each video or, with `multi`, 10 clips x 3 crops."""
    return TestClips(
        items,
        counts,
        size_px=config.size_px,
        segments=config.segments,
        frames_per_segment=config.frames_per_segment,
        single_frame=_single_frame(config),
        cache=cache,
        num_clips=10 if multi else 1,
        num_crops=3 if multi else 1,
    )


def _single_frame(config: SearchConfig | TrainConfig) -> bool:
    return isinstance(config, TrainConfig) and config.single_frame


def group_keys(items: Sequence[Item]) -> list[str]:
    """What is resampled together: the (class, group) of a video, or the video alone where it has none."""
    return [f"{item.label}/{item.group}" if item.group else str(item.path) for item in items]
