"""The colours of pictures, told apart by colour-blind readers too (after Okabe and Ito, 2008)."""

from PIL import ImageColor

from vidnas.nas.primitives import PRIMITIVES

INK = "#22303c"
"""Text and outlines."""

FAINT = "#b8c0c8"
"""What is there but not the point: grids, plain connections."""

HIGHLIGHT = "#ffdc5e"
"""Behind what has just changed."""

SERIES_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Lines that are no primitives, in the order of their appearance."""

_PATTERNS = ("", " dashed", " dotted")


def primitive_colors() -> dict[str, str]:
    """Every primitive's colour by its name, in the order of alpha's columns."""
    return {name: primitive.color for name, primitive in PRIMITIVES.items()}


def role_colors() -> dict[str, str]:
    """The colours of the roles that have one of their own: p-NAME of primitives, s0, s1, ... of series."""
    primitives = {f"p-{name}": color for name, color in primitive_colors().items()}
    return primitives | {f"s{number}": color for number, color in enumerate(SERIES_COLORS)}


def series(number: int) -> str:
    """The role of a line by its number: every one of the first 18 looks its own way."""
    pattern = _PATTERNS[number // len(SERIES_COLORS) % len(_PATTERNS)]
    return f"s{number % len(SERIES_COLORS)}{pattern}"


def mixed(color: str, other: str, share: float) -> tuple[float, float, float]:
    """`color` with `share` of `other` in it, a tint or a shade, as red, green and blue from 0 to 1."""
    pairs = zip(ImageColor.getrgb(color), ImageColor.getrgb(other), strict=True)
    red, green, blue = (((1 - share) * a + share * b) / 255 for a, b in pairs)
    return red, green, blue
