"""Video file -> frames. PyAV is imported in video/ alone: here, and where files are written and streams read.

Frames are counted by decoding, because the counts in containers lie, and found by decoding from the start,
because seeking returns wrong frames in AVI files with B-frames. Scanning and reading share one loop, so
they agree on which frame has which number. Everything runs in the calling thread.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.codec import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidnas.errors import UserError
from vidnas.video.media import open_media

DECODER = f"PyAV {av.__version__}"
"""Whose frame counts these are: another version may decode a damaged file differently."""

# Containers whose header states how long the video is; of the others FFmpeg makes a guess.
_STATING_LENGTH = frozenset(("avi", "mov", "matroska", "flv", "asf"))


@dataclass(frozen=True)
class VideoInfo:
    """What decoding a file once tells: `num_frames` is how many frames it really holds.

    `width_px` and `height_px` are the first frame's, held upright. `duration_sec` is 0 where the file states
    no frame rate.
    """

    num_frames: int
    width_px: int
    height_px: int
    duration_sec: float


def scan_video(path: Path) -> VideoInfo:
    """Decode every frame of a file once and convert the first one of every kind.

    UserError names a file that is unreadable, has no video or no frame in it, is damaged or is truncated.
    """
    _require_text(path)
    with _open_video(path) as source, closing(source.frames(note=True)) as frames:
        first = next(frames, None)
        if first is None:
            raise UserError(f"{shown(path)} holds no frame that can be decoded.")
        scale, kinds = FrameScaler(None), {_kind(first)}
        height_px, width_px, _ = scale(first).shape
        last, num_frames = first, 1
        for last in frames:
            num_frames += 1
            if _kind(last) not in kinds:
                kinds.add(_kind(last))
                scale(last)
        source.require_whole()
        duration_sec = _duration_sec(first, last, num_frames, source.stream)
    return VideoInfo(num_frames, width_px, height_px, duration_sec)


def _kind(frame: av.VideoFrame) -> tuple[str, int, int]:
    return frame.format.name, frame.width, frame.height


def _duration_sec(first: av.VideoFrame, last: av.VideoFrame, num_frames: int, stream: VideoStream) -> float:
    """From the times of the frames, which a rate does not tell where it varies; 0 where nothing is stated."""
    if first.pts is not None and last.pts is not None and last.pts > first.pts and stream.time_base:
        return float((last.pts - first.pts) * stream.time_base * num_frames / (num_frames - 1))
    rate = stream.average_rate or stream.guessed_rate
    return float(num_frames / rate) if rate else 0.0


@dataclass(frozen=True)
class Frame:
    """A decoded frame: its number from 0, when it is shown (None: the file does not say), and its picture."""

    index: int
    time_sec: float | None
    image: np.ndarray


def read_frames(
    path: Path, indices: Sequence[int] | None, *, short_side_px: int | None
) -> Generator[Frame, None, None]:
    """The frames numbered `indices` (ascending from 0), each once, or all of them for None: RGB and upright.

    Decodes up to the last of them. Only they are resized, bilinearly and keeping the aspect, until the
    short side is `short_side_px`; None leaves their size alone. UserError if the file ends before.
    """
    wanted = None if indices is None else frozenset(indices)
    last = None if indices is None else indices[-1]
    scale = FrameScaler(short_side_px)
    with _open_video(path) as source, closing(source.frames()) as frames:
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


class FrameScaler:
    """Makes RGB pictures of decoded frames: upright, their short side `short_side_px` (None: as it is).

    Call it with the frames of one video. Some change their size midway; all pictures have that of the first.
    """

    def __init__(self, short_side_px: int | None) -> None:
        self._short_side_px = short_side_px
        self._size: tuple[int, int] | None = None
        self._quarter_turns = 0
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """The picture, height x width x RGB."""
        if self._size is None:
            scale = (
                1.0 if self._short_side_px is None else self._short_side_px / min(frame.width, frame.height)
            )
            self._size = round(frame.width * scale), round(frame.height * scale)
            # Counterclockwise. A phone that is held upright stores its pictures lying.
            self._quarter_turns = round(frame.rotation / 90) % 4
        width_px, height_px = self._size
        # One thread: by default each frame would start one per core, which costs more than the scaling.
        image = self._reformatter.reformat(
            frame, width=width_px, height=height_px, format="rgb24", interpolation="BILINEAR", threads=1
        )
        return np.ascontiguousarray(np.rot90(image.to_ndarray(), self._quarter_turns))


def shown(path: Path | str) -> str:
    """A path, or a name, for a message: what does not print, such as a line break, stands escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(path)
    )


