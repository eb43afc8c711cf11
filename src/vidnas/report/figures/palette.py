"""The colours of the figures, told apart by colour-blind readers too (after Okabe and Ito, 2008)."""

from matplotlib.colors import to_rgb

from vidnas.nas.primitives import PRIMITIVES

INK = "#22303c"
"""Text and outlines."""

FAINT = "#b8c0c8"
"""What is there but not the point: grids, plain connections."""

HIGHLIGHT = "#ffdc5e"
"""Behind what has just changed."""

PRIMITIVE_COLORS = {name: primitive.color for name, primitive in PRIMITIVES.items()}

SERIES_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Lines that are no primitives, in the order of their appearance."""


def mixed(color: str, other: str, share: float) -> tuple[float, float, float]:
    """`color` with `share` of `other` in it: a tint or a shade."""
    red, green, blue = (
        (1 - share) * a + share * b for a, b in zip(to_rgb(color), to_rgb(other), strict=True)
    )
    return red, green, blue
