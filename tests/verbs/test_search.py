"""What a search decides by itself; the search as a whole is in e2e/."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vidnas.assembly import steps
from vidnas.config.learning import SearchConfig
from vidnas.config.presets import search_preset
from vidnas.nas.genotype import random_genotype
from vidnas.nas.methods.method import Method
from vidnas.nas.network import Supernet
from vidnas.runs.checkpoint import load_checkpoint
from vidnas.runs.read import read_run
from vidnas.training.loop import evaluate_epoch
from vidnas.verbs import search
from vidnas.verbs.search import EpochResult, _choose, run_search


def settings(videos: Path, tmp_path: Path) -> SearchConfig:
    small = {"size_px": 16, "segments": 2, "batch_size": 16, "workers": 0, "num_cells": 1, "epochs": 2}
    return search_preset("demo", data=str(videos), out=str(tmp_path / "run"), **small)


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
    run_search(settings(tiny_videos, tmp_path))
    (first, weights), (second, later) = seen
    assert first is second
    assert any(not torch.equal(weights[name], later[name]) for name in weights)


# Another method


class StepsSeen:
    """A state of its own."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, *_: object) -> None:
        self.count += 1

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.count = state_dict["count"]


def test_a_method_is_its_step_its_judgement_and_its_state(
    tiny_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uniform alpha that never moves: the supernet's weights learn, and the cell is the first of equals."""
    seen: list[StepsSeen] = []

    def uniform(supernet: Supernet, *_: object) -> Method:
        seen.append(StepsSeen())
        with torch.no_grad():
            supernet.alpha.zero_()
        return Method(seen[-1].add, lambda: torch.zeros_like(supernet.alpha), {"seen": seen[-1]})

    monkeypatch.setitem(steps.METHODS, "darts", uniform)
    config = settings(tiny_videos, tmp_path)
    found = run_search(config)
    run = read_run(tmp_path / "run")
    assert [cell.mixing for cell in run.cells] == [((1 / 8,) * 8,) * 14] * 2
    assert str(found.genotype).startswith("node 0: conv_1(cell t-2) + conv_1(cell t-1); node 1: conv_1(cell")
    assert "has hardly moved alpha" in run.log
    state = load_checkpoint(tmp_path / "run/checkpoint.pt")
    assert torch.equal(state["supernet"]["alpha"], torch.zeros(14, 8))
    assert "alpha_optimizer" not in state
    assert state["seen"] == {"count": seen[-1].count}
    assert seen[-1].count == state["schedule"]["last_epoch"] > 0
    again = run_search(config, resume=True)
    assert (again.genotype, seen[-1].count) == (found.genotype, state["seen"]["count"])
