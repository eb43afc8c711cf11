"""Videos of which all is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas.video.items import Item, VideoIndex
from vidnas.video.stores.decode import VideoInfo


@dataclass(frozen=True)
class Scanned:
    """Videos that have been scanned: `index` without the bad ones; on each of those `skipped` has a sentence.

    `infos` tells what was found in the good ones, by path.
    """

    index: VideoIndex
    infos: Mapping[Path, VideoInfo]
    skipped: tuple[str, ...]

    def counts(self, items: Sequence[Item]) -> list[int]:
        """How many frames each of these scanned videos has."""
        return [self.infos[item.path].num_frames for item in items]
