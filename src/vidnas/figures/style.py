"""The look that the figures with axes share."""

from matplotlib.axes import Axes

from vidnas.figures.palette import FAINT, INK


def plain_axes(axes: Axes) -> None:
    """Two faint spines, a faint horizontal grid, small ink-coloured labels."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=8, color=FAINT, length=3)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.5)
    axes.set_axisbelow(True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=INK, fontsize=9)
