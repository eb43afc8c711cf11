"""What a store of frames is: it recognises its clips and its data, and answers what is asked of them."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas.video.items import VideoIndex
from vidnas.video.stores.decode import Frame, VideoInfo
from vidnas.video.stores.tree import Tree, local_tree


@dataclass(frozen=True, kw_only=True)
class Footage:
    """A clip as its store gives it. What cannot be used is a UserError that names it.

    `read_frames(indices, short_side_px)` is as in footage.py; `scan` reads all of it once. `files` are what
    it is made of on this machine, fetched if need be; none where a store states `size_bytes` and
    `fingerprint`. `told` is what a scan would find, without reading: nothing more is kept of such a clip.
    `num_pictures` is how many frames lie there for all to see.
    """

    exists: Callable[[], bool]
    scan: Callable[[], VideoInfo]
    read_frames: Callable[[Sequence[int] | None, int | None], Generator[Frame, None, None]]
    files: Callable[[], Sequence[Path]] = tuple
    told: Callable[[], VideoInfo] | None = None
    size_bytes: Callable[[], int] | None = None
    fingerprint: Callable[[], bytes] | None = None
    num_pictures: Callable[[], int] = int
    short_side_px: int | None = None
    """To which the store has scaled all larger clips down; None: they are as they were."""
    require_side: Callable[[int], object] = lambda _: None
    """UserError where this clip was larger, so that it cannot be read with a short side of so many pixels."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """A way in which frames may lie: a row of the table `footage.STORES`.

    `footage` is the clip of a path, None where it is not this store's. `owns` tells the folders of data that
    are, `tree` what is below one. A store that has kept as which layout its data were read says so (`layout`)
    and, for want of official lists, its clips (`index`). `name` is what such data are in messages, `accepted`
    what of them is named as --data, `no_frame_folders` why folders of frames cannot be read there.
    """

    footage: Callable[[Path], Footage | None]
    owns: Callable[[Path], bool] = lambda _: False
    tree: Callable[[Path], Tree] = local_tree
    layout: Callable[[Path], str] | None = None
    index: Callable[[Path], VideoIndex] | None = None
    name: str = ""
    accepted: str = ""
    no_frame_folders: str = ""
