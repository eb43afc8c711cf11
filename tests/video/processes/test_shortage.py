"""What a machine allows too little of is told by cause and way out, wherever it strikes."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vidnas.cli.explained import explain
from vidnas.errors import UserError
from vidnas.video.processes import shortage as shortages
from vidnas.video.processes.shortage import (
    KINDS,
    exit_code,
    out_of_memory,
    require_files,
    require_shared_memory,
    shortage,
    shortage_of,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are set as on Linux")
SHM = "hand over clips through /dev/shm"


def caused(cause: BaseException) -> Exception:
    error = UserError("Cannot write run/x.")
    error.__cause__ = cause
    return error


ERRORS = {
    "Caught RuntimeError in DataLoader worker process 0. unable to allocate shared memory(shm) for file "
    "</torch_1_2_0>: No space left on device (28)": SHM,
    "DataLoader worker (pid 3) is killed by signal: Bus error. It is possible that dataloader's workers are "
    "out of shared memory. Please try to raise your shared memory limit.": SHM,
    "unable to open shared memory object </torch_1> in read-write mode: Too many open files": "ulimit -n",
    "received 0 items of ancdata": "ulimit -n",
    "Too many open files. Communication with the workers is no longer possible.": "ulimit -n",
    "can't start new thread": "ulimit -u",
    "DataLoader worker (pid 7) exited unexpectedly with exit code 74. Details are lost": SHM,
    "An attempt has been made to start a new process before the current process has finished its "
    "bootstrapping phase.": "__main__",
}


@pytest.mark.parametrize("message", ERRORS)
def test_what_libraries_say_becomes_a_sentence_with_cause_and_way_out(message: str) -> None:
    code, sentence = explain(RuntimeError(message))
    assert code == 1
    assert ERRORS[message] in sentence and "workers" in sentence
    assert "must not happen" not in sentence and "Error" not in sentence and "\n" not in sentence


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n 4096"),
        (caused(OSError(errno.EFBIG, "File too large")), "Cannot write run/x. The shell limits a file to "),
        (caused(OSError(errno.ENOSPC, "No space left on device")), "Cannot write run/x."),
    ],
)
def test_what_the_system_says_is_told_with_the_limit_that_it_comes_from(error: Exception, told: str) -> None:
    code, sentence = explain(error)
    assert code == 1 and told in sentence
    assert ("ulimit" in sentence) == (told != "Cannot write run/x.")


def test_other_errors_are_no_shortage() -> None:
    for error in (RuntimeError("a bug"), OSError(errno.ENOSPC, "No space left"), KeyError("exit code 1")):
        assert shortage(error) is None
        assert exit_code(error) == 1


def test_a_process_that_ends_for_want_of_something_says_so_by_its_exit_code() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert len({*codes, 71, 72}) == len(codes) + 2, "a decoder that hangs ends with 71 or 72"
    assert exit_code(OSError(errno.EMFILE, "x")) == shortages.FILES.exit_code
    for kind in KINDS:
        assert shortage_of(kind.exit_code) == kind.say()
    assert shortage_of(1) is None


def test_room_that_will_not_suffice_is_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortages, "_shared_room", lambda: (60_000, 65_536))
    require_shared_memory(60_000)
    with pytest.raises(
        UserError, match=r"/dev/shm, where 60 kB are free; they need 2\.0 MB\. Use --workers 0"
    ):
        require_shared_memory(2_000_000)
    monkeypatch.setattr(shortages, "_limit", lambda _: 1024)
    require_files(100)
    with pytest.raises(
        UserError, match=r"needs about 1\d{3} open files; 1024 are allowed here \(ulimit -n\)"
    ):
        require_files(1020)


def test_memory_that_the_shell_limits_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    assert out_of_memory(RuntimeError("no")) is None
    monkeypatch.setattr(shortages, "_limit", lambda _: 2_000_000_000)
    told = out_of_memory(MemoryError())
    assert told is not None and told.endswith(
        "A program may have 2.0 GB here: `ulimit -v unlimited` allows more."
    )
    monkeypatch.setattr(shortages, "_limit", lambda _: None)
    told = out_of_memory(MemoryError())
    assert told is not None and told.endswith("fewer --workers.")


Tell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def train(tiny_videos: Path, tmp_path: Path) -> Tell:
    """train(*before): the ended process of a small training with workers, run by the command `before`."""

    def run(*before: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "vidnas", "train", "--preset", "demo", "--genotype", "random:0"]
        command += ["--data", str(tiny_videos), "--num-cells", "1", "--first-channels", "1", "--epochs", "1"]
        command += ["--batch-size", "8", "--workers", "2", "--out", str(tmp_path / "run")]
        return subprocess.run([*before, *command], capture_output=True, text=True, timeout=200, check=False)

    return run


def told_before(ended: "subprocess.CompletedProcess[str]", run: Path) -> str:
    """The one sentence on stderr of a training that never began."""
    assert ended.returncode == 1
    assert not run.exists()
    (line,) = ended.stderr.splitlines()
    return line


def may_mount() -> bool:
    """Whether a small /dev/shm can be made, as in a container."""
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"]
    return (
        shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0
    )


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="no /dev/shm of its own can be mounted here")
def test_a_container_with_a_small_dev_shm_is_told_of_it_before_the_run(train: Tell, tmp_path: Path) -> None:
    small = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"'
    line = told_before(train("unshare", "-m", "bash", "-c", small, "bash"), tmp_path / "run")
    assert line.startswith(f"vidnas: The processes that read videos {SHM}, where ")
    assert line.endswith("Use --workers 0, or give it more room, as with `docker run --shm-size=1g`.")


@pytest.mark.slow
def test_a_shell_that_allows_few_open_files_is_told_of_it_before_the_run(train: Tell, tmp_path: Path) -> None:
    line = told_before(train("bash", "-c", 'ulimit -n 20 && exec "$@"', "bash"), tmp_path / "run")
    assert "open files; 20 are allowed here (ulimit -n)" in line


@pytest.mark.slow
def test_a_limit_that_strikes_later_names_itself_and_the_way_on(train: Tell) -> None:
    """The files of one loader may be open, but not those of the test's beside it."""
    ended = train("bash", "-c", 'ulimit -n 42 && exec "$@"', "bash")
    assert "Traceback" not in ended.stderr
    if ended.returncode:  # or it sufficed
        assert "(ulimit -n)" in ended.stderr.splitlines()[-1]


