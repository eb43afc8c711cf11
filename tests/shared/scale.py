"""What the labels of an axis say about a place."""

from collections.abc import Sequence

from vidnas.report.geometry.shapes import Text


def value_at(labels: Sequence[Text], place: float, axis: str) -> float:
    """The value at a place between the first and the last label of an axis, "x" or "y"."""
    ends = labels[0], labels[-1]
    first, last = (label.x if axis == "x" else label.y for label in ends)
    low, high = (float(label.text.rstrip("%")) for label in ends)
    return low + (place - first) / (last - first) * (high - low)
