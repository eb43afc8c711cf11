"""The confusion matrix: which classes are taken for which."""

import textwrap
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter

from vidnas.report.figures.palette import FAINT, INK, SERIES_COLORS, mixed

MOST_CLASSES_WITH_COUNTS = 20
LONGEST_NAME = 22
_BLUE = SERIES_COLORS[0]
SHADES = LinearSegmentedColormap.from_list(
    "vidnas",
    np.array([to_rgb("white"), mixed(_BLUE, "white", 0.45), to_rgb(_BLUE), mixed(_BLUE, "black", 0.5)]),
)


def draw_confusion(confusion: Sequence[Sequence[int]], classes: Sequence[str], *, caption: str) -> Figure:
    """Draw clips by true class (row) and predicted class (column), coloured by their share of the row.

    Counts stand in the cells of up to 20 classes. `caption` says what was tested and how.
    """
    counts = np.asarray(confusion)
    assert counts.shape == (len(classes), len(classes))
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)  # a class without clips stays an empty row
    cell = float(np.clip(8 / len(classes), 0.135, 0.6))  # inches
    size = max(cell * len(classes), 2.4)
    text = textwrap.fill(caption, width=int(11 * (size + 2.4)))
    figsize = (size + 2.8, size + 1.9 + 0.18 * (text.count("\n") + 1))
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=figsize, layout=layout, facecolor="white")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap=SHADES, norm=PowerNorm(0.6, vmin=0, vmax=1))
    _name_classes(axes, classes, fontsize=min(9.0, 45 * cell))
    _draw_lattice(axes, len(classes))
    if len(classes) <= MOST_CLASSES_WITH_COUNTS:
        _write_counts(axes, counts, shares)
    bar = figure.colorbar(
        image, ax=axes, shrink=min(1.0, 2.2 / size), aspect=16, fraction=0.05, format=PercentFormatter(1)
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, labelcolor=INK, length=0)
    bar.set_label("share of the true class", fontsize=9, color=INK)
    figure.suptitle(text, x=0.02, ha="left", fontsize=11, color=INK, parse_math=False)
    return figure


def _name_classes(axes: Axes, classes: Sequence[str], fontsize: float) -> None:
    names = [name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…" for name in classes]
    places = range(len(names))
    axes.set_yticks(places, names, fontsize=fontsize, color=INK, parse_math=False)
    axes.set_xticks(
        places, names, fontsize=fontsize, color=INK, parse_math=False,
        rotation=90 if len(names) > MOST_CLASSES_WITH_COUNTS else 45, ha="right", rotation_mode="anchor",
        va="center" if len(names) > MOST_CLASSES_WITH_COUNTS else "top",
    )  # fmt: skip
    axes.set_xlabel("predicted class", fontsize=10, color=INK)
    axes.set_ylabel("true class", fontsize=10, color=INK)
    axes.tick_params(length=0)


def _draw_lattice(axes: Axes, num_classes: int) -> None:
    """Hairlines between the cells."""
    between = np.arange(num_classes + 1) - 0.5
    axes.set_xticks(between, minor=True)
    axes.set_yticks(between, minor=True)
    axes.grid(which="minor", color=FAINT, linewidth=0.3 if num_classes <= MOST_CLASSES_WITH_COUNTS else 0.12)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_color(FAINT)


def _write_counts(axes: Axes, counts: npt.NDArray[np.integer], shares: npt.NDArray[np.floating]) -> None:
    for true, predicted in zip(*np.nonzero(counts), strict=True):
        share = shares[true, predicted]
        axes.text(
            predicted, true, str(counts[true, predicted]), ha="center", va="center_baseline", fontsize=9,
            color="white" if share > 0.4 else INK,
        )  # fmt: skip
