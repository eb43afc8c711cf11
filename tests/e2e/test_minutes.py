"""--minutes: as many epochs as fit, chosen once, and then like any other number of epochs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from vidnas.assembly import forecasts, trainings
from vidnas.cli.main import main
from vidnas.runs.read import read_run
from vidnas.training import forecast
from vidnas.training.forecast import Needs
from vidnas.training.loop import WeightStep
from vidnas.training.pace import Reading
from vidnas.verbs import search, train

VERBS = pytest.mark.parametrize("verb", ["search", "train"])
NEEDS = Needs(step_sec=1.0, clip_sec=0.1, memory_bytes=0, free_bytes=None)
EPOCH_SEC = {"search": 4 * 1.0 + 4 * 0.1, "train": 6 * 1.0}
ONCE_SEC = {"search": 0.0, "train": 4 * 0.1}


def minutes_for(verb: str, epochs: float) -> str:
    """The setting into which so many epochs fit, of which a twentieth is left free."""
    return str((epochs * EPOCH_SEC[verb] + ONCE_SEC[verb]) / 0.95 / 60)


@pytest.fixture
def timed(small: Mapping[str, Sequence[str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The command line of each verb without its epochs; a step takes 1 s, and nothing else takes time."""
    monkeypatch.setattr(forecast, "measure", lambda *_, **__: NEEDS)
    still = SimpleNamespace(perf_counter=lambda: 0.0)
    for module in (search, trainings, forecasts):
        monkeypatch.setattr(module, "time", still)
    for module in (search, trainings):
        monkeypatch.setattr(module, "time_reading", lambda *_, **__: Reading(0.0, 0))
    for module in (search, train):
        monkeypatch.setattr(module, "save_figure", lambda *_: None)
    monkeypatch.setattr("vidnas.verbs.clipsheet.save_figure", lambda *_: None)
    commands = {}
    for verb, arguments in small.items():
        at = arguments.index("--epochs")
        commands[verb] = [*arguments[:at], *arguments[at + 2 :], "--workers", "0"]
    return commands


@VERBS
def test_the_run_is_that_of_the_epochs_that_fit(
    verb: str,
    timed: dict[str, list[str]],
    uninterrupted: Callable[..., Path],
    outcome: Callable[[Path], dict[str, object]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, minutes = tmp_path / "run", minutes_for(verb, 3.9)
    assert main([*timed[verb], "--minutes", minutes, "--out", str(out)]) == 0
    stored = json.loads((out / "config.json").read_text())
    assert (stored["epochs"], stored["minutes"]) == (3, float(minutes))
    assert f"as many epochs as fit into {float(minutes):g} min" in capsys.readouterr().err
    assert outcome(out) == outcome(uninterrupted(verb, "--epochs", "3"))


@VERBS
def test_a_resumed_run_keeps_the_epochs_that_were_chosen_at_its_beginning(
    verb: str,
    timed: dict[str, list[str]],
    uninterrupted: Callable[..., Path],
    outcome: Callable[[Path], dict[str, object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the whole command is typed again, and the machine is slower than it was."""
    out, minutes = tmp_path / "run", minutes_for(verb, 3.9)
    command = [*timed[verb], "--minutes", minutes, "--checkpoint-minutes", "0"]
    with monkeypatch.context() as patch:
        step, calls = WeightStep.__call__, iter(range(5))

        def stopped(*arguments: object) -> object:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            return step(*arguments)  # type: ignore[arg-type]

        patch.setattr(WeightStep, "__call__", stopped)
        assert main([*command, "--out", str(out)]) == 130
    monkeypatch.setattr(forecast, "measure", lambda *_, **__: replace(NEEDS, step_sec=100.0))
    again = [verb, "--resume", str(out)] if verb == "search" else [*command, "--resume", str(out)]
    assert main(again) == 0
    assert outcome(out) == outcome(uninterrupted(verb, "--epochs", "3"))


@VERBS
def test_too_few_minutes_are_told_with_how_many_it_takes(
    verb: str, timed: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main([*timed[verb], "--minutes", minutes_for(verb, 0.9), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert f"too few for one epoch, which takes about {forecast.in_words(EPOCH_SEC[verb])} here" in said
    assert not out.exists()
    enough = said.partition("--minutes ")[2].split(",")[0]
    assert float(enough) <= 1.3 * float(minutes_for(verb, 1))
    assert main([*timed[verb], "--minutes", enough, "--out", str(out)]) == 0


@VERBS
def test_epochs_and_minutes_are_not_given_both(
    verb: str, timed: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ["--epochs", "3", "--minutes", "5", "--out", str(tmp_path / "run")]
    assert main([*timed[verb], *both]) == 2
    assert "Give --epochs 3 or --minutes 5, not both" in capsys.readouterr().err
    assert main([*timed[verb], "--minutes", "0", "--out", str(tmp_path / "run")]) == 2
    assert "minutes is 0.0; it must be greater than 0" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_what_came_before_the_first_epoch_counts(
    timed: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look through the videos and the forecast took two epochs' time."""
    monkeypatch.setattr(forecasts, "time", SimpleNamespace(perf_counter=lambda: 2 * EPOCH_SEC["train"]))
    minutes = str((3.9 * EPOCH_SEC["train"] + ONCE_SEC["train"]) / 0.95 / 60)
    assert main([*timed["train"], "--minutes", minutes, "--out", str(tmp_path / "run")]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["epochs"] == 1


def test_from_python_a_run_goes_on_without_being_told_the_epochs(
    timed: dict[str, list[str]], tmp_path: Path
) -> None:
    assert main([*timed["train"], "--minutes", minutes_for("train", 2), "--out", str(tmp_path / "run")]) == 0
    config = read_run(tmp_path / "run").training
    train.run_train(replace(config, epochs=600, out=str(tmp_path / "run")), resume=True)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["epochs"] == 2
