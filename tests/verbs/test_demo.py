"""The demo's verdict and summary; `make demo` runs it for real."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidnas.assembly.videos import Videos
from vidnas.cli.main import main
from vidnas.config.json_files import to_json as config_json
from vidnas.config.learning import EvaluateConfig, SearchConfig, TrainConfig
from vidnas.config.presets import search_preset, train_preset
from vidnas.config.views import DemoConfig
from vidnas.errors import Interrupted
from vidnas.nas.genotype import random_genotype
from vidnas.training.pace import Countdown
from vidnas.training.profile import Profile
from vidnas.training.scores import Scores
from vidnas.verbs import demo
from vidnas.verbs.evaluate import EvaluateResult
from vidnas.verbs.search import SearchResult
from vidnas.verbs.train import TrainResult

SCORES = Scores(
    top1=0.9,
    top5=1.0,
    top5_k=5,
    balanced_accuracy=0.9,
    per_class=(0.9,) * 8,
    confusion=((1,) * 8,) * 8,
    interval=(0.85, 0.94),
    num_clips=192,
    num_groups=48,
)
PROFILE = Profile(300_000, 1_200_000, 20_000_000, 5.0, 0.1, 2, "cpu")


def train_result(config: TrainConfig, *, control: float) -> TrainResult:
    scores = replace(SCORES, top1=control) if config.single_frame else SCORES
    return TrainResult(Path(config.out or ""), random_genotype(0), scores, PROFILE, 0)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """The trainings that a demo would start; the three verbs are replaced by their results."""
    trainings: list[TrainConfig] = []

    def train(config: TrainConfig, *, resume: bool, opened: Videos) -> TrainResult:  # noqa: ARG001
        trainings.append(config)
        return train_result(config, control=0.13)

    def search(config: SearchConfig, *, resume: bool) -> SearchResult:  # noqa: ARG001
        return SearchResult(Path(config.out or ""), random_genotype(0), 1, ())

    def evaluate(config: EvaluateConfig) -> EvaluateResult:
        return EvaluateResult(SCORES, PROFILE, "", Path(config.run))

    monkeypatch.setattr(demo, "run_train", train)
    monkeypatch.setattr(demo, "run_search", search)
    monkeypatch.setattr(demo, "run_evaluate", evaluate)
    monkeypatch.setattr(
        demo, "_foretell", lambda *_: Countdown({"search": 200.0, "train": 100.0, "single-frame": 100.0})
    )
    return trainings


@pytest.mark.usefixtures("started")
def test_the_summary_says_what_came_out_and_what_to_type_next(tmp_path: Path) -> None:
    result = demo.run_demo(DemoConfig(out=str(tmp_path / "out")))
    assert result.passed
    for part in (
        "90.0%",
        "chance            12.5%",
        "single frames     13.0%",
        "300,000 parameters",
        "20.0 million",
    ):
        assert part in result.summary
    assert str(tmp_path / "out" / "search" / "cell.png") in result.summary
    assert "vidnas search   --data my-videos" in result.summary


def test_the_control_is_the_same_training_on_single_frames(
    started: list[TrainConfig], tmp_path: Path
) -> None:
    demo.run_demo(DemoConfig(out=str(tmp_path / "out")))
    trained, control = started
    assert control == replace(trained, single_frame=True, out=control.out)
    assert not trained.single_frame
    assert not trained.flip


@pytest.mark.usefixtures("started")
def test_what_the_training_has_decoded_the_control_need_not_decode_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read: list[Videos] = []

    def train(config: TrainConfig, *, resume: bool, opened: Videos) -> TrainResult:  # noqa: ARG001
        read.append(opened)
        return train_result(config, control=0.13)

    monkeypatch.setattr(demo, "run_train", train)
    assert main(["demo", "--out", str(tmp_path / "out")]) == 0
    first, second = read
    assert first is second


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(("accuracy", "control", "code"), [(0.75, 0.219, 0), (0.74, 0.1, 1), (0.9, 0.22, 1)])
def test_a_demo_that_misses_its_bounds_says_so_and_exits_with_1(
    accuracy: float,
    control: float,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:

    def train(config: TrainConfig, *, resume: bool, opened: Videos) -> TrainResult:  # noqa: ARG001
        return train_result(config, control=control)

    def evaluate(config: EvaluateConfig) -> EvaluateResult:
        return EvaluateResult(replace(SCORES, top1=accuracy), PROFILE, "", Path(config.run))

    monkeypatch.setattr(demo, "run_train", train)
    monkeypatch.setattr(demo, "run_evaluate", evaluate)
    assert main(["demo", "--out", str(tmp_path / "out")]) == code
    assert ("This is not as it must be" in capsys.readouterr().out) == bool(code)


def test_a_demo_does_not_write_into_a_folder_that_holds_something(
    started: list[TrainConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    assert main(["demo", "--out", str(tmp_path)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert started == []


@pytest.mark.usefixtures("started", "shown")
def test_it_says_how_long_all_of_it_takes_before_it_begins_and_before_each_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes 100 s, the search half of what was foretold: so will the others, as far as can be told."""
    clock = iter([0.0, 100.0, 100.0, 200.0, 200.0, 300.0])
    monkeypatch.setattr(demo, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    demo.run_demo(DemoConfig(out=str(tmp_path / "out")))
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert lines == [
        f"Demo: {tmp_path / 'out'}. It takes about 6.7 min, by a forecast.",
        "[search] about 6.7 min until the end of the demo",
        "[train] about 100 s until the end of the demo",
        "[single-frame] about 67 s until the end of the demo",
    ]


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(("error", "code"), [(Interrupted("x", 143), 143), (KeyboardInterrupt(), 130)])
def test_an_interrupted_demo_names_the_command_that_goes_on(
    error: BaseException,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "a demo"
    with monkeypatch.context() as patch:
        patch.setattr(demo, "run_search", throw(error))
        assert main(["demo", "--out", str(out)]) == code
    assert capsys.readouterr().err.endswith(f"vidnas: Interrupted. To go on: vidnas demo --resume '{out}'\n")
    assert main(["demo", "--resume", str(out)]) == 0


def test_a_demo_goes_on_with_its_own_settings(started: list[TrainConfig], tmp_path: Path) -> None:
    (tmp_path / "search").mkdir()
    begun = search_preset("demo", data="builtin", seed=3, workers=0, out=str(tmp_path / "search"))
    (tmp_path / "search" / "config.json").write_text(config_json(begun))
    assert main(["demo", "--resume", str(tmp_path), "--workers", "1"]) == 0
    assert [(run.seed, run.workers, run.out) for run in started] == [
        (3, 1, str(tmp_path / "train")),
        (3, 1, str(tmp_path / "single-frame")),
    ]


def test_only_a_demo_can_be_gone_on_with(
    started: list[TrainConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    for folder in (tmp_path / "none", tmp_path / "other"):
        assert main(["demo", "--resume", str(folder)]) == 1
        assert f"There is no demo in {folder} to go on with." in capsys.readouterr().err
    assert main(["demo", "--resume", str(tmp_path), "--out", "elsewhere"]) == 2
    assert "goes on in that folder" in capsys.readouterr().err
    assert started == []


SMALL: dict[str, Any] = dict(epochs=1, batch_size=2, size_px=16, segments=2, num_cells=1, first_channels=1)


@pytest.mark.usefixtures("measured_little")
def test_a_demo_that_is_interrupted_goes_on_to_the_same(
    tiny_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole path, in small."""
    monkeypatch.setattr(demo, "BUILTIN", str(tiny_videos))
    monkeypatch.setattr(demo, "search_preset", lambda name, **own: search_preset(name, **own, **SMALL))
    monkeypatch.setattr(demo, "train_preset", lambda name, **own: train_preset(name, **own, **SMALL))
    whole = demo.run_demo(DemoConfig(out=str(tmp_path / "whole"), workers=0))
    config = DemoConfig(out=str(tmp_path / "stopped"), workers=0)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr("vidnas.assembly.trainings.evaluate_epoch", throw(KeyboardInterrupt()))
        demo.run_demo(config)
    assert not (tmp_path / "stopped" / "train" / "result.json").exists()
    resumed = demo.run_demo(config, resume=True)
    assert resumed.search.genotype == whole.search.genotype
    assert (resumed.train.scores, resumed.control.scores) == (whole.train.scores, whole.control.scores)
    assert resumed.evaluation.scores == whole.evaluation.scores


def throw(error: BaseException) -> Callable[..., None]:
    def raise_it(*_: object, **__: object) -> None:
        raise error

    return raise_it
