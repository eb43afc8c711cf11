"""The folder of a run: new, or gone on with; and what a run says that ends early."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vidnas.config.json_files import to_json
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.presets import search_preset, train_preset
from vidnas.errors import Interrupted, UsageError, UserError
from vidnas.runs import begin
from vidnas.runs.checkpoint import save_checkpoint
from vidnas.runs.keeper import Keeper
from vidnas.video.items import VideoIndex


def train_config(**settings: Any) -> TrainConfig:
    return train_preset("demo", data="videos", genotype="random:0", **settings)


def test_a_used_folder_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    assert begin.new_folder("train", str(tmp_path / "new")) == tmp_path / "new"
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("mine")
    for used, cause in ((tmp_path, "is not empty"), (tmp_path / "file", "is a file")):
        with pytest.raises(UserError, match=cause):
            begin.new_folder("train", str(used))


def test_a_folder_may_be_named_from_home_and_by_default_has_the_verb_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert begin.new_folder("train", "~/run") == tmp_path / "run"
    assert begin.new_folder("train", None).match("runs/train-*")


def test_a_run_goes_on_with_its_own_settings_whatever_does_not_enter_the_numbers(tmp_path: Path) -> None:
    config = train_config(out=str(tmp_path))
    (tmp_path / "config.json").write_text(to_json(config))
    free = replace(
        config,
        threads=7,
        workers=7,
        checkpoint_minutes=0.5,
        data="elsewhere",
        test_list="list",
        out=f"{tmp_path}/.",
    )
    assert begin.begun_folder(config) == begin.begun_folder(free) == tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("split", 2), ("split_by", "clip"), ("group_regex", "(.)"), ("on_bad", "skip"), ("size_px", 8)),
        *(("segments", 9), ("frames_per_segment", 9), ("flip", True), ("num_cells", 9), ("epochs", 9)),
        *(("first_channels", 9), ("stem_stride", 1), ("batch_size", 9), ("device", "cpu"), ("seed", 9)),
        *(("genotype", "random:9"), ("init", "run"), ("accumulate", 2), ("optimizer", "sgd"), ("lr", 0.5)),
        *(("weight_decay", 0.5), ("label_smoothing", 0.5), ("single_frame", True), ("warmup", 0.5)),
        *(("dropout", 0.5), ("mix", "mixup"), ("ema", 0.5), ("input", "both"), ("repeats", 2)),
        *(("validate", True), ("minutes", 9.0), ("balance", True), ("photometric", 0.5)),
        ("clip_norm", "input"),
    ],
)
def test_every_setting_that_enters_the_numbers_must_be_the_same(
    tmp_path: Path, name: str, value: object
) -> None:
    config = train_config(out=str(tmp_path))
    (tmp_path / "config.json").write_text(to_json(config))
    was = getattr(config, name)
    assert was != value, "the test must change something"
    settings: dict[str, Any] = {name: value}
    with pytest.raises(UserError) as error:
        begin.begun_folder(replace(config, **settings))
    assert f"was begun with other settings: {name} is {was!r} there and {value!r} here. " in str(error.value)
    assert not isinstance(error.value, UsageError)


def test_every_setting_is_either_free_to_change_or_tested_above() -> None:
    tested = {
        argument[0]
        for mark in test_every_setting_that_enters_the_numbers_must_be_the_same.pytestmark  # type: ignore[attr-defined]
        for argument in mark.args[1]
    }
    assert {*tested, *begin.FREE_TO_CHANGE, "network"} == set(TrainConfig.__dataclass_fields__)


def test_another_network_is_another_run(tmp_path: Path) -> None:
    config = replace(train_config(out=str(tmp_path)), genotype=None, network="c3d")
    (tmp_path / "config.json").write_text(to_json(config))
    with pytest.raises(UserError, match="network is 'c3d' there and 'x3d-xs' here"):
        begin.begun_folder(replace(config, network="x3d-xs"))


def test_without_settings_in_it_a_folder_must_be_new(tmp_path: Path) -> None:
    config = train_config(out=str(tmp_path / "run"))
    assert begin.begun_folder(config) == tmp_path / "run"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").touch()
    assert begin.begun_folder(config) == tmp_path / "run"
    (tmp_path / "run" / "mine.txt").touch()
    with pytest.raises(UserError, match="is not empty"):
        begin.begun_folder(config)


def test_to_resume_a_folder_must_be_named() -> None:
    with pytest.raises(UsageError, match="To resume, name the run folder in `out`"):
        begin.begun_folder(train_config())


def test_a_search_is_not_a_training(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(to_json(search_preset("demo", data="videos")))
    with pytest.raises(
        UserError, match="is the run folder of a search; to go on with it: vidnas search --resume"
    ):
        begin.begun_folder(train_config(out=str(tmp_path)))
    (tmp_path / "config.json").write_text(to_json(train_config()))
    with pytest.raises(
        UserError, match="is the run folder of a training; to go on with it: vidnas train --resume"
    ):
        begin.begun_folder(search_preset("demo", data="videos", out=str(tmp_path)))


def test_a_run_is_begun_with_its_first_checkpoint(tmp_path: Path) -> None:
    assert not begin.is_begun(tmp_path)
    save_checkpoint(tmp_path / "checkpoint.pt", {"epoch": 1})
    assert begin.is_begun(tmp_path)


@pytest.mark.parametrize("name", ["result.json", "selection.json"])
def test_a_finished_run_that_has_lost_its_checkpoint_is_not_begun_anew(tmp_path: Path, name: str) -> None:
    with begin.open_run(tmp_path, train_config(), resume=False) as log:
        log.begin([{"kind": "train", "epoch": 1, "loss": 1.0, "time_sec": 1.0}])
        log.write(name, "{}")
    before = (tmp_path / "metrics.jsonl").read_text()
    with (
        begin.open_run(tmp_path, train_config(), resume=True) as log,
        pytest.raises(UserError, match=rf"has a {name} but no checkpoint\.pt any more"),
    ):
        keeper = Keeper(log, {}, every_sec=1.0)
        never: Any = pytest.fail
        begin.begin_or_go_on(keeper, log, train_config(), index=VideoIndex((), (), (), ()), begin=never)
    assert (tmp_path / "metrics.jsonl").read_text() == before


def test_a_run_is_seeded_and_writes_its_settings_and_versions(tmp_path: Path) -> None:
    config = train_config(seed=5)
    with begin.open_run(tmp_path / "run", config, resume=False):
        drawn = torch.rand(3)
    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(5)))
    assert (tmp_path / "run" / "config.json").read_text() == to_json(config)
    assert json.loads((tmp_path / "run" / "versions.json").read_text())["torch"] == torch.__version__


def refused_by_the_disk() -> UserError:
    error = UserError("Cannot write run/metrics.jsonl: No space left on device.")
    error.__cause__ = OSError()
    return error


@pytest.mark.parametrize(
    ("config", "verb"), [(search_preset("demo", data="x"), "search"), (train_config(), "train")]
)
@pytest.mark.parametrize(
    ("ends", "kind", "code", "told"),
    [
        (Interrupted("interrupted", 143), Interrupted, 143, "Interrupted. To go on: "),
        (KeyboardInterrupt(), Interrupted, 130, "Stopped at once. To go on from the last checkpoint: "),
        (refused_by_the_disk(), UserError, None, "No space left on device. When this is mended, go on: "),
        (
            RuntimeError("DataLoader worker (pid 3) is killed"),
            UserError,
            None,
            "`vidnas check` names it. To go on: ",
        ),
    ],
)
def test_a_run_that_ends_early_says_how_to_go_on(
    tmp_path: Path,
    config: SearchConfig | TrainConfig,
    verb: str,
    ends: BaseException,
    kind: type[Exception],
    code: int | None,
    told: str,
) -> None:
    folder = tmp_path / "it's a run"
    with pytest.raises(kind) as error, begin.open_run(folder, config, resume=False):
        raise ends
    assert str(error.value).endswith(told + shlex.join(["vidnas", verb, "--resume", str(folder)]))
    assert getattr(error.value, "exit_code", None) == code


@pytest.mark.parametrize("error", [UserError("The training diverged."), RuntimeError("a bug")])
def test_what_going_on_would_not_mend_is_passed_through(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as raised, begin.open_run(tmp_path, train_config(), resume=False):
        raise error
    assert raised.value is error
