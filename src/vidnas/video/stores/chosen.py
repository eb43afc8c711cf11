"""Which of a file's video streams is read: the one that players show."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_BESIDE = Disposition.still_image | Disposition.dependent
_AS_LONG = 0.9
"""Streams of one recording differ in length by a few frames: that much of the longest counts as as long."""


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
