"""The verb `demo`: search, derive, train and evaluate on the built-in clips, with a control, in minutes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from vidnas import console
from vidnas.assembly.forecasts import Outlook
from vidnas.assembly.steps import PROTOCOLS
from vidnas.assembly.videos import Videos
from vidnas.atomic import writing
from vidnas.config.learning import EvaluateConfig, SearchConfig, TrainConfig
from vidnas.config.parts import BUILTIN
from vidnas.config.presets import search_preset, train_preset
from vidnas.config.views import DEMO_SEARCH, DemoConfig
from vidnas.errors import counted
from vidnas.runs.begin import going_on_by, new_folder
from vidnas.runs.files import CELL
from vidnas.runs.finished import epochs_done
from vidnas.runs.stop import StopRequest
from vidnas.training.pace import Countdown, Pace
from vidnas.verbs.asked import begun_demo
from vidnas.verbs.evaluate import EvaluateResult, run_evaluate
from vidnas.verbs.search import SearchResult, run_search
from vidnas.verbs.train import TrainResult, run_train

T = TypeVar("T")
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


def run_demo(config: DemoConfig, *, resume: bool = False) -> DemoResult:
    """Run the whole path on the built-in clips below one folder: search/, train/ and single-frame/.

    With `resume` the demo in `config.out` goes on where it was saved last.
    """
    folder = begun_demo(config) if resume else new_folder("demo", config.out)
    searching, training = _settings(config, folder)
    # the same network trained anew on single frames: what appearance alone tells
    control = replace(training, single_frame=True, out=str(folder / "single-frame"))
    with writing(folder):  # so that there is something to go on with from here on
        folder.mkdir(parents=True, exist_ok=True)
    with going_on_by("demo", folder), StopRequest() as stop:
        opened = Videos(training)  # those of the control, too, which then need not be decoded again
        countdown = _foretell(opened, searching, [training, control])
        console.say(f"Demo: {folder}. It takes {countdown}, by a forecast.")
        search = _part("search", lambda: run_search(searching, resume=resume), countdown, stop)
        train_now = partial(run_train, resume=resume, opened=opened)
        train = _part("train", lambda: train_now(training), countdown, stop)
        single = _part("single-frame", lambda: train_now(control), countdown, stop)
        evaluation = run_evaluate(
            EvaluateConfig(
                run=str(train.run_dir),
                data=BUILTIN,
                device=config.device,
                threads=config.threads,
                workers=config.workers,
            )
        )
    passed = evaluation.scores.top1 >= LEAST_ACCURACY and single.scores.top1 < MOST_CONTROL_ACCURACY
    summary = _summary(folder, evaluation, single, passed)
    return DemoResult(search, train, single, evaluation, passed, summary)


def _settings(config: DemoConfig, folder: Path) -> tuple[SearchConfig, TrainConfig]:
    """Those of the search, and of the training of what it finds."""
    kept = "seed", "device", "threads", "workers"
    shared = {"data": BUILTIN, **{name: getattr(config, name) for name in kept}}
    search = search_preset("demo", **shared, out=str(folder / DEMO_SEARCH))
    return search, train_preset("demo", **shared, genotype=search.out, out=str(folder / "train"))


def _foretell(opened: Videos, searching: SearchConfig, trainings: Sequence[TrainConfig]) -> Countdown:
    """How long what is left of the demo takes, by the names of its runs' folders."""
    outlook = Outlook(opened)
    paces: dict[SearchConfig | TrainConfig, Pace] = {searching: outlook.search_pace(searching)}
    for training in trainings:  # any cell tells about how long the one takes that is yet to be found
        paces[training] = outlook.pace(replace(training, genotype="random:0", single_frame=False))
    runs = [(Path(run.out or ""), run.epochs, pace) for run, pace in paces.items()]
    return Countdown({run.name: pace.sec(epochs - epochs_done(run)) for run, epochs, pace in runs})


def _part(name: str, work: Callable[[], T], countdown: Countdown, stop: StopRequest) -> T:
    """One run of the demo, between two moments at which it can be stopped."""
    stop.check()
    console.say(f"\n[{name}] {countdown} until the end of the demo")
    begun_at = time.perf_counter()
    result = work()
    countdown.done(name, time.perf_counter() - begun_at)
    stop.check()
    return result


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
  the found cell    {folder / "search" / CELL[0]}{verdict}

Your own videos, a folder per class:
  vidnas search   --data my-videos --out runs/my-search
  vidnas train    --data my-videos --genotype runs/my-search --out runs/my-network
  vidnas evaluate --data my-videos --run runs/my-network
"""
