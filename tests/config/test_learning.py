"""Settings: presets hold together, JSON is read strictly, values out of range are named."""

import dataclasses
import json
from typing import Any, get_args

import pytest

from vidnas.config.json_files import from_settings, settings_in, to_json
from vidnas.config.kinds import verb_in, verb_of
from vidnas.config.learning import CompareConfig, EvaluateConfig, SearchConfig, TrainConfig
from vidnas.config.presets import (
    SEARCH_PRESETS,
    TRAIN_PRESETS,
    Preset,
    compare_preset,
    search_preset,
    train_preset,
)
from vidnas.errors import UsageError, UserError

PRESETS: tuple[Preset, ...] = get_args(Preset)
TRAIN: dict[str, Any] = {"data": "videos", "genotype": "cell.json"}


def from_json(kind: Any, text: str, origin: str = "config.json") -> Any:
    """What a config.json with this text holds."""
    return from_settings(kind, settings_in(text, origin), origin)


def text_of(**settings: object) -> str:
    """JSON of a search's settings."""
    return json.dumps({"data": "videos", **settings})


def test_a_preset_that_does_not_exist_is_a_usage_error() -> None:
    for make in (search_preset, train_preset):
        with pytest.raises(UsageError, match=r"preset is 'cppu'; allowed are paper, fast, cpu, demo\."):
            make("cppu", **TRAIN)


