from collections.abc import Callable

import numpy as np
import pytest
from flat import circles, flat, paths, points_of, texts
from scale import value_at

from vidnas.nas.genotype import edge_sources, source_name
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.geometry.alphas import HEIGHT, WIDTH, draw_alphas
from vidnas.report.geometry.curves import HEADING
from vidnas.report.geometry.shapes import Drawing, Path, Text

Saved = Callable[[Drawing, str], bytes]
NAMES = tuple(PRIMITIVES)
FOUND = "validation accuracy of the supernet"


def random_search(num_nodes: int, epochs: int) -> tuple[np.ndarray, list[float]]:
    generator = np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(len(PRIMITIVES)), size=(epochs, len(edge_sources(num_nodes))))
    return weights, generator.uniform(0.2, 0.6, size=epochs).tolist()


def panels(drawing: Drawing) -> dict[str, Drawing]:
    """What follows each panel's title up to the next one."""
    found: dict[str, list[object]] = {}
    title = ""
    for shape in flat(drawing):
        if isinstance(shape, Text) and shape.role.endswith("chart title"):
            title = shape.text
        found.setdefault(title, []).append(shape)
    return {name: Drawing("", 0, 0, tuple(shapes)) for name, shapes in found.items() if name}  # type: ignore[arg-type]


def values(panel: Drawing, name: str) -> list[tuple[float, float]]:
    """What the axes of a panel say about a line."""
    x, y = texts(panel, "x"), texts(panel, "y")
    line = paths(panel, "line-")[name]
    if len(x) == 1:
        return [(float(x[0].text), value_at(y, at[1], "y")) for at in points_of(line)]
    return [(value_at(x, at[0], "x"), value_at(y, at[1], "y")) for at in points_of(line)]


@pytest.mark.parametrize(("num_nodes", "epochs"), [(1, 30), (2, 2), (4, 1), (5, 3)])
def test_every_edge_has_a_panel_with_a_line_for_each_primitive(num_nodes: int, epochs: int) -> None:
    history, accuracy = random_search(num_nodes, epochs)
    found = panels(draw_alphas(history, accuracy, epochs, edge_sources(num_nodes), NAMES))
    assert len(found) == len(edge_sources(num_nodes)) + 1  # and the accuracy
    for edge, (node, source) in enumerate(edge_sources(num_nodes)):
        panel = found[f"{source_name(source)} → node {node}"]
        for column, primitive in enumerate(PRIMITIVES):
            assert f"p-{primitive}" in paths(panel, "line-")[primitive].role.split()
            expected = np.stack([np.arange(1, epochs + 1), 100 * history[:, edge, column]], axis=1)
            assert np.array(values(panel, primitive)) == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("num_nodes", [1, 2, 4])
def test_panels_do_not_overlap(num_nodes: int) -> None:
    found = panels(draw_alphas(*random_search(num_nodes, 10), 1, edge_sources(num_nodes), NAMES))
    corners = {
        name: next(shape for shape in flat(panel) if isinstance(shape, Text)) for name, panel in found.items()
    }
    assert len({(text.x, text.y) for text in corners.values()}) == len(found)
    for edge, (node, source) in enumerate(edge_sources(num_nodes)):
        text = corners[f"{source_name(source)} → node {node}"]
        first = corners["cell t-2 → node 0"]
        assert (text.x - first.x, text.y - first.y) == pytest.approx(
            (source * WIDTH, node * (HEIGHT + HEADING))
        ), edge
    left, low = corners[FOUND].x, corners[FOUND].y + 2 * (HEIGHT + HEADING)
    assert all(text.x < left - WIDTH / 2 or text.y >= low for name, text in corners.items() if name != FOUND)


def test_the_chosen_epoch_is_marked_in_every_panel_and_named() -> None:
    history, accuracy = random_search(4, 20)
    drawing = draw_alphas(history, accuracy, 7, edge_sources(4), NAMES)
    assert "epoch 7" in " ".join(text.text for text in texts(drawing, "title"))
    for panel in panels(drawing).values():
        (mark,) = [one for one in flat(panel) if isinstance(one, Path) and "mark" in one.role.split()]
        assert [value_at(texts(panel, "x"), x, "x") for x, _ in points_of(mark)] == pytest.approx([7, 7])
    panel = panels(drawing)[FOUND]
    dot = circles(panel, "dot-")["found"]
    assert value_at(texts(panel, "x"), dot.x, "x") == pytest.approx(7)
    assert value_at(texts(panel, "y"), dot.y, "y") == pytest.approx(100 * accuracy[6])


def test_the_legend_names_every_primitive_in_its_color() -> None:
    drawing = draw_alphas(*random_search(4, 3), 1, edge_sources(4), NAMES)
    names = texts(drawing, "name")
    assert [text.text for text in names] == list(PRIMITIVES)
    lines = [
        one for one in flat(drawing) if isinstance(one, Path) and not one.name and "line" in one.role.split()
    ]
    assert [line.role.split()[-1] for line in lines] == [f"p-{name}" for name in PRIMITIVES]
    assert [points_of(line)[0][1] for line in lines] == [text.y for text in names]


def test_a_search_of_one_epoch_is_saved_without_complaint(saved: Saved) -> None:
    assert saved(draw_alphas(*random_search(1, 1), 1, edge_sources(1), NAMES), ".svg")


def test_panels_share_their_scale_and_nothing_is_cut_off() -> None:
    history, accuracy = random_search(4, 20)
    found = panels(draw_alphas(history, accuracy, 7, edge_sources(4), NAMES))
    scales = {tuple(text.text for text in texts(panel, "y")) for name, panel in found.items() if "→" in name}
    assert len(scales) == 1
    low, *_, high = scales.pop()
    assert low == "0%"
    assert float(high.rstrip("%")) >= 100 * history.max()
