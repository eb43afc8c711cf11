"""Worker processes: they leave Ctrl-C to the main process, and never outlive it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks at /proc")

MAIN = """
import multiprocessing, time
from torch.utils.data import DataLoader
from vidnas.video.processes import workers

workers.GRACE_SEC = 1.0

class Items:
    def __len__(self):
        return 100

    def __getitem__(self, index):
        while index >= 2:  # both workers of a loader are soon busy for ever
            pass
        return index

loaders = [DataLoader(Items(), num_workers=2, worker_init_fn=workers.serve_main) for _ in range(2)]
iterators = [iter(loader) for loader in loaders]
for iterator in iterators:
    next(iterator), next(iterator)  # from each worker one
print(*(process.pid for process in multiprocessing.active_children()), flush=True)
time.sleep(100)
"""


@pytest.fixture
def main_process() -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process with four workers that are busy, and their numbers."""
    process = subprocess.Popen([sys.executable, "-c", MAIN], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    workers = [int(number) for number in process.stdout.readline().split()]
    assert len(workers) == 4
    yield process, workers
    process.kill()
    process.wait()
    process.stdout.close()
    for worker in workers:  # where a test has failed, they may still be there
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def alive(worker: int) -> bool:
    try:
        state = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def left(workers: list[int]) -> list[int]:
    """Those that live on: they are gone in a moment, in three seconds on a busy machine.

    PyTorch's own look after them takes five, and never comes to one that is busy.
    """
    until = time.monotonic() + 3
    while any(map(alive, workers)) and time.monotonic() < until:
        time.sleep(0.01)
    return [worker for worker in workers if alive(worker)]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_workers_are_gone_soon_after_their_main_process_died(
    main_process: tuple[subprocess.Popen[str], list[int]], sent: signal.Signals
) -> None:
    """Even while they are busy, and although the later ones inherit what watches over the earlier ones."""
    process, workers = main_process
    assert all(map(alive, workers))
    process.send_signal(sent)
    process.wait(10)
    assert left(workers) == []


def test_a_worker_that_hangs_does_not_keep_its_main_process_from_ending(
    main_process: tuple[subprocess.Popen[str], list[int]],
) -> None:
    process, workers = main_process
    process.send_signal(signal.SIGINT)  # ends as Python programs end, which waits for the workers
    assert process.wait(10) != 0
    assert left(workers) == []


def test_workers_leave_ctrl_c_to_the_main_process_and_outlive_sigterm_by_some_time(
    main_process: tuple[subprocess.Popen[str], list[int]],
) -> None:
    _, workers = main_process
    for worker in workers:
        os.kill(worker, signal.SIGINT)
    os.kill(workers[0], signal.SIGTERM)
    time.sleep(0.5)
    assert all(map(alive, workers))
    assert left(workers[:1]) == []
    assert all(map(alive, workers[1:]))


YOUNG = """
import os, signal
from vidnas.video.clips import loaders
from vidnas.video.processes import workers

class Items:
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return index

def serve_main(number):
    os.kill(os.getpid(), signal.SIGTERM)  # before it has its manners
    workers.serve_main(number)

loaders.serve_main = serve_main
loaders._require_room = lambda *_: None
print([int(batch) for batch in loaders.test_loader(Items(), batch_size=1, workers=2)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_workers_outlive_sigterm_from_their_first_instant_on() -> None:
    """A cluster's may come while they begin; the main process is as open to it afterwards as before."""
    done = subprocess.run([sys.executable, "-c", YOUNG], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["[0, 1]", "set()"], done.stderr
