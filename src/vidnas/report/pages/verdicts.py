"""What a run's numbers say against it, and the command to try next."""

import shlex
from collections.abc import Sequence
from dataclasses import replace

from vidnas.compare.verdict import Finding, judge_alpha, judge_test
from vidnas.config.kinds import RunConfig
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.report.pages.settings import command, nearest_preset
from vidnas.runs.read import Run
from vidnas.training.scores import scores_from

FAST_ALPHA_LR = 1e-2
"""Where the learning rate of alpha is that high, a search that has not moved it needs more epochs."""


def findings_of(run: Run) -> tuple[Finding, ...]:
    """What is to be said of a search's alpha, or of the latest test of a training.

    Of a control that sees single frames nothing: that it guesses is what one may hope for.
    """
    if isinstance(run.config, SearchConfig):
        found = [cell for cell in run.cells if cell.epoch == run.chosen_epoch and cell.mixing]
        return judge_alpha(found[0].mixing, found[0].primitives, found[0].genotype) if found else ()
    if run.latest_test is None or run.config.single_frame:
        return ()
    train_accuracy = run.epochs[-1].get("accuracy") if run.epochs else None
    scores = scores_from(run.latest_test.scores)
    classes = run.classes if len(run.classes) == len(scores.per_class) else ()
    return judge_test(scores, train_accuracy, classes)


def paragraphs(findings: Sequence[Finding], config: RunConfig) -> list[str]:
    """Findings about a run with these settings in full, each with the command to try next."""
    subject = _subject(config)
    return [finding.about(subject, next_command(finding, config)) for finding in findings]


def advice(findings: Sequence[Finding], config: RunConfig) -> list[tuple[str, str]]:
    """Findings about a run with these settings, each as (paragraph, command to try next)."""
    subject = _subject(config)
    return [(finding.about(subject), next_command(finding, config)) for finding in findings]


def _subject(config: RunConfig) -> str:
    return "The search" if isinstance(config, SearchConfig) else "The network"


def next_command(finding: Finding, config: RunConfig) -> str:
    """A shell command that tries what a finding about a run with these settings suggests."""
    if isinstance(config, TrainConfig):
        if finding.kind in ("learnt nothing", "one answer"):
            changed: RunConfig = replace(config, lr=float(f"{config.lr / 10:g}"))
        elif config.input == "rgb":
            changed = replace(config, input="residual")
        elif not config.photometric and config.clip_norm == "off":
            changed = replace(config, photometric=0.4, clip_norm="frames")
        else:
            return shlex.join(["vidnas", "check", "--data", config.data])
    elif finding.kind == "alpha collapsed" or config.alpha_lr < FAST_ALPHA_LR:
        factor = 0.1 if finding.kind == "alpha collapsed" else 10
        changed = replace(config, alpha_lr=float(f"{config.alpha_lr * factor:g}"))
    else:
        changed = replace(config, epochs=2 * config.epochs)
    return command(replace(changed, threads=None), nearest_preset(changed))
