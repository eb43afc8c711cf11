"""What a search decides by itself; the search as a whole is in e2e/."""

import pytest

from vidnas.config import SearchConfig
from vidnas.genotype import random_genotype
from vidnas.search import EpochResult, _choose


def epochs(*val_accuracies: float) -> list[EpochResult]:
    return [EpochResult(random_genotype(i), [], accuracy) for i, accuracy in enumerate(val_accuracies)]


@pytest.mark.parametrize(
    ("accuracies", "best"), [((0.1, 0.5, 0.3), 1), ((0.5, 0.2, 0.5, 0.1), 2), ((0.4,), 0), ((0.2, 0.2), 1)]
)
def test_best_is_the_best_val_accuracy_and_of_equal_ones_the_later(
    accuracies: tuple[float, ...], best: int
) -> None:
    assert _choose(epochs(*accuracies), SearchConfig(data="x")) == best


def test_last_is_the_last_epoch_whatever_its_accuracy() -> None:
    assert _choose(epochs(0.9, 0.1, 0.2), SearchConfig(data="x", select="last")) == 2
