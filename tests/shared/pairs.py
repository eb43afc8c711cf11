"""Every use and every damage once, where testing each with each would ask one reader the same many times."""

from collections.abc import Iterable
from itertools import cycle, islice

import pytest


def in_pairs(uses: Iterable[str], damages: Iterable[object], name: str = "damage") -> pytest.MarkDecorator:
    """A test gets `use` and `name`: each of either at least once, and no more tests than the longer has."""
    uses, damages = list(uses), list(damages)
    pairs = zip(cycle(uses), cycle(damages), strict=False)
    return pytest.mark.parametrize(("use", name), list(islice(pairs, max(len(uses), len(damages)))))
