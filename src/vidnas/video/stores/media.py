"""Opens files and streams for reading and ends what it leaves, whichever version of PyAV is installed."""

from typing import Any

import av
from av.container import InputContainer

# Titles in another encoding than UTF-8 are no reason to refuse a video; PyAV 19 has no such setting any more.
_LENIENT: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}

_TS_DISCONT = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: a format's times may leap, as those of MPEG-TS and MPEG-PS."""


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
