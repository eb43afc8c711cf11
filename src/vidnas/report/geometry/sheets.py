"""Drawings put together: beside and below one another, with room around, and with text in lines."""

import textwrap
from collections.abc import Sequence
from itertools import accumulate
from types import MappingProxyType

from vidnas.report.geometry.shapes import Drawing, Group, Text
from vidnas.runs.records import Number

PARAGRAPHS = MappingProxyType({"title": (16, 11.2), "caption": (12, 7)})
"""By role: the size of a paragraph's letters, and how wide they are, pixels."""
LINE = 1.35
"""The height of a line of text, as a share of its size."""


def placed(drawing: Drawing, x: Number, y: Number) -> Group:
    """A drawing as a part of another, by its upper left corner there."""
    return Group(drawing.shapes, drawing.kind, (x, y))


def padded(
    drawing: Drawing, *, left: Number = 0.0, top: Number = 0.0, right: Number = 0.0, bottom: Number = 0.0
) -> Drawing:
    """A drawing with room around it."""
    size = left + drawing.width + right, top + drawing.height + bottom
    return Drawing("sheet", *size, (placed(drawing, left, top),))


def beside(drawings: Sequence[Drawing]) -> Drawing:
    """Drawings from left to right, at one height."""
    *lefts, width = accumulate((one.width for one in drawings), initial=0.0)
    groups = tuple(placed(one, x, 0.0) for one, x in zip(drawings, lefts, strict=True))
    return Drawing("sheet", width, max(one.height for one in drawings), groups)


def stacked(drawings: Sequence[Drawing]) -> Drawing:
    """Drawings from top to bottom, at one left edge."""
    *tops, height = accumulate((one.height for one in drawings), initial=0.0)
    groups = tuple(placed(one, 0.0, y) for one, y in zip(drawings, tops, strict=True))
    return Drawing("sheet", max(one.width for one in drawings), height, groups)


def paragraph(text: str, width: Number, role: str = "caption") -> Drawing:
    """Text in as many lines as it needs, none longer than `width`."""
    size, letter = PARAGRAPHS[role]
    lines = textwrap.wrap(text, int(width / letter))
    texts = [
        Text(words, 0.0, LINE * size * (number + 0.5), role, "start") for number, words in enumerate(lines)
    ]
    return Drawing("sheet", width, LINE * size * len(lines), tuple(texts))
