"""Accuracy against cost: numbered points with whiskers, and a sheet of them for several kinds of cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from vidnas.compare.rows import Comparison
from vidnas.errors import storable
from vidnas.report.geometry.curves import LETTER, LETTER_HEIGHT, Chart, draw_panel
from vidnas.report.geometry.labels import Box, Spot, place_labels
from vidnas.report.geometry.palette import series
from vidnas.report.geometry.scales import LEFT, TOP, Axes, labelled, log_steps, round_steps
from vidnas.report.geometry.shapes import Circle, Drawing, Path, Shape, Text, line
from vidnas.report.geometry.sheets import beside, padded, paragraph, stacked
from vidnas.runs.records import Number
from vidnas.training.latency import BUSY

DOT = 4.0
"""The radius of a network's dot."""
MARGIN = 0.2
"""Decades beside the first and the last network: an axis always has a label."""
COLUMNS = 2
"""Side by side in a sheet: README.md shows it 830 pixels wide, where more would be too small to read."""
SIDE = 12.0
"""Pixels around what a sheet says in words."""
ROW = 15.0
"""Pixels from name to name."""
LONGEST_NAME = 34
LOZENGE = ((0, -1), (1, 0), (0, 1), (-1, 0))


class Kind(NamedTuple):
    """A kind of cost, and its unit if it has one."""

    name: str
    unit: str = ""


PARAMETERS = Kind("parameters")


@dataclass(frozen=True)
class Rated:
    """A network: its accuracy with an interval, what it costs, and a short `label` beside its point.

    A reference has a point of another form.
    """

    name: str
    accuracy: Number
    low: Number
    high: Number
    costs: Mapping[Kind, Number]
    role: str = "s0"
    label: str = ""
    reference: bool = False


def rate(comparison: Comparison) -> list[Rated]:
    """The networks of a comparison that have been trained, with their numbers and looks in its table."""
    busy = any(row.cost.busy for row in comparison.rows if row.cost is not None)
    latency = Kind(f"latency ({BUSY})" if busy else "latency", "ms")
    return [
        Rated(
            storable(row.name),
            row.accuracy,
            *row.interval,
            {PARAMETERS: row.cost.parameters, Kind("MACs"): row.cost.macs, latency: row.cost.latency_ms},
            series(number - 1),
            str(number),
            reference=row.name == comparison.reference,
        )
        for number, row in enumerate(comparison.rows, start=1)
        if row.accuracy is not None and row.interval is not None and row.cost is not None
    ]


def draw_tradeoffs(networks: Sequence[Rated]) -> list[Chart]:
    """A chart for each kind of cost."""
    kinds = networks[0].costs if networks else ()
    return [chart for kind in kinds if (chart := draw_tradeoff(networks, kind))]


def draw_tradeoff(networks: Sequence[Rated], kind: Kind = PARAMETERS) -> Chart | None:
    """Accuracy against a cost, which stands on a logarithmic axis; None without networks."""
    if not networks:
        return None
    logs = [math.log10(one.costs[kind]) for one in networks]
    ends = min(logs) - MARGIN, max(logs) + MARGIN
    steps = round_steps(min(one.low for one in networks), max(one.high for one in networks))
    axes = Axes(ends, (steps[0], steps[-1]))
    title, unit = f"Accuracy against {kind.name}", f" {kind.unit}" if kind.unit else ""
    spots = [_spot(axes, log, one) for log, one in zip(logs, networks, strict=True)]
    texts = [
        f"{one.name}: {100 * one.accuracy:.1f} % with {one.costs[kind]:,.10g}{unit} {kind.name}"
        for one in networks
    ]
    x_name = f"{kind.name}{unit and ','}{unit} (logarithmic)"
    shapes = (
        axes.grid(log_steps(*ends), labelled(steps, share=True), x_name),
        *map(_whisker, networks, spots),
        *_labelled_dots(networks, spots, texts, inside=(LEFT, TOP, axes.width, axes.bottom)),
    )
    words = f"{title}: {'; '.join(texts)}"
    return Chart(title, Drawing("chart", axes.width, axes.height, shapes, words))


def _spot(axes: Axes, log: Number, network: Rated) -> Spot:
    (x, y), (_, low), (_, high) = (axes.at(log, at) for at in (network.accuracy, network.low, network.high))
    return Spot(x, y, low, high, LETTER * len(network.label) + 2, LETTER_HEIGHT)


def _whisker(network: Rated, spot: Spot) -> Path:
    """From the lower to the upper end of the interval."""
    ends = line((spot.x, spot.low), (spot.x, spot.high))
    return Path(ends, f"whisker {network.role}", f"whisker-{network.name}")


def _dot(network: Rated, spot: Spot, text: str) -> Shape:
    """A disc or, of the reference, a lozenge."""
    role, name, long = f"dot {network.role}", f"dot-{network.name}", 1.4 * DOT
    if not network.reference:
        return Circle(spot.x, spot.y, DOT, role, name, text)
    corners = [(spot.x + long * right, spot.y + long * down) for right, down in LOZENGE]
    return Path((*line(*corners), ("Z", ())), role, name, text)


def _labelled_dots(
    networks: Sequence[Rated], spots: Sequence[Spot], texts: Sequence[str], *, inside: Box
) -> list[Shape]:
    """Lines to far labels, the points, of which the first and before all the reference is on top, labels."""
    places = zip(networks, spots, place_labels(spots, radius=DOT, inside=inside), strict=True)
    labels = [(one, spot, at) for one, spot, at in places if one.label and at]
    points = reversed(list(zip(networks, spots, texts, strict=True)))
    return [
        *(Path(line((spot.x, spot.y), (at.x, at.y)), "leader") for _, spot, at in labels if at.far),
        *(_dot(*point) for point in sorted(points, key=lambda point: point[0].reference)),
        *(Text(one.label, at.x, at.y, "strong" if one.reference else "marktext") for one, _, at in labels),
    ]


def draw_sheet(networks: Sequence[Rated], *, caption: str) -> Drawing:
    """A chart for each kind of cost, two in a row, behind them the networks' names, and a caption.

    Only the reference has a colour of its own.
    """
    assert networks
    networks = [replace(one, name=storable(one.name), role=series(int(one.reference))) for one in networks]
    panels = [*map(draw_panel, draw_tradeoffs(networks)), list_names(networks)]
    rows = [beside(panels[start : start + COLUMNS]) for start in range(0, len(panels), COLUMNS)]
    text = f"Whiskers are 95 % intervals. {storable(caption)}"
    words = paragraph(text, COLUMNS * panels[0].width - 2 * SIDE)
    return stacked([*rows, padded(words, left=SIDE, top=SIDE, right=SIDE, bottom=SIDE)])


def list_names(networks: Sequence[Rated]) -> Drawing:
    """Number, accuracy and, last because it may be long, name of each network."""
    shapes: list[Shape] = [Path(line((32, 0), (32, ROW * len(networks))), "rule")]
    for number, one in enumerate(networks):
        y = ROW * (number + 0.5)
        name = one.name if len(one.name) <= LONGEST_NAME else one.name[: LONGEST_NAME - 1] + "…"
        role = f"strong {one.role}" if one.reference else "name"
        shapes += [
            Text(one.label, 26, y, role, "end"),
            Text(f"{one.accuracy:.0%}", 66, y, role, "end"),
            Text(name, 74, y, role, "start"),
        ]
    return padded(Drawing("chart", 340, ROW * len(networks), tuple(shapes)), left=20, top=24)
