"""Genotypes: edges are counted as the paper does, JSON is read strictly, errors say what to mend."""

import json
from collections import Counter
from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.nas.genotype import (
    Edge,
    Genotype,
    edge_sources,
    from_json,
    load_genotype,
    random_genotype,
    source_name,
    to_json,
)
from vidnas.nas.primitives import PRIMITIVES

SMALL = Genotype(((Edge(0, "conv_3"), Edge(1, "skip")), (Edge(2, "sep_conv_3"),)))


def changed(**entries: object) -> str:
    """SMALL's JSON with some of its entries replaced; None takes one out."""
    data = {**json.loads(to_json(SMALL)), **entries}
    return json.dumps({name: value for name, value in data.items() if value is not None})


def with_edge(**entries: object) -> str:
    """SMALL's JSON with an edge into node 1 that has these entries."""
    return changed(nodes=[[{"source": 0, "primitive": "skip"}], [entries]])


@pytest.mark.parametrize("num_nodes", range(1, 8))
def test_edge_sources_list_every_pair_of_a_node_and_an_earlier_source(num_nodes: int) -> None:
    edges = edge_sources(num_nodes)
    every_pair = {(node, source) for node in range(num_nodes) for source in range(99) if source < node + 2}
    assert set(edges) == every_pair
    assert len(edges) == len(every_pair) == (num_nodes + 1) * (num_nodes + 2) // 2 - 1
    assert list(edges) == sorted(edges)


def test_a_genotype_reads_as_sums_of_named_sources() -> None:
    assert str(SMALL) == "node 0: conv_3(cell t-2) + skip(cell t-1); node 1: sep_conv_3(node 0)"
    assert [source_name(source) for source in range(4)] == ["cell t-2", "cell t-1", "node 0", "node 1"]


@pytest.mark.parametrize("genotype", [SMALL, *(random_genotype(seed) for seed in range(20))])
def test_json_round_trip(genotype: Genotype) -> None:
    assert from_json(to_json(genotype)) == genotype


def test_a_genotype_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "genotype.json").write_text(to_json(SMALL))
    assert load_genotype(tmp_path / "genotype.json") == SMALL


def test_random_genotypes_keep_the_rules_of_a_derived_one() -> None:
    for seed in range(200):
        genotype = random_genotype(seed)
        assert len(genotype.nodes) == 4
        for index, node in enumerate(genotype.nodes):
            sources = [edge.source for edge in node]
            assert len(set(sources)) == 2
            assert sources == sorted(sources)
            assert all(0 <= source < index + 2 for source in sources)
            assert all(edge.primitive in PRIMITIVES and edge.primitive != "none" for edge in node)


def test_random_genotypes_draw_every_source_and_primitive_equally_often() -> None:
    last_nodes = [random_genotype(seed).nodes[-1] for seed in range(2000)]
    sources = Counter(edge.source for node in last_nodes for edge in node)
    primitives = Counter(edge.primitive for node in last_nodes for edge in node)
    assert sorted(sources) == [0, 1, 2, 3, 4]
    assert len(primitives) == 7
    assert all(count == pytest.approx(4000 / 5, rel=0.15) for count in sources.values())
    assert all(count == pytest.approx(4000 / 7, rel=0.15) for count in primitives.values())


def test_random_genotypes_depend_on_the_seed_alone() -> None:
    assert random_genotype(3) == random_genotype(3)
    assert len({random_genotype(seed) for seed in range(20)}) == 20


def test_a_random_genotype_of_another_shape() -> None:
    genotype = random_genotype(0, num_nodes=3, edges_per_node=1)
    assert [len(node) for node in genotype.nodes] == [1, 1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "found.json is not JSON: "),
        ("[]", "found.json is not a genotype"),
        (changed(format="darts"), 'it needs "format": "vidnas-genotype"'),
        (changed(format=None), "found.json is not a genotype"),
        (changed(version=2), "is a genotype of version 2; this vidnas reads version 1"),
        (changed(version=None), "is a genotype of version None"),
        (changed(node=[], concat=[2]), "unknown entries concat, node; allowed: format, version, nodes"),
        (changed(nodes=None), '"nodes" must be a list with a non-empty list of edges'),
        (changed(nodes=[]), '"nodes" must be a list'),
        (changed(nodes=[[]]), '"nodes" must be a list with a non-empty list'),
        (changed(nodes=["conv_3"]), '"nodes" must be a list'),
        (changed(nodes=[["conv_3"]]), "node 0 has the edge 'conv_3'; it needs just"),
        (with_edge(source=0), "node 1 has the edge {'source': 0}; it needs just"),
        (with_edge(source=0, primitive="skip", weight=1), 'it needs just "source" and "primitive"'),
        (with_edge(source=3, primitive="skip"), "node 1 has source 3; allowed are 0 to 2 "),
        (with_edge(source=-1, primitive="skip"), "node 1 has source -1; allowed are 0 to 2 "),
        (with_edge(source="0", primitive="skip"), "node 1 has source '0'; allowed are 0 to 2 "),
        (with_edge(source=True, primitive="skip"), "node 1 has source True; allowed"),
        (with_edge(source=0, primitive="conv_33"), r"Did you mean 'conv_3'\?"),
        (with_edge(source=0, primitive="lstm"), "allowed: conv_1, .*, skip.$"),
        (with_edge(source=0, primitive=["skip"]), r"node 1 has primitive \['skip'\]; allowed: "),
        (with_edge(source=0, primitive="none"), "node 1 has primitive 'none'; allowed: "),
        (
            changed(nodes=[2 * [{"source": 1, "primitive": "skip"}]]),
            "node 0 has two edges from one source; its sources must differ",
        ),
    ],
)
def test_what_is_wrong_in_a_genotype_is_said(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        from_json(text, origin="found.json")
    assert str(error.value).startswith("found.json")


def test_a_genotype_file_is_named_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "genotype.json"
    with pytest.raises(UserError, match=r"Cannot read the genotype .*genotype\.json"):
        load_genotype(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"Cannot read the genotype .*genotype\.json"):
        load_genotype(path)
    path.write_text(with_edge(source=0, primitive="conv3"))
    with pytest.raises(
        UserError, match=r"genotype\.json: node 1 has primitive 'conv3'.* Did you mean 'conv_3'\?"
    ):
        load_genotype(path)
