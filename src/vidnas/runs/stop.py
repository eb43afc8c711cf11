"""Asking a run to stop: Ctrl-C and SIGTERM wait until the step under way is done."""

import signal
import threading
from types import FrameType

from vidnas import console
from vidnas.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """While entered, a first Ctrl-C or SIGTERM is noted for `check` to act on; a second Ctrl-C acts at once.

    One that it did not act on is left to the request around it, where there is one. Outside the main thread
    signals cannot be caught; there it does nothing.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
            outer = getattr(handler, "__self__", None)
            if isinstance(outer, StopRequest):  # of a work of which this one was a part
                outer.signal = outer.signal or self.signal

    def check(self) -> None:
        """Interrupted, if a signal has come."""
        if self.signal is not None:
            raise Interrupted("interrupted", 128 + self.signal)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        console.say("\nStopping after this step; Ctrl-C again stops at once.")
