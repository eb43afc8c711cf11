"""The verb `demo`: search, derive, train and evaluate on the built-in clips, with a control, in minutes."""

from dataclasses import dataclass, replace
from pathlib import Path

from vidnas.config import EvaluateConfig, TrainConfig
from vidnas.evaluate import EvaluateResult, run_evaluate
from vidnas.presets import search_preset, train_preset
from vidnas.rundir import new_folder
from vidnas.runs import PROTOCOLS
from vidnas.search import SearchResult, run_search
from vidnas.train import TrainResult, run_train
from vidnas.videos import BUILTIN
from vidnas.viewconfig import DemoConfig
from vidnas.words import counted

LEAST_ACCURACY = 0.75
"""The searched network must reach this on the built-in clips ..."""

MOST_CONTROL_ACCURACY = 0.22
"""... and a network that sees single frames must stay below this: the classes differ by motion alone."""


@dataclass(frozen=True)
class DemoResult:
    """The three runs of the demo, whether they came out as they must, and the summary."""

    search: SearchResult
    train: TrainResult
    control: TrainResult
    evaluation: EvaluateResult
    passed: bool
    summary: str


def run_demo(config: DemoConfig) -> DemoResult:
    """Run the whole path on the built-in clips below one folder: search/, train/ and single-frame/."""
    folder = new_folder("demo", config.out)
    shared = {"data": BUILTIN, "seed": config.seed, "device": config.device, "workers": config.workers}
    search = run_search(search_preset("demo", **shared, out=str(folder / "search")))
    settings = train_preset("demo", **shared, genotype=str(search.run_dir), out=str(folder / "train"))
    train = run_train(settings)
    control = run_train(_control(settings, folder))
    evaluation = run_evaluate(
        EvaluateConfig(run=str(train.run_dir), data=BUILTIN, device=config.device, workers=config.workers)
    )
    passed = evaluation.scores.top1 >= LEAST_ACCURACY and control.scores.top1 < MOST_CONTROL_ACCURACY
    summary = _summary(folder, evaluation, control, passed)
    return DemoResult(search, train, control, evaluation, passed, summary)


def _control(settings: TrainConfig, folder: Path) -> TrainConfig:
    """The same network trained anew on single frames: what appearance alone tells."""
    return replace(settings, single_frame=True, out=str(folder / "single-frame"))


def _summary(folder: Path, evaluation: EvaluateResult, control: TrainResult, passed: bool) -> str:
    scores, profile = evaluation.scores, evaluation.profile
    low, high = scores.interval
    verdict = (
        ""
        if passed
        else (
            f"\nThis is not as it must be: at least {LEAST_ACCURACY:.0%} for the searched network and less "
            f"than {MOST_CONTROL_ACCURACY:.0%} for single frames. Please report it with the log files."
        )
    )
    clips = counted(scores.num_clips, "test clip")
    return f"""
The searched network tells {scores.top1:.1%} of {clips} right ({low:.1%} to {high:.1%}).
  chance            {1 / len(scores.per_class):.1%}
  single frames     {control.scores.top1:.1%}  (the same network, trained without motion)
  protocol          {PROTOCOLS["paper"]}
  cost              {profile.parameters:,} parameters, {profile.macs / 1e6:.1f} million MACs a clip
  run folder        {folder}
  the found cell    {folder / "search" / "cell.png"}{verdict}

Your own videos, a folder per class:
  vidnas search   --data my-videos --out runs/my-search
  vidnas train    --data my-videos --genotype runs/my-search --out runs/my-network
  vidnas evaluate --data my-videos --run runs/my-network
"""
