from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from vidnas.nas.genotype import edge_sources, num_edges, source_name
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.figures.alphas import draw_alphas
from vidnas.report.figures.palette import PRIMITIVE_COLORS

Saved = Callable[[Figure, str], bytes]


def random_search(num_nodes: int, epochs: int) -> tuple[np.ndarray, list[float]]:
    generator = np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(len(PRIMITIVES)), size=(epochs, num_edges(num_nodes)))
    return weights, generator.uniform(0.2, 0.6, size=epochs).tolist()


def panels(figure: Figure) -> dict[str, Axes]:
    return {axes.get_title(): axes for axes in figure.axes}


@pytest.mark.parametrize(("num_nodes", "epochs"), [(1, 30), (2, 2), (4, 1), (5, 3)])
def test_every_edge_has_a_panel_with_a_line_for_each_primitive(num_nodes: int, epochs: int) -> None:
    history, accuracy = random_search(num_nodes, epochs)
    figure = draw_alphas(history, accuracy, epochs, num_nodes)
    assert len(figure.axes) == num_edges(num_nodes) + 2  # the accuracy and the legend
    for edge, (node, source) in enumerate(edge_sources(num_nodes)):
        lines = panels(figure)[f"{source_name(source)} → node {node}"].lines
        for column, primitive in enumerate(PRIMITIVES):
            assert same_color(lines[column].get_color(), PRIMITIVE_COLORS[primitive])
            expected = np.stack([np.arange(1, epochs + 1), history[:, edge, column]], axis=1)
            assert lines[column].get_xydata() == pytest.approx(expected)


@pytest.mark.parametrize("num_nodes", [1, 2, 4])
def test_panels_do_not_overlap(num_nodes: int) -> None:
    figure = draw_alphas(*random_search(num_nodes, 10), 1, num_nodes)
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    places = [axes.get_window_extent() for axes in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(places) for b in places[:i])


def test_the_chosen_epoch_is_marked_in_every_panel_and_named() -> None:
    history, accuracy = random_search(4, 20)
    figure = draw_alphas(history, accuracy, 7, 4)
    assert "epoch 7" in figure.get_suptitle()
    marked = [
        axes
        for axes in figure.axes
        if any(np.unique(np.asarray(line.get_xdata())).tolist() == [7] for line in axes.lines)
    ]
    assert len(marked) == 15
    dot = panels(figure)["validation accuracy of the supernet"].lines[1]
    assert (dot.get_xdata(), dot.get_ydata()) == ([7], [accuracy[6]])


def test_the_legend_names_every_primitive_in_its_color() -> None:
    figure = draw_alphas(*random_search(4, 3), 1, 4)
    legend = next(legend for axes in figure.axes if (legend := axes.get_legend()))
    assert [text.get_text() for text in legend.get_texts()] == list(PRIMITIVES)
    colors = [line.get_color() for line in legend.get_lines()]
    assert colors == [PRIMITIVE_COLORS[name] for name in PRIMITIVES]


def test_a_search_of_one_epoch_is_saved_without_complaint(saved: Saved) -> None:
    assert saved(draw_alphas(*random_search(1, 1), 1, 1), ".svg")


def test_panels_share_their_scale_and_nothing_is_cut_off() -> None:
    history, accuracy = random_search(4, 20)
    figure = draw_alphas(history, accuracy, 7, 4)
    limits = {axes.get_ylim() for title, axes in panels(figure).items() if "→" in title}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == 0
    assert high > history.max()
