from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.geometry.palette import mixed, primitive_colors, role_colors, series

# How a deuteranope and a protanope see linear RGB (Machado et al. 2009, severity 1).
VISION = {
    "full": np.eye(3),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def test_every_primitive_has_a_color() -> None:
    assert list(primitive_colors()) == list(PRIMITIVES)


@pytest.mark.parametrize("vision", VISION)
def test_no_two_primitives_look_alike(vision: str) -> None:
    seen = {
        name: np.clip(VISION[vision] @ np.power(to_rgb(color), 2.2), 0, 1) ** (1 / 2.2)
        for name, color in primitive_colors().items()
    }
    for one, other in combinations(seen, 2):
        assert np.abs(seen[one] - seen[other]).max() > 0.1, (one, other)


def test_mixing_goes_from_one_color_to_the_other() -> None:
    assert mixed("black", "white", 0.25) == (0.25, 0.25, 0.25)
    assert mixed("#ff0000", "#0000ff", 0.0) == (1, 0, 0)
    assert to_hex(mixed("#ff0000", "#0000ff", 0.2)) == "#cc0033"


def test_every_primitive_and_every_series_has_a_role_with_a_color() -> None:
    assert role_colors().keys() >= {f"p-{name}" for name in PRIMITIVES}
    assert role_colors().keys() >= {series(number).split()[0] for number in range(18)}
