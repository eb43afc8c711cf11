"""Learning curves: one panel for each quantity, one line for each series."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from vidnas.report.figures.palette import INK, SERIES_COLORS
from vidnas.report.figures.style import plain_axes

PANEL_SIZE = (4.2, 3.1)
PANELS_PER_ROW = 3


Series = Sequence[int | float | None]


def draw_curves(panels: Mapping[str, Mapping[str, Series]], *, xlabel: str = "epoch") -> Figure:
    """Draw {panel title: {series name: values}}; the first value stands at 1, None or NaN is a gap.

    A series has one colour in all panels; there are at most six.
    """
    assert panels
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    colors = dict(zip(names, SERIES_COLORS, strict=False))
    assert len(names) <= len(SERIES_COLORS)
    columns = min(len(panels), PANELS_PER_ROW)
    rows = -(-len(panels) // columns)
    figure = Figure(
        figsize=(PANEL_SIZE[0] * columns, PANEL_SIZE[1] * rows),
        layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08),
        facecolor="white",
    )
    for index, (title, panel) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, index + 1)
        plain_axes(axes)
        for name, numbers in panel.items():
            values = np.array(numbers, dtype=float)
            marker = "o" if len(values) == 1 else None
            axes.plot(
                range(1, len(values) + 1),
                values,
                color=colors[name],
                linewidth=1.9,
                marker=marker,
                label=name,
            )
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
        axes.set_xlabel(xlabel)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        if len(panel) > 1:
            axes.legend(frameon=False, labelcolor=INK, fontsize=9)
    return figure
