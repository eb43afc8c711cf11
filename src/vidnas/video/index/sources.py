"""What `--data` and its companions name, and whether it is there: looked at before anything slow is imported.

Imports neither PyTorch nor PyAV nor numpy.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas.errors import UsageError, UserError
from vidnas.video.stores.tree import is_video

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
    layout: str = "auto"
    """The name of a layout of layouts.py; auto: by what is there."""
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
