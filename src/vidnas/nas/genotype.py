"""The genotype: a cell's discrete architecture as frozen data with a versioned JSON form."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from vidnas.errors import UserError, did_you_mean
from vidnas.nas.primitives import PRIMITIVES, selectable

NUM_INPUTS = 2
"""A cell reads the outputs of the two cells before it."""

FORMAT = "vidnas-genotype"
VERSION = 1


@dataclass(frozen=True, order=True)
class Edge:
    """One kept connection: `source` 0 and 1 are the cell before last and the last one, 2 + i is node i."""

    source: int
    primitive: str


@dataclass(frozen=True)
class Genotype:
    """For every node of the cell, in order, the edges that it sums."""

    nodes: tuple[tuple[Edge, ...], ...]

    def __str__(self) -> str:
        return "; ".join(
            f"node {i}: " + " + ".join(f"{edge.primitive}({source_name(edge.source)})" for edge in node)
            for i, node in enumerate(self.nodes)
        )


def source_name(source: int) -> str:
    """What a person calls the source with this number."""
    return ("cell t-2", "cell t-1")[source] if source < NUM_INPUTS else f"node {source - NUM_INPUTS}"


def edge_sources(num_nodes: int) -> tuple[tuple[int, int], ...]:
    """(node, source) of every edge in the order of alpha's rows: node by node, sources ascending.

    Of n nodes there are (n + 1)(n + 2) / 2 - 1 (paper, section 2.1).
    """
    return tuple((node, source) for node in range(num_nodes) for source in range(NUM_INPUTS + node))


def random_genotype(seed: int, *, num_nodes: int = 4, edges_per_node: int = 2) -> Genotype:
    """A genotype drawn uniformly: distinct sources for each node, any primitive but `none`."""
    draw = random.Random(seed)
    candidates = selectable(PRIMITIVES)
    nodes = []
    for node in range(num_nodes):
        sources = sorted(draw.sample(range(NUM_INPUTS + node), edges_per_node))
        nodes.append(tuple(Edge(source, draw.choice(candidates)) for source in sources))
    return Genotype(tuple(nodes))


def all_skip_genotype(*, num_nodes: int = 4) -> Genotype:
    """The cell to which differentiable search tends to collapse: every node is the sum of the two inputs."""
    return Genotype(tuple((Edge(0, "skip"), Edge(1, "skip")) for _ in range(num_nodes)))


def to_json(genotype: Genotype) -> str:
    """The genotype as JSON text that `from_json` reads back."""
    nodes = [[{"source": e.source, "primitive": e.primitive} for e in node] for node in genotype.nodes]
    return json.dumps({"format": FORMAT, "version": VERSION, "nodes": nodes}, indent=2) + "\n"


def from_json(text: str, *, origin: str = "genotype") -> Genotype:
    """Read a genotype strictly. `origin` names the file in messages; UserError says what is wrong in it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter by brackets without end
        raise UserError(f"{origin} is not JSON: {error}.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UserError(f'{origin} is not a genotype: it needs "format": "{FORMAT}", "version" and "nodes".')
    if data.get("version") != VERSION:
        raise UserError(
            f"{origin} is a genotype of version {data.get('version')!r}; this vidnas reads version {VERSION}."
        )
    unknown = sorted(set(data) - {"format", "version", "nodes"})
    if unknown:
        raise UserError(
            f"{origin} has unknown entries {', '.join(unknown)}; allowed: format, version, nodes."
        )
    nodes = data.get("nodes")
    if not isinstance(nodes, list) or not nodes or not all(isinstance(node, list) and node for node in nodes):
        raise UserError(f'{origin}: "nodes" must be a list with a non-empty list of edges for every node.')
    return Genotype(tuple(_read_node(node, i, origin) for i, node in enumerate(nodes)))


def load_genotype(path: Path) -> Genotype:
    """Read a genotype file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read the genotype {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"Cannot read the genotype {path}: it is not UTF-8 text.") from error
    return from_json(text, origin=str(path))


def _read_node(node: list[object], index: int, origin: str) -> tuple[Edge, ...]:
    edges = tuple(_read_edge(entry, index, origin) for entry in node)
    if len({edge.source for edge in edges}) != len(edges):
        raise UserError(f"{origin}: node {index} has two edges from one source; its sources must differ.")
    return edges


def _read_edge(entry: object, node: int, origin: str) -> Edge:
    if not isinstance(entry, dict) or set(entry) != {"source", "primitive"}:
        raise UserError(
            f'{origin}: node {node} has the edge {entry!r}; it needs just "source" and "primitive".'
        )
    source, primitive = entry["source"], entry["primitive"]
    if type(source) is not int or not 0 <= source < NUM_INPUTS + node:
        raise UserError(
            f"{origin}: node {node} has source {source!r}; allowed are 0 to {NUM_INPUTS + node - 1} "
            "(0 and 1: the two cells before, 2 + i: node i)."
        )
    allowed = selectable(PRIMITIVES)
    if primitive not in allowed:
        hint = did_you_mean(str(primitive), allowed)
        raise UserError(
            f"{origin}: node {node} has primitive {primitive!r}; allowed: {', '.join(allowed)}.{hint}"
        )
    return Edge(source, primitive)
