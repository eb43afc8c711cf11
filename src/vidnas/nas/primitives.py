"""The primitives: what may stand on an edge of a cell, a row each. Plain data; ops.py builds their ops."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Fusion = Literal["branch", "dilated branch", "pointwise", "pool", "input", "nothing"]
"""A form in which cells compute ops that read one input together.

branch: activation, 3 x 3 filters (or a row of 3, then a column of 3), norm; activation, filters of 3 frames,
norm. dilated branch: one whose 3 x 3 taps are two pixels apart. pointwise: activation, 1 x 1 x 1 filters,
norm. pool: without parameters; in the supernet a norm stands behind it. input, nothing: the input itself, and
zeros.
"""


@dataclass(frozen=True)
class Primitive:
    """A candidate for an edge."""

    words: str
    """What it does, for a reader."""
    color: str
    """In pictures: convolutions are cool, poolings warm, the rest grey."""
    fuses: Fusion | None = None
    """The form in which it is computed together with others; by default its op is called."""


PRIMITIVES: dict[str, Primitive] = {
    "conv_1": Primitive("1 x 1 convolution", "#56b4e9", "pointwise"),
    "conv_3": Primitive("3 x 3 convolution, then one over 3 frames", "#0072b2", "branch"),
    "sep_conv_3": Primitive("1 x 3, then 3 x 1 convolution, then one over 3 frames", "#009e73", "branch"),
    "dil_conv_3": Primitive(
        "3 x 3 convolution with dilation 2, then one over 3 frames", "#cc79a7", "dilated branch"
    ),
    "max_pool_3": Primitive("largest value of 3 x 3 pixels, then of 3 frames", "#d55e00", "pool"),
    "avg_pool_3": Primitive("mean of 3 x 3 pixels, then of 3 frames", "#e69f00", "pool"),
    "skip": Primitive("the input itself", "#333333", "input"),
    "none": Primitive("no connection", "#b0b0b0", "nothing"),
}
"""The paper's eight operator candidates (Table 1) by name, in the order of alpha's columns."""


def fused_as(fusion: Fusion | None, names: Iterable[str]) -> list[str]:
    """Those of the primitives that are computed in this form."""
    return [name for name in names if PRIMITIVES[name].fuses == fusion]


def selectable(names: Iterable[str]) -> list[str]:
    """Those of the primitives that a genotype may keep: what is no connection it leaves out."""
    return [name for name in names if PRIMITIVES[name].fuses != "nothing"]
