"""Flags -> settings: presets, and the settings of a run that is gone on with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidnas import flags
from vidnas.config import SearchConfig, TrainConfig
from vidnas.configfile import to_json
from vidnas.errors import UsageError, UserError
from vidnas.presets import SEARCH_PRESETS, TRAIN_PRESETS, search_preset, train_preset


def search(*arguments: object) -> tuple[SearchConfig, bool]:
    return flags.parse_run("search", SearchConfig, SEARCH_PRESETS, [str(argument) for argument in arguments])


@pytest.fixture
def begun(tmp_path: Path) -> tuple[Path, SearchConfig]:
    """The folder of a run, and its settings."""
    run = tmp_path / "a run"
    run.mkdir()
    config = search_preset("demo", data="videos", epochs=7, out="wherever it was begun", seed=3)
    (run / "config.json").write_text(to_json(config))
    return run, config


def test_a_new_run_takes_the_preset_s_settings_and_flags_win() -> None:
    assert search("--data", "x") == (search_preset("cpu", data="x"), False)
    assert search("--data", "x", "--preset", "demo", "--epochs", 3) == (
        search_preset("demo", data="x", epochs=3),
        False,
    )


def test_a_run_that_is_gone_on_with_has_its_own_settings(begun: tuple[Path, SearchConfig]) -> None:
    run, config = begun
    expected = replace(config, out=str(run))
    assert search("--resume", run) == (expected, True)
    assert search(f"--resume={run}") == (expected, True)


@pytest.mark.parametrize(
    ("typed", "changed"),
    [
        (["--workers", 0], {"workers": 0}),
        (
            ["--data", "elsewhere", "--checkpoint-minutes", 0],
            {"data": "elsewhere", "checkpoint_minutes": 0.0},
        ),
        (["--epochs", 9, "--no-flip"], {"epochs": 9}),
    ],
)
def test_flags_win_over_the_settings_of_a_run(
    begun: tuple[Path, SearchConfig], typed: list[object], changed: dict[str, Any]
) -> None:
    """Whether they may is decided later."""
    run, config = begun
    assert search("--resume", run, *typed) == (replace(config, out=str(run), **changed), True)


def test_with_a_preset_the_settings_are_the_preset_s_but_for_what_has_no_default(
    begun: tuple[Path, SearchConfig],
) -> None:
    run, _ = begun
    expected = search_preset("fast", data="videos", seed=3, out=str(run))
    assert search("--resume", run, "--preset", "fast", "--seed", 3) == (expected, True)


def test_a_folder_without_a_run_needs_data(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"There is no run in .*none to go on with; with --data, one would begin"
    ):
        search("--resume", tmp_path / "none")
    expected = search_preset("cpu", data="x", out=str(tmp_path / "none"))
    assert search("--resume", tmp_path / "none", "--data", "x") == (expected, True)


def test_a_run_is_found_from_home(begun: tuple[Path, SearchConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    run, config = begun
    monkeypatch.setenv("HOME", str(run.parent))
    assert search("--resume", "~/a run") == (replace(config, out="~/a run"), True)


def test_a_run_goes_on_in_its_folder_only(begun: tuple[Path, SearchConfig]) -> None:
    run, _ = begun
    assert search("--resume", run, "--out", run)[1]
    with pytest.raises(UsageError, match=r"goes on in that folder, so --out elsewhere cannot be"):
        search("--resume", run, "--out", "elsewhere")


def test_a_damaged_config_of_a_run_is_named(begun: tuple[Path, SearchConfig]) -> None:
    run, _ = begun
    (run / "config.json").write_text('{"data": "x", "epoch": 3}')
    with pytest.raises(UserError, match=r"config\.json: 'epoch' is not a setting.*Did you mean 'epochs'"):
        search("--resume", run)


def test_a_training_that_is_gone_on_with_keeps_its_genotype(tmp_path: Path) -> None:
    config = train_preset("demo", data="videos", genotype="random:4")
    (tmp_path / "config.json").write_text(to_json(config))
    parsed = flags.parse_run("train", TrainConfig, TRAIN_PRESETS, ["--resume", str(tmp_path)])
    assert parsed == (replace(config, out=str(tmp_path)), True)


def test_the_help_of_a_run_speaks_of_presets_and_resuming(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        search("--help")
    printed = capsys.readouterr().out
    assert "--preset" in printed
    assert "Run folder of an interrupted run to go on with" in " ".join(printed.replace("│", " ").split())
