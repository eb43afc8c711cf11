"""Manners of worker processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess

GRACE_SEC = 10.0
"""How long a loader's worker outlives SIGTERM: time for the main process to finish its step."""


def end_with_main() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the main process; end when that one ends.

    However it ends, `kill -9` among it. SIGTERM ends a worker at once: so pools end one that hangs.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _watch(_end_with)


def serve_main(_: int = 0) -> None:
    """As `end_with_main`, for a loader's worker: SIGTERM ends it `GRACE_SEC` later.

    A cluster sends it to every process of a job, and the main one must be able to finish its step. It is not
    ignored for good, since Python ends a worker by it that hangs when the main process ends.
    """
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # before any thread, which inherits it
        _watch(_end_after_sigterm)
    end_with_main()


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
