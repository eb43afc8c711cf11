"""Every verb once, on small videos: `python .ci/smoke.py` in an environment with vidnas.

Runs the installed command line in a temporary folder and stops at the first verb that fails. The videos are
those of a folder with a folder per class (--data), else made here in three formats. --demo adds the demo,
which takes a minute or two.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import av
import numpy as np

SIDE_PX = 48
NUM_FRAMES = 12
FORMATS = {".mp4": "libx264", ".avi": "mpeg4", ".mkv": "libx264"}
DIRECTIONS = {"right": (2, 0), "up": (0, -2), "still": (0, 0)}
TINY = ["--size-px", "32", "--batch-size", "4", "--workers", "1", "--epochs", "1"]
SMALL_CELLS = ["--num-cells", "2", "--first-channels", "4"]


def write_videos(folder: Path) -> None:
    """Six clips of each direction in which a square moves, in three formats."""
    for label, step in DIRECTIONS.items():
        (folder / label).mkdir(parents=True)
        for number in range(6):
            suffix, codec = list(FORMATS.items())[number % len(FORMATS)]
            write_video(folder / label / f"{label}_{number}{suffix}", codec, step, number)


def write_video(file: Path, codec: str, step: tuple[int, int], seed: int) -> None:
    """A bright square that moves by `step` pixels a frame on a textured background."""
    background = np.random.default_rng(seed).integers(0, 80, (SIDE_PX, SIDE_PX, 3), np.uint8)
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width = stream.height = SIDE_PX
        stream.pix_fmt = "yuv420p"
        for number in range(NUM_FRAMES):
            picture = background.copy()
            left, top = (10 + step[axis] * (number - NUM_FRAMES // 2) + seed for axis in (0, 1))
            picture[max(0, top) : top + 12, max(0, left) : left + 12] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    """Run the verbs in the order in which they need one another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--demo", action="store_true")
    given = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, PyAV {version('av')}, PyTorch {version('torch')}", flush=True)
    videos = given.data.resolve() if given.data else None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if videos is None:
            videos = Path("videos")
            write_videos(videos)
        for verb in commands(videos, demo=given.demo):
            run(verb)
        for file in ("seen.json", "labelled.mp4", "cell.png", "overview.html", "compared/comparison.html"):
            assert Path(file).stat().st_size > 0, file


def commands(videos: Path, *, demo: bool) -> list[list[str]]:
    """All verbs; the networks are trained for one epoch."""
    data, clips = ["--data", str(videos)], sorted(map(str, videos.glob("*/*")))
    seen = ["predict", "--run", "trained"]
    return [
        ["check", *data],
        ["pack", *data, "--out", "packed", "--workers", "1"],
        ["search", "--data", "packed", "--out", "searched", *TINY, *SMALL_CELLS],
        ["train", *data, "--genotype", "searched", "--out", "trained", *TINY, *SMALL_CELLS],
        ["evaluate", "--run", "trained", *data, "--workers", "1"],
        [*seen, *clips[:3], "--json", "seen.json"],
        [*seen, clips[0], "--annotate", "labelled.mp4"],
        [*seen, "--live", clips[-1]],
        ["compare", *data, "--networks", "random:0,all-skip", "--out", "compared", *TINY, *SMALL_CELLS],
        ["draw", "searched", "--out", "cell.png"],
        ["report", "searched", "trained", "--out", "overview.html"],
        *([["demo", "--out", "demo"]] if demo else []),
    ]


def run(verb: list[str]) -> None:
    """One command; its output is shown where it fails."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "vidnas", *verb], capture_output=True, text=True)
    print(f"  vidnas {verb[0]}: exit {done.returncode}, {time.monotonic() - start:.0f} s", flush=True)
    if done.returncode:
        sys.exit(f"vidnas {' '.join(verb)}\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
