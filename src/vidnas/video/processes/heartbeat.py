"""Ends a decoder that hangs, or a file that has no end.

A process is ended that makes no progress although it has had the time for it.

What counts is not the clock on the wall, on which a busy machine, a suspended laptop and Ctrl-Z look like a
decoder that hangs, but the processor time of this process, and whether it stands still without using any.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT_SEC = 60.0
"""How long the decoder may compute, or wait, for one frame."""
COMPUTED_TOO_LONG, STOOD_STILL = 71, 72
"""Exit codes of a process that was ended: its decoder computed, or waited, for the limit without a frame."""

MOST_TIMES_STATED = 10
"""So many times the frames that a header states are too many,"""
MOST_OF_NOTHING = 1000
"""and so are more frames than a file has bytes, and these: both have to be exceeded."""
_NOT_STATED = 1 << 30  # by FFmpeg, of an AVI in a pipe

_POLL_SEC = 0.25
_STILL_SEC = 0.001  # who computes less than that is waiting

_beats = _rests = 0


def beat() -> None:
    """Tell that there is progress: another frame, say."""
    global _beats
    _beats += 1


@contextmanager
def at_rest() -> Iterator[None]:
    """The block has a limit of its own: it is not held against the decoder."""
    global _rests
    _rests += 1
    try:
        yield
    finally:
        _rests -= 1


@contextmanager
def limited(limit_sec: float) -> Iterator[None]:
    """Within the block, end this process where no `beat` comes for `limit_sec` of its processor time.

    Also where none comes for as long while it uses no processor time: so does a read from a disk or a server
    that does not answer.
    """
    done = threading.Event()
    threading.Thread(target=_watch, args=(done, limit_sec), name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _watch(done: threading.Event, limit_sec: float) -> None:
    beats, begun_sec = _beats, _used_sec()
    still_since_sec, still_sec = begun_sec, 0.0
    poll_sec = min(_POLL_SEC, limit_sec / 4)
    while not done.wait(poll_sec):
        used_sec = _used_sec()
        if _beats != beats or _rests:
            beats, begun_sec = _beats, used_sec
            still_since_sec, still_sec = used_sec, 0.0
        elif used_sec - still_since_sec > _STILL_SEC:
            still_since_sec, still_sec = used_sec, 0.0
        else:
            still_sec += poll_sec  # not by the clock: this thread stood still, too, if the machine did
        if used_sec - begun_sec > limit_sec:
            os._exit(COMPUTED_TOO_LONG)
        if still_sec >= limit_sec:
            os._exit(STOOD_STILL)


def _used_sec() -> float:
    """Processor time that the process has used, besides this thread's."""
    return time.process_time() - time.thread_time()


def most_frames(stated: int, path: Path) -> int:
    """More frames than any whole file has of which `stated` are stated (0: nothing) in its header.

    Counts in headers lie, and pieces may have been appended to a file; so its size tells, too.
    """
    stated = stated if stated < _NOT_STATED else 0
    return max(MOST_TIMES_STATED * stated, path.stat().st_size) + MOST_OF_NOTHING
