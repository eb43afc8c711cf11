"""Scans videos in worker processes: a decoder that crashes or hangs is then the fault of one file.

The workers are forked where that is the custom (Linux), so they start in no time. Only the decoder and numpy
run in them; neither touches the threads of PyTorch, which a fork does not copy.
"""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, TimeoutError, as_completed
from contextlib import closing, contextmanager
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from vidnas.errors import UserError
from vidnas.video import footage
from vidnas.video.decode import VideoInfo, shown
from vidnas.video.workers import end_with_main

if sys.platform == "linux":
    import resource

CONTEXT = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
MEMORY_BYTES = 4 << 30
"""What a worker may take beyond what it starts with: several times the needs of an 8K video."""

Scan = VideoInfo | UserError
"""What a scan says of a file: how it is, or what is wrong with it."""


def time_limit_sec(path: Path) -> float:
    """How long decoding a file may take before it counts as hanging: a minute, and a second for every MB."""
    try:
        return 60.0 + footage.size_bytes(path) / 1e6
    except (OSError, UserError):
        return 60.0


def scan_videos(
    paths: Sequence[Path],
    *,
    workers: int,
    progress: Callable[[int], object],
    limit_sec: Callable[[Path], float] = time_limit_sec,
) -> list[Scan]:
    """Scan files in `workers` processes, or in this one for 0; results in the order of `paths`.

    `progress(1)` is called after each.
    """
    results: dict[int, Scan] = {}
    with closing(scan_each(paths, workers=workers, limit_sec=limit_sec)) as scans:
        for position, result in scans:
            results[position] = result
            progress(1)
    return [results[position] for position in range(len(paths))]


def scan_each(
    paths: Sequence[Path], *, workers: int, limit_sec: Callable[[Path], float] = time_limit_sec
) -> Generator[tuple[int, Scan], None, None]:
    """(position in `paths`, result) of every file as soon as it is scanned.

    Close the iterator to end the workers at once. Without workers nothing guards this process: a decoder that
    crashes ends it, one that hangs or takes all the memory is not stopped.
    """
    if not paths:
        return
    if workers == 0:
        yield from ((position, _scan_here(path)) for position, path in enumerate(paths))
        return
    with decoding_pool(min(workers, len(paths))) as pool:
        positions: dict[Future[Scan], int] = {}
        for position, path in enumerate(paths):
            positions[pool.schedule(_scan, (path,), timeout=limit_sec(path))] = position
        for future in as_completed(positions):
            position = positions[future]
            yield position, _outcome(future, paths[position], limit_sec(paths[position]))


@contextmanager
def decoding_pool(
    workers: int, initializer: Callable[..., None] | None = None, *given: object
) -> Iterator[ProcessPool]:
    """So many processes (at least one) in which decoders may crash; they end with the `with` block.

    `initializer(*given)` is called in each, which then has its limits.
    """
    given_to_each = initializer, given
    pool = ProcessPool(
        max_workers=max(1, workers), initializer=_prepare_worker, initargs=given_to_each, context=CONTEXT
    )
    try:
        yield pool
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _outcome(future: "Future[Scan]", path: Path, limit: float) -> Scan:
    try:
        return future.result()
    except TimeoutError:
        return UserError(f"{shown(path)} takes longer than {limit:.0f} s to decode: the decoder may hang.")
    except ProcessExpired as error:
        return UserError(f"{shown(path)} crashes the decoder ({how_it_ended(error)}).")


def how_it_ended(error: ProcessExpired) -> str:
    """The signal or the exit code that a process of the pool has ended with."""
    return signal.Signals(-error.exitcode).name if error.exitcode < 0 else f"exit code {error.exitcode}"


def _prepare_worker(initializer: Callable[..., None] | None, given: tuple[object, ...]) -> None:
    """Let the worker end with the main process, and set a limit to its memory."""
    end_with_main()
    if initializer is not None:
        initializer(*given)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MEMORY_BYTES
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(
            resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
        )


def _scan_here(path: Path) -> Scan:
    """`footage.scan`, its error as a value."""
    try:
        return footage.scan(path)
    except UserError as error:
        return error


def _scan(path: Path) -> Scan:
    """The same in a worker, whose memory has a limit."""
    try:
        return _scan_here(path)
    except MemoryError:
        return UserError(f"{shown(path)} needs more than {MEMORY_BYTES / 1e9:.1f} GB of memory to decode.")
