from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from flat import circles, flat, paths, points_of, rects, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scale import value_at

from vidnas.nas.genotype import Edge, Genotype, edge_sources, random_genotype
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.figures.paint import paint
from vidnas.report.figures.save import rasterize
from vidnas.report.geometry.animation import SearchEpoch, changed_edges, draw_search
from vidnas.report.geometry.shapes import Drawing, Path

NAMES = tuple(PRIMITIVES)
ACCURACIES = (0.2, 0.35, None, 0.3, 0.55)
TITLE = "A search with a title, costs 5$ or 6$"


def random_search(num_nodes: int) -> list[SearchEpoch]:
    """Five epochs; the fourth has the third's cell, the fifth differs from it in one primitive."""
    generator = np.random.default_rng(0)
    cells = [random_genotype(seed, num_nodes=num_nodes) for seed in range(3)]
    first = cells[2].nodes[0]
    other = "skip" if first[0].primitive != "skip" else "conv_1"
    cells += [cells[2], Genotype(((Edge(first[0].source, other), *first[1:]), *cells[2].nodes[1:]))]
    return [
        SearchEpoch(
            number,
            cell,
            generator.dirichlet(np.ones(len(PRIMITIVES)), size=len(edge_sources(num_nodes))),
            accuracy,
            edge_sources(num_nodes),
            NAMES,
        )
        for number, (cell, accuracy) in enumerate(zip(cells, ACCURACIES, strict=True), start=1)
    ]


@dataclass
class Drawn:
    epochs: list[SearchEpoch]
    drawings: list[Drawing]

    def pairs(self) -> Iterator[tuple[SearchEpoch, Drawing]]:
        return zip(self.epochs, self.drawings, strict=True)


