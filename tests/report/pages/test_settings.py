import shlex
from dataclasses import replace

import pytest

from vidnas.cli import flags
from vidnas.config import presets
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.presets import search_preset, train_preset
from vidnas.report.pages.settings import changed, command, nearest_preset

CONFIGS = [
    search_preset("paper", data="my videos"),
    search_preset("demo", data="it's; rm -rf *", epochs=7, flip=True, order=2, group_regex=r'^(\w+)_"x"'),
    search_preset("cpu", data="-videos", seed=3, alpha_lr=1e-5, on_bad="skip", out="runs/old"),
    train_preset("cpu", data="videos", genotype="runs/a search", flip=False),
    train_preset(
        "fast",
        data="list.txt",
        test_list="test list.txt",
        genotype="random:1",
        single_frame=True,
        input="rgb",
        lr=0.1,
    ),
    train_preset("paper", data="videos", init="runs/other", accumulate=4, split_by="clip", device="cpu"),
]


def test_the_command_has_the_epochs_that_were_chosen_and_not_the_minutes() -> None:
    config = train_preset("cpu", data="videos", genotype="random:0", minutes=1.0, epochs=115)
    made = command(config, nearest_preset(config))
    assert "--epochs 115" in made
    assert "--minutes" not in made


def test_the_command_of_a_comparison_s_training_has_no_cells_where_its_network_has_none() -> None:
    config = TrainConfig(data="videos", network="c3d", num_cells=4, stem_stride=2)
    assert set(changed(config, "paper")) == {"data", "network"}


@pytest.mark.parametrize("config", CONFIGS)
def test_the_command_gives_the_same_settings_again(config: SearchConfig | TrainConfig) -> None:
    """As a shell and the command line read it; only the run folder is a new one."""
    program, verb, *arguments = shlex.split(command(config, nearest_preset(config)))
    assert program == "vidnas"
    if isinstance(config, SearchConfig):
        assert verb == "search"
        read, resume = flags.parse_run("search", SearchConfig, presets.SEARCH_PRESETS, arguments)
        assert read == replace(config, out=None)
    else:
        assert verb == "train"
        trained, resume = flags.parse_run("train", TrainConfig, presets.TRAIN_PRESETS, arguments)
        assert trained == replace(config, out=None)
    assert not resume


@pytest.mark.parametrize("preset", presets.SEARCH_PRESETS)
def test_a_preset_is_known_again_and_only_what_differs_is_listed(preset: str) -> None:
    config = search_preset(preset, data="videos", momentum=0.5)
    assert nearest_preset(config) == preset
    assert changed(config, preset) == {"data": "videos", "momentum": 0.5}
