"""What the pages assume: a folder of phone videos, and the runs that a reader of the guide has made."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from quick import measure_little

from vidnas.cli.main import main
from vidnas.config import presets

SMALL = {"epochs": 1, "size_px": 16, "segments": 2, "batch_size": 16}
SMALL |= {"num_cells": 1, "first_channels": 2, "workers": 0}
"""What every preset is changed to, so that a command of the docs takes a second and not an hour."""

CLASSES = {"my-videos": {"bend": "Grow", "jump": "MoveUp", "wave": "TurnClockwise"}}
CLASSES |= {"other-videos": {"run": "MoveRight", "sit": "MoveDown"}}
"""Folder -> class there -> class of the tiny videos."""


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of README.md and docs/."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def pages(repository: Path) -> dict[str, str]:
    """The text of README.md and of each page in docs/, by path."""
    files = [repository / "README.md", *sorted((repository / "docs").glob("*.md"))]
    return {file.relative_to(repository).as_posix(): file.read_text(encoding="utf-8") for file in files}


@pytest.fixture(scope="session")
def stored(repository: Path) -> Callable[[str], Any]:
    """A file below docs/results."""
    return lambda name: json.loads((repository / "docs" / "results" / name).read_text())


@pytest.fixture(scope="session")
def phone_folder(tiny_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reader has before the first command."""
    folder = tmp_path_factory.mktemp("docs") / "phone"
    for data, classes in CLASSES.items():
        for name, motion in classes.items():
            (folder / data / name).mkdir(parents=True)
            for clip in (tiny_videos / "videos" / motion).iterdir():
                shutil.copyfile(clip, folder / data / name / clip.name.replace(f"v_{motion}", name))
    (folder / "clips").mkdir()
    for name, num_frames in (("clips/one.mp4", 8), ("clips/two.mp4", 6), ("holiday.mp4", 20)):
        write_video(folder / name, num_frames)
    write_video(folder / "holiday.ts", 20)
    return folder


def write_video(path: Path, num_frames: int) -> None:
    """An upright video of noise, ten frames a second."""
    generator = np.random.default_rng(num_frames)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 24, 32, "yuv420p"
        for _ in range(num_frames):
            noise = generator.integers(0, 255, (32, 24, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, "rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="session")
def finished_folder(phone_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reader has after the guide: a search and a training, evaluated and reported."""
    folder = tmp_path_factory.mktemp("docs") / "finished"
    shutil.copytree(phone_folder, folder)
    with pytest.MonkeyPatch.context() as patch, _small_presets(patch):
        patch.chdir(folder)
        made = ["--data", "my-videos", "--out"]
        assert main(["search", *made, "runs/my-search"]) == 0
        assert main(["train", *made, "runs/my-network", "--genotype", "runs/my-search"]) == 0
        assert main(["evaluate", "--data", "my-videos", "--run", "runs/my-network"]) == 0
        for run in ("runs/my-search", "runs/my-network"):
            assert main(["report", run]) == 0
    return folder


@pytest.fixture
def small_presets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every preset small, and little measured: the commands themselves stay as they are written."""
    with _small_presets(monkeypatch):
        yield


@contextmanager
def _small_presets(patch: pytest.MonkeyPatch) -> Iterator[None]:
    for table in ("SEARCH_PRESETS", "TRAIN_PRESETS"):
        small = {name: {**values, **SMALL} for name, values in getattr(presets, table).items()}
        patch.setattr(presets, table, small)
    measure_little(patch)
    yield
