"""Flags -> settings: presets, and the settings of a run that is gone on with."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest

from vidnas.cli import flags
from vidnas.cli.main import VERBS, main
from vidnas.config.data import CheckConfig
from vidnas.config.json_files import to_json
from vidnas.config.learning import EvaluateConfig, SearchConfig, TrainConfig
from vidnas.config.presets import SEARCH_PRESETS, TRAIN_PRESETS, search_preset, train_preset
from vidnas.config.views import PredictConfig
from vidnas.errors import UsageError, UserError


def search(*arguments: object) -> tuple[SearchConfig, bool]:
    return flags.parse_run("search", SearchConfig, SEARCH_PRESETS, [str(argument) for argument in arguments])


@pytest.fixture
def begun(tmp_path: Path) -> tuple[Path, SearchConfig]:
    """The folder of a run, and its settings."""
    run = tmp_path / "a run"
    run.mkdir()
    config = search_preset("demo", data="videos", epochs=7, threads=2, out="wherever it was begun", seed=3)
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
        (["--threads", 1], {"threads": 1}),
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


HELPS = {
    "check": {"--data": "FOLDER|FILE", "--group-regex": "REGEX", "--split": "N"},
    "pack": {"--out": "FOLDER", "--shard-mib": "MIB", "--on-bad": "raise|skip", "--frames": "N"},
    "search": {"--order": "1|2", "--size-px": "PIXELS", "--lr": "NUMBER", "--minutes": "MINUTES"},
    "train": {"--genotype": "FILE|FOLDER|random:SEED|all-skip", "--resume": "FOLDER", "--init": "FOLDER"},
    "compare": {"--networks": "NAME,...", "--seeds": "N,...", "--preset": "paper|fast|cpu|demo"},
    "evaluate": {"--run": "FOLDER", "--protocol": "paper|multi", "--split-by": "auto|group|clip"},
    "predict": {"--window-sec": "SECONDS", "--csv": "FILE", "--live": "SOURCE"},
    "draw": {"--out": "FILE", "--title": "TEXT", "--fps": "NUMBER"},
    "report": {"--out": "FILE", "--port": "N"},
    "demo": {"--resume": "FOLDER", "--device": "auto|cpu|cuda|mps"},
}
POSITIONAL = {"predict": "FILE ...", "draw": "FILE|FOLDER|random:SEED|all-skip", "report": "FOLDER ..."}
WORD = r"[A-Z]+|[a-z0-9][a-z0-9.-]*|random:SEED"
VALUE = re.compile(rf"(?:{WORD})(?:\|(?:{WORD}))*(?:,\.\.\.)?")


def values_in_help(verb: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What the help of a verb shows behind each of its flags; a switch has nothing."""
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    printed = capsys.readouterr().out
    # Boxes may stand side by side.
    line = r"(?:^|[│ ])[│ ] (--[a-z][a-z0-9-]*)(, --no-[a-z0-9-]+)?(?: (\S+))?(?: {2,}| *│| *$)"
    shown = re.findall(line, printed, re.MULTILINE)
    return {flag: value for flag, no, value in shown if not no}


def test_every_verb_s_help_is_looked_at() -> None:
    assert set(HELPS) == set(VERBS)


@pytest.mark.parametrize("verb", HELPS)
def test_the_help_says_what_to_type_behind_every_flag(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # no line is broken
    values = values_in_help(verb, capsys)
    assert len(values) >= 2
    assert {flag: value for flag, value in values.items() if not VALUE.fullmatch(value)} == {}
    words = {word for value in values.values() for word in re.split(r"[|,]", value)}
    assert words.isdisjoint({"None", "STR", "INT", "FLOAT", "BOOL", "True", "False"})
    assert values | HELPS[verb] == values
    main_line = POSITIONAL.get(verb)
    if main_line:
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert re.search(rf"^[│ ] {re.escape(main_line)} ", capsys.readouterr().out, re.MULTILINE)


def test_the_help_has_a_box_for_each_part_and_no_default_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")  # too narrow for boxes side by side
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    printed = capsys.readouterr().out
    assert "(default: None)" not in printed
    places = [printed.index(f"{title} options") for title in flags.GROUPS]
    assert places == sorted(places)
    first = ["--genotype", "--data", "--preset", "--size-px", "--num-cells", "--optimizer", "--device"]
    assert sorted(first, key=lambda flag: printed.index(f" {flag} ")) == first


def test_what_was_given_is_known_by_name() -> None:
    assert flags.given_in(["--data", "x", "--num-cells=4", "--no-flip"]) == {"data", "num_cells", "no_flip"}


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (str, "TEXT"),
        (Annotated[str, "FILE"] | None, "FILE"),
        (str | None, "TEXT"),
        (int | None, "N"),
        (float, "NUMBER"),
        (bool | None, "True|False"),
        (Literal["a", "b"] | None, "a|b"),
        (Optional[Literal["a", "b"]], "a|b"),  # noqa: UP045
        (tuple[str, ...], "TEXT ..."),
        (tuple[Annotated[str, "FILE"], ...], "FILE ..."),
    ],
)
def test_a_setting_without_a_name_of_its_own_is_shown_by_its_type(hint: Any, expected: str) -> None:
    assert flags.metavar("anything", hint) == expected


@pytest.mark.parametrize("kind", [TrainConfig, SearchConfig, EvaluateConfig, PredictConfig, CheckConfig])
def test_a_setting_s_text_has_no_line_break_of_the_source(kind: type) -> None:
    texts = flags._texts(kind)
    assert set(texts) == {field.name for field in fields(kind)}
    assert not any("\n" in text or "  " in text for text in texts.values())
