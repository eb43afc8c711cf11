"""Which videos a run has learnt from, remembered in its folder: they must not be tested on."""

from pathlib import Path
from statistics import median

from vidnas.errors import UserError, are, counted
from vidnas.runs.files import SEEN
from vidnas.runs.log import RunLog
from vidnas.runs.seen_videos import SeenVideos, differences, read_seen, seen_to_json, video_keys
from vidnas.video.items import VideoIndex
from vidnas.video.scan.scanned import Scanned


def remember_seen(log: RunLog, scanned: Scanned, *, also: SeenVideos | None = None) -> None:
    """Write videos.json: what this run learns from and tests on, for `check_unseen` and `check_same`.

    `also` is what the run has seen whose weights this one begins with: this one has seen it, too.
    """
    index = scanned.index
    train, test = (video_keys(part, index.classes) for part in (index.train, index.test))
    infos = [scanned.infos[item.path] for item in index.train if item.path in scanned.infos]
    durations = [info.duration_sec for info in infos if info.duration_sec > 0]
    before = also or SeenVideos(())
    seen = SeenVideos(
        train, test, (*before.train, *before.seen_before), median(durations) if durations else None
    )
    log.write(SEEN, seen_to_json(seen))


def remembers(run: Path) -> bool:
    """Whether the run in this folder has come to write what it learns from."""
    return (run / SEEN).exists()


def check_unseen(index: VideoIndex, run: Path, seen: SeenVideos | None = None) -> None:
    """UserError if a test video is one that the run in this folder has learnt from."""
    seen = seen or read_seen(run / SEEN)
    learnt = {*seen.train, *seen.seen_before}
    known = [key[0] for key in video_keys(index.test, index.classes) if key in learnt]
    if known:
        now = (video_keys(part, index.classes) for part in (index.train, index.test))
        since = "; ".join(differences(seen, *now))
        raise UserError(
            f"{len(known)} of the {counted(len(index.test), 'test video')} {are(len(known))} among those "
            f"that {run} has learnt from "
            f"({', '.join(known[:3])}{', ...' if len(known) > 3 else ''}); their accuracy would be "
            f"memory. Compared with that run, the videos are {since}. A test part that vidnas sets aside "
            "changes with the videos: give those of the run, divided as it divided them (its config.json has "
            "split, split_by, group_regex and test_list), or fix the test part by train/ and test/ folders."
        )


def are_those(seen: SeenVideos, index: VideoIndex) -> bool:
    """Whether these are the videos of a run, divided as it divided them."""
    train, test = (set(video_keys(part, index.classes)) for part in (index.train, index.test))
    return (train, test) == (set(seen.train), set(seen.test))


def check_same(run: Path, index: VideoIndex) -> None:
    """UserError if these are not the videos that the run in this folder was begun with, in the same order."""
    parts = (video_keys(part, index.classes) for part in (index.train, index.test))
    found = differences(read_seen(run / SEEN), *parts)
    if found:
        raise UserError(
            f"The run in {run} was begun with other videos: {'; '.join(found)}. It can only go on with "
            "the same ones: restore them, or begin another run with --out (`vidnas train --init` takes the "
            "weights along)."
        )
