"""Which videos: the settings that all verbs about videos share, and those of check and pack."""

from dataclasses import dataclass
from typing import Literal

from vidnas.config.limits import at_least, check_types, positive
from vidnas.errors import UsageError

SplitBy = Literal["auto", "group", "clip"]
Layout = Literal["auto", "videos", "frames", "ucf101", "hmdb51", "csv", "list", "frame-list"]
OnBad = Literal["raise", "skip"]
BUILTIN = "builtin"
"""The data that are the built-in clips."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which videos there are and how they are divided."""

    data: str
    """Videos: a folder per class, train/ and test/ (or val/) folders of those, the layout of UCF101 or
    HMDB51, a CSV file or a list (docs/data.md has them all), or `builtin` for the built-in motion clips."""
    test_list: str | None = None
    """Test videos as a list file, beside a list file given as data."""
    split: int = 1
    """Number K of the official lists: trainlist0K.txt and testlist0K.txt, or Class_test_splitK.txt."""
    split_by: SplitBy = "auto"
    """What a division of the videos keeps together: the groups found in the file names, or single clips.
    auto: groups where most names have one, else clips."""
    group_regex: str | None = None
    """Regular expression whose first (...) is the group in a file name, for names other than UCF101's."""
    layout: Layout = "auto"
    """How to read the data where more than one way is possible; auto: by what is there."""
    roots: str | None = None
    """More folders below which the videos lie, separated by commas: further disks with the same layout, or
    where the paths of a list begin."""
    scan_limit_sec: float = 60.0
    """Refuse a video whose decoder computes, or whose disk or server is silent, for so many seconds without a
    new frame. A machine that is busy with other things refuses none."""
    columns: str | None = None
    """What the columns of a list are, in their order, where that is not plain: path and label, perhaps split
    and group; any other name is a column that is not used, as in number,label,path."""


@dataclass(frozen=True, kw_only=True)
class CheckConfig(DataConfig):
    """Decode every video of a data set once and say what is there and what is wrong."""

    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one, which a file may then crash."""
    write_csv: str | None = None
    """Write the data set, as it was understood, to this new CSV file with the columns path, label, split and
    group, which can then be given as data."""

    def __post_init__(self) -> None:
        check_types(self)
        at_least(self, "split", 1)
        at_least(self, "workers", 0)
        positive(self, "scan_limit_sec")


@dataclass(frozen=True, kw_only=True)
class PackConfig(DataConfig):
    """Decode every video once and keep its frames as JPEG, which later runs read many times faster."""

    data: str = ""
    """Videos, as for `vidnas train`; not needed to verify a pack."""
    out: str
    """Folder of the pack: new, or that of a packing that was interrupted, which then goes on."""
    short_side_px: int = 128
    """Short side of the frames, pixels; smaller videos keep their size. 128 is for clips of up to 112 px."""
    quality: int = 90
    """Quality of the JPEGs, 1 to 100."""
    frames: int | None = None
    """Evenly spaced frames kept of each clip; by default every one."""
    shard_mib: int = 256
    """Size of a shard, MiB, about."""
    workers: int | None = None
    """Processes that pack; by default one per core; 0 packs in the main one."""
    on_bad: OnBad = "skip"
    """What to do about videos that cannot be used: skip packs the others and lists them at the end; raise
    stops before anything is written."""
    verify: bool = False
    """Read the whole pack again and compare its checksums."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("split", "short_side_px", "quality", "shard_mib"):
            at_least(self, name, 1)
        for name, smallest in (("frames", 1), ("workers", 0)):
            if getattr(self, name) is not None:
                at_least(self, name, smallest)
        positive(self, "scan_limit_sec")
        if self.quality > 100:
            raise UsageError(f"quality is {self.quality}; allowed are 1 to 100.")
        if not self.data and not self.verify:
            raise UsageError("Name the videos with --data, or verify a pack with --verify.")
