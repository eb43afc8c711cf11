"""--genotype that is none, for the verbs that read one."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pairs import in_pairs

from vidnas.nas.genotype import random_genotype, to_json

Refused = Callable[..., str]
READING = ("train", "draw")
VERBS = pytest.mark.parametrize("use", READING)
GOOD = to_json(random_genotype(1))


@pytest.fixture
def on_genotype(few_videos: Path) -> Callable[..., tuple[object, ...]]:
    """on_genotype(verb, source): a command line that reads this genotype."""

    def arguments(verb: str, source: object) -> tuple[object, ...]:
        if verb == "draw":
            return "draw", source, "--out", "out.png"
        return "train", "--genotype", source, "--data", few_videos, "--out", "out"

    return arguments


def changed(**entries: object) -> str:
    return json.dumps(json.loads(GOOD) | entries)


def edged(**entries: object) -> str:
    """A genotype whose first edge is otherwise."""
    data: dict[str, Any] = json.loads(GOOD)
    data["nodes"][0][0] |= entries
    return json.dumps(data)


DAMAGED: dict[str, tuple[str | bytes, str]] = {
    "a typo": (edged(primitive="sep_conf_3"), "Did you mean 'sep_conv_3'?"),
    "an unknown primitive": (edged(primitive="transformer"), "allowed: conv_1, conv_3, sep_conv_3"),
    "no operation": (edged(primitive="none"), "has primitive 'none'"),
    "a number as primitive": (edged(primitive=3), "has primitive 3"),
    "a list as primitive": (edged(primitive=["skip"]), "has primitive ['skip']"),
    "a source ahead": (edged(source=2), "has source 2; allowed are 0 to 1"),
    "a negative source": (edged(source=-1), "has source -1"),
    "a fractional source": (edged(source=0.5), "has source 0.5"),
    "a huge source": (edged(source=10**400), "allowed are 0 to 1"),
    "a source twice": (
        changed(nodes=[[{"source": 0, "primitive": "skip"}] * 2]),
        "two edges from one source",
    ),
    "an edge with more": (edged(weight=1), "it needs just"),
    "an edge that is a list": (changed(nodes=[[[0, "skip"]]]), "has the edge [0, 'skip']"),
    "a later version": (changed(version=2), "of version 2; this vidnas reads version 1"),
    "no version": (changed(version=None), "of version None"),
    "an unknown entry": (changed(node=[]), "unknown entries node"),
    "another format": (changed(format="darts"), "is not a genotype"),
    "no nodes": (changed(nodes=[]), '"nodes" must be a list'),
    "an empty node": (changed(nodes=[[]]), '"nodes" must be a list'),
    "nodes by name": (changed(nodes={"a": 1}), '"nodes" must be a list'),
    "a list": ("[1, 2]", "is not a genotype"),
    "a number": ("17", "is not a genotype"),
    "null": ("null", "is not a genotype"),
    "nothing": ("", "is not JSON"),
    "cut short": (GOOD[:100], "is not JSON"),
    "Python": ("Genotype(normal=[('sep_conv_3x3', 0)])", "is not JSON"),
    "nested without end": ("[" * 100_000, "is not JSON"),
    "a huge number": ("1" * 10_000, "is not JSON"),
    "UTF-16": (GOOD.encode("utf-16"), "is not UTF-8 text"),
    "binary": (bytes(range(256)), "is not UTF-8 text"),
    "zeros": (bytes(100), "is not JSON"),
    "a pickle": (pickle.dumps([("sep_conv_3x3", 0)]), "is not UTF-8 text"),
}


@in_pairs(READING, DAMAGED)
def test_a_damaged_genotype(
    use: str, damage: str, refused: Refused, on_genotype: Callable[..., tuple[object, ...]], tmp_path: Path
) -> None:
    content, named = DAMAGED[damage]
    (tmp_path / "g.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(*on_genotype(use, "g.json"), names=("g.json", named))


@in_pairs(READING, range(1, 20), "place")
def test_a_genotype_cut_anywhere(
    use: str, place: int, refused: Refused, on_genotype: Callable[..., tuple[object, ...]], tmp_path: Path
) -> None:
    (tmp_path / "g.json").write_text(GOOD[: len(GOOD) * place // 20])
    refused(*on_genotype(use, "g.json"), names=("g.json is not JSON",))


@in_pairs(READING, ["x", "", "-1", "1.5", "0x1", "²"], "seed")
def test_a_random_cell_without_a_number(
    use: str, seed: str, refused: Refused, on_genotype: Callable[..., tuple[object, ...]]
) -> None:
    names = (f"random:{seed} names no cell", "random: and a whole number, as in random:0")
    refused(*on_genotype(use, f"random:{seed}"), names=names, code=2)


@VERBS
def test_a_missing_genotype(
    use: str, refused: Refused, on_genotype: Callable[..., tuple[object, ...]]
) -> None:
    refused(*on_genotype(use, "no.json"), names=("no.json",))


def test_a_training_without_a_genotype(refused: Refused, few_videos: Path) -> None:
    names = ("Give --genotype FILE, a run folder, random:SEED or all-skip; or a hand-designed network",)
    refused("train", "--data", few_videos, "--out", "out", names=names, code=2)


@VERBS
def test_a_folder_that_is_no_run(
    use: str, refused: Refused, on_genotype: Callable[..., tuple[object, ...]], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    refused(*on_genotype(use, "empty"), names=("empty holds no", "genotypes/epoch-001.json"))


@pytest.mark.parametrize("uses", ["dil_conv_3", "max_pool_3", "skip"])
def test_cells_of_one_primitive_alone_are_fine(
    uses: str, vidnas: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """What looks odd but is allowed: one node of one edge."""
    (tmp_path / "g.json").write_text(changed(nodes=[[{"source": 0, "primitive": uses}]]))
    assert vidnas("draw", "g.json", "--out", "out.svg")[0] == 0
