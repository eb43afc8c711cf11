"""Scans videos in worker processes: a decoder that crashes or hangs is then the fault of one file.

The workers are forked where that is the custom (Linux), so they start in no time. Only the decoder and numpy
run in them; neither touches the threads of PyTorch, which a fork does not copy.
"""

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from vidnas.errors import UserError, shown
from vidnas.video.items import Item, VideoIndex
from vidnas.video.processes.heartbeat import COMPUTED_TOO_LONG, LIMIT_SEC, STOOD_STILL, limited
from vidnas.video.processes.shortage import exit_code, shortage, shortage_of
from vidnas.video.processes.workers import CONTEXT, end_with_main, require_guard
from vidnas.video.stores import footage
from vidnas.video.stores.decode import VideoInfo
from vidnas.video.stores.media import end_scaler_threads

if sys.platform == "linux":
    import resource

MEMORY_BYTES = 4 << 30
"""What a worker may take beyond what it starts with: several times the needs of an 8K video."""

Scan = VideoInfo | UserError
"""What a scan says of a file: how it is, or what is wrong with it."""


@dataclass(frozen=True)
class Scanned:
    """Videos that have been scanned: `index` without the bad ones; on each of those `skipped` has a sentence.

    `infos` tells what was found in the good ones, by path.
    """

    index: VideoIndex
    infos: Mapping[Path, VideoInfo]
    skipped: tuple[str, ...]

    def counts(self, items: Sequence[Item]) -> list[int]:
        """How many frames each of these scanned videos has."""
        return [self.infos[item.path].num_frames for item in items]


def sort_out(items: Sequence[Item], scans: Sequence[Scan]) -> tuple[dict[Path, VideoInfo], list[str]]:
    """What was found in the good ones, by path; what is wrong with the others, in sentences."""
    found = {item.path: scan for item, scan in zip(items, scans, strict=True) if isinstance(scan, VideoInfo)}
    return found, [str(scan) for scan in scans if isinstance(scan, UserError)]


def scan_videos(
    paths: Sequence[Path],
    *,
    workers: int,
    progress: Callable[[int], object],
    limit_sec: float = LIMIT_SEC,
) -> list[Scan]:
    """Scan files in `workers` processes, or in this one for 0; results in the order of `paths`.

    `progress(1)` is called after each. `limit_sec` is how long the decoder may compute, or wait, for a frame.
    """
    results: dict[int, Scan] = {}
    with closing(scan_each(paths, workers=workers, limit_sec=limit_sec)) as scans:
        for position, result in scans:
            results[position] = result
            progress(1)
    return [results[position] for position in range(len(paths))]


def scan_each(
    paths: Sequence[Path], *, workers: int, limit_sec: float = LIMIT_SEC
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
        positions: dict[Future[Scan], int] = {
            pool.schedule(_scan, (path, limit_sec)): position for position, path in enumerate(paths)
        }
        for future in as_completed(positions):
            position = positions[future]
            yield position, _outcome(future, paths[position], limit_sec)


@contextmanager
def decoding_pool(
    workers: int, initializer: Callable[..., None] | None = None, *given: object
) -> Iterator[ProcessPool]:
    """So many processes (at least one) in which decoders may crash; they end with the `with` block.

    `initializer(*given)` is called in each, which then has its limits. UserError where none can begin.
    """
    require_guard()
    end_scaler_threads()  # the pool forks in a thread of its own when it replaces a process
    given_to_each = initializer, given
    pool = ProcessPool(
        max_workers=max(1, workers), initializer=_prepare_worker, initargs=given_to_each, context=CONTEXT
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        cannot = "The processes that decode videos cannot begin here. Use --workers 0, which needs none."
        if CONTEXT.get_start_method() != "fork":
            cannot += ' A script must call vidnas below `if __name__ == "__main__":`.'
        raise UserError(shortage(error) or cannot) from error
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _outcome(future: "Future[Scan]", path: Path, limit_sec: float) -> Scan:
    try:
        return future.result()
    except ProcessExpired as error:
        return UserError(f"{shown(path)} {what_it_did(error, limit_sec)}")


def what_it_did(error: ProcessExpired, limit_sec: float) -> str:
    """What a file, or several, did to the process of the pool that has ended, as the end of a sentence.

    UserError where no file is to blame.
    """
    cause = shortage_of(error.exitcode)
    if cause is not None:
        raise UserError(cause) from error
    more = f"If nothing is wrong there, allow more, as in --scan-limit-sec {10 * limit_sec:g}."
    if error.exitcode == COMPUTED_TOO_LONG:
        return f"takes longer than {limit_sec:g} s of computing for a frame: the decoder may hang. {more}"
    if error.exitcode == STOOD_STILL:
        return f"takes longer than {limit_sec:g} s to be read further: its disk or server may hang. {more}"
    code = error.exitcode
    return f"crashes the decoder ({signal.Signals(-code).name if code < 0 else f'exit code {code}'})."


def _prepare_worker(initializer: Callable[..., None] | None, given: tuple[object, ...]) -> None:
    """Let the worker end with the main process, and set a limit to its memory."""
    try:
        end_with_main()
    except RuntimeError as error:  # it may not start a thread
        os._exit(exit_code(error))
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


def _scan(path: Path, limit_sec: float) -> Scan:
    """What a worker, whose time and memory have limits, finds of a file."""
    try:
        with limited(limit_sec):
            return _scan_here(path)
    except MemoryError:
        return UserError(f"{shown(path)} needs more than {MEMORY_BYTES / 1e9:.1f} GB of memory to decode.")
