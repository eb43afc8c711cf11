import io
import math
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, combinations

import pytest
from flat import circles, dense, flat, paths, points_of, rects, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.text import Text as Words

from vidnas.nas.genotype import Edge, Genotype, random_genotype
from vidnas.report.figures.paint import paint
from vidnas.report.geometry.cell import draw_cell
from vidnas.report.geometry.shapes import Drawing, Text

Saved = Callable[[Drawing, str], bytes]

ODD_CELLS = {
    "one edge": Genotype(((Edge(0, "skip"),),)),
    "a chain": Genotype(tuple((Edge(1 + i, "conv_3"),) for i in range(4))),
    "all from one input": Genotype(tuple((Edge(0, "skip"), Edge(1, "conv_1")) for _ in range(4))),
    "uneven": Genotype(((Edge(1, "conv_1"),), tuple(Edge(s, "max_pool_3") for s in range(3)))),
    "seven nodes": random_genotype(3, num_nodes=7),
}
CELLS = {**ODD_CELLS, **{f"random {seed}": random_genotype(seed) for seed in range(8)}}


TITLE = "A title that says where this cell was found, " * 2


@dataclass
class Drawn:
    genotype: Genotype
    drawing: Drawing

    @property
    def edges(self) -> dict[str, str]:
        """The primitive of every kept edge."""
        nodes = enumerate(self.genotype.nodes)
        return {f"{edge.source}-{2 + node}": edge.primitive for node, kept in nodes for edge in kept}


