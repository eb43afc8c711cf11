"""Who tells glibc to keep what is freed: the command line, and nothing that a program of one's own calls."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vidnas.cli import main as command_line

TELLS = """
#include <stdio.h>
int mallopt(int parameter, int value) { fprintf(stderr, "mallopt %d %d\\n", parameter, value); return 1; }
"""
"""Stands for glibc's mallopt."""

COMPUTE = """
import torch, vidnas
from vidnas.nas.network import Supernet
from vidnas.nn.native.library import kernels
video = torch.randn(2, 3, 2, 6, 6)
assert kernels(video) is not None
Supernet(3, num_cells=2, first_channels=2, num_nodes=2)(video).sum().backward()
"""


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., list[str]]:
    """told(*arguments): what Python, run with these, tells mallopt."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler on Linux")
    library = tmp_path / "tells.so"
    command = [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
    subprocess.run(command, input=TELLS, text=True, check=True)

    def run(*arguments: str) -> list[str]:
        env = os.environ | {"LD_PRELOAD": str(library)}
        command = [sys.executable, *arguments]
        said = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True, timeout=120).stderr
        assert "Traceback" not in said, said
        return [line for line in said.splitlines() if line.startswith("mallopt")]

    return run


def test_a_network_that_is_made_and_computed_does_not(told: Callable[..., list[str]]) -> None:
    assert told("-c", COMPUTE) == []


def test_the_command_line_does_once(told: Callable[..., list[str]]) -> None:
    once = [f"mallopt -3 {1 << 30}", "mallopt -1 -1"]
    assert told("-m", "vidnas", "evaluate", "--run", "nowhere", "--data", "nowhere") == once


def test_it_does_for_verbs_in_which_networks_compute() -> None:
    computing = {name for name, verb in command_line.VERBS.items() if verb.computes}
    assert computing == {"demo", "search", "train", "evaluate", "compare", "predict"}
