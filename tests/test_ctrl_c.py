"""Ctrl-C ends the suite, also where the test under way lets vidnas catch it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SUITE = """
import os, signal
from pathlib import Path
import pytest
from vidnas.runs.stop import StopRequest

{mark}
def test_first():
    with StopRequest():
        {first}

def test_second():
    Path("second").touch()
"""
SENDS = "os.kill(os.getpid(), signal.SIGINT)"
CHILD_SENDS = """pid = os.fork()
        if not pid:
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(0)
        os.waitpid(pid, 0)"""


SLEEPS = """
import time
from pathlib import Path

def test_it():
    Path("begun").touch()
    time.sleep(50)

def test_next():
    time.sleep(50)
"""
ALONE, BOTH = (), ("-n", "2", "--dist", "worksteal")


def suite(text: str, folder: Path, *more: str) -> list[str]:
    """A command that runs these tests by what the suite itself ends by."""
    (folder / "test_suite.py").write_text(text)
    plain = ("-p", "no:cacheprovider", "--rootdir", str(folder), "-c", os.devnull)
    return [sys.executable, "-m", "pytest", "-q", "-o", "markers=sends_ctrl_c", "-p", "ctrl_c", *plain, *more]


ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.parametrize(
    ("first", "mark", "ends", "workers"),
    [
        (SENDS, "", True, ALONE),
        (SENDS, "", True, BOTH),
        (SENDS, "@pytest.mark.sends_ctrl_c", False, ALONE),
        (CHILD_SENDS, "", False, ALONE),
    ],
)
def test_ctrl_c_that_a_run_catches_ends_the_suite_unless_the_test_sends_it(
    first: str, mark: str, ends: bool, workers: tuple[str, ...], tmp_path: Path
) -> None:
    command = suite(SUITE.format(first=first, mark=mark), tmp_path, *workers)
    ended = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.returncode == (2 if ends else 0), ended.stdout
    assert (tmp_path / "second").exists() is not ends or workers == BOTH  # the other one may have run it
    assert ("Ctrl-C came during" in ended.stdout) is ends


@pytest.mark.parametrize("workers", [ALONE, BOTH], ids=["alone", "both cores"])
def test_ctrl_c_ends_all_that_runs_at_once(workers: tuple[str, ...], tmp_path: Path) -> None:
    """A terminal sends it to all processes of the suite."""
    command = suite(SLEEPS, tmp_path, *workers)
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not (tmp_path / "begun").exists():
            assert process.poll() is None
            time.sleep(0.01)
        sent = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=40)
        assert time.monotonic() - sent < 30  # of 50 to 100 that the tests would take
    assert process.returncode == 2
    assert "KeyboardInterrupt" in printed
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
