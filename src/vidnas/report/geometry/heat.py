"""Alpha as a table: a column is an edge, a row a primitive, a field the weight in per cent and as a shade."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vidnas.nas.genotype import NUM_INPUTS, source_name
from vidnas.report.geometry.cell_layout import Ends
from vidnas.report.geometry.palette import INK, mixed, primitive_colors
from vidnas.report.geometry.shapes import Drawing, Group, Rect, Shape, Text
from vidnas.runs.records import Number

# Pixels.
LABELS = 86.0
COLUMN = 52.0
ROW = 24.0
NODE_GAP = 12.0
HEAD = 45.0


def draw_heat(
    mixing: npt.NDArray[np.floating],
    edges: Sequence[tuple[int, int]],
    primitives: Sequence[str],
    kept: Mapping[Ends, str],
    *,
    highest: float,
    changed: Collection[Ends] = (),
) -> Drawing:
    """Draw softmax weights, a row for each (node, source) of `edges` and a column for each primitive.

    The primitives of the `kept` edges are framed, `changed` ones so that they stand out. A weight as large as
    `highest` has its primitive's full colour.
    """
    assert mixing.shape == (len(edges), len(primitives))
    shapes: list[Shape] = [Text("weight in %", LABELS - 9, HEAD - 10, "head", "end")]
    shapes += [
        Group((Text(name, LABELS - 9, HEAD + ROW * (row + 0.5), "primitive", "end"),), f"p-{name}")
        for row, name in enumerate(primitives)
    ]
    frames: list[Shape] = []
    for column, (node, source) in enumerate(edges):
        left, ends = _left(node, column), (source, NUM_INPUTS + node)
        if source == 0:
            shapes.append(Text(f"→ node {node}", left, HEAD - 31, "node", "start"))
        shapes.append(Text(source_name(source), left + COLUMN / 2, HEAD - 10, "head"))
        for row, name in enumerate(primitives):
            field = f"weight-{source}-{NUM_INPUTS + node}-{name}"
            shapes.append(_field(left, row, name, float(mixing[column, row]), highest, field))
        if ends in kept:
            frames += _frame(left, primitives.index(kept[ends]), ends, changed)
    width = _left(edges[-1][0], len(edges))
    return Drawing("heat", width, HEAD + ROW * len(primitives), (*shapes, *frames))


def _left(node: int, column: int) -> Number:
    return LABELS + COLUMN * column + NODE_GAP * node


def _field(left: Number, row: int, primitive: str, weight: float, highest: float, name: str) -> Group:
    top, share = HEAD + ROW * row, weight / highest
    color = np.array(mixed("white", primitive_colors().get(primitive, INK), share))
    dark = float(color @ (0.30, 0.59, 0.11)) <= 0.5
    text = Text(
        f"{weight:.0%}"[:-1], left + COLUMN / 2, top + ROW / 2, "on" if dark else "", name=f"text-{name}"
    )
    return Group((Rect(left, top, COLUMN, ROW, name=name, opacity=share), text), f"p-{primitive}")


def _frame(left: Number, row: int, ends: Ends, changed: Collection[Ends]) -> list[Shape]:
    box = (left, HEAD + ROW * row, COLUMN, ROW)
    name = f"{ends[0]}-{ends[1]}"
    halo = [Rect(*box, role="halo", name=f"changed-{name}")] if ends in changed else []
    return [*halo, Rect(*box, role="kept", name=f"kept-{name}")]
