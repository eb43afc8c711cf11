"""Ctrl-C ends the suite, also where the test under way lets vidnas catch it."""

import os
import shutil
import subprocess
import sys
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


@pytest.mark.parametrize(
    ("first", "mark", "ends"),
    [
        (SENDS, "", True),
        (SENDS, "@pytest.mark.sends_ctrl_c", False),
        (CHILD_SENDS, "", False),
    ],
)
def test_ctrl_c_that_a_run_catches_ends_the_suite_unless_the_test_sends_it(
    first: str, mark: str, ends: bool, tmp_path: Path
) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_suite.py").write_text(SUITE.format(first=first, mark=mark))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [*command, "-o", "markers=sends_ctrl_c", "-c", os.devnull],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert ended.returncode == (2 if ends else 0), ended.stdout
    assert (tmp_path / "second").exists() is not ends
    assert ("Ctrl-C came during" in ended.stdout) is ends
