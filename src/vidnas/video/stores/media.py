"""Opens files and streams for reading, whichever version of PyAV is installed, and chooses what is read.

Of several video streams that is the one that players show.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

# Titles in another encoding than UTF-8 are no reason to refuse a video; PyAV 19 has no such setting any more.
_LENIENT: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}

_TS_DISCONT = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: a format's times may leap, as those of MPEG-TS and MPEG-PS."""

_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_BESIDE = Disposition.still_image | Disposition.dependent
_AS_LONG = 0.9
"""Streams of one recording differ in length by a few frames: that much of the longest counts as as long."""


def clock_may_leap(container: InputContainer) -> bool:
    """Whether the times in this kind of file, by FFmpeg's word, need not be those of one timeline."""
    return bool(container.format.flags & _TS_DISCONT)


def open_media(
    address: str,
    *,
    format_name: str | None = None,
    options: dict[str, str] | None = None,
    timeout_sec: float | None = None,
) -> InputContainer:
    """What a file's path or a URL names, opened by FFmpeg; av.FFmpegError where it cannot be.

    `timeout_sec` is how long a network may be silent.
    """
    container: InputContainer = av.open(
        address, "r", format_name, options=options, timeout=timeout_sec, **_LENIENT
    )
    return container


def end_scaler_threads() -> None:
    """End the threads of the scaler that PyAV 19 keeps for the calling thread.

    `VideoFrame.to_ndarray` and `reformat` leave it. A process that another thread forks would end it, from
    Python 3.12 on, and wait for ever for its threads, which a fork does not copy.
    """
    av.VideoFrame(16, 16, "rgb24").reformat(format="gray", threads=1)


def video_streams(container: InputContainer) -> list[VideoStream]:
    """The video streams of a file or a source, in its order.

    FFmpeg also renders plain text as a video, and holds a song's cover picture for one: they are left out.
    """
    streams = [] if container.format.name == "tty" else container.streams.video
    return [stream for stream in streams if not stream.disposition & _COVER]


def choose(streams: Sequence[VideoStream]) -> VideoStream:
    """The default one of these, one at least; else, in this order, the longest, the largest, the first.

    Any that moves comes before a still, as phones put beside a short film, and any that can be decoded before
    one in an unknown format.
    """
    preferences: tuple[Callable[[VideoStream], bool], ...] = is_known, _moves, _is_default
    for prefers in preferences:
        streams = [stream for stream in streams if prefers(stream)] or streams
    longest_sec = max(map(_length_sec, streams))
    streams = [stream for stream in streams if _length_sec(stream) >= _AS_LONG * longest_sec]
    return max(streams, key=_num_pixels)


def is_known(stream: VideoStream) -> bool:
    """Whether FFmpeg knows the format of a stream, so that it can be decoded."""
    codec: CodecContext | None = stream.codec_context
    return codec is not None


def _moves(stream: VideoStream) -> bool:
    return stream.frames != 1 and not stream.disposition & _BESIDE


def _is_default(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _length_sec(stream: VideoStream) -> float:
    """As the file states it; 0 where it does not."""
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    # Matroska has it among the tags, as in 00:00:02.000000000.
    tags = [value for name, value in stream.metadata.items() if name.partition("-")[0] == "DURATION"]
    try:
        hours, minutes, seconds = tags[0].split(":")
        return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds)).total_seconds()
    except (IndexError, ValueError, OverflowError):
        return 0.0


def _num_pixels(stream: VideoStream) -> int:
    return stream.width * stream.height if is_known(stream) else 0
