"""The settings of check and pack."""

import os
from dataclasses import dataclass, field, fields
from typing import Annotated

from vidnas.config.limits import Count, File, Folder, Limit, Natural, refuse_idle
from vidnas.config.parts import DividedData, OnBad
from vidnas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class CheckConfig(DividedData):
    """Decode every video of a data set once and say what is there and what is wrong."""

    write_csv: File | None = None
    """Write the data set, as it was understood, to this new CSV file with the columns path, label, split and
    group, which can then be given as data."""


@dataclass(frozen=True, kw_only=True)
class PackConfig(DividedData):
    """Decode every video once and keep its frames as JPEG, which later runs read many times faster."""

    out: Folder
    """Folder of the pack: new, or that of a packing that was interrupted, which then goes on."""
    verify: bool = False
    """Read the whole pack again and compare its checksums."""
    short_side_px: Count = 128
    """Short side of the frames, pixels; smaller videos keep their size. 128 is for clips of up to 112 px."""
    quality: Annotated[Count, Limit("allowed are 1 to 100", lambda value: value <= 100)] = 90
    """Quality of the JPEGs, 1 to 100."""
    frames: Count | None = None
    """Evenly spaced frames kept of each clip; by default every one."""
    shard_mib: Count = 256
    """Size of a shard, MiB, about."""
    on_bad: OnBad = "skip"
    """What to do about videos that cannot be used: skip packs the others and lists them at the end; raise
    stops before anything is written."""
    data: Annotated[str, "FOLDER|FILE"] = ""
    """Videos, as for `vidnas train`; not needed to verify a pack."""
    workers: Natural = field(default_factory=lambda: os.cpu_count() or 1)
    """Processes that pack; by default one per core; 0 packs in the main one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data:
            return
        if not self.verify:
            raise UsageError("Name the videos with --data, or verify a pack with --verify.")
        read = ("out", "verify", "workers", "scan_limit_sec")
        idle = [one.name for one in fields(self) if one.name not in read]
        refuse_idle(self, idle, "where a pack is only verified")
