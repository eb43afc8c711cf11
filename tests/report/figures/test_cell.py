import io
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, combinations, pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text

from vidnas.nas.genotype import Edge, Genotype, random_genotype
from vidnas.report.figures.cell import draw_cell
from vidnas.report.figures.palette import PRIMITIVE_COLORS

Saved = Callable[[Figure, str], bytes]

ODD_CELLS = {
    "one edge": Genotype(((Edge(0, "skip"),),)),
    "a chain": Genotype(tuple((Edge(1 + i, "conv_3"),) for i in range(4))),
    "all from one input": Genotype(tuple((Edge(0, "skip"), Edge(1, "conv_1")) for _ in range(4))),
    "uneven": Genotype(((Edge(1, "conv_1"),), tuple(Edge(s, "max_pool_3") for s in range(3)))),
    "seven nodes": random_genotype(3, num_nodes=7),
}
CELLS = {**ODD_CELLS, **{f"random {seed}": random_genotype(seed) for seed in range(4)}}


TITLE = "A title that says where this cell was found, " * 2


@dataclass
class Drawn:
    genotype: Genotype
    figure: Figure


@pytest.fixture(scope="module", params=CELLS)
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Every cell, drawn once for all tests."""
    genotype = CELLS[request.param]
    return Drawn(genotype, draw_cell(genotype, title=TITLE))


def find(figure: Figure, kind: type, prefix: str) -> dict[str, FancyArrowPatch]:
    artists = figure.findobj(kind)
    return {str(a.get_gid()): a for a in artists if str(a.get_gid()).startswith(prefix)}  # type: ignore[misc]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_every_edge_is_an_arrow_in_its_primitives_color_with_its_name(drawn: Drawn) -> None:
    figure = drawn.figure
    edges = {
        f"edge-{edge.source}-{2 + node}": edge.primitive
        for node, kept in enumerate(drawn.genotype.nodes)
        for edge in kept
    }
    arrows = find(figure, FancyArrowPatch, "edge-")
    assert arrows.keys() == edges.keys()
    assert all(same_color(arrows[gid].get_edgecolor(), PRIMITIVE_COLORS[edges[gid]]) for gid in edges)
    labels = find(figure, Text, "label-")
    assert {gid.removeprefix("label-"): text.get_text() for gid, text in labels.items()} == edges  # type: ignore[attr-defined]


def test_every_node_is_drawn_once_and_reaches_the_output(drawn: Drawn) -> None:
    figure = drawn.figure
    num_nodes = len(drawn.genotype.nodes)
    assert len(figure.findobj(Circle)) == num_nodes
    assert find(figure, FancyArrowPatch, "output-").keys() == {f"output-{2 + i}" for i in range(num_nodes)}
    primitives = [edge.primitive for edge in chain(*drawn.genotype.nodes)]
    numbers = [str(i) for i in range(num_nodes)]
    title = next(text for text in texts(figure) if text.split() == TITLE.split())
    assert sorted(texts(figure)) == sorted([title, "cell t-2", "cell t-1", "concat", *numbers, *primitives])


def test_arrows_begin_at_their_source_and_end_at_the_rim_of_their_node(drawn: Drawn) -> None:
    figure = drawn.figure
    nodes = find(figure, Circle, "node-")
    for gid, arrow in find(figure, FancyArrowPatch, "edge-").items():
        source, target = (int(number) - 2 for number in gid.split("-")[1:])
        points = arrow._path_original.vertices  # type: ignore[attr-defined]
        node = nodes[f"node-{target}"]
        assert np.hypot(*(points[-1] - node.center)) == pytest.approx(node.radius)  # type: ignore[attr-defined]
        if source >= 0:
            begin = nodes[f"node-{source}"]
            assert points[0] == pytest.approx(np.add(begin.center, (begin.radius, 0)))  # type: ignore[attr-defined]


def test_arrows_land_apart_at_their_node(drawn: Drawn) -> None:
    ends: dict[str, set[tuple[float, ...]]] = {}
    for gid, arrow in find(drawn.figure, FancyArrowPatch, "edge-").items():
        ends.setdefault(gid.split("-")[2], set()).add(tuple(arrow._path_original.vertices[-1]))  # type: ignore[attr-defined]
    assert [len(ends[str(2 + i)]) for i in range(len(drawn.genotype.nodes))] == [
        len(kept) for kept in drawn.genotype.nodes
    ]


def test_the_output_is_reached_at_its_left_side(drawn: Drawn) -> None:
    box = max(drawn.figure.findobj(FancyBboxPatch), key=lambda box: box.get_x())
    for arrow in find(drawn.figure, FancyArrowPatch, "output-").values():
        x, y = arrow._path_original.vertices[-1]  # type: ignore[attr-defined]
        assert x == pytest.approx(box.get_x())
        assert box.get_y() < y < box.get_y() + box.get_height()


def test_no_edge_leaves_the_picture(drawn: Drawn) -> None:
    axes = drawn.figure.axes[0]
    for arrow in drawn.figure.findobj(FancyArrowPatch):
        box = arrow._path_original.get_extents()  # type: ignore[attr-defined]
        assert axes.get_ylim()[0] < box.y0 - 0.24
        assert box.y1 + 0.24 < axes.get_ylim()[1]


def test_labels_boxes_and_nodes_lie_apart_and_inside_the_picture(drawn: Drawn) -> None:
    figure = drawn.figure
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    solid = [*figure.findobj(FancyBboxPatch), *figure.findobj(Circle)]
    boxes = [artist.get_window_extent(renderer) for artist in solid]
    boxes += [text.get_window_extent(renderer) for text in figure.findobj(Text) if "title" in text.get_text()]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert all(figure.bbox.x0 < box.x0 and box.x1 < figure.bbox.x1 for box in boxes)
    assert all(figure.bbox.y0 < box.y0 and box.y1 < figure.bbox.y1 for box in boxes)
    labels = find(figure, Text, "label-").values()
    pills = [box for box in boxes if np.isclose(box.width, 0.94 * figure.dpi)]
    assert len(pills) == len(labels)
    for label in labels:
        extent = label.get_window_extent(renderer)
        assert any(p.x0 < extent.x0 and extent.x1 < p.x1 and p.containsy(extent.y0) for p in pills)


def test_no_arrow_runs_over_a_node_or_anothers_label(drawn: Drawn) -> None:
    figure = drawn.figure
    arrows = find(figure, FancyArrowPatch, "edge-") | find(figure, FancyArrowPatch, "output-")
    nodes = find(figure, Circle, "node-")
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    to_data = figure.axes[0].transData.inverted()
    labels = {
        gid.removeprefix("label-"): label.get_window_extent(renderer).transformed(to_data)
        for gid, label in find(figure, Text, "label-").items()
    }
    for gid, arrow in arrows.items():
        line = arrow._path_original.interpolated(1)  # type: ignore[attr-defined]
        points = line.to_polygons(closed_only=False)[0]
        dense = np.concatenate([np.linspace(a, b, 20) for a, b in pairwise(points)])
        for node in nodes.values():
            away = np.hypot(*(dense - node.center).T)  # type: ignore[attr-defined]
            assert away.min() > node.radius - 0.005  # type: ignore[attr-defined]
        for other, box in labels.items():
            assert other == gid or not any(box.contains(x, y) for x, y in dense)


def test_a_title_with_a_dollar_sign_is_not_taken_for_mathematics(saved: Saved) -> None:
    assert b"costs 5$ or 6$" in saved(draw_cell(random_genotype(0), title="costs 5$ or 6$"), ".svg")


def test_the_files_are_whole_and_always_the_same(saved: Saved) -> None:
    png = saved(draw_cell(random_genotype(0)), ".png")
    image = imread(io.BytesIO(png))
    assert image.shape[1] > image.shape[0] > 200
    assert image.std() > 0.05
    svg = saved(draw_cell(random_genotype(0)), ".svg")
    ids = [element.get("id") for element in ET.fromstring(svg).iter() if element.get("id")]
    assert "edge-0-2" in ids or "edge-1-2" in ids
    assert svg == saved(draw_cell(random_genotype(0)), ".svg")


def test_drawing_needs_no_pyplot() -> None:
    draw_cell(random_genotype(0))
    assert "matplotlib.pyplot" not in sys.modules
