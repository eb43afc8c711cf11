"""Watching a live source: a line for every window, until it ends or somebody stops it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from vidnas import console
from vidnas.assembly.classifier import Classifier
from vidnas.report.predictions import describe_label, minutes
from vidnas.training.predictions import rank
from vidnas.video.clips.transforms import scaled_short_side
from vidnas.video.live.newest import NewestFrames
from vidnas.video.live.stream import shown_source


def watch(source: str, classifier: Classifier, *, threshold: float) -> None:
    """Give a line per window: time of day, end of the window in stream time, score, label (or that no class's
    score reaches the threshold).

    There is a window every half of its length; one that is due while the network is busy is left out.
    Returns at the end of the stream, at Ctrl-C and at SIGTERM, after a sentence that sums up. UserError
    for a source that cannot be opened, fails or falls silent.
    """
    window_sec, short_side_px = classifier.window_sec, scaled_short_side(classifier.size_px)
    newest = NewestFrames(source, window_sec=window_sec, short_side_px=short_side_px)
    console.say(f"Watching {shown_source(source)} by windows of {window_sec:g} s. Ctrl-C ends.")
    num_windows = 0
    with _stoppable(), newest:
        try:
            for window in newest.windows():
                (scores,) = classifier.classify([classifier.clip_of(window.frames)])
                best = rank(scores, classifier.classes)[0]
                said = describe_label(best if best.score >= threshold else None)
                num_windows += 1  # before its line, which whoever presses Ctrl-C has seen
                console.give(f"{datetime.now():%H:%M:%S}  {minutes(window.end_sec):>7}  {said}")
        except KeyboardInterrupt:
            console.say("")  # the terminal has shown ^C
    console.say(
        f"Windows seen: {num_windows}; left out because the network was busy: {newest.num_windows_dropped}. "
        f"Frames not decoded because they were late or damaged: {newest.num_frames_dropped}."
    )


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM is as good as Ctrl-C; outside the main thread nobody can be told of either."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
