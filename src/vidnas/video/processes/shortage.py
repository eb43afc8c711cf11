"""What this machine, or the shell, allows too little of, in words: the cause and the way out."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import walk_tb
from typing import NamedTuple

from vidnas.errors import UserError

if sys.platform != "win32":
    import resource

SHARED_MEMORY = "/dev/shm"
"""The folder, in memory, through which processes hand over clips on Linux."""
NO_MEMORY = ("MemoryError", "OutOfMemory", "can't allocate memory", "Storage size calculation overflowed")
"""How Python and PyTorch say it, as the kind of an error or in its message."""


class _Kind(NamedTuple):
    """A shortage: the errors and words by which it is known, and what to say of it.

    A process that must end because of it does so with `exit_code`.
    """

    exit_code: int
    numbers: tuple[int, ...]
    signs: tuple[str, ...]
    say: Callable[[], str]


_MORE_FILES = "Allow more, as with `ulimit -n 4096`, or use fewer --workers (--workers 0 needs the fewest)."
_MORE_ROOM = "Use --workers 0, or give it more room, as with `docker run --shm-size=1g`."


def _say_shared_memory() -> str:
    room = _shared_room()
    return (
        f"The processes that read videos hand over clips through {SHARED_MEMORY}, which is full: it has "
        f"{'no room' if room is None else _size(room[1])}. {_MORE_ROOM}"
    )


def _say_processes() -> str:
    return (
        f"No further process or thread can be started: {_allowed('RLIMIT_NPROC')} are allowed here (ulimit "
        "-u), or by the container. Allow more, or use --workers 0 and OMP_NUM_THREADS=1."
    )


FILES = _Kind(
    73,
    (errno.EMFILE,),
    ("Too many open files", "items of ancdata"),
    lambda: (
        f"Too many files are open: {_allowed('RLIMIT_NOFILE')} are allowed here (ulimit -n). {_MORE_FILES}"
    ),
)
SHARED = _Kind(
    74,
    (),
    ("allocate shared memory", "out of shared memory", "shared memory object", "to file </torch_"),
    _say_shared_memory,
)
PROCESSES = _Kind(75, (), ("can't start new thread",), _say_processes)
FILE_SIZE = _Kind(
    76,
    (errno.EFBIG,),
    (),
    lambda: (
        f"The shell limits a file to {_allowed('RLIMIT_FSIZE')} bytes: `ulimit -f unlimited` allows more."
    ),
)
UNGUARDED = _Kind(
    77,
    (),
    ("finished its bootstrapping phase",),
    lambda: (
        "The processes that read videos run your script anew and come to its call of vidnas instead of "
        'their work. Put what the script does below `if __name__ == "__main__":`, or set workers=0.'
    ),
)
"""A script that starts itself anew in every process."""
KINDS = (FILES, SHARED, PROCESSES, FILE_SIZE, UNGUARDED)


def shortage(error: BaseException) -> str | None:
    """The cause and the way out, if an error, or one behind it, is a shortage; of memory `out_of_memory`."""
    kind = _kind_of(error)
    return kind.say() if kind else None


def shortage_of(code: int) -> str | None:
    """The cause and the way out, if a process has ended with the exit code of a shortage."""
    return next((kind.say() for kind in KINDS if kind.exit_code == code), None)


def exit_code(error: BaseException) -> int:
    """With what a process ends because of this error, so that `shortage` knows it there, too."""
    kind = _kind_of(error)
    return kind.exit_code if kind else 1


def out_of_memory(error: BaseException) -> str | None:
    """The cause and the way out, if memory did not suffice."""
    what = f"{type(error).__name__}: {error}"
    if not isinstance(error, MemoryError) and not any(sign in what for sign in NO_MEMORY):
        return None
    sentence = "The memory did not suffice. Use a smaller --batch-size or --size-px, or fewer --workers."
    allowed = _limit("RLIMIT_AS")
    if allowed is None:
        return sentence
    return f"{sentence} A program may have {_size(allowed)} here: `ulimit -v unlimited` allows more."


def require_shared_memory(needed_bytes: int) -> None:
    """UserError where processes could not hand over so much at once."""
    room = _shared_room() if sys.platform == "linux" else None
    if room is not None and room[0] < needed_bytes:
        raise UserError(
            f"The processes that read videos hand over clips through {SHARED_MEMORY}, where {_size(room[0])} "
            f"are free; they need {_size(needed_bytes)}. {_MORE_ROOM}"
        )


def require_files(needed: int) -> None:
    """UserError where so many more files could not be open at once."""
    allowed, opened = _limit("RLIMIT_NOFILE"), Path("/proc/self/fd")
    needed += len(list(opened.iterdir())) if opened.is_dir() else 0
    if allowed is not None and needed > allowed:
        raise UserError(
            f"Reading videos needs about {needed} open files; {allowed} are allowed here (ulimit -n). "
            f"{_MORE_FILES}"
        )


def _kind_of(error: BaseException) -> _Kind | None:
    chain = list(_chain(error))
    text = "\n".join(f"{type(one).__name__}: {one}" for one in chain)
    numbers = {one.errno for one in chain if isinstance(one, OSError)}
    for kind in KINDS:
        ended = f"exit code {kind.exit_code}"
        if numbers.intersection(kind.numbers) or any(sign in text for sign in (*kind.signs, ended)):
            return kind
    if any(isinstance(one, BlockingIOError) and "fork" in _where(one) for one in chain):
        return PROCESSES
    nameless = any(isinstance(one, OSError) and "SemLock" in _where(one) for one in chain)
    return SHARED if nameless else None


def _where(error: BaseException) -> str:
    """The names of the functions that an error went through."""
    codes = [frame.f_code for frame, _ in walk_tb(error.__traceback__)]
    return " ".join(f"{code.co_filename} {code.co_qualname}" for code in codes)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _shared_room() -> tuple[int, int] | None:
    """Bytes in the shared memory that are free, and all of them; None where it cannot be used."""
    try:
        state = os.statvfs(SHARED_MEMORY)
    except OSError:
        return None
    return state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize


def _limit(name: str) -> int | None:
    """What the shell allows; None where that is as much as there is."""
    if sys.platform == "win32":
        return None
    allowed: int = resource.getrlimit(getattr(resource, name))[0]
    return None if allowed == resource.RLIM_INFINITY else allowed


def _allowed(name: str) -> str:
    allowed = _limit(name)
    return "too few" if allowed is None else f"{allowed:,}"


def _size(num_bytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if num_bytes >= size:
            return f"{num_bytes / size:.1f} {unit}"
    return f"{num_bytes / 1e3:.0f} kB"
