"""The parts that verbs are built from, and `load`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from vidnas.assembly import architecture, networks, steps
from vidnas.config.json_files import to_json
from vidnas.config.learning import TrainConfig
from vidnas.config.presets import search_preset, train_preset
from vidnas.errors import UsageError, UserError
from vidnas.nas.genotype import random_genotype, to_json as genotype_json
from vidnas.runs.checkpoint import save_checkpoint


@pytest.mark.parametrize("name", ["", "genotype.json"])
def test_a_genotype_is_read_from_a_file_or_a_run_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "genotype.json").write_text(genotype_json(random_genotype(5)))
    assert architecture.read_genotype(str(tmp_path / name)) == random_genotype(5)


@pytest.mark.parametrize("read", [architecture.read_genotype, architecture.read_architecture])
@pytest.mark.parametrize(
    ("source", "kind", "named"),
    [
        ("al-skip", UsageError, ("There is no network al-skip. Did you mean all-skip?",)),
        ("rnd", UsageError, ("There is no network rnd.", "best-of:K", "x3d-xs, movinet-a0")),
        ("my.json", UserError, ("There is no file or folder my.json.",)),
        ("runs/mine", UserError, ("There is no file or folder runs/mine.",)),
        ("best-of:3", UsageError, ("best-of:3 is for a comparison: vidnas compare --networks best-of:3.",)),
    ],
)
def test_a_name_of_no_network_is_told_with_all_that_there_are(
    read: Callable[[str], object], source: str, kind: type[UserError], named: tuple[str, ...]
) -> None:
    with pytest.raises(UserError) as error:
        read(source)
    assert type(error.value) is kind
    cells = "a genotype file, the run folder of a search or of a cell's training, random:SEED or all-skip."
    for text in (*named, cells):
        assert text in str(error.value)


def test_a_hand_designed_network_is_read_where_it_may_be_and_else_points_to_its_flag() -> None:
    assert architecture.read_architecture("c3d") == "c3d"
    with pytest.raises(UsageError, match="c3d is no cell but a hand-designed network: write --network c3d"):
        architecture.read_genotype("c3d")


def test_a_random_genotype_is_named_by_its_seed() -> None:
    assert architecture.read_genotype("random:7") == random_genotype(7)
    with pytest.raises(
        UsageError, match=r"random:seven names no cell; write random: and a whole number, as in random:0\."
    ):
        architecture.read_genotype("random:seven")


def test_a_device_that_is_not_there_is_a_usage_error() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert steps.choose_precision("auto").device.type in ("cpu", "mps")
    with pytest.raises(UsageError, match=r"device is cuda, which .* it can use cpu.* or auto\."):
        steps.choose_precision("cuda")


def test_as_many_threads_compute_as_the_settings_say(set_threads: Callable[[int], None]) -> None:
    set_threads(1)
    config = train_preset("fast", data="builtin", genotype="random:0", device="cpu")
    steps.prepare(config)
    assert torch.get_num_threads() == 1, "a program's own choice stays"
    assert steps.prepare(replace(config, threads=2)).device.type == "cpu"
    assert torch.get_num_threads() == 2


def learning_rates(config: TrainConfig, num_steps: int) -> list[float]:
    weights = [nn.Parameter(torch.zeros(1))]
    optimizer, schedule = steps.make_optimizer(weights, config, num_steps)
    rates = []
    for _ in range(num_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def test_sgd_falls_from_its_learning_rate_to_0_by_a_cosine() -> None:
    rates = learning_rates(train_preset("paper", data="x", genotype="random:0"), 100)
    assert rates[0] == 0.025
    assert rates[50] == pytest.approx(0.0125)
    assert rates[-1] < 1e-5
    assert rates == sorted(rates, reverse=True)


def test_adamw_rises_to_its_learning_rate_and_falls() -> None:
    rates = learning_rates(train_preset("cpu", data="x", genotype="random:0", warmup=0.3), 100)
    assert max(rates) == pytest.approx(3e-3)
    assert rates[0] < 3e-4
    assert rates[-1] < 1e-5


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training's run folder with the least that `load` needs."""
    config = train_preset("demo", data="x", genotype="random:0")
    network = networks.build_network(random_genotype(0), config, 2)
    (tmp_path / "config.json").write_text(to_json(config))
    (tmp_path / "genotype.json").write_text(genotype_json(random_genotype(0)))
    (tmp_path / "classes.json").write_text('["left", "right"]')
    save_checkpoint(tmp_path / "checkpoint.pt", {"network": network.state_dict()})
    return tmp_path


def test_load_reads_a_run_folder(run: Path) -> None:
    network, classes = networks.load(run)
    assert classes == ("left", "right")
    assert network(torch.zeros(2, 3, 8, 32, 32)).shape == (2, 2)


@pytest.mark.parametrize("name", ["config.json", "genotype.json", "classes.json", "checkpoint.pt"])
def test_load_names_what_is_missing_or_damaged(run: Path, name: str) -> None:
    (run / name).write_bytes((run / name).read_bytes()[:-2])
    with pytest.raises(UserError, match=name):
        networks.load(run)
    (run / name).unlink()
    with pytest.raises(UserError, match=name):
        networks.load(run)


def test_load_says_when_weights_and_genotype_do_not_belong_together(run: Path) -> None:
    (run / "genotype.json").write_text(genotype_json(random_genotype(1)))
    with pytest.raises(UserError, match=r"checkpoint\.pt does not fit the settings and genotype of its run"):
        networks.load(run)


def test_a_search_s_run_folder_is_not_a_training_s(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(to_json(search_preset("demo", data="x")))
    with pytest.raises(UserError, match="the run folder of a search; first train: vidnas train --genotype"):
        networks.load(tmp_path)


def test_a_folder_without_a_genotype_says_what_it_must_be(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"holds no genotype\.json\. It must be the folder of a finished search"
    ):
        architecture.read_genotype(str(tmp_path))


def test_a_diverged_training_names_the_epoch_and_the_learning_rate() -> None:
    steps.require_finite(1.5, 3, 0.1)
    with pytest.raises(UserError, match=r"diverged in epoch 3: its loss is nan\. .* --lr 0\.1"):
        steps.require_finite(float("nan"), 3, 0.1)


def test_the_time_left_is_that_of_the_epochs_to_come() -> None:
    assert steps.time_left(2, 10, 90.0) == "about 12 min left"
    assert steps.time_left(9, 10, 50.0) == "less than a minute left"
    assert steps.time_left(10, 10, 90.0) == "done"


def test_a_control_says_so_wherever_its_accuracy_stands() -> None:
    config = train_preset("demo", data="x", genotype="random:0")
    assert steps.describe_protocol("paper", config) == "one centre-cropped clip a video, no aggregation"
    assert "one frame repeated (control)" in steps.describe_protocol(
        "multi", replace(config, single_frame=True)
    )


def test_an_unknown_setting_in_a_run_folder_is_refused(run: Path) -> None:
    settings = json.loads((run / "config.json").read_text())
    settings["epoch"] = settings.pop("epochs")
    (run / "config.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match=r"'epoch' is not a setting of TrainConfig\. Did you mean 'epochs'\?"):
        networks.load(run)
