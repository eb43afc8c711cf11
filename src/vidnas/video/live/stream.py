"""A live source -> its frames, each when it is due: a camera, a network stream, a pipe.

Frames come at the source's own speed, as in a player: a source that delivers faster has to wait, and one that
had stopped catches up. Where decoding is too slow, frames are left out up to the next that needs no other.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from vidnas.errors import UserError
from vidnas.video.stores.clock import FrameClock
from vidnas.video.stores.media import choose, is_known, open_media, video_streams
from vidnas.video.stores.upright import pixel_aspect

USUAL_RATE = 25
"""Frames a second of a source that states neither times nor a rate."""
LATE_SEC = 1.0
"""A frame that is later than this is no longer live."""

_CAUGHT_UP_SEC = 0.005  # whoever waits longer for a packet had none lying there
_CAMERA = "/dev/video"
# Where an option means nothing, it does nothing. Over UDP, RTSP loses pieces of frames; 2 s (in microseconds)
# are enough to learn what a stream holds.
_OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "2000000"}


@dataclass(frozen=True)
class LiveSource:
    """An open source: its packets as they come, and its frames a second where it states no times.

    `aspect` is the width of its pixels over their height.
    """

    packets: "Iterator[Packet[VideoStream]]"
    rate: float
    aspect: Fraction


class Player:
    """Plays an open source. `num_dropped` counts the frames left out because they came late or damaged."""

    def __init__(self, source: LiveSource, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self.num_dropped = 0
        self._source = source
        self._sleep = sleep

    def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """(stream time at the frame's end, frame), each when it is due."""
        frame_sec = 1 / self._source.rate  # a frame is shown until the next one comes: until then a guess
        clock = FrameClock(frame_sec, leaps=True)
        now_sec = 0.0
        start: float | None = None  # when stream time 0 was played
        left_out = 0
        for packet, waited_sec in self._packets():
            late_sec = 0.0 if start is None else time.monotonic() - start - now_sec
            if start is not None and waited_sec > _CAUGHT_UP_SEC:
                # The source itself is late: nothing can be left out, this is now live.
                start, late_sec = start + late_sec, 0.0
            frames = self._decode(packet) if late_sec <= LATE_SEC or _starts_anew(packet) else None
            if frames is None:
                self.num_dropped += 1
                left_out += 1
            for frame in frames or ():
                now_sec = clock.start(frame.time, left_out) + frame_sec
                left_out = 0
                start = time.monotonic() - now_sec if start is None else start
                self._sleep(max(0.0, start + now_sec - time.monotonic()))
                yield now_sec, frame

    def _packets(self) -> Iterator[tuple["Packet[VideoStream]", float]]:
        """(packet, seconds waited for it)."""
        asked = time.monotonic()
        for packet in self._source.packets:
            yield packet, time.monotonic() - asked
            asked = time.monotonic()

    def _decode(self, packet: "Packet[VideoStream]") -> list[av.VideoFrame] | None:
        """The frames that a packet completes; None where it is damaged, as a stream's first often are."""
        try:
            return packet.decode()
        except av.InvalidDataError:
            return None


def _starts_anew(packet: "Packet[VideoStream]") -> bool:
    # The last packet is empty: it makes the decoder give out the frames it held back.
    return packet.is_keyframe or packet.size == 0


@contextmanager
def open_source(source: str, *, timeout_sec: float) -> Iterator[LiveSource]:
    """The source by its name; UserError with the cause and a way out where there is none.

    A name is the URL of a stream, a file, a camera (/dev/video0, or its number alone), or - for the
    standard input. After `timeout_sec` without data from a network the decoder gives up.
    """
    address, format_name = _address(source)
    try:
        container = open_media(address, format_name=format_name, options=_OPTIONS, timeout_sec=timeout_sec)
    except (av.FFmpegError, OSError) as error:
        raise UserError(_refused(source, error)) from error
    with container:
        streams = video_streams(container)
        if not streams:
            raise UserError(f"There is no video in {shown_source(source)}.")
        stream = choose(streams)
        if not is_known(stream):
            name = shown_source(source)
            raise UserError(f"The video in {name} is in a format that the decoder does not know.")
        # Several frames at once would be quicker, but every one of them later.
        stream.thread_type = "SLICE"
        rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
        yield LiveSource(container.demux(stream), float(rate), pixel_aspect(stream))


def shown_source(source: str) -> str:
    """The source as it may be shown: without a password that its URL holds."""
    return "the standard input" if source == "-" else re.sub(r"//[^/@]*@", "//...@", source)


def _address(source: str) -> tuple[str, str | None]:
    """What FFmpeg calls the source, and its format where that has to be said."""
    if source == "-":
        return "pipe:0", None
    if source.isdecimal():
        return f"{_CAMERA}{source}", "v4l2"
    if source.startswith(_CAMERA):
        return source, "v4l2"
    # FFmpeg would take what stands before a colon in a file's name for a protocol.
    return str(Path(source).absolute()) if Path(source).exists() else source, None


def _refused(source: str, error: Exception) -> str:
    """Why a source cannot be opened, and what to do."""
    silent = isinstance(error, av.ExitError | av.TimeoutError)
    cause = "no answer" if silent else getattr(error, "strerror", None) or str(error)
    address, format_name = _address(source)
    if format_name is not None:
        cameras = ", ".join(sorted(map(str, Path("/dev").glob("video*")))) or "none"
        if isinstance(error, PermissionError):
            way_out = (
                "You may not use it: join the group `video` (sudo usermod -aG video $USER) and log in anew."
            )
        else:
            way_out = f"Cameras here: {cameras}. Plug it in, or close the program that uses it."
        return f"The camera {address} cannot be opened: {cause}. {way_out}"
    if "://" in source:
        return (
            f"{shown_source(source)} cannot be opened: {cause}. Check the address, and that what sends "
            "the stream is running and can be reached from here."
        )
    if source == "-":
        return f"The standard input cannot be read as a video: {cause}. Pipe in a stream such as MPEG-TS."
    return (
        f"{source} cannot be opened: {cause}. A live source is a URL, as in rtsp://camera.local/stream, a "
        "camera, as in /dev/video0, or - for a pipe."
    )
