from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, PathPatch, Rectangle
from matplotlib.text import Text

from vidnas.nas.genotype import Edge, Genotype, edge_sources, num_edges, random_genotype
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.figures.animation import SearchEpoch, changed_edges, draw_search
from vidnas.report.figures.save import to_pixels

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
            number, cell, generator.dirichlet(np.ones(len(NAMES)), size=num_edges(num_nodes)), accuracy
        )
        for number, (cell, accuracy) in enumerate(zip(cells, ACCURACIES, strict=True), start=1)
    ]


@dataclass
class Drawn:
    epochs: list[SearchEpoch]
    figures: list[Figure]

    def pairs(self) -> Iterator[tuple[SearchEpoch, Figure]]:
        return zip(self.epochs, self.figures, strict=True)


@pytest.fixture(scope="module", params=[1, 2, 4])
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Searches of cells with 1, 2 and 4 nodes, drawn once for all tests."""
    epochs = random_search(request.param)
    return Drawn(epochs, list(draw_search(epochs, num_epochs=6, chosen_epoch=5, title=TITLE)))


def find(figure: Figure, kind: type[Artist], prefix: str) -> dict[str, Artist]:
    named = {str(artist.get_gid()): artist for artist in figure.findobj(kind)}
    return {gid.removeprefix(prefix): artist for gid, artist in named.items() if gid.startswith(prefix)}


def kept(genotype: Genotype) -> dict[str, str]:
    return {f"{e.source}-{2 + i}": e.primitive for i, node in enumerate(genotype.nodes) for e in node}


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_every_picture_shows_the_cell_of_its_epoch(drawn: Drawn) -> None:
    every = {f"{source}-{2 + node}" for node, source in edge_sources(len(drawn.epochs[0].genotype.nodes))}
    for epoch, figure in drawn.pairs():
        assert f"Epoch {epoch.number} of 6" in texts(figure)
        labels = find(figure, Text, "label-edge-")
        assert {gid: label.get_text() for gid, label in labels.items()} == kept(epoch.genotype)  # type: ignore[attr-defined]
        assert find(figure, FancyArrowPatch, "edge-").keys() == kept(epoch.genotype).keys()
        assert find(figure, PathPatch, "candidate-").keys() == every - kept(epoch.genotype).keys()


def test_exactly_what_has_changed_stands_out_in_the_cell_and_in_the_table(drawn: Drawn) -> None:
    pairs = [(None, drawn.epochs[0]), *pairwise(drawn.epochs)]
    numbers = []
    for (before, epoch), figure in zip(pairs, drawn.figures, strict=True):
        new = (
            kept(epoch.genotype).items() - (kept(before.genotype) if before else kept(epoch.genotype)).items()
        )
        for kind, prefix in ((FancyArrowPatch, "edge-"), (Rectangle, "kept-")):
            shown = find(figure, kind, prefix)
            assert {gid for gid, artist in shown.items() if artist.get_path_effects()} == {
                gid for gid, _ in new
            }
        numbers.append(len(new))
    words = [[text for text in texts(figure) if text.endswith("changed")] for figure in drawn.figures]
    assert numbers[0] == numbers[3] == 0
    assert numbers[4] == 1
    assert [words[0], words[3], words[4]] == [[], ["no edge changed"], ["1 edge changed"]]
    assert words[2] == [f"{numbers[2]} edges changed"]


def test_an_edge_changes_by_its_source_or_by_its_primitive() -> None:
    before = Genotype(((Edge(0, "skip"), Edge(1, "conv_1")), (Edge(0, "skip"), Edge(2, "conv_3"))))
    after = Genotype(((Edge(0, "conv_3"), Edge(1, "conv_1")), (Edge(1, "skip"), Edge(2, "conv_3"))))
    assert changed_edges(before, after) == {(0, 2), (1, 3)}
    assert changed_edges(after, after) == set()


def test_nothing_moves_from_picture_to_picture(drawn: Drawn) -> None:
    assert len({tuple(figure.get_size_inches()) for figure in drawn.figures}) == 1
    places: dict[str, set[tuple[float, ...]]] = {}
    for figure in drawn.figures:
        nodes = find(figure, Circle, "node-")
        labels = find(figure, Text, "label-")
        fields = find(figure, Rectangle, "weight-")
        for gid, node in nodes.items():
            places.setdefault(gid, set()).add(tuple(node.center))  # type: ignore[attr-defined]
        for gid, label in labels.items():
            places.setdefault(gid, set()).add(label.get_position())  # type: ignore[attr-defined]
        for gid, field in fields.items():
            places.setdefault(gid, set()).add(field.get_xy())  # type: ignore[attr-defined]
    assert {len(found) for found in places.values()} == {1}


def test_the_table_shows_alpha_of_the_epoch_and_frames_what_is_kept(drawn: Drawn) -> None:
    for epoch, figure in drawn.pairs():
        fields = find(figure, Rectangle, "weight-")
        frames = {gid: frame.get_xy() for gid, frame in find(figure, Rectangle, "kept-").items()}  # type: ignore[attr-defined]
        expected = {}
        for (node, source), weights in zip(
            edge_sources(len(epoch.genotype.nodes)), epoch.mixing, strict=True
        ):
            for primitive, weight in zip(NAMES, weights, strict=True):
                expected[f"{source}-{2 + node}-{primitive}"] = f"{round(100 * weight)}"
        numbers = {
            gid: next(
                text.get_text()
                for text in field.axes.texts  # type: ignore[union-attr]
                if field.get_bbox().contains(*text.get_position())  # type: ignore[attr-defined]
            )
            for gid, field in fields.items()
        }
        assert numbers == expected
        primitives = kept(epoch.genotype)
        assert frames == {gid: fields[f"{gid}-{primitives[gid]}"].get_xy() for gid in primitives}  # type: ignore[attr-defined]


def test_a_larger_weight_has_more_of_its_primitives_color(drawn: Drawn) -> None:
    whiteness: dict[str, list[tuple[float, float]]] = {}
    for epoch, figure in drawn.pairs():
        rows = edge_sources(len(epoch.genotype.nodes))
        for gid, field in find(figure, Rectangle, "weight-").items():
            source, target, primitive = gid.split("-")
            weight = epoch.mixing[rows.index((int(target) - 2, int(source))), NAMES.index(primitive)]
            color = field.get_facecolor()  # type: ignore[attr-defined]
            whiteness.setdefault(primitive, []).append((float(weight), sum(color[:3])))
    for found in whiteness.values():
        assert all(one[1] > other[1] for one, other in pairwise(sorted(found)))


def test_the_accuracy_is_drawn_up_to_the_epoch_on_one_scale(drawn: Drawn) -> None:
    limits = set()
    for count, figure in enumerate(drawn.figures, start=1):
        axes = next(axes for axes in figure.axes if axes.get_xlabel() == "epoch")
        numbers, values = np.asarray(axes.lines[0].get_data(), dtype=float)
        assert numbers.tolist() == list(range(1, count + 1))
        assert values == pytest.approx(np.array(ACCURACIES[:count], dtype=float), nan_ok=True)
        title = (
            "val accuracy" if ACCURACIES[count - 1] is None else f"val accuracy {ACCURACIES[count - 1]:.1%}"
        )
        assert axes.get_title(loc="left") == title
        limits.add((axes.get_xlim(), axes.get_ylim()))
    ((left, right), (bottom, top)) = limits.pop()
    assert not limits
    assert left < 1 < 6 < right
    assert bottom == 0
    assert top > 0.55


def test_the_chosen_epoch_is_named_and_only_it(drawn: Drawn) -> None:
    assert ["the result of the search" in texts(figure) for figure in drawn.figures] == 4 * [False] + [True]


def test_no_text_overlaps_another_or_leaves_the_picture(drawn: Drawn) -> None:
    for figure in drawn.figures:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        curve = next(axes for axes in figure.axes if axes.axison)
        found = [text for axes in figure.axes for text in axes.texts if text.get_text()]
        shown = [*found, curve._left_title, curve.xaxis, curve.yaxis]  # type: ignore[attr-defined]
        boxes = [box for artist in shown if (box := artist.get_tightbbox(renderer))]
        assert len(boxes) == len(found) + 3
        assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
        assert all(figure.bbox.x0 < box.x0 and box.x1 < figure.bbox.x1 for box in boxes)
        assert all(figure.bbox.y0 < box.y0 and box.y1 < figure.bbox.y1 for box in boxes)


def test_a_search_without_any_accuracy_is_drawn() -> None:
    epochs = [SearchEpoch(e.number, e.genotype, e.mixing, None) for e in random_search(1)[:1]]
    (figure,) = draw_search(epochs, num_epochs=1)
    assert to_pixels(figure).std() > 10
