"""What a search decides by itself; the search as a whole is in e2e/."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vidnas.config.learning import SearchConfig
from vidnas.config.presets import search_preset
from vidnas.nas.genotype import random_genotype
from vidnas.training.loop import evaluate_epoch
from vidnas.verbs import search
from vidnas.verbs.search import EpochResult, _choose, run_search


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


def test_the_search_model_is_not_thrown_away_after_a_validation(
    tiny_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paper's words: one supernet for the whole search, which a validation reads and does not change."""
    seen: list[tuple[nn.Module, dict[str, Tensor]]] = []

    def watched(model: nn.Module, *args: Any, **settings: Any) -> Any:
        before = copy.deepcopy(model.state_dict())
        predictions = evaluate_epoch(model, *args, **settings)
        torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
        seen.append((model, before))
        return predictions

    monkeypatch.setattr(search, "evaluate_epoch", watched)
    settings = {"size_px": 16, "segments": 2, "batch_size": 16, "workers": 0, "num_cells": 1}
    run_search(search_preset("demo", data=str(tiny_videos), out=str(tmp_path / "run"), epochs=2, **settings))
    (first, weights), (second, later) = seen
    assert first is second
    assert any(not torch.equal(weights[name], later[name]) for name in weights)
