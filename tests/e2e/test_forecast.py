"""What a run says of its time and memory before its first epoch, and that to find it out changes nothing."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from vidnas.cli.main import main
from vidnas.training import forecast
from vidnas.training.cores import Others
from vidnas.training.forecast import Needs
from vidnas.training.loop import WeightStep
from vidnas.verbs import search

Small = Mapping[str, Sequence[str]]
VERBS = pytest.mark.parametrize("verb", ["search", "train"])
NEEDS = Needs(step_sec=60.0, clip_sec=1.0, memory_bytes=3 * 2**30, free_bytes=4 * 2**30)
EPOCH = {
    "search": "4.1 min an epoch (4 steps of 60 s, validation 4 s)",
    "train": "6 min an epoch (6 steps of 60 s)",
}


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """said(arguments): the lines of a command that draws nothing."""
    for module in ("search", "train", "clipsheet"):
        monkeypatch.setattr(f"vidnas.verbs.{module}.save_figure", lambda *_: None)

    def run(*arguments: object) -> list[str]:
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 0
        return capsys.readouterr().err.splitlines()

    return run


@VERBS
def test_a_run_says_its_forecast_before_its_first_epoch(
    verb: str, small: Small, said: Callable[..., list[str]], tmp_path: Path
) -> None:
    lines = said(*small[verb], "--workers", 0, "--out", tmp_path / "run")
    (number,) = (i for i, line in enumerate(lines) if line.startswith("Forecast, for computing alone: "))
    assert lines[number - 1].startswith(("Searching for 2 epochs", "Training for 2 epochs"))
    assert lines[number + 1].startswith("Epoch 1/2")
    assert re.search(
        r" an epoch \(\d steps of [\d.]+ s.*\), .* until the end\. Memory: \d+ MiB", lines[number]
    )
    assert lines[number] in (tmp_path / "run" / "log.txt").read_text().splitlines()


@VERBS
def test_a_run_without_the_cpu_kernels_says_so_and_how_to_have_them(
    verb: str, small: Small, said: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = (
        "Careful: vidnas computes without its CPU kernels, several times slower. They need a C compiler that "
        "works and a cache folder that can be written: install gcc or clang, mend what CC or XDG_CACHE_HOME "
        "name, and do not set VIDNAS_NATIVE to 0."
    )
    command = (*small[verb], "--workers", 0, "--device", "cpu", "--out")
    assert sentence not in said(*command, tmp_path / "with")
    monkeypatch.setattr("vidnas.nn.native.library._library", lambda _real: None)
    assert said(*command, tmp_path / "without").count(sentence) == 1


@VERBS
def test_a_busy_machine_is_marked(
    verb: str, small: Small, said: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (*small[verb], "--workers", 0, "--device", "cpu", "--out")
    monkeypatch.setattr(Others, "busy_cores", lambda _self: 0.2)
    assert not [line for line in said(*command, tmp_path / "idle") if "other programs" in line]
    monkeypatch.setattr(Others, "busy_cores", lambda _self: 1.3)
    (line,) = (line for line in said(*command, tmp_path / "busy") if "other programs" in line)
    assert line.startswith("Careful: other programs keep 1.3 of ")
    assert line.endswith(" busy. The forecast holds as long as they do.")


@VERBS
@pytest.mark.parametrize("stop_after", [None, 3])
def test_a_resumed_run_says_what_is_left(
    verb: str,
    stop_after: int | None,
    small: Small,
    said: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forecast, "measure", lambda *_, **__: NEEDS)
    command = (*small[verb], "--workers", 0, "--checkpoint-minutes", 0, "--resume", tmp_path / "run")
    if stop_after:
        stop(verb, command, stop_after, monkeypatch)
    (line,) = (line for line in said(*command) if line.startswith("Forecast"))
    left = {"search": ("8.1 min", "5.1 min"), "train": ("12 min", "9.1 min")}[verb][stop_after is not None]
    assert line.startswith(f"Forecast, for computing alone: {EPOCH[verb]}, {left} until the end. ")


def stop(verb: str, command: Sequence[object], after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the run before its step `after` + 1."""
    owner, name = {"search": (search, "search_step"), "train": (WeightStep, "__call__")}[verb]
    step, calls = getattr(owner, name), iter(range(after))

    def counted(*arguments: object) -> object:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, counted)
        assert main([str(argument) for argument in command]) == 130


@VERBS
def test_the_forecast_changes_nothing_of_what_a_run_comes_to(
    verb: str,
    small: Small,
    said: Callable[..., list[str]],
    uninterrupted: Callable[..., Path],
    outcome: Callable[[Path], dict[str, object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forecast, "measure", lambda *_, **__: NEEDS)
    said(*small[verb], "--workers", 0, "--out", tmp_path / "run")
    assert outcome(tmp_path / "run") == outcome(uninterrupted(verb))


@VERBS
def test_memory_that_may_not_suffice_is_warned_of_with_flags_that_help(
    verb: str, small: Small, said: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run begins nevertheless: the forecast may be wrong, and memory may become free."""
    scarce = Needs(step_sec=1.0, clip_sec=1.0, memory_bytes=5 * 2**30, free_bytes=4 * 2**30)
    monkeypatch.setattr(forecast, "measure", lambda *_, **__: scarce)
    lines = said(*small[verb], "--workers", 0, "--out", tmp_path / "run")
    (warning,) = (line for line in lines if line.startswith("Careful: the memory may not suffice. "))
    for flag in ("--batch-size", "--size-px", "--stem-stride 2"):
        assert flag in warning
    assert ("--accumulate" in warning) == (verb == "train")


def test_a_search_that_computes_cells_again_says_what_it_costs_and_saves(
    small: Small, said: Callable[..., list[str]], tmp_path: Path
) -> None:
    lines = said(*small["search"], "--workers", 0, "--checkpoint-cells", "--out", tmp_path / "run")
    (number,) = (i for i, line in enumerate(lines) if line.startswith("Forecast, for computing alone: "))
    step = r"[\d.]+ m?s a step, \d+ [KMG]iB"
    assert re.fullmatch(rf"With --checkpoint-cells: {step}; without it: {step}\.", lines[number + 1])
    assert lines[number + 2].startswith("Epoch 1/2")
