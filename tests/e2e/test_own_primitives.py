"""Primitives that are registered by a row and a builder each, through every verb."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from little import LITTLE, flags

import vidnas
from vidnas.cli.main import main
from vidnas.nas.folded import FoldedNetwork
from vidnas.nas.genotype import Edge, Genotype, load_genotype, to_json
from vidnas.nas.network import Network
from vidnas.nas.primitives import PRIMITIVES
from vidnas.runs.read import read_run

pytestmark = pytest.mark.usefixtures("own_primitives")
GENOTYPE = Genotype(
    (
        (Edge(0, "own_conv"), Edge(1, "later")),
        (Edge(1, "own_conv"), Edge(2, "conv_3")),
        (Edge(0, "skip"), Edge(2, "later")),
        (Edge(3, "own_conv"), Edge(4, "max_pool_3")),
    )
)


class Runs(NamedTuple):
    search: Path
    train: Path


def vidnas_cli(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


@pytest.fixture
def runs(few_videos: Path, tmp_path: Path) -> Runs:
    """A search among all of them, and the training of a cell of the own ones."""
    made = Runs(tmp_path / "search", tmp_path / "train")
    small = ("--data", few_videos, *flags(**LITTLE))
    vidnas_cli("search", *small, "--out", made.search)
    (tmp_path / "own.json").write_text(to_json(GENOTYPE))
    vidnas_cli("train", *small, "--genotype", tmp_path / "own.json", "--out", made.train)
    return made


def test_own_primitives_go_through_every_verb(runs: Runs, few_videos: Path, tmp_path: Path) -> None:
    table = json.loads((runs.search / "alphas/epoch-001.json").read_text())
    assert table["primitives"] == list(PRIMITIVES) and table["primitives"][-2:] == ["own_conv", "later"]
    assert {len(row) for row in table["alpha"]} == {len(PRIMITIVES)}
    assert (runs.search / "alphas.png").exists()

    network = vidnas.load(runs.train).network
    assert isinstance(network, Network)
    video = torch.randn(2, 3, 4, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(FoldedNetwork(network)(video), network(video), rtol=1e-3, atol=1e-4)
    vidnas_cli("evaluate", "--data", few_videos, "--run", runs.train, "--workers", 0)

    vidnas_cli("draw", runs.train, "--out", tmp_path / "cell.svg")
    assert (
        "own_conv" in (tmp_path / "cell.svg").read_text() and "#7a4fbf" in (tmp_path / "cell.svg").read_text()
    )
    vidnas_cli("draw", runs.search, "--out", tmp_path / "search.gif")
    for run, number in ((runs.search, 2), (runs.train, 3)):
        vidnas_cli("report", run, "--out", tmp_path / f"{run.name}.html")
        page = (tmp_path / f"{run.name}.html").read_text()
        assert page.count("own_conv") >= number and "#7a4fbf" in page


def test_a_run_keeps_the_names_of_its_own_primitives(runs: Runs, tmp_path: Path) -> None:
    """One that is called otherwise today, at another place: the run tells of those that it has searched."""
    path = runs.search / "alphas/epoch-001.json"
    table = json.loads(path.read_text())
    kept = {edge.primitive for node in load_genotype(runs.search / "genotype.json").nodes for edge in node}
    column = next(j for j, name in enumerate(table["primitives"]) if name not in kept)
    table["primitives"][column] = "older_name"
    table["primitives"] = table["primitives"][::-1]
    table["alpha"] = [row[::-1] for row in table["alpha"]]
    path.write_text(json.dumps(table))
    (cell,) = read_run(runs.search).cells
    assert list(cell.primitives) == table["primitives"]
    vidnas_cli("report", runs.search, "--out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    places = [page.index(f">{name}</th>") for name in table["primitives"]]
    assert places == sorted(places)
    vidnas_cli("draw", runs.search, "--out", tmp_path / "search.gif")
