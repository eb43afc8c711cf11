"""Whether a file is whole: what its container states of its end, and how far it reaches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidnas.errors import counted

STATED: Mapping[str, Literal["frames", "stream", "file", "bytes"]] = {
    "avi": "frames",
    "mov": "stream",
    "matroska": "file",
    "flv": "file",
    "asf": "bytes",
}
"""What a container's header states, by FFmpeg's name for it: how many frames the video has, how long it is,
how long the longest stream is, or how many bytes there are. MP4 and 3GP are kinds of MOV, WebM is one of
Matroska, WMV one of ASF. All others (MPEG-TS, MPEG-PS, Ogg, bare streams) state nothing: there FFmpeg goes by
what it finds."""

_NOT_FILLED_IN = 1 << 30
"""What FFmpeg states as the count of an AVI's frames until it knows better, which in a pipe it never does."""
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD_BYTES = 1 << 16


class Extent:
    """How far a file reaches: `note` its packets one by one, then ask what is `missing`."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container = container
        self._stream = stream
        self._states = STATED.get(container.format.name.partition(",")[0])
        self._cut = False
        self._spans: dict[int, tuple[float, float]] = {}

    def note(self, packet: "Packet[Stream] | Packet[VideoStream]") -> None:
        """Widen the span of the packet's stream, whose ends are seconds."""
        stream, time = packet.stream, packet.dts if packet.pts is None else packet.pts
        if stream.index == self._stream.index:
            self._cut = packet.is_corrupt
        if packet.is_corrupt or time is None or not stream.time_base:
            return
        start, end = (float(tick * stream.time_base) for tick in (time, time + (packet.duration or 0)))
        known = self._spans.get(stream.index, (start, end))
        self._spans[stream.index] = min(known[0], start), max(known[1], end)

    def missing(self, num_frames: int) -> str | None:
        """Where the file ends, in words, if that is amid a frame or, by 5 % and two frames, before its end.

        `num_frames` is how many were decoded. None where the file is whole, or does not say how long it is.
        """
        if self._states == "bytes":
            file = Path(self._container.name)
            size, expected = file.stat().st_size, _asf_bytes(file)
            if expected is not None and size < 0.95 * expected:
                return f"after {counted(num_frames, 'frame')} ({size:,} of {expected:,} bytes)"
        stated, reached = self._stated_sec(), self._reached_sec()
        frame_sec = 1 / self._stream.average_rate if self._stream.average_rate else 0.0
        if stated is not None and stated - reached > max(2.0 * frame_sec, 0.05 * stated):
            return f"after {counted(num_frames, 'frame')} ({reached:.1f} of {stated:.1f} s)"
        return f"amid a frame, after {num_frames} whole ones" if self._cut else None

    def _stated_sec(self) -> float | None:
        """How long the header says that the video, or the file with it, is; None where it says nothing."""
        stream = self._stream
        if self._states == "frames":
            # In an AVI file cut off, FFmpeg derives the duration from what is left, but not the count.
            rate = stream.average_rate if stream.frames < _NOT_FILLED_IN else None
            return float(stream.frames / rate) if rate else None
        if self._states == "stream" and stream.duration is not None and stream.time_base:
            return float(stream.duration * stream.time_base)
        # Where the header of a Matroska or FLV file is silent, FFmpeg guesses by the bit rates. What it has
        # guessed, unlike what it has read, it hands on to the streams.
        guessed = self._states == "file" and None not in (stream.duration, stream.start_time)
        if self._states in ("stream", "file") and self._container.duration and not guessed:
            return self._container.duration / av.time_base
        return None

    def _reached_sec(self) -> float:
        """The end of what was read: of the video or, where only the file states a length, of any stream.

        An edit list may move the beginning before 0.
        """
        own = self._spans.get(self._stream.index)
        of_file = self._states == "file" or (self._states == "stream" and self._stream.duration is None)
        spans = self._spans.values() if own is None or of_file else [own]
        return max((end - min(0.0, start) for start, end in spans), default=0.0)


def _asf_bytes(file: Path) -> int | None:
    """The size that the header of an ASF file states; None of a broadcast, whose end was not known.

    FFmpeg leaves the length out where the size is another, so it cannot tell.
    """
    with file.open("rb") as content:
        head = content.read(_ASF_HEAD_BYTES)
    start = head.find(_ASF_PROPERTIES)
    if start < 0 or int.from_bytes(head[start + 88 : start + 92], "little") & 1:
        return None
    return int.from_bytes(head[start + 40 : start + 48], "little")