def test_every_preset_is_in_both_tables() -> None:
    assert set(SEARCH_PRESETS) == set(TRAIN_PRESETS) == set(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_change_what_they_say(preset: Preset) -> None:
    search, train = search_preset(preset, data="videos"), train_preset(preset, **TRAIN)
    assert (search.data, train.data, train.genotype) == ("videos", "videos", "cell.json")
    assert {name: getattr(search, name) for name in SEARCH_PRESETS[preset]} == dict(SEARCH_PRESETS[preset])
    assert {name: getattr(train, name) for name in TRAIN_PRESETS[preset]} == dict(TRAIN_PRESETS[preset])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_setting_given_beats_the_preset(preset: Preset) -> None:
    assert search_preset(preset, data="videos", epochs=7, order=2).epochs == 7
    assert train_preset(preset, **TRAIN, epochs=7, stem_stride=1).stem_stride == 1


def test_a_paper_search_has_the_documented_values_where_the_paper_is_silent() -> None:
    search = search_preset("paper", data="videos")
    assert (search.batch_size, search.lr, search.lr_min, search.momentum) == (16, 0.05, 0.001, 0.9)
    assert (search.weight_decay, search.grad_clip) == (3e-4, 5.0)
    assert (search.alpha_lr, search.alpha_weight_decay, search.select) == (3e-4, 1e-3, "best")


def test_the_demo_does_not_mirror_clips_whose_classes_are_left_and_right() -> None:
    assert not search_preset("demo", data="builtin").flip
    assert not train_preset("demo", **TRAIN).flip


@pytest.mark.parametrize("table", [SEARCH_PRESETS, TRAIN_PRESETS])
def test_presets_cannot_be_changed(table: Any) -> None:
    with pytest.raises(TypeError):
        table["paper"] = {}
    with pytest.raises(TypeError):
        table["demo"]["epochs"] = 1


@pytest.mark.parametrize(
    "config",
    [
        *(search_preset(preset, data="videos", seed=5, out="runs/a") for preset in PRESETS),
        *(train_preset(preset, **TRAIN, group_regex=r"(\d+)_", split_by="clip") for preset in PRESETS),
        compare_preset("cpu", networks="all-skip,random:1", data="videos"),
    ],
)
def test_json_round_trip(config: Any) -> None:
    assert from_json(type(config), to_json(config)) == config
    verb = {SearchConfig: "search", TrainConfig: "train", CompareConfig: "compare"}[type(config)]
    assert json.loads(to_json(config)) == {"kind": verb, **dataclasses.asdict(config)}


@pytest.mark.parametrize("config", [search_preset("cpu", data="v"), train_preset("cpu", **TRAIN)])
def test_settings_of_before_they_said_their_kind_are_known_by_one_of_their_own(config: Any) -> None:
    settings = json.loads(to_json(config))
    said = settings.pop("kind")
    assert verb_in(settings) == said == verb_of(config)
    assert from_json(type(config), json.dumps(settings)) == config
    for other in ("demo", "", None, 3, ["train"]):
        assert verb_in({"kind": other} if other else {}) is None


def test_settings_of_another_kind_are_refused() -> None:
    with pytest.raises(UserError, match="kind is 'search', but these must be settings of TrainConfig"):
        from_json(TrainConfig, to_json(search_preset("cpu", data="v")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{data", "run/config.json is not JSON: "),
        ('["data"]', "run/config.json must hold an object of settings"),
        (text_of(epoch=3), "'epoch' is not a setting of SearchConfig. Did you mean 'epochs'?"),
        (text_of(frame_per_segment=3), "Did you mean 'frames_per_segment'?"),
        (text_of(zzz=3), "'zzz' is not a setting of SearchConfig."),
        (text_of(genotype="cell.json"), "'genotype' is not a setting of SearchConfig."),
        ("{}", "lacks data, which SearchConfig needs"),
        (text_of(epochs=0), "epochs is 0; it must be a whole number of at least 1."),
    ],
)
def test_what_is_wrong_in_a_config_file_is_said(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        from_json(SearchConfig, text, origin="run/config.json")
    assert message in str(error.value)
    assert str(error.value).startswith("run/config.json")
    assert not isinstance(error.value, UsageError), "a file's fault is not the command line's"


def test_no_guess_is_made_at_a_name_far_from_all() -> None:
    with pytest.raises(UserError) as error:
        from_json(SearchConfig, text_of(zzz=3))
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize("kind", [SearchConfig, TrainConfig])
@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        *((name, 0, "at least 1") for name in ("size_px", "segments", "frames_per_segment", "num_cells")),
        *((name, 0, "at least 1") for name in ("first_channels", "epochs", "batch_size", "split")),
        *((name, -1, "at least 0") for name in ("workers", "seed")),
        ("stem_stride", 3, "allowed are 1 and 2"),
        ("lr", 0.0, "greater than 0"),
        ("lr", -0.1, "greater than 0"),
        ("lr", float("nan"), "greater than 0"),
    ],
)
def test_a_value_out_of_range_is_named(
    kind: type[SearchConfig | TrainConfig], name: str, value: float, allowed: str
) -> None:
    settings: dict[str, Any] = {**(TRAIN if kind is TrainConfig else {"data": "videos"}), name: value}
    with pytest.raises(UsageError, match=f"{name} is {value}.*{allowed}"):
        kind(**settings)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (SearchConfig, {"data": "v", "grad_clip": 0.0}, "grad_clip is 0.0; it must be greater than 0"),
        (SearchConfig, {"data": "v", "alpha_lr": 0.0}, "alpha_lr is 0.0; it must be greater than 0"),
        (
            SearchConfig,
            {"data": "v", "checkpoint_minutes": -1.0},
            "checkpoint_minutes is -1.0; it must be at least 0",
        ),
        (TrainConfig, {**TRAIN, "label_smoothing": 1.0}, "label_smoothing is 1.0; allowed are 0 to below 1"),
        (TrainConfig, {**TRAIN, "photometric": 1.0}, "photometric is 1.0; allowed are 0 to below 1"),
        (SearchConfig, {"data": "v", "photometric": -0.1}, "photometric is -0.1; allowed are 0 to below 1"),
        (TrainConfig, {**TRAIN, "accumulate": 73}, "accumulate is 73; allowed are 1 to the batch size, 72"),
        (TrainConfig, {**TRAIN, "accumulate": 0}, "accumulate is 0"),
        (EvaluateConfig, {"run": "r", "data": "v", "batch_size": 0}, "batch_size is 0"),
        (EvaluateConfig, {"run": "r", "data": "v", "workers": -1}, "workers is -1"),
        (EvaluateConfig, {"run": "r", "data": "v", "split": 0}, "split is 0"),
    ],
)
def test_a_value_out_of_range_in_one_verb_is_named(
    kind: type, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(**settings)


@pytest.mark.parametrize("kind", [SearchConfig, TrainConfig])
def test_settings_of_before_there_were_light_and_clip_norm_read_as_without(kind: Any) -> None:
    config = kind(**(TRAIN if kind is TrainConfig else {"data": "videos"}))
    settings = json.loads(to_json(config))
    del settings["photometric"], settings["clip_norm"]
    assert from_json(kind, json.dumps(settings)) == config
    assert (config.photometric, config.clip_norm) == (0.0, "off")


@pytest.mark.parametrize("name", ["num_cells", "first_channels", "stem_stride"])
def test_the_size_of_cells_is_refused_where_no_network_has_any(name: str) -> None:
    given: dict[str, Any] = {"data": "videos", name: 2}
    with pytest.raises(UsageError, match=f"{name} does nothing with network c3d, which has no cells; leave"):
        train_preset("cpu", **given, network="c3d")
    with pytest.raises(UsageError, match=f"{name} does nothing with networks c3d,x3d-xs, none of which has"):
        compare_preset("cpu", **given, networks="c3d,x3d-xs")
    assert getattr(train_preset("cpu", **given, genotype="random:0"), name) == 2
    assert getattr(compare_preset("cpu", **given, networks="c3d,random:0"), name) == 2


def test_what_a_preset_sets_is_not_refused() -> None:
    """Nor is what stands in a run folder: a comparison gives its settings to all of its trainings."""
    assert train_preset("cpu", data="videos", network="c3d").stem_stride == 2
    config = TrainConfig(data="videos", network="c3d", num_cells=4)
    assert from_json(TrainConfig, to_json(config)) == config


def test_the_smallest_allowed_values_are_allowed() -> None:
    smallest: dict[str, Any] = {
        "size_px": 1,
        "epochs": 1,
        "workers": 0,
        "seed": 0,
        "split": 1,
        "batch_size": 1,
    }
    assert SearchConfig(data="videos", **smallest).workers == 0
    assert TrainConfig(**TRAIN, **smallest, label_smoothing=0.0, accumulate=1).accumulate == 1
