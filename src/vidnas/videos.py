"""The videos of a run: found, counted, turned into clips; and those remembered that a network has seen."""

import json
from collections.abc import Sequence
from pathlib import Path

import platformdirs
from tqdm import tqdm

from vidnas.config import ClipConfig, EvaluateConfig, SearchConfig, TrainConfig
from vidnas.engine.runlog import RunLog
from vidnas.errors import UserError
from vidnas.figures.contact import draw_contact_sheet
from vidnas.figures.save import save_figure
from vidnas.video.datasets import TestClips, TrainClips, count_frames
from vidnas.video.layouts import Item, VideoIndex, direction_classes, index_new_videos, index_videos
from vidnas.video.synthetic import VERSION, write_clips
from vidnas.video.transforms import denormalize

BUILTIN = "builtin"
SEEN = "videos.json"
TEST_SPLIT_SEED = 0
"""A test split that is made must not depend on the run's seed: every verb must find the same test videos."""


def open_videos(config: ClipConfig | EvaluateConfig) -> VideoIndex:
    """The videos that `config.data` names; writes the built-in clips where they are asked for and missing."""
    data = builtin_clips() if config.data == BUILTIN else Path(config.data).expanduser()
    return index_videos(
        data,
        test_list=Path(config.test_list).expanduser() if config.test_list else None,
        split=config.split or 1,
        split_by=config.split_by or "auto",
        group_regex=config.group_regex,
        seed=TEST_SPLIT_SEED,
    )


def open_new_videos(config: EvaluateConfig) -> VideoIndex:
    """The videos that `config.data` names, all of them for a test where they come without a test split."""
    return index_new_videos(
        Path(config.data).expanduser(),
        test_list=Path(config.test_list).expanduser() if config.test_list else None,
        group_regex=config.group_regex,
    )


def builtin_clips() -> Path:
    """The folder of the built-in clips, in the user's cache."""
    folder = Path(platformdirs.user_cache_dir("vidnas")) / f"builtin-clips-v{VERSION}"
    with tqdm(desc="Writing the built-in clips", unit="clip", leave=False, disable=None) as bar:
        write_clips(folder, progress=bar.update)
    return folder


def say_videos(log: RunLog, index: VideoIndex, *, flip: bool) -> None:
    """Tell what was found, and warn where mirroring clips contradicts the classes."""
    for note in index.notes:
        log.say(note)
    directions = direction_classes(index.classes)
    if flip and directions:
        log.say(
            f"Careful: {', '.join(directions)} carry a direction in their names, and half of the training "
            "clips are mirrored. If left and right are different classes, use --no-flip."
        )


def frame_counts(items: Sequence[Item], *, workers: int) -> list[int]:
    """How many frames each video has, by decoding it once; every unusable file is in the UserError."""
    with tqdm(total=len(items), desc="Counting frames", unit="video", leave=False, disable=None) as bar:
        return [info.num_frames for info in count_frames(items, workers=workers, progress=bar.update)]


def train_clips(
    items: Sequence[Item], counts: Sequence[int], config: SearchConfig | TrainConfig
) -> TrainClips:
    """Training clips as the settings ask for them."""
    return TrainClips(
        items,
        counts,
        size_px=config.size_px,
        segments=config.segments,
        frames_per_segment=config.frames_per_segment,
        flip=config.flip,
        single_frame=_single_frame(config),
    )


def test_clips(
    items: Sequence[Item], counts: Sequence[int], config: SearchConfig | TrainConfig, *, multi: bool = False
) -> TestClips:
    """One centre-cropped clip of each video or, with `multi`, 10 clips x 3 crops."""
    return TestClips(
        items,
        counts,
        size_px=config.size_px,
        segments=config.segments,
        frames_per_segment=config.frames_per_segment,
        single_frame=_single_frame(config),
        num_clips=10 if multi else 1,
        num_crops=3 if multi else 1,
    )


def _single_frame(config: SearchConfig | TrainConfig) -> bool:
    return isinstance(config, TrainConfig) and config.single_frame


def draw_clips(log: RunLog, clips: TrainClips, classes: Sequence[str]) -> None:
    """Write clips.png: a training clip of each of the first classes, as the network will see it."""
    first = {item.label: index for index, item in reversed(list(enumerate(clips.items)))}
    chosen = [first[label] for label in sorted(first)[:8]]
    samples = [clips[index, 0] for index in chosen]
    sheet = draw_contact_sheet(
        [denormalize(clip) for clip, _, _ in samples], [classes[label] for _, label, _ in samples]
    )
    save_figure(sheet, log.path("clips.png"))


def group_keys(items: Sequence[Item]) -> list[str]:
    """What is resampled together: the (class, group) of a video, or the video alone where it has none."""
    return [f"{item.label}/{item.group}" if item.group else str(item.path) for item in items]


def remember_seen(log: RunLog, index: VideoIndex) -> None:
    """Write videos.json: what this run learns from, as [class/file name, bytes], for `check_unseen`."""
    seen = {"train": sorted(_keys(index.train, index.classes))}
    log.write(SEEN, json.dumps(seen, ensure_ascii=False) + "\n")


def check_unseen(index: VideoIndex, run: Path) -> None:
    """UserError if a test video is one that the run in this folder has learnt from."""
    path = run / SEEN
    try:
        seen = {tuple(key) for key in json.loads(path.read_text(encoding="utf-8"))["train"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"Cannot read in {path} which videos the run has learnt from: {error}.") from error
    known = [name for name, size in _keys(index.test, index.classes) if (name, size) in seen]
    if known:
        raise UserError(
            f"{len(known)} of the {len(index.test)} test videos are among those that {run} has learnt from "
            f"({', '.join(known[:3])}{', ...' if len(known) > 3 else ''}); their accuracy would be "
            "memory. Divide the videos as that run did (its config.json has split, split_by, group_regex and "
            "test_list), or give others."
        )


def _keys(items: Sequence[Item], classes: Sequence[str]) -> list[tuple[str, int]]:
    return [(f"{classes[item.label]}/{item.path.name}", item.path.stat().st_size) for item in items]