LOADER = """
import os, sys
from torch.utils.data import DataLoader
from vidnas.video.processes.shortage import shortage
from vidnas.video.processes.workers import CONTEXT, serve_main

class Unsendable:
    def __reduce__(self):
        raise OSError(24, os.strerror(24))

class Items:
    def __len__(self):
        return 4
    def __getitem__(self, index):
        return Unsendable()

loader = DataLoader(Items(), batch_size=None, num_workers=1, worker_init_fn=serve_main,
                    multiprocessing_context=CONTEXT)
try:
    next(iter(loader))
except RuntimeError as error:
    print(shortage(error))
"""


def test_a_worker_that_cannot_hand_over_its_batch_ends_instead_of_being_waited_for() -> None:
    command = [sys.executable, "-c", LOADER]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ended.stdout.startswith("Too many files are open: "), ended.stderr
    assert "Traceback" not in ended.stderr


SCRIPT = """
import multiprocessing
from pathlib import Path
from vidnas.video.scan import scans
from vidnas.video.processes import workers
workers.CONTEXT = scans.CONTEXT = multiprocessing.get_context("spawn")
GUARD
    print(scans.scan_videos([Path(PATH)], workers=1, progress=lambda _: None)[0].num_frames)
"""


@pytest.mark.parametrize("guard", [True, False])
def test_a_script_that_each_process_would_run_anew_is_told_of_its_guard(
    guard: bool, tiny_videos: Path, tmp_path: Path
) -> None:
    """As processes begin on macOS and Windows."""
    video = next(tiny_videos.rglob("*.avi"))
    script = tmp_path / "script.py"
    text = SCRIPT.replace("GUARD", 'if __name__ == "__main__":' if guard else "if True:")
    script.write_text(text.replace("PATH", repr(str(video))))
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100, check=False)
    if guard:
        assert ended.stdout == "8\n", ended.stderr
    else:
        assert "vidnas.errors.UserError: The processes that read videos run your script anew" in ended.stderr
        assert 'below `if __name__ == "__main__":`, or set workers=0.' in ended.stderr
        assert ended.stderr.count("Traceback") == 1


UNUSUAL = """
import multiprocessing
multiprocessing.set_start_method("spawn")
from pathlib import Path
from vidnas.video.clips.datasets import TestClips
from vidnas.video.items import Item
from vidnas.video.clips.loaders import test_loader
clips = TestClips([Item(Path(PATH), 0, None)], [8], size_px=16, segments=2, frames_per_segment=1,
                  single_frame=False)
print(sum(len(labels) for _, labels, _ in test_loader(clips, batch_size=1, workers=1)))
"""


def test_a_script_that_sets_another_start_method_reads_videos_all_the_same(
    tiny_videos: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNUSUAL.replace("PATH", repr(str(next(tiny_videos.rglob("*.avi"))))))
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100, check=False)
    assert (ended.stdout, ended.stderr) == ("1\n", "")
