"""TensorBoard reads what is written for it."""

import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from vidnas.runs.events import add_points, new_event_file


def test_points_read_back_by_tag_step_value_and_time(tmp_path: Path) -> None:
    file = new_event_file(tmp_path / "tensorboard")
    add_points(file, {"train/loss": 1.5, "train/lr": 0.125}, step=1, wall_time=1e9)
    add_points(file, {"train/loss": float("nan")}, step=2, wall_time=1e9 + 60)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert events.Tags()["scalars"] == ["train/loss", "train/lr"]
    loss, lr = events.Scalars("train/loss"), events.Scalars("train/lr")
    assert [(point.wall_time, point.step) for point in loss] == [(1e9, 1), (1e9 + 60, 2)]
    assert loss[0].value == 1.5
    assert loss[1].value != loss[1].value  # NaN
    assert [(point.step, point.value) for point in lr] == [(1, 0.125)]
    assert events.file_version == 2.0


def test_every_event_file_has_a_name_of_its_own(tmp_path: Path) -> None:
    first = new_event_file(tmp_path / "one")
    time.sleep(0.001)
    assert new_event_file(tmp_path / "two").name != first.name


@pytest.mark.full_disk
def test_a_full_disk_is_told_at_once(tmp_path: Path) -> None:
    file = new_event_file(tmp_path / "tensorboard")
    file.write_bytes(bytes(50_000))
    with pytest.raises(OSError, match=r"File too large|No space left"):
        add_points(file, {"train/loss": 1.5}, step=1, wall_time=0.0)
