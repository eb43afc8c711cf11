"""The verb `train`: a network is trained from scratch and tested after its last epoch."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from vidnas.assembly import steps, trainings
from vidnas.assembly.architecture import Architecture
from vidnas.assembly.videos import Videos, say_skipped
from vidnas.atomic import write_whole
from vidnas.compare.verdict import Finding, judge_test
from vidnas.config.learning import TrainConfig
from vidnas.nas.genotype import Genotype
from vidnas.report.answers import answers_csv, name_answers
from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.cell import draw_cell
from vidnas.report.geometry.confusion import draw_confusion
from vidnas.report.geometry.curves import Line, draw_curves, draw_lines
from vidnas.report.pages.verdicts import paragraphs
from vidnas.report.text import accuracy_line
from vidnas.runs import begin, files
from vidnas.runs.log import RunLog
from vidnas.training.profile import Profile
from vidnas.training.scores import Scores
from vidnas.verbs.clipsheet import draw_clips


@dataclass(frozen=True)
class TrainResult:
    """A trained network's run folder, scores on the test videos after the last epoch, and cost."""

    run_dir: Path
    architecture: Architecture
    scores: Scores
    profile: Profile
    checkpoint_bytes: int
    findings: tuple[Finding, ...] = ()
    """What makes the network worth little; of a control that sees single frames nothing."""


def run_train(config: TrainConfig, *, resume: bool = False, opened: Videos | None = None) -> TrainResult:
    """Train the network that `config` names on all training videos, then test it, and write the run folder.

    With `resume` the run in `config.out` goes on where it was saved last, and begins where there is none: on
    a CPU with the same number of threads it comes to bit for bit what an uninterrupted one does. UserError
    where the genotype, the videos, the memory or the run folder do not allow it, before the first
    epoch; among them test videos that the search of the genotype has seen. `opened` are the videos of
    `config`, where they are open already.
    """
    training = trainings.prepare(config, opened or Videos(config), resume=resume)
    with begin.open_run(training.folder, training.config, resume=resume) as log:
        classes, config = training.scanned.index.classes, training.config
        show = partial(draw_clips, log, training.train_clips, classes, config)
        answered, scores, profile = trainings.run(training, log, begins=show)
        answers = name_answers(answered, training.scanned.index.test, classes)
        write_whole(log.path(files.PREDICTIONS), answers_csv(answers, classes))
        findings = () if config.single_frame else judge_test(scores, _epochs(log)[-1]["accuracy"], classes)
        cost = profile, log.path(files.CHECKPOINT).stat().st_size
        result = TrainResult(log.folder, training.architecture, scores, *cost, findings)
        _write_result(result, classes, config, log)
        say_skipped(log, training.scanned)
        return result


def _epochs(log: RunLog) -> list[dict[str, Any]]:
    return [record for record in log.records if record["kind"] == "train"]


def _write_result(result: TrainResult, classes: tuple[str, ...], config: TrainConfig, log: RunLog) -> None:
    """Write and record scores and cost, with which the training is finished; then draw and tell."""
    scores, protocol = result.scores, steps.describe_protocol("paper", config)
    record = {
        "protocol": protocol,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "scores": asdict(scores),
        "warnings": [asdict(finding) for finding in result.findings],
        "cost": asdict(result.profile) | {"checkpoint_bytes": result.checkpoint_bytes},
    }
    log.write(files.RESULT, json.dumps(record, indent=2) + "\n")
    numbers = {name: getattr(scores, name) for name in ("top1", "top5", "balanced_accuracy")}
    log.record("test", config.epochs, **numbers)
    caption = accuracy_line(scores, protocol)
    _draw(result, classes, caption, log)
    log.say(caption)
    for paragraph in paragraphs(result.findings, config):
        log.say(f"Careful: {paragraph}")
    state = "kept, but not worth using" if result.findings else "ready to use"
    log.say(f"The network is {state}: vidnas.load({str(log.folder)!r})")


def _draw(result: TrainResult, classes: tuple[str, ...], caption: str, log: RunLog) -> None:
    """Draw the cell, where it is one, what is taken for what, and the epochs."""
    if isinstance(result.architecture, Genotype):
        cell = draw_cell(result.architecture)
        for name in files.CELL:
            save_figure(cell, log.path(name))
    save_figure(draw_confusion(result.scores.confusion, classes, caption=caption), log.path(files.CONFUSION))
    charts = []
    for what in ("loss", "accuracy"):
        line = Line("train", [(one["epoch"], one[what]) for one in _epochs(log)])
        charts.append(draw_lines(f"training {what}", [line], share=what == "accuracy"))
    save_figure(draw_curves(charts), log.path(files.CURVES))