@pytest.fixture(scope="module", params=CELLS)
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Every cell, drawn once for all tests."""
    genotype = CELLS[request.param]
    return Drawn(genotype, draw_cell(genotype, title=TITLE))


def test_every_edge_is_an_arrow_in_its_primitives_color_with_its_name(drawn: Drawn) -> None:
    for found in (
        paths(drawn.drawing, "edge-"),
        paths(drawn.drawing, "head-edge-"),
        rects(drawn.drawing, "pill-edge-"),
    ):
        assert found.keys() == drawn.edges.keys()
        assert all(f"p-{drawn.edges[name]}" in shape.role.split() for name, shape in found.items())
    labels = {text.name.removeprefix("label-edge-"): text.text for text in texts(drawn.drawing) if text.name}
    assert labels == drawn.edges


def test_every_node_is_drawn_once_and_reaches_the_output(drawn: Drawn) -> None:
    numbers = [str(i) for i in range(len(drawn.genotype.nodes))]
    assert list(circles(drawn.drawing, "node-")) == numbers
    outputs = {str(2 + i) for i in range(len(numbers))}
    assert paths(drawn.drawing, "output-").keys() == paths(drawn.drawing, "head-output-").keys() == outputs
    primitives = [edge.primitive for edge in chain(*drawn.genotype.nodes)]
    told = [text.text for text in texts(drawn.drawing, "cell")]
    assert sorted(told) == sorted(["cell t-2", "cell t-1", "concat", *numbers, *primitives])
    title = " ".join(text.text for text in texts(drawn.drawing, "title"))
    assert title.split() == TITLE.split()


def test_it_says_in_words_what_it_shows(drawn: Drawn) -> None:
    assert draw_cell(drawn.genotype).text == f"Cell: {drawn.genotype}"


def test_arrows_begin_at_their_source_and_end_at_the_rim_of_their_node(drawn: Drawn) -> None:
    nodes, boxes = circles(drawn.drawing, "node-"), rects(drawn.drawing, "box-")
    for name, arrow in paths(drawn.drawing, "edge-").items():
        source, target = (int(number) for number in name.split("-"))
        (tip, *_), node = points_of(paths(drawn.drawing, "head-edge-")[name]), nodes[str(target - 2)]
        assert math.dist(tip, (node.x, node.y)) == pytest.approx(node.radius)
        assert tip[0] < node.x
        assert math.dist(points_of(arrow)[-1], tip) == pytest.approx(9)
        if source >= 2:
            begin = nodes[str(source - 2)]
            assert points_of(arrow)[0] == pytest.approx((begin.x + begin.radius, begin.y))
        else:
            box = boxes[f"cell t-{2 - source}"]
            assert points_of(arrow)[0] == pytest.approx((box.x + box.width, box.y + box.height / 2))


def test_arrows_land_apart_at_their_node(drawn: Drawn) -> None:
    ends: dict[str, set[tuple[float, ...]]] = {}
    for name, head in paths(drawn.drawing, "head-edge-").items():
        ends.setdefault(name.split("-")[1], set()).add(points_of(head)[0])
    assert [len(ends[str(2 + i)]) for i in range(len(drawn.genotype.nodes))] == [
        len(kept) for kept in drawn.genotype.nodes
    ]


def test_the_output_is_reached_at_its_left_side(drawn: Drawn) -> None:
    box = rects(drawn.drawing, "box-")["concat"]
    for name, way in paths(drawn.drawing, "output-").items():
        x, y = points_of(way)[-1]
        assert points_of(paths(drawn.drawing, "head-output-")[name])[0] == (x, y)
        assert x == pytest.approx(box.x)
        assert box.y < y < box.y + box.height


def test_no_edge_leaves_the_picture(drawn: Drawn) -> None:
    for path in paths(drawn.drawing).values():
        for x, y in points_of(path):
            assert 20 < x < drawn.drawing.width - 20
            assert 20 < y < drawn.drawing.height - 20


def test_labels_boxes_and_nodes_lie_apart_and_inside_the_picture(drawn: Drawn) -> None:
    figure = paint(drawn.drawing)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    solid = [*figure.findobj(FancyBboxPatch), *figure.findobj(Circle)]
    boxes = [artist.get_window_extent(renderer) for artist in solid]
    titles = {text.text for text in texts(drawn.drawing, "title")}
    words = [text for text in figure.findobj(Words) if text.get_text()]
    headings = [text.get_window_extent(renderer) for text in words if text.get_text() in titles]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert not [heading for heading in headings if any(heading.overlaps(box) for box in boxes)]
    assert len(headings) == len(titles)
    for box in (*boxes, *headings):
        assert figure.bbox.x0 < box.x0 and box.x1 < figure.bbox.x1
        assert figure.bbox.y0 < box.y0 and box.y1 < figure.bbox.y1
    pills = {str(box.get_gid()): box for box in solid if str(box.get_gid()).startswith("pill-")}
    labels = {str(text.get_gid()): text for text in words if str(text.get_gid()).startswith("label-")}
    assert len(pills) == len(labels) == len(drawn.edges)
    for name, label in labels.items():
        pill = pills[name.replace("label", "pill")].get_window_extent(renderer)
        extent = label.get_window_extent(renderer)
        assert pill.x0 < extent.x0 and extent.x1 < pill.x1 and pill.containsy(extent.y0)


def test_no_arrow_runs_over_a_node_or_anothers_label(drawn: Drawn) -> None:
    ways = {f"edge-{name}": way for name, way in paths(drawn.drawing, "edge-").items()}
    ways |= {f"output-{name}": way for name, way in paths(drawn.drawing, "output-").items()}
    pills, nodes = rects(drawn.drawing, "pill-"), circles(drawn.drawing, "node-")
    for name, way in ways.items():
        for x, y in dense(way):
            for node in nodes.values():
                assert math.dist((x, y), (node.x, node.y)) > node.radius - 0.5
            for other, pill in pills.items():
                inside = pill.x < x < pill.x + pill.width and pill.y < y < pill.y + pill.height
                assert other == name or not inside


def test_the_first_input_stands_above_the_second(drawn: Drawn) -> None:
    boxes = rects(drawn.drawing, "box-")
    assert boxes["cell t-2"].y < boxes["cell t-1"].y


def test_names_lie_on_their_pills_and_these_on_all_lines(drawn: Drawn) -> None:
    shapes = flat(drawn.drawing)
    for name in drawn.edges:
        order = [f"edge-{name}", f"head-edge-{name}", f"pill-edge-{name}", f"label-edge-{name}"]
        places = [next(i for i, shape in enumerate(shapes) if shape.name == part) for part in order]
        assert places == sorted(places)
        label = shapes[places[-1]]
        assert isinstance(label, Text)


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
    paint(draw_cell(random_genotype(0)))
    assert "matplotlib.pyplot" not in sys.modules