@pytest.fixture(scope="module", params=[1, 2, 4])
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Searches of cells with 1, 2 and 4 nodes, drawn once for all tests."""
    epochs = random_search(request.param)
    return Drawn(epochs, list(draw_search(epochs, num_epochs=6, chosen_epoch=5, title=TITLE)))


def kept(genotype: Genotype) -> dict[str, str]:
    return {f"{e.source}-{2 + i}": e.primitive for i, node in enumerate(genotype.nodes) for e in node}


def words(drawing: Drawing) -> list[str]:
    return [text.text for text in texts(drawing)]


def test_every_picture_shows_the_cell_of_its_epoch(drawn: Drawn) -> None:
    every = {f"{source}-{2 + node}" for node, source in edge_sources(len(drawn.epochs[0].genotype.nodes))}
    for epoch, drawing in drawn.pairs():
        assert f"Epoch {epoch.number} of 6" in words(drawing)
        named = {text.name: text.text for text in texts(drawing) if text.name.startswith("label-edge-")}
        assert {name.removeprefix("label-edge-"): text for name, text in named.items()} == kept(
            epoch.genotype
        )
        assert paths(drawing, "edge-").keys() == kept(epoch.genotype).keys()
        assert paths(drawing, "candidate-").keys() == every - kept(epoch.genotype).keys()


def test_exactly_what_has_changed_stands_out_in_the_cell_and_in_the_table(drawn: Drawn) -> None:
    pairs = [(None, drawn.epochs[0]), *pairwise(drawn.epochs)]
    numbers = []
    for (before, epoch), drawing in zip(pairs, drawn.drawings, strict=True):
        new = (
            kept(epoch.genotype).items() - (kept(before.genotype) if before else kept(epoch.genotype)).items()
        )
        assert (
            paths(drawing, "halo-").keys() == rects(drawing, "changed-").keys() == {name for name, _ in new}
        )
        for name, halo in paths(drawing, "halo-").items():
            assert points_of(halo)[0] == points_of(paths(drawing, "edge-")[name])[0]
            assert points_of(halo)[-1] == points_of(paths(drawing, "head-edge-")[name])[0]
        numbers.append(len(new))
    said = [[text for text in words(drawing) if text.endswith("changed")] for drawing in drawn.drawings]
    assert numbers[0] == numbers[3] == 0
    assert numbers[4] == 1
    assert [said[0], said[3], said[4]] == [[], ["no edge changed"], ["1 edge changed"]]
    assert said[2] == [f"{numbers[2]} edges changed"]


def test_halos_lie_below_all_arrows(drawn: Drawn) -> None:
    for drawing in drawn.drawings:
        names = [shape.name for shape in flat(drawing)]
        halos = [i for i, name in enumerate(names) if name.startswith("halo-")]
        assert max(halos, default=-1) < min(i for i, name in enumerate(names) if name.startswith("edge-"))


def test_an_edge_changes_by_its_source_or_by_its_primitive() -> None:
    before = Genotype(((Edge(0, "skip"), Edge(1, "conv_1")), (Edge(0, "skip"), Edge(2, "conv_3"))))
    after = Genotype(((Edge(0, "conv_3"), Edge(1, "conv_1")), (Edge(1, "skip"), Edge(2, "conv_3"))))
    assert changed_edges(before, after) == {(0, 2), (1, 3)}
    assert changed_edges(after, after) == set()


def test_nothing_moves_from_picture_to_picture(drawn: Drawn) -> None:
    assert len({(drawing.width, drawing.height) for drawing in drawn.drawings}) == 1
    places: dict[str, set[tuple[float, ...]]] = {}
    for drawing in drawn.drawings:
        for shape in flat(drawing):
            if not isinstance(shape, Path) and shape.name.startswith(("node-", "weight-", "label-")):
                places.setdefault(shape.name, set()).add((shape.x, shape.y))
    assert len(places) > 3
    assert {len(found) for found in places.values()} == {1}


def test_the_table_shows_alpha_of_the_epoch_and_frames_what_is_kept(drawn: Drawn) -> None:
    for epoch, drawing in drawn.pairs():
        fields = rects(drawing, "weight-")
        sources = edge_sources(len(epoch.genotype.nodes))
        expected = {
            f"{source}-{2 + node}-{primitive}": f"{round(100 * weight)}"
            for (node, source), weights in zip(sources, epoch.mixing, strict=True)
            for primitive, weight in zip(PRIMITIVES, weights, strict=True)
        }
        numbers = {text.name: text for text in texts(drawing) if text.name.startswith("text-weight-")}
        assert {name.removeprefix("text-weight-"): text.text for name, text in numbers.items()} == expected
        for name, field in fields.items():
            text = numbers[f"text-weight-{name}"]
            assert (text.x, text.y) == pytest.approx((field.x + field.width / 2, field.y + field.height / 2))
            assert f"p-{name.split('-')[2]}" in field.role.split()
        frames = {name: (frame.x, frame.y) for name, frame in rects(drawing, "kept-").items()}
        chosen = {name: fields[f"{name}-{primitive}"] for name, primitive in kept(epoch.genotype).items()}
        assert frames == {name: (field.x, field.y) for name, field in chosen.items()}


def test_a_larger_weight_has_more_of_its_primitives_color(drawn: Drawn) -> None:
    highest = max(float(epoch.mixing.max()) for epoch in drawn.epochs)
    for epoch, drawing in drawn.pairs():
        rows = edge_sources(len(epoch.genotype.nodes))
        for name, field in rects(drawing, "weight-").items():
            source, target, primitive = name.split("-")
            weight = epoch.mixing[
                rows.index((int(target) - 2, int(source))), list(PRIMITIVES).index(primitive)
            ]
            assert field.opacity == pytest.approx(weight / highest)


def test_the_accuracy_is_drawn_up_to_the_epoch_on_one_scale(drawn: Drawn) -> None:
    scales = set()
    for count, drawing in enumerate(drawn.drawings, start=1):
        x, y = texts(drawing, "x"), texts(drawing, "y")
        found = [
            (value_at(x, at[0], "x"), value_at(y, at[1], "y"))
            for at in points_of(paths(drawing, "line-")["val"])
        ]
        known = [(n, 100 * one) for n, one in enumerate(ACCURACIES[:count], start=1) if one is not None]
        assert np.array(found) == pytest.approx(np.array(known))
        last = ACCURACIES[count - 1]
        assert ("last" in circles(drawing, "dot-")) == (last is not None)
        assert [text.text for text in texts(drawing, "title")][-1] == (
            "val accuracy" if last is None else f"val accuracy {last:.1%}"
        )
        scales.add((tuple(text.text for text in x), tuple(text.text for text in y)))
    (epochs, shares) = scales.pop()
    assert not scales
    assert (epochs[0], epochs[-1]) == ("1", "6")
    assert shares[0] == "0%"
    assert float(shares[-1].rstrip("%")) > 55


def test_the_chosen_epoch_is_named_and_only_it(drawn: Drawn) -> None:
    assert ["the result of the search" in words(drawing) for drawing in drawn.drawings] == 4 * [False] + [
        True
    ]


def test_no_text_overlaps_another_or_leaves_the_picture(drawn: Drawn) -> None:
    for drawing in drawn.drawings:
        figure = paint(drawing)
        renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        shown = [text for text in figure.axes[0].texts if text.get_text()]
        boxes = [text.get_window_extent(renderer) for text in shown]
        assert len(boxes) == len([text for text in texts(drawing) if text.text])
        assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
        assert all(figure.bbox.x0 < box.x0 and box.x1 < figure.bbox.x1 for box in boxes)
        assert all(figure.bbox.y0 < box.y0 and box.y1 < figure.bbox.y1 for box in boxes)


def test_a_search_without_any_accuracy_is_drawn() -> None:
    epochs = [replace(e, val_accuracy=None) for e in random_search(1)[:1]]
    (drawing,) = draw_search(epochs, num_epochs=1)
    assert rasterize(drawing).std() > 10
