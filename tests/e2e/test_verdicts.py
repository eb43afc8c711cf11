"""What is said of a result by every verb that shows one."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from vidnas.cli.main import main

SMALL = ("--preset", "demo", "--size-px", 16, "--segments", 2, "--batch-size", 4, "--workers", 0)
CELL = ("--num-cells", 1, "--first-channels", 2)
GUESSES = "cannot be told from guessing"


def vidnas_main(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def guessing(tiny_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training too short to learn anything, of 8 classes."""
    out = tmp_path_factory.mktemp("runs") / "guessing"
    settings = ("--genotype", "random:0", "--epochs", 1, "--lr", 1e-6, *SMALL, *CELL)
    assert vidnas_main("train", "--data", tiny_videos, "--out", out, *settings) == 0
    return out


def test_a_training_that_came_to_nothing_is_not_ready_to_use(guessing: Path) -> None:
    log = (guessing / "log.txt").read_text()
    (warning, *_) = json.loads((guessing / "result.json").read_text())["warnings"]
    assert warning["kind"] in ("guesses", "learnt nothing")
    assert f"Careful: The network {warning['sentence']} Likely causes, in this order: " in log
    assert "ready to use" not in log
    assert "The network is kept, but not worth using" in log


def test_the_command_to_try_next_runs(guessing: Path, tmp_path: Path) -> None:
    line = next(line for line in (guessing / "log.txt").read_text().splitlines() if "Careful" in line)
    command = shlex.split("vidnas train" + line.rpartition(": vidnas train")[2])
    assert vidnas_main(*command[1:], "--out", tmp_path / "next") == 0
    before, after = (
        json.loads((folder / "config.json").read_text()) for folder in (guessing, tmp_path / "next")
    )
    changed = {name for name in before if before[name] != after[name]} - {"out"}
    assert changed in ({"lr"}, {"input"})


def test_an_evaluation_says_it_again_and_so_do_the_pages(
    guessing: Path, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vidnas_main("evaluate", "--run", guessing, "--data", tiny_videos, "--workers", 0) == 0
    record = json.loads((guessing / "evaluation-paper.json").read_text())
    sentence = record["warnings"][0]["sentence"]
    assert f"Careful: The network {sentence}" in capsys.readouterr().out
    assert vidnas_main("report", guessing, "--out", tmp_path / "run.html") == 0
    assert f"The network {sentence}" in (tmp_path / "run.html").read_text()
    assert vidnas_main("report", guessing, guessing, "--out", tmp_path / "all.html") == 0
    assert sentence in (tmp_path / "all.html").read_text()


def test_a_comparison_says_it_of_the_row(
    tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("--networks", "random:0", "--epochs", 1, "--lr", 1e-6, *SMALL, *CELL)
    assert vidnas_main("compare", "--data", tiny_videos, "--out", tmp_path / "c", *settings) == 0
    (row,) = json.loads((tmp_path / "c" / "comparison.json").read_text())["rows"]
    sentence = f"random-0 {row['warnings'][0]['sentence']}"
    assert sentence in capsys.readouterr().out
    assert sentence in (tmp_path / "c" / "comparison.md").read_text()
    assert sentence in (tmp_path / "c" / "comparison.html").read_text()
    assert row["warnings"][0]["kind"] in (tmp_path / "c" / "comparison.csv").read_text()


def test_a_control_that_sees_single_frames_may_guess(tiny_videos: Path, tmp_path: Path) -> None:
    settings = ("--genotype", "random:0", "--epochs", 1, "--lr", 1e-6, "--single-frame", *SMALL, *CELL)
    assert vidnas_main("train", "--data", tiny_videos, "--out", tmp_path / "run", *settings) == 0
    assert json.loads((tmp_path / "run" / "result.json").read_text())["warnings"] == []
    assert vidnas_main("evaluate", "--run", tmp_path / "run", "--data", tiny_videos, "--workers", 0) == 0
    assert json.loads((tmp_path / "run" / "evaluation-paper.json").read_text())["warnings"] == []
    assert vidnas_main("report", tmp_path / "run") == 0
    assert GUESSES not in (tmp_path / "run" / "report.html").read_text()


def test_a_training_that_came_to_something_is_ready_to_use(
    write_shades: Callable[..., Path], tmp_path: Path
) -> None:
    for part, numbers in (("train", range(8)), ("test", range(8, 14))):
        for number in numbers:
            for name, shade in (("night", 0.1), ("day", 0.7)):
                write_shades(f"shades/{part}/{name}/{number}.mp4", (shade + number / 80, 8))
    out, data = tmp_path / "run", tmp_path / "shades"
    settings = ("--genotype", "all-skip", "--epochs", 8, "--lr", 0.05, *SMALL, *CELL)
    assert vidnas_main("train", "--data", data, "--out", out, *settings) == 0
    result = json.loads((out / "result.json").read_text())
    assert result["scores"]["top1"] == 1
    assert result["warnings"] == []
    log = (out / "log.txt").read_text()
    assert "The network is ready to use: vidnas.load(" in log
    assert "Careful" not in log
    assert vidnas_main("report", out) == 0
    assert "Likely causes" not in (out / "report.html").read_text()


@pytest.mark.parametrize(("alpha_lr", "still"), [(1e-6, True), (0.3, False)])
def test_a_search_that_has_not_moved_alpha_says_so(
    tiny_videos: Path, tmp_path: Path, alpha_lr: float, still: bool
) -> None:
    settings = ("--epochs", 1, "--alpha-lr", alpha_lr, *SMALL, *CELL)
    assert vidnas_main("search", "--data", tiny_videos, "--out", tmp_path / "s", *settings) == 0
    warnings = json.loads((tmp_path / "s" / "selection.json").read_text())["warnings"]
    assert ("alpha still" in [warning["kind"] for warning in warnings]) is still
    assert ("Careful: The search has hardly moved alpha" in (tmp_path / "s" / "log.txt").read_text()) is still
    assert vidnas_main("report", tmp_path / "s") == 0
    assert ("has hardly moved alpha" in (tmp_path / "s" / "report.html").read_text()) is still
    if still:
        assert f"--alpha-lr {1e-5:g}" in (tmp_path / "s" / "log.txt").read_text()
