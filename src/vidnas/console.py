"""What the verbs tell while they work: sentences, results and progress bars.

Sentences go to the logger "vidnas", results to its child "vidnas.results", both as INFO, so that a program
which calls a verb hears nothing unless it asks. The command line shows all of it, by `printed`.
"""

import logging
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from tqdm import tqdm

_SENTENCES = logging.getLogger("vidnas")
_RESULTS = logging.getLogger("vidnas.results")


def say(text: str) -> None:
    """A sentence about the work: how it goes, what to beware of."""
    _SENTENCES.info(text)


def give(text: str) -> None:
    """A result, as soon as it is there."""
    _RESULTS.info(text)


def bar(
    items: Iterable[Any] | None = None, *, total: int | None, label: str, unit: str, done: int = 0
) -> "tqdm[Any]":
    """A progress bar on stderr, gone when it is done, for `items` or by its `update`.

    Nothing is drawn where nothing is shown, or without a terminal. `done` of `total` were done before.
    """
    return tqdm(
        items,
        total=total,
        initial=done,
        desc=label,
        unit=unit,
        leave=False,
        file=sys.stderr,
        disable=None if any(isinstance(one, _Console) for one in _SENTENCES.handlers) else True,
    )


def line_width() -> int | None:
    """Places of a line of the terminal that results go to; None where they go elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


@contextmanager
def printed() -> Iterator[None]:
    """Within it sentences are printed to stderr, results to stdout, and bars are drawn."""
    handler, level = _Console(), _SENTENCES.level
    _SENTENCES.addHandler(handler)
    _SENTENCES.setLevel(logging.INFO)
    try:
        yield
    finally:
        _SENTENCES.removeHandler(handler)
        _SENTENCES.setLevel(level)


class _Console(logging.Handler):
    """Prints above any bar, and at once: somebody may watch a pipe."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it. Nobody may be there any more to read a sentence; a result that is lost is an error."""
        result = record.name == _RESULTS.name
        file = sys.stdout if result else sys.stderr
        with nullcontext() if result else suppress(OSError), tqdm.external_write_mode(file=file):
            print(record.getMessage(), file=file, flush=True)
