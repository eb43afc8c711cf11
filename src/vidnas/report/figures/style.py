"""The look that the figures with axes share."""

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vidnas.report.figures.palette import FAINT, INK


def plain_axes(axes: Axes, *, font_size: float = 8.0) -> None:
    """Two faint spines, a faint horizontal grid, small ink-coloured labels: ticks of `font_size` points."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=font_size, color=FAINT, length=3)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.5)
    axes.set_axisbelow(True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=INK, fontsize=font_size + 1)


def epoch_axes(axes: Axes, chosen_epoch: int | None) -> None:
    """Plain axes over epochs, the chosen one marked."""
    plain_axes(axes)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    if chosen_epoch is not None:
        axes.axvline(chosen_epoch, color=INK, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)


def readable(text: str) -> str:
    """Any text, also a file name that is not UTF-8, as text that can be drawn."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
