"""The kernels read and write no memory but their own: they run under the compiler's address checker."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import torch
from torch import nn
from vidnas.nn.blend import FoldedMap, LinearMap, blend, covariance, normed_map
from vidnas.nn.branches import BatchStats, Branches, FoldedBranches, sum_branches
from vidnas.nn.pooling import avg_pool, max_pool, thin

def check(dtype, channels, plain, dilated, batch, time, height, width):
    new = lambda *shape: torch.randn(*shape, dtype=dtype, requires_grad=True)
    wide, frames = (plain + dilated) * channels, new(batch, time, channels, height, width)
    filters = new(plain * channels, channels, 3, 3), new(dilated * channels, channels, 3, 3)
    slots = tuple(range(plain + dilated))
    branches = Branches(*filters, new(wide, channels, 3), *(new(wide) for _ in range(4)), slots)
    totals = [new(batch, time, channels, height, width), *(None for _ in slots[1:])]
    outs, _ = sum_branches(frames, branches, nn.ReLU(), totals)
    sum(out.square().sum() for out in outs).backward()
    with torch.no_grad():
        stats = BatchStats(*(torch.ones(wide, dtype=dtype) for _ in range(4)))
        outs = [torch.zeros(batch, time, channels, height, width, dtype=dtype) for _ in slots]
        FoldedBranches(branches, stats).add_to(outs, frames, nn.ReLU())
        plain, bias = torch.randn(5, 2 * channels, dtype=dtype), torch.randn(5, dtype=dtype)
        for stride in (1, 2, 3):
            folded = FoldedMap(plain, bias, nn.ReLU(), stride)
            folded([frames, frames], folded([frames, frames]))
        max_pool(frames)
    for pool in (max_pool, avg_pool):
        pool(frames).square().sum().backward()
    mean, cov = covariance([frames, frames], [True, False])
    totals = [None, new(batch, time, 5, height, width)]
    outs = blend([frames, frames], [True, False], [True, True], new(10, 2 * channels), mean, totals)
    (sum(out.square().sum() for out in outs) + cov.square().sum()).backward()
    for stride in (1, 2, 3):
        if batch * -(-height // stride) * -(-width // stride) > 1:
            linear = LinearMap([frames, frames], True, new(5, 2 * channels), stride)
            normed_map(linear, new(5), new(5))[0].square().sum().backward()
    thin(frames, 2).square().sum().backward()

for dtype in (torch.float32, torch.float64):
    for width in range(1, 40):
        check(dtype, 1, 1, 1, 1, 1, 1, width)
        check(dtype, 3, 2, 1, 2, 2, width % 7 + 1, width)
        check(dtype, 5, 1, 2, 1, 3, 5, width)
    # Vectors that begin with the last pixel of the last of 16 planes, and end farthest behind it.
    for height, width in ((7, 51), (11, 31), (13, 33), (31, 27), (5, 9), (9, 13), (150, 130)):
        check(dtype, 4, 4, 4, 2, 2, height, width)
print("all checked")
"""


@pytest.mark.slow
def test_kernels_stay_within_their_arrays(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs gcc on Linux")
    preloaded = [
        subprocess.run(
            [compiler, f"-print-file-name={name}"], check=True, capture_output=True, text=True
        ).stdout
        for name in ("libasan.so", "libstdc++.so")
    ]
    if not all(Path(path.strip()).is_absolute() for path in preloaded):
        pytest.skip("needs gcc's address checker")
    env = os.environ | {
        "CC": f"{compiler} -fsanitize=address -g",
        "LD_PRELOAD": " ".join(path.strip() for path in preloaded),
        "ASAN_OPTIONS": "detect_leaks=0",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    checked = subprocess.run(
        [sys.executable, "-c", CODE], env=env, capture_output=True, text=True, timeout=300
    )
    assert "all checked" in checked.stdout, checked.stderr[:3000]
    assert len(list((tmp_path / "vidnas" / "kernels").glob("*.so"))) == 2, "the kernels were compiled with it"
