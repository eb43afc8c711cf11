"""Manners of worker processes."""

import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path

from vidnas.errors import UserError
from vidnas.video.processes.shortage import UNGUARDED, exit_code

CONTEXT = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
"""How processes begin: on Linux as copies of this one, which takes no time and does not run a script anew."""

GRACE_SEC = 10.0
"""How long a loader's worker outlives SIGTERM: time for the main process to finish its step."""


def end_with_main() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the main process; end when that one ends.

    However it ends, `kill -9` among it. SIGTERM ends a worker at once: so pools end one that hangs.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _watch(_end_with)


def end_if_run_anew() -> None:
    """End a process that has been started to work, and runs the user's script instead.

    Where processes do not begin as copies, they import the script; what it does without asking for its
    `__name__` they would do again, and so on without end.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing asks itself
        os._exit(UNGUARDED.exit_code)


def require_guard() -> None:
    """Before processes are started: UserError where each would run the user's script anew."""
    end_if_run_anew()
    main = sys.modules["__main__"]
    script = None if getattr(main, "__spec__", None) else getattr(main, "__file__", None)
    if CONTEXT.get_start_method() == "fork" or script is None:
        return
    with suppress(OSError):
        if not re.search(rb"__name__\s*==", Path(script).read_bytes()):
            raise UserError(UNGUARDED.say())


@contextmanager
def sigterm_held() -> Iterator[None]:
    """A process that begins meanwhile begins with SIGTERM held back, and does not end before its manners."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve_main(_: int = 0) -> None:
    """As `end_with_main`, for a loader's worker: SIGTERM ends it `GRACE_SEC` later.

    What it cannot hand over ends it, since the main process would wait for that for ever.

    A cluster sends it to every process of a job, and the main one must be able to finish its step. It is not
    ignored for good, since Python ends a worker by it that hangs when the main process ends.
    Start the worker within `sigterm_held`: PyTorch's own handler ends one that gets it earlier.
    """
    Queue._on_queue_feeder_error = staticmethod(_give_up)  # type: ignore[attr-defined]
    Queue._start_thread = _started_or_given_up(Queue._start_thread)  # type: ignore[attr-defined]
    try:
        if hasattr(signal, "pthread_sigmask"):  # not on Windows
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # before any thread, which inherits it
            _watch(_end_after_sigterm)
        end_with_main()
    except RuntimeError as error:  # no thread may be started: nothing would end this process
        _give_up(error)


def _started_or_given_up(start: Callable[[object], None]) -> Callable[[object], None]:
    def start_or_give_up(queue: object) -> None:
        try:
            start(queue)
        except RuntimeError as error:
            _give_up(error)

    return start_or_give_up


def _give_up(error: BaseException, _: object = None) -> None:
    """End this process, which the main one notices and, by the exit code, explains."""
    os._exit(exit_code(error))


def _watch(end: Callable[[BaseProcess], None]) -> None:
    main = multiprocessing.parent_process()
    if main is not None:
        threading.Thread(target=end, args=(main,), daemon=True).start()


def _end_with(main: BaseProcess) -> None:
    main.join()
    os._exit(1)


def _end_after_sigterm(main: BaseProcess) -> None:
    signal.sigwait([signal.SIGTERM])
    main.join(GRACE_SEC)
    os._exit(1)
