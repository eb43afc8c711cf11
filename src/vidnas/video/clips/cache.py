"""Decoded frames that stay in memory, so that no epoch but the first decodes a video."""

import mmap
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from vidnas.shapes import Frames
from vidnas.video.processes.workers import CONTEXT

Decode = Callable[[], Iterator[np.ndarray]]
"""Decodes the frames of a video, one after the other."""


class FrameCache:
    """Room for all frames of these videos, `num_bytes` together, which fills as they are asked for.

    Processes that begin as copies of this one share it; `can_share` says whether processes do. A video that
    finds no room is decoded each time. OSError where the system does not give so much memory.
    """

    def __init__(self, paths: Iterable[Path], num_bytes: int, *, shared: bool) -> None:
        self.num_bytes = num_bytes
        self._rows = {path: row for row, path in enumerate(paths, start=1)}
        self._memory = _zeros(num_bytes, np.uint8)
        # Where each video's frames begin, and their number, height and width; in the first row, how much is
        # taken.
        self._table = _zeros(4 * (len(self._rows) + 1), np.int64).reshape(-1, 4)
        self._lock = CONTEXT.Lock() if shared else threading.Lock()
        self._known: dict[Path, Frames] = {}

    def frames(self, path: Path, num_frames: int, decode: Decode) -> Frames | None:
        """All frames of a video, decoded if nobody has asked for them before; None where they are not here.

        That is where they find no room, or another process decodes them just now. They are not to be
        written to.
        """
        if path not in self._known:
            with self._lock:
                start, *shape = (int(number) for number in self._table[self._rows[path]])
            if shape[0] == 0:
                return self._decoded(path, num_frames, decode())
            if shape[0] < 0:
                return None
            self._known[path] = self._view(start, shape)
        return self._known[path]

    def _decoded(self, path: Path, num_frames: int, images: Iterator[np.ndarray]) -> Frames | None:
        first = next(images)
        row, shape = self._table[self._rows[path]], [num_frames, *first.shape[:2]]
        with self._lock:
            start = int(self._table[0, 0])
            if row[1] != 0:
                return None
            row[1] = -1  # until they are here, or for ever
            if start + num_frames * first.nbytes > self.num_bytes:
                return None
            self._table[0, 0] += num_frames * first.nbytes
        frames = self._view(start, shape)
        for frame, image in zip(frames, chain([first], images), strict=True):
            frame[...] = image
        with self._lock:  # whoever finds the row finds the frames
            row[:] = start, *shape
        return frames

    def _view(self, start: int, shape: list[int]) -> Frames:
        num_bytes = 3 * int(np.prod(shape))
        return self._memory[start : start + num_bytes].reshape(*shape, 3)


def can_share() -> bool:
    """Whether the processes that read videos begin as copies of this one, and so share its cache."""
    return CONTEXT.get_start_method() == "fork"


def _zeros(length: int, kind: type[np.generic]) -> np.ndarray:
    """Numbers that this process and its copies share; what is not written to takes no memory."""
    return np.frombuffer(mmap.mmap(-1, length * np.dtype(kind).itemsize), kind)
