import re

import pytest

from vidnas.nas.genotype import random_genotype
from vidnas.report.pages.cells import CELL_PX, Drawing, draw_cell

SEEDS = range(12)


def points_of(path: str) -> list[tuple[float, float]]:
    """The points of a path of M, L, C, H and z."""
    points: list[tuple[float, float]] = []
    for letter, numbers in re.findall(r"([MLCHz])([^MLCHz]*)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "H":
            points.append((values[0], points[-1][1]))
        points += zip(values[::2], values[1::2], strict=letter != "H")
    return points


def everything(drawing: Drawing) -> list[tuple[float, float]]:
    points = [point for path in drawing.plain for point in points_of(path)]
    for pill in drawing.pills:
        points += points_of(pill.line) + points_of(pill.head)
        points += [(pill.at[0] + side * CELL_PX["pill_width"] / 2, pill.at[1]) for side in (-1, 1)]
    points += [
        (node.at[0], node.at[1] + side * CELL_PX["radius"]) for node in drawing.nodes for side in (-1, 1)
    ]
    return points + [
        (box.at[0], box.at[1] + side * box.height / 2) for box in drawing.boxes for side in (-1, 1)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_of_a_cell_is_drawn_and_lies_inside(seed: int) -> None:
    genotype = random_genotype(seed)
    drawing = draw_cell(genotype)
    assert [pill.primitive for pill in drawing.pills] == [
        e.primitive for node in genotype.nodes for e in node
    ]
    assert [node.text for node in drawing.nodes] == ["0", "1", "2", "3"]
    assert [box.text for box in drawing.boxes] == ["cell t-2", "cell t-1", "concat"]
    assert len(drawing.plain) == 4
    assert drawing.text == str(genotype)
    points = everything(drawing)
    assert min(x for x, _ in points) >= 0
    assert max(x for x, _ in points) <= drawing.width
    assert min(y for _, y in points) >= 0
    assert max(y for _, y in points) <= drawing.height


@pytest.mark.parametrize("seed", SEEDS)
def test_every_arrow_starts_at_its_source_and_touches_the_rim_of_its_node(seed: int) -> None:
    genotype = random_genotype(seed)
    drawing = draw_cell(genotype)
    edges = [(edge.source, node) for node, kept in enumerate(genotype.nodes) for edge in kept]
    for (source, node), pill in zip(edges, drawing.pills, strict=True):
        (start_x, start_y), *_ = points_of(pill.line)
        box_or_node = drawing.boxes[source].at if source < 2 else drawing.nodes[source - 2].at
        half = CELL_PX["box_width"] / 2 if source < 2 else CELL_PX["radius"]
        assert (start_x, start_y) == pytest.approx((box_or_node[0] + half, box_or_node[1]), abs=0.1)
        tip_x, tip_y = points_of(pill.head)[0]
        x, y = drawing.nodes[node].at
        assert ((tip_x - x) ** 2 + (tip_y - y) ** 2) ** 0.5 == pytest.approx(CELL_PX["radius"], abs=0.1)
        assert tip_x < x


def test_the_first_input_stands_above_the_second() -> None:
    first, second, _ = draw_cell(random_genotype(0)).boxes
    assert first.at[1] < second.at[1]
