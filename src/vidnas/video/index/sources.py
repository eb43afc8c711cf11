"""What `--data` and its companions name, and whether it is there: looked at before anything slow is imported.

Imports neither PyTorch nor PyAV nor numpy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidnas.errors import UsageError, UserError
from vidnas.video.stores.tree import PICTURE_SUFFIXES, VIDEO_SUFFIXES, is_video

Layout = Literal["auto", "videos", "frames", "ucf101", "hmdb51", "csv", "list", "frame-list"]
"""How data are to be read; auto: by what is there."""

ACCEPTED = (
    "Accepted are: a folder with a folder of videos per class; train/ and test/ (or val/) folders of those, "
    "or of videos that a list beside them gives labels; the UCF101 layout (videos/Class/..., classInd.txt, "
    "trainlist01.txt, testlist01.txt); the HMDB51 layout (Class/..., Class_test_split1.txt); a CSV file with "
    "the columns path and label; a list file of `path label` or `folder num_frames label` lines, or of more "
    "columns (--columns); what `vidnas pack` has written. Wherever a video may stand, a folder of its frames "
    "may (--layout frames). "
    f"Videos end in {' '.join(sorted(VIDEO_SUFFIXES))}, frames in {' '.join(sorted(PICTURE_SUFFIXES))}."
)


ACCEPTED_IN_SHORT = (
    "Name a folder with a folder of videos per class, or a list; docs/data.md has all that --data takes."
)


def is_address(data: str) -> bool:
    """Whether --data is an address such as s3://bucket/folder or https://host/folder."""
    return "://" in data


@dataclass(frozen=True)
class Source:
    """Where videos are and how they are to be read: what the settings of the same names say."""

    data: Path
    test_list: Path | None = None
    split: int = 1
    layout: Layout = "auto"
    roots: tuple[Path, ...] = ()
    """More folders below which the videos lie."""
    columns: tuple[str, ...] | None = None
    """What the columns of a list are called; None: as its header says, or to be found out."""


def require_there(data: Path | None, test_list: Path | None, roots: Sequence[Path]) -> None:
    """UserError or UsageError where the data, the test list or a root is not there, or of the wrong kind.

    None stands for what is not on this machine or is made where it is missing.
    """
    if data is not None:
        _require_data(data, test_list)
    if test_list is not None and not test_list.exists():
        raise UserError(f"The list file {test_list} does not exist.")
    for root in roots:
        if not root.is_dir():
            raise UserError(f"--roots {root} is no folder. Name those below which the videos lie.")
    places = [*([data] if data is not None else []), *roots]
    if len({os.path.realpath(folder) for folder in places}) < len(places):
        raise UsageError("--roots names a folder twice, or --data again.")


def _require_data(data: Path, test_list: Path | None) -> None:
    if not data.exists():
        raise UserError(f"--data {data} does not exist. {ACCEPTED_IN_SHORT}")
    if data.is_file() and is_video(data.name):
        raise UserError(f"--data {data} is a single video. {ACCEPTED_IN_SHORT}")
    if test_list is not None and data.is_dir():
        raise UsageError(f"--test-list goes with a list file as --data, but {data} is a folder.")
