"""What README.md and docs/ claim beside their tables, and their pictures, is as stored in docs/results."""

import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import table2_figures
from vidnas.assembly.architecture import read_architecture
from vidnas.assembly.networks import build_network
from vidnas.assembly.steps import clip_shape
from vidnas.config.presets import train_preset
from vidnas.nas.genotype import load_genotype
from vidnas.nn.baselines import BASELINES
from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.cell import draw_cell
from vidnas.training.profile import count_macs, count_parameters

Json = Any
Stored = Callable[[str], Json]


def rows_of(table: Json) -> dict[str, Json]:
    return {row["name"]: row for row in table["rows"]}


def main_figures(stored: Stored) -> dict[str, str]:
    """What README.md and the guide say of the searched network, as stored."""
    rows, costs = rows_of(stored("table2/table.json")), stored("table2/cost.json")
    searched, resnet = rows["searched"], rows["3d-resnet-18"]
    time = {**rows_of(stored("table2/time-cells.json")), **rows_of(stored("table2/time.json"))}
    train_sec = statistics.fmean(run["train_sec"] for run in searched["runs"])
    ratio = {name: costs["searched"][name] / costs["3d-resnet-18"][name] for name in ("parameters", "macs")}

    def spaced(share: float, digits: int = 1) -> str:
        return f"{100 * share:.{digits}f} %"

    return {
        "searched": spaced(searched["accuracy"]),
        "resnet": spaced(resnet["accuracy"]),
        "searched, same time": spaced(time["searched"]["accuracy"]),
        "resnet, same time": spaced(time["3d-resnet-18"]["accuracy"]),
        "parameters": f"with {spaced(ratio['parameters'])} of its parameters",
        "MACs": f"{spaced(ratio['macs'], 0)} of its multiply-adds",
        "training": f"for 30 epochs {train_sec / 60:.1f}",
        "pack": f"{stored('bench/data.json')['avi_packed_vs_source']['time_ratio']:.0f}",
    }


def test_the_readme_s_figures_are_those_of_the_table(pages: dict[str, str], stored: Stored) -> None:
    figures, readme = main_figures(stored), pages["README.md"]
    assert figures.pop("pack") == "12" and "read them twelve times faster" in readme
    assert [name for name, told in figures.items() if told not in readme] == []
    compared = f"({figures['searched']} against {figures['resnet']}, the difference within its interval)"
    assert compared in readme
    low, high = rows_of(stored("table2/table.json"))["3d-resnet-18"]["difference_interval"]
    assert low < 0 < high
    told = set(re.findall(r"\d+(?:\.\d+)? %", readme))
    assert told <= {*re.findall(r"\d+(?:\.\d+)? %", " ".join(figures.values())), "20 %"}


def test_the_guide_s_accuracies_are_those_of_the_table(pages: dict[str, str], stored: Stored) -> None:
    guide, searched = pages["docs/guide.md"], rows_of(stored("table2/table.json"))["searched"]
    shares = searched["accuracy"], searched["runs"][0]["scores"]["top1"]
    mean, first = (f"{100 * share:.1f} %" for share in shares)
    assert f"54 training clips for each of five classes gave {mean} on the test" in guide
    assert f"trained with seed 0: {first}. Over three seeds it has {mean}" in guide
    residual = next(
        one["variants"]["residual frames"]["difference"]
        for one in stored("recipe.json")["comparisons"]
        if len(one["networks"]) == 2 and one["base"] == "base"
    )
    assert f"({100 * residual:.0f} points, [measured]" in guide


def test_the_readme_s_cell_is_that_of_the_table_s_searched_network(repository: Path, tmp_path: Path) -> None:
    genotype = load_genotype(repository / "docs" / "results" / "table2" / "genotypes" / "searched.json")
    save_figure(draw_cell(genotype), tmp_path / "cell.png")
    require_alike(repository / "docs" / "cell.png", tmp_path / "cell.png")


def test_the_readme_s_picture_is_drawn_from_the_stored_figures(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, picture = repository / "docs" / "results" / "table2", tmp_path / "tradeoff.png"
    monkeypatch.setattr(sys, "argv", ["table2_figures.py", str(table), "--plot", str(picture)])
    table2_figures.main()
    require_alike(repository / "docs" / "tradeoff.png", picture)


def require_alike(stored_file: Path, drawn_file: Path) -> None:
    """The same picture, but for what another version of matplotlib does to a pixel."""
    own, drawn = (
        np.asarray(Image.open(path).convert("L"), dtype=float) for path in (stored_file, drawn_file)
    )
    assert own.shape == drawn.shape
    assert np.abs(own - drawn).mean() < 2


def test_the_picture_s_costs_are_those_of_the_networks(stored: Stored) -> None:
    """And the table's, counted in another run; latencies are those of cost.json's idle machine alone."""
    costs = stored("table2/cost.json")
    for name, row in rows_of(stored("table2/table.json")).items():
        if name in costs:
            for what in ("parameters", "macs"):
                assert costs[name][what] == row["cost"][what], (name, what)


@pytest.mark.parametrize("name", BASELINES)
def test_a_rival_s_size_and_work_are_those_of_its_page(name: str, pages: dict[str, str]) -> None:
    """For 101 classes and clips of 8 x 112 x 112, C3D's of 16; built without memory for its weights."""
    segments = 8 if name == "c3d" else 4
    config = train_preset("paper", data="builtin", genotype="random:0", segments=segments)
    with torch.device("meta"):
        network = build_network(read_architecture(name), config, 101)
    page = pages["docs/rivals.md"]
    assert f"{count_parameters(network):,}" in page
    giga = count_macs(network, clip_shape(config)) / 1e9
    told = f"{giga:.2f}" if giga < 10 else f"{giga:.1f}"
    assert re.search(rf"[ ,|]{told}[ ,]", page)


def test_the_found_cell_looks_at_its_neighbours_in_one_edge_of_eight(repository: Path) -> None:
    """Said in the concordance, and of both cells in the table of epochs."""
    folder = repository / "docs" / "results" / "table2" / "genotypes"
    genotypes = {name: load_genotype(folder / f"{name}.json") for name in ("searched", "epoch-010")}
    kept = {
        name: Counter(edge.primitive for node in genotype.nodes for edge in node)
        for name, genotype in genotypes.items()
    }
    assert kept["searched"] == {"skip": 3, "conv_1": 4, "conv_3": 1}
    assert kept["epoch-010"] == {"skip": 1, "conv_1": 3, "conv_3": 3, "sep_conv_3": 1}


def test_the_demo_s_figures_are_as_stored(pages: dict[str, str], stored: Stored) -> None:
    demo = stored("demo.json")
    searched, control = demo["searched"], demo["single-frame"]

    def spaced(share: float) -> str:
        return f"{100 * share:.1f} %"

    told = (
        f"{spaced(searched['top1'])} for the searched network (interval {spaced(searched['interval'][0])} to "
        f"{spaced(searched['interval'][1])}), {spaced(control['top1'])} for the single-frame control "
        f"({spaced(control['interval'][0])} to {spaced(control['interval'][1])})"
    )
    assert told in pages["docs/results.md"]
    clips = f"{searched['num_clips']} test clips of {len(searched['confusion'])} classes"
    assert clips in pages["docs/results.md"]
