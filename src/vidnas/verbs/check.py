"""The verb `check`: what is in a data set, and everything that is wrong with it."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from vidnas.assembly import videos
from vidnas.atomic import require_new
from vidnas.config.data import CheckConfig
from vidnas.errors import UserError, aligned, are, counted, shown
from vidnas.video.index.contents import read_contents
from vidnas.video.index.groups import carried_by_most
from vidnas.video.index.index import grouped
from vidnas.video.index.listfiles import lists_of, read_csv
from vidnas.video.index.located import Contents
from vidnas.video.index.tables import write_csv
from vidnas.video.items import Item, VideoIndex
from vidnas.video.scan.scans import sort_out
from vidnas.video.stores.decode import VideoInfo
from vidnas.video.stores.footage import store_of
from vidnas.video.stores.tree import local_tree, videos_in


@dataclass(frozen=True)
class CheckResult:
    """What was found: of every good video how it is, a sentence on every fault, and all of it as text."""

    infos: Mapping[Path, VideoInfo]
    faults: tuple[str, ...]
    text: str

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def run_check(config: CheckConfig) -> CheckResult:
    """Decode every video of `config.data`, whatever is known of it, and write the index for the other verbs.

    UserError where the data are no data set at all.
    """
    if config.write_csv is not None:
        require_new(Path(config.write_csv).expanduser(), "--write-csv")
    source = videos.source_of(config)
    contents = read_contents(source)
    index = grouped(contents.index, config.group_regex)
    items = (*index.train, *index.test)
    scans, store = videos.scan_all(items, config, afresh=True)
    infos, bad = sort_out(items, scans)
    understood, layout_faults = _try_layout(contents, index, config)
    beside, others = _look_around(source.data, contents)
    notes = [*understood.notes, *beside]
    notes += videos.uneven(index.train, index.classes, "; vidnas train --balance lets the loss do so.")
    notes += _chosen_streams(infos)
    if items and not store_of(source.data).layout:
        notes.append(store.note or f"Index of the good videos: {store.file}")
    if config.write_csv is not None:
        notes.append(_write(understood, Path(config.write_csv).expanduser()))
    faults = [*bad, *others, *layout_faults]
    text = "\n".join([*notes, "", *_table(index, infos), "", *_verdict(faults, len(items), len(bad))])
    # Names of files may hold what no terminal can print.
    return CheckResult(infos, tuple(faults), text.encode("utf-8", "backslashreplace").decode())


def _look_around(data: Path, contents: Contents) -> tuple[list[str], list[str]]:
    """Sentences on what lies there besides and is no fault, and on what is missing or should not be there."""
    faults = [f"{name} is listed, but missing." for name in contents.missing]
    if store_of(data).layout:
        return [], faults
    unlisted = _unlisted(contents)
    if not data.is_file():
        faults += [f"{shown(path)} is in no list." for path in unlisted]
        faults += [f"{shown(data / name)} is a link to nowhere." for name in local_tree(data).dead_links]
    elif unlisted:  # a list that somebody names is a choice; the lists in a folder name everything there is
        return [f"Videos beside the listed ones that are in no list: {len(unlisted)}."], faults
    return [], faults


def _chosen_streams(infos: Mapping[Path, VideoInfo]) -> list[str]:
    """Which of several video streams is read, for every file that has them."""
    several = videos.listed(
        [
            f"{shown(path)}: of {info.num_streams} that with the number {info.stream}, which is "
            f"{info.width_px} x {info.height_px}."
            for path, info in infos.items()
            if info.num_streams > 1
        ]
    )
    return [f"Files with several video streams, of which one is read:{several}"] if several else []


def _try_layout(contents: Contents, index: VideoIndex, config: CheckConfig) -> tuple[VideoIndex, list[str]]:
    """The videos as they would be trained on, else `index`; what keeps them from it."""
    if contents.missing:
        return index, []
    try:
        return videos.open_videos(config), []
    except UserError as error:
        return index, [str(error)]


def _write(index: VideoIndex, file: Path) -> str:
    """Write the videos as a CSV file, and make sure that it reads; a sentence that it is there."""
    write_csv(index, file, root=file.parent)
    faults = read_csv(lists_of({"": file})).faults
    if faults:
        file.unlink()
        raise UserError(f"As a CSV file these data would not be read: {faults[0].what} Rename the classes.")
    num = len(index.train) + len(index.test)
    return f"Written: {file}, {counted(num, 'video')} with labels, splits and groups, for --data."


def _unlisted(contents: Contents) -> list[Path]:
    """The videos that lie among the listed ones, but in no list; none where there are no lists."""
    listed = [item.path for item in (*contents.index.train, *contents.index.test)]
    if not contents.lists or not listed:
        return []
    folder = Path(os.path.commonpath([path.parent for path in listed]))
    known = {path.resolve() for path in listed}
    lying = (folder / name for name in videos_in(local_tree(folder)))
    return [path for path in lying if path.resolve() not in known]


def _table(index: VideoIndex, infos: Mapping[Path, VideoInfo]) -> list[str]:
    """Lines with a column each: class, videos, groups, and of the good videos frames, seconds and sizes."""
    items = (*index.train, *index.test)
    rows = [["class", "videos", "groups", "frames", "seconds", "pixels"]]
    for label, name in enumerate(index.classes):
        rows.append(_row(name, [item for item in items if item.label == label], infos))
    rows.append(_row("all", items, infos))
    return aligned(rows)


def _row(name: str, items: Sequence[Item], infos: Mapping[Path, VideoInfo]) -> list[str]:
    good = [infos[item.path] for item in items if item.path in infos]
    groups = {(item.label, item.group or item.path) for item in items}
    return [
        name,
        str(len(items)),
        str(len(groups)) if carried_by_most(items) or not items else "-",
        _range((info.num_frames for info in good), str),
        _range((info.duration_sec for info in good if info.duration_sec), "{:.1f}".format),
        _sizes(good),
    ]


def _range(values: Iterable[float], form: Callable[[float], str]) -> str:
    """Smallest, median and largest, or the one value there is."""
    ordered = sorted(values)
    if not ordered:
        return "-"
    words = [form(value) for value in (ordered[0], median_low(ordered), ordered[-1])]
    return words[0] if len(set(words)) == 1 else "{} to {}, median {}".format(*(words[i] for i in (0, 2, 1)))


def _sizes(infos: Sequence[VideoInfo]) -> str:
    counts = Counter(f"{info.width_px} x {info.height_px}" for info in infos).most_common()
    if not counts:
        return "-"
    return f"{counts[0][0]}{f' and {len(counts) - 1} other' if counts[1:] else ''}"


def _verdict(faults: Sequence[str], num_videos: int, num_bad: int) -> list[str]:
    if not faults:
        return [f"All {counted(num_videos, 'video')} {are(num_videos)} good."]
    return [
        f"{num_videos - num_bad} of {counted(num_videos, 'video')} {are(num_videos - num_bad)} good. Wrong:",
        *(f"  {fault}" for fault in faults),
        "Mend, replace or remove what is named; the other verbs go on without bad videos with --on-bad skip.",
    ]
