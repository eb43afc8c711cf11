"""The videos of a run, and the memory of those that a network has seen."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vidnas import videos
from vidnas.config import EvaluateConfig
from vidnas.engine.runlog import RunLog
from vidnas.errors import UserError
from vidnas.presets import search_preset, train_preset
from vidnas.video.layouts import Item


def test_a_made_test_split_is_the_same_for_every_verb_and_seed(tiny_videos: Path) -> None:
    """Otherwise `evaluate` would test on clips that `train --seed 1` has seen."""
    data = str(tiny_videos / "videos")  # without the lists beside it
    indices = [
        videos.open_videos(train_preset("demo", data=data, genotype="random:0", seed=seed))
        for seed in (0, 1, 2)
    ]
    indices.append(videos.open_videos(search_preset("demo", data=data, seed=3)))
    indices.append(videos.open_videos(EvaluateConfig(run="x", data=data)))
    assert len(indices[0].test) > 0
    assert all(index.test == indices[0].test for index in indices)


def test_builtin_clips_are_written_once_to_the_user_s_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(tmp_path))

    def write(folder: Path, *, progress: Callable[[int], object]) -> None:
        progress(1)
        written.append(folder)

    monkeypatch.setattr(videos, "write_clips", write)
    assert videos.builtin_clips() == written[0]
    assert written[0].parent == tmp_path


def test_clips_without_a_group_are_resampled_alone() -> None:
    items = [Item(Path("a.avi"), 0, "g01"), Item(Path("b.avi"), 1, "g01"), Item(Path("c.avi"), 1, None)]
    assert videos.group_keys(items) == ["0/g01", "1/g01", "c.avi"]


@pytest.fixture
def run(tiny_videos: Path, tmp_path: Path) -> Path:
    """A run folder that remembers having learnt from the tiny videos' training part."""
    index = videos.open_videos(search_preset("demo", data=str(tiny_videos)))
    with RunLog(tmp_path / "run", "{}") as log:
        videos.remember_seen(log, index)
    return tmp_path / "run"


def test_test_videos_that_a_run_has_not_seen_are_fine(tiny_videos: Path, run: Path) -> None:
    videos.check_unseen(videos.open_videos(search_preset("demo", data=str(tiny_videos))), run)


def test_a_test_video_that_a_run_has_seen_is_named_even_under_another_path(
    tiny_videos: Path, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").symlink_to(tiny_videos)
    index = videos.open_videos(search_preset("demo", data=str(tmp_path / "elsewhere")))
    swapped = replace(index, train=index.test, test=(*index.test, *index.train[-2:]))
    with pytest.raises(UserError, match=r"2 of the 18 test videos are among those .*_g04_c02.*config\.json"):
        videos.check_unseen(swapped, run)


def test_a_run_folder_without_its_memory_is_an_error(tiny_videos: Path, run: Path) -> None:
    (run / "videos.json").write_text(json.dumps({"test": []}))
    with pytest.raises(UserError, match=r"videos\.json"):
        videos.check_unseen(videos.open_videos(search_preset("demo", data=str(tiny_videos))), run)