class _Source:
    """An open file and its video stream: decodes it from the start and notes how far it reaches."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        self.path = path
        self.container = container
        self.stream = stream
        self.num_frames = 0
        self._cut = False
        self._spans: dict[int, tuple[float, float]] = {}

    def frames(self, *, note: bool = False) -> Generator[av.VideoFrame, None, None]:
        """Every frame in the order of display; `note` keeps what `require_whole` asks for."""
        # The last packet is empty: it makes the decoder give out the frames it held back for reordering.
        for packet in self.container.demux() if note else self.container.demux(self.stream):
            if note and packet.size > 0:
                self._note(packet)
            # A packet cut off by the end of the file is left out.
            if packet.stream.index != self.stream.index or packet.is_corrupt:
                continue
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)
                yield frame
                self.num_frames += 1

    def require_whole(self) -> None:
        """UserError where the file has ended amid a frame or, by 5 % and two frames, before its stated end.

        Call it after the last frame.
        """
        stated, reached = self._stated_sec(), self._reached_sec()
        frame_sec = 1 / self.stream.average_rate if self.stream.average_rate else 0.0
        if stated is not None and stated - reached > max(2.0 * frame_sec, 0.05 * stated):
            where = f"after {self.num_frames} frames ({reached:.1f} of {stated:.1f} s)"
        elif self._cut:
            where = f"amid a frame, after {self.num_frames} whole ones"
        else:
            return
        raise UserError(f"{shown(self.path)} is truncated: it ends {where}.")

    def _note(self, packet: "Packet[Stream] | Packet[VideoStream]") -> None:
        """Widen the span of the packet's stream, whose ends are seconds."""
        stream, time = packet.stream, packet.dts if packet.pts is None else packet.pts
        if stream.index == self.stream.index:
            self._cut = packet.is_corrupt
        if packet.is_corrupt or time is None or not stream.time_base:
            return
        start, end = (float(tick * stream.time_base) for tick in (time, time + (packet.duration or 0)))
        known = self._spans.get(stream.index, (start, end))
        self._spans[stream.index] = min(known[0], start), max(known[1], end)

    def _stated_sec(self) -> float | None:
        """How long the header says that the video is; None where it says nothing."""
        stream = self.stream
        if self.container.format.name.partition(",")[0] not in _STATING_LENGTH:
            return None
        # In an AVI file cut off, FFmpeg derives the duration from what is left, but not the count.
        if self.container.format.name == "avi" and stream.average_rate:
            return float(stream.frames / stream.average_rate)
        if stream.duration is not None and stream.time_base:
            return float(stream.duration * stream.time_base)
        return self.container.duration / av.time_base if self.container.duration else None

    def _reached_sec(self) -> float:
        """The end of what was read: of the video or, where only the file states a length, of any stream.

        An edit list may move the beginning before 0.
        """
        own = self._spans.get(self.stream.index)
        spans = self._spans.values() if own is None or self.stream.duration is None else [own]
        return max((end - min(0.0, start) for start, end in spans), default=0.0)


@contextmanager
def _open_video(path: Path) -> Iterator[_Source]:
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
        source = _Source(path, container, _video_stream(container, path))
        try:
            yield source
        except av.FFmpegError as error:
            raise UserError(
                f"{shown(path)} is damaged: {error.strerror} after {source.num_frames} readable frames."
            ) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    # FFmpeg renders plain text as a video, and holds a song's cover picture for one.
    streams = [] if container.format.name == "tty" else container.streams.video
    streams = [stream for stream in streams if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise UserError(f"{shown(path)} has no video stream.")
    stream = streams[0]
    codec: CodecContext | None = stream.codec_context  # None for a codec that FFmpeg does not know
    if codec is None:
        raise UserError(f"{shown(path)} is in a video format that the decoder does not know.")
    stream.thread_type = "NONE"
    codec.thread_count = 1
    return stream


def _require_text(path: Path) -> None:
    """UserError for a name in another encoding than UTF-8: no report or table could hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{shown(path)} has a name that is not UTF-8 text. Rename it.") from error
