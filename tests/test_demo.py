"""The demo's verdict and summary; `make demo` runs it for real."""

from dataclasses import replace
from pathlib import Path

import pytest

from vidnas import demo
from vidnas.cli import main
from vidnas.config import EvaluateConfig, SearchConfig, TrainConfig
from vidnas.engine.profile import Profile
from vidnas.engine.scores import Scores
from vidnas.evaluate import EvaluateResult
from vidnas.genotype import random_genotype
from vidnas.search import SearchResult
from vidnas.train import TrainResult
from vidnas.viewconfig import DemoConfig

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

    def train(config: TrainConfig) -> TrainResult:
        trainings.append(config)
        return train_result(config, control=0.13)

    def search(config: SearchConfig) -> SearchResult:
        return SearchResult(Path(config.out or ""), random_genotype(0), 1, ())

    def evaluate(config: EvaluateConfig) -> EvaluateResult:
        return EvaluateResult(SCORES, PROFILE, "", Path(config.run))

    monkeypatch.setattr(demo, "run_train", train)
    monkeypatch.setattr(demo, "run_search", search)
    monkeypatch.setattr(demo, "run_evaluate", evaluate)
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
@pytest.mark.parametrize(("accuracy", "control", "code"), [(0.75, 0.219, 0), (0.74, 0.1, 1), (0.9, 0.22, 1)])
def test_a_demo_that_misses_its_bounds_says_so_and_exits_with_1(
    accuracy: float,
    control: float,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:

    def train(config: TrainConfig) -> TrainResult:
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
