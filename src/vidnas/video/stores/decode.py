"""Video file -> frames. PyAV is imported in video/ alone: here, and where files are written and streams read.

Frames are counted by decoding, because the counts in containers lie, and found by decoding from the start,
because seeking returns wrong frames in AVI files with B-frames. Scanning and reading share one loop, so
they agree on which frame has which number. Everything runs in the calling thread.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidnas.errors import UserError, counted, shown
from vidnas.video.processes.heartbeat import beat, most_frames
from vidnas.video.stores.clock import timeline
from vidnas.video.stores.media import choose, clock_may_leap, is_known, open_media, video_streams
from vidnas.video.stores.upright import FrameScaler, pixel_aspect
from vidnas.video.stores.whole import Extent

READING = 2
"""Goes up when a file comes out otherwise: what was kept of it before is not mixed with what comes now."""
DECODER = f"PyAV {av.__version__}, reading {READING}"
"""Whose frame counts and sizes these are: another version of PyAV may decode a damaged file differently."""


@dataclass(frozen=True)
class VideoInfo:
    """What decoding a file once tells: `num_frames` is how many frames it really holds.

    `width_px` and `height_px` are the first frame's as a player shows it: upright, its pixels square.
    `duration_sec` is when the last frame ends, counted from the start of the first; 0 where the file states
    neither times nor a frame rate. `starts_sec` is when each frame starts, counted alike; empty where all
    last equally long. Of several video streams, `num_streams`, the one with the number `stream` was read, by
    which FFmpeg knows it; of one alone the number does not matter.
    """

    num_frames: int
    width_px: int
    height_px: int
    duration_sec: float
    starts_sec: tuple[float, ...] = ()
    num_streams: int = 1
    stream: int = 0


def scan_video(path: Path) -> VideoInfo:
    """Decode every frame of a file once and convert the first one of every kind.

    UserError names a file that is unreadable, has no video or no frame in it, is damaged or is truncated.
    """
    _require_text(path)
    with _open_video(path) as source, closing(source.frames(note=True)) as frames:
        first = next(frames, None)
        if first is None:
            raise UserError(f"{shown(path)} holds no frame that can be decoded.")
        scale, kinds = FrameScaler(None, pixel_aspect(source.stream)), {_kind(first)}
        height_px, width_px, _ = scale(first).shape
        last, times_sec = first, [first.time]
        for last in frames:
            times_sec.append(last.time)
            if _kind(last) not in kinds:
                kinds.add(_kind(last))
                scale(last)
        source.require_whole()
        stream = source.stream
        duration_sec, starts_sec = timeline(
            times_sec,
            rate=float(stream.average_rate or stream.guessed_rate or 0),
            last_sec=float(last.duration * last.time_base) if last.duration and last.time_base else 0.0,
            leaps=clock_may_leap(source.container),
        )
        number = stream.index if source.num_streams > 1 else 0
    return VideoInfo(
        len(times_sec), width_px, height_px, duration_sec, starts_sec, source.num_streams, number
    )


def _kind(frame: av.VideoFrame) -> tuple[str, int, int]:
    return frame.format.name, frame.width, frame.height


@dataclass(frozen=True)
class Frame:
    """A decoded frame: its number from 0, when it is shown (None: the file does not say), and its picture."""

    index: int
    time_sec: float | None
    image: np.ndarray


def read_frames(
    path: Path, indices: Sequence[int] | None, short_side_px: int | None
) -> Generator[Frame, None, None]:
    """The frames numbered `indices` (ascending from 0), each once, or all of them for None, as a player shows
    them.

    Decodes up to the last of them. Only they become pictures, RGB, resized bilinearly until the short side is
    `short_side_px`; None leaves their height as it is stored. UserError if the file ends before.
    """
    wanted = None if indices is None else frozenset(indices)
    last = None if indices is None else indices[-1]
    with _open_video(path) as source, closing(source.frames()) as frames:
        scale = FrameScaler(short_side_px, pixel_aspect(source.stream))
        for index, frame in enumerate(frames):
            if wanted is None or index in wanted:
                yield Frame(index, frame.time, scale(frame))
            if index == last:
                return
    if last is not None:
        raise ends_before(path, last)


def ends_before(path: Path, index: int) -> UserError:
    """The error of a clip that has got shorter than it was."""
    return UserError(
        f"{shown(path)} ends before frame {index}, which was there when the videos were scanned. "
        "It has changed: let `vidnas check` scan it anew, then start again."
    )


class _OpenVideo:
    """An open file and its video stream: decodes it from the start and notes how far it reaches."""

    def __init__(self, path: Path, container: InputContainer) -> None:
        streams = video_streams(container)
        if not streams:
            raise UserError(f"{shown(path)} has no video stream.")
        self.path = path
        self.container = container
        self.stream = stream = choose(streams)
        self.num_streams = len(streams)
        self.num_frames = 0
        self._extent = Extent(container, stream)
        if not is_known(stream):
            raise UserError(f"{shown(path)} is in a video format that the decoder does not know.")
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1

    def frames(self, *, note: bool = False) -> Generator[av.VideoFrame, None, None]:
        """Every frame in the order of display; `note` keeps what `require_whole` asks for."""
        most = most_frames(self.stream.frames, self.path) if note else math.inf
        for packet in self._packets(note=note):
            # Damage that was noticed before the decoder sees it is no reason to stop, as FFmpeg does not.
            with suppress(av.InvalidDataError) if packet.is_corrupt else nullcontext():
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame)
                    beat()
                    yield frame
                    self.num_frames += 1
                    if self.num_frames > most:
                        raise UserError(
                            f"{shown(self.path)} does not end: {self.num_frames:,} frames are decoded, more "
                            "than its header states and its size can hold."
                        )

    def _packets(self, *, note: bool) -> Iterator["Packet[Stream] | Packet[VideoStream]"]:
        """The video's packets, but not a last one that the end of the file has cut off.

        Very last comes an empty one: it makes the decoder give out the frames it held back for reordering.
        """
        damaged: Packet[Stream] | Packet[VideoStream] | None = None
        for packet in self.container.demux() if note else self.container.demux(self.stream):
            if note and packet.size > 0:
                self._extent.note(packet)
            if packet.stream.index != self.stream.index:
                continue
            if damaged is not None and packet.size > 0:
                yield damaged  # amid the file, as where two recordings were joined
            damaged = packet if packet.is_corrupt else None
            if damaged is None:
                yield packet

    def require_whole(self) -> None:
        """UserError where the file has ended amid a frame or, by 5 % and two frames, before its stated end.

        Call it after the last frame.
        """
        missing = self._extent.missing(self.num_frames)
        if missing is not None:
            raise UserError(f"{shown(self.path)} is truncated: it ends {missing}.")


@contextmanager
def _open_video(path: Path) -> Iterator[_OpenVideo]:
    """The file, ready to decode in this thread.

    UserError if there is no video in it, and where the decoder fails before the end of the `with` block.
    """
    try:
        container = open_media(str(path.absolute()))
    except av.FFmpegError as error:
        empty = path.is_file() and path.stat().st_size == 0
        cause = "it is empty (0 bytes)" if empty else error.strerror
        raise UserError(f"{shown(path)} cannot be opened as a video: {cause}.") from error
    with container:
        source = _OpenVideo(path, container)
        try:
            yield source
        except av.FFmpegError as error:
            raise UserError(
                f"{shown(path)} is damaged: {error.strerror} after "
                f"{counted(source.num_frames, 'readable frame')}."
            ) from error


def _require_text(path: Path) -> None:
    """UserError for a name in another encoding than UTF-8: no report or table could hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{shown(path)} has a name that is not UTF-8 text. Rename it.") from error
