"""Batches of one clip: what a network's norms make of them is known before a run."""

import re
import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vidnas.assembly import architecture, networks, oneclip, steps
from vidnas.assembly.architecture import Architecture
from vidnas.cli.main import main
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.presets import search_preset, train_preset
from vidnas.errors import UsageError
from vidnas.training.single_values import normalizes_single_values

ONE_PIXEL = {"size_px": 2, "segments": 1, "frames_per_segment": 1}
"""Clips of which a network of cells makes one value per channel."""


def a_training(network: str, **settings: object) -> tuple[Architecture, TrainConfig]:
    config = train_preset("cpu", **{"data": "x", "genotype": "random:0", "num_cells": 1, **settings})
    return architecture.read_architecture(network), config


def a_search(**settings: object) -> SearchConfig:
    return search_preset("cpu", **{"data": "x", "num_cells": 1, **settings})


def learns_from_one(network: nn.Module, clip: torch.Tensor) -> bool:
    """By doing it: every norm is seen by a hook, or refuses."""
    try:
        network.train()(clip)
    except ValueError as error:
        assert "more than 1 value per channel" in str(error)
        return False
    return True


@pytest.mark.parametrize("network", ["3d-shufflenet-0.5", "3d-mobilenetv2-0.45", "2d-resnet-18", "c3d-8"])
@pytest.mark.parametrize("size_px", [32, 48])
def test_what_is_foretold_of_a_network_is_what_it_does(network: str, size_px: int) -> None:
    architecture, config = a_training(network, size_px=size_px)

    def build() -> nn.Module:
        return networks.build_network(architecture, config, 3)

    really = not learns_from_one(build(), torch.randn(steps.clip_shape(config)))
    assert normalizes_single_values(build, steps.clip_shape(config)) is really
    assert really is (size_px == 32 and network != "c3d-8")  # which has no norm


@pytest.mark.parametrize("cell", ["random:0", "all-skip"])
@pytest.mark.parametrize(("clips", "single"), [(ONE_PIXEL, True), ({"size_px": 16}, False)])
def test_of_cells_too_though_their_kernels_normalise_anything(
    cell: str, clips: dict[str, int], single: bool
) -> None:
    architecture, config = a_training(cell, **clips)
    shape = steps.clip_shape(config)
    assert normalizes_single_values(lambda: networks.build_network(architecture, config, 3), shape) is single


@pytest.mark.parametrize(("clips", "single"), [(ONE_PIXEL, True), ({"size_px": 16}, False)])
def test_of_supernets_too(clips: dict[str, int], single: bool) -> None:
    config = a_search(**clips)
    shape = steps.clip_shape(config)
    assert normalizes_single_values(lambda: steps.build_supernet(config, 3), shape) is single


def test_looking_draws_no_random_number() -> None:
    architecture, config = a_training("3d-shufflenet-0.5", size_px=32)
    before = torch.get_rng_state()
    normalizes_single_values(lambda: networks.build_network(architecture, config, 3), (1, 3, 8, 32, 32))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_error_that_is_no_norm_s_is_not_taken_for_one() -> None:
    class Refuses(nn.Module):
        def forward(self, video: torch.Tensor) -> torch.Tensor:
            raise ValueError(f"no clips like {video.shape}")

    with pytest.raises(ValueError, match="no clips like"):
        normalizes_single_values(Refuses, (1, 3, 1, 2, 2))


@pytest.mark.parametrize(
    ("network", "settings"),
    [
        ("3d-shufflenet-0.5", {"batch_size": 8, "accumulate": 8}),
        ("3d-shufflenet-0.5", {"batch_size": 10, "accumulate": 4}),  # 3, 3, 3 and 1
        ("3d-mobilenetv2-0.45", {"batch_size": 1}),
        ("random:0", {"batch_size": 1, **ONE_PIXEL}),
        ("all-skip", {"batch_size": 3, "accumulate": 2, **ONE_PIXEL}),
    ],
)
def test_a_part_of_one_clip_is_refused_with_values_that_work(network: str, settings: dict[str, int]) -> None:
    architecture, config = a_training(network, **{"size_px": 32, **settings})
    with pytest.raises(UsageError, match=r"batch_size is \d+.* one clip, of which .* Use .*\.$") as caught:
        oneclip.check_training(architecture, config, 3)
    remedies = remedies_in(str(caught.value))
    assert "batch_size" in remedies
    assert ("accumulate" in remedies) is (config.accumulate > 1)
    for name, value in remedies.items():
        oneclip.check_training(architecture, replace(config, **{name: value}), 3)


def remedies_in(message: str) -> dict[str, Any]:
    words = shlex.split(message.rpartition("Use ")[2].removesuffix("."))
    found = pairwise(words)
    return {flag[2:].replace("-", "_"): int(value) for flag, value in found if flag.startswith("--")}


@pytest.mark.parametrize(
    "settings",
    [{"batch_size": 8, "accumulate": 4}, {"batch_size": 8, "accumulate": 3}, {"batch_size": 2}],
)
def test_parts_of_more_clips_pass(settings: dict[str, int]) -> None:
    oneclip.check_training(*a_training("3d-shufflenet-0.5", size_px=32, **settings), 3)


def test_parts_of_one_clip_pass_where_every_norm_has_more_values() -> None:
    oneclip.check_training(*a_training("3d-shufflenet-0.5", size_px=48, batch_size=4, accumulate=4), 3)


@pytest.mark.parametrize(("batch_size", "num_val"), [(1, 9), (8, 9), (4, 13)])
def test_a_search_with_a_batch_of_one_clip_is_refused_with_values_that_work(
    batch_size: int, num_val: int
) -> None:
    config = a_search(batch_size=batch_size, **ONE_PIXEL)
    with pytest.raises(UsageError, match="one clip, of which the supernet makes a single value") as caught:
        oneclip.check_search(config, 3, num_val)
    remedies = remedies_in(str(caught.value))
    assert "batch_size" in remedies
    for name, value in remedies.items():
        oneclip.check_search(replace(config, **{name: value}), 3, num_val)


def test_a_search_whose_last_batch_has_more_clips_passes() -> None:
    oneclip.check_search(a_search(batch_size=8, **ONE_PIXEL), 3, 10)


@pytest.mark.parametrize("batch_size", range(1, 20))
def test_the_smallest_part_is_that_of_pytorch_s_cut(batch_size: int) -> None:
    for accumulate in range(1, batch_size + 1):
        parts = torch.zeros(batch_size).chunk(accumulate)
        assert oneclip._smallest_part(batch_size, accumulate) == min(map(len, parts))


@pytest.mark.parametrize(
    "command",
    [
        "train --network 3d-shufflenet-0.5 --size-px 32 --batch-size 8 --accumulate 8",
        "train --genotype all-skip --size-px 2 --segments 1 --batch-size 1 --frames-per-segment 1",
        "search --size-px 2 --segments 1 --frames-per-segment 1 --batch-size 1",
    ],
)
def test_it_is_told_before_there_is_a_run_folder(
    command: str, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *settings = shlex.split(command)
    common = ["--preset", "demo", "--data", str(tiny_videos), "--workers", "0"]
    common += ["--out", str(tmp_path / "run")]
    assert main([verb, *common, *settings]) == 2
    said = capsys.readouterr().err
    assert re.search("one clip, of which .* batch norm cannot learn from one. Use --", said)
    assert not list(tmp_path.iterdir())
