"""Networks side by side: each over its seeds, and against one of them, paired by video."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vidnas.compare.verdict import Finding, judge_test
from vidnas.runs.finished import SeedRun
from vidnas.training.scores import bootstrap_interval

Interval = tuple[float, float]


@dataclass(frozen=True)
class Cost:
    """What a network costs, whatever its weights; latency is measured for all networks in one go."""

    parameters: int
    weight_bytes: int
    checkpoint_bytes: int
    """Of a run folder's checkpoint, which holds the optimizer's state too."""
    macs: int
    latency_ms: float
    latency_spread_ms: float
    reference_ms: float | None = None
    """Time of the reference that training/latency.py measures beside."""
    busy: bool = False
    """Whether the machine had other work throughout, so that the latency is too long."""


@dataclass(frozen=True)
class Row:
    """One network of a comparison. Accuracies are fractions of 1; what needs more runs is None."""

    name: str
    runs: tuple[SeedRun, ...]
    cost: Cost | None
    failures: tuple[str, ...]
    """A sentence about each training that failed."""
    accuracy: float | None
    """Mean over the seeds."""
    spread: float | None
    """Standard deviation over the seeds."""
    interval: Interval | None
    """95 %, over the draw of groups of test videos, of the mean over the seeds."""
    difference: float | None
    """To the reference's accuracy over the seeds that both have."""
    difference_interval: Interval | None
    """95 %, over the draw of groups, paired by video."""

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean over the seeds."""
        return statistics.fmean(run.scores.balanced_accuracy for run in self.runs) if self.runs else None

    @property
    def train_accuracy(self) -> float | None:
        """Of the last epochs, mean over the seeds."""
        return statistics.fmean(run.train_accuracy for run in self.runs) if self.runs else None

    @property
    def train_sec(self) -> float | None:
        """Of a training, mean over the seeds."""
        return statistics.fmean(run.train_sec for run in self.runs) if self.runs else None

    @property
    def epochs(self) -> int | None:
        """Of a training."""
        return self.runs[0].epochs if self.runs else None

    @property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Clips by true class (row) and predicted class (column), summed over the seeds."""
        matrices = [run.scores.confusion for run in self.runs]
        return tuple(
            tuple(sum(counts) for counts in zip(*rows, strict=True)) for rows in zip(*matrices, strict=True)
        )

    def findings(self, classes: Sequence[str] = ()) -> tuple[Finding, ...]:
        """What the tests of all seeds together say against it."""
        if self.accuracy is None or self.balanced_accuracy is None or self.interval is None:
            return ()
        together = replace(
            self.runs[0].scores,
            top1=self.accuracy,
            balanced_accuracy=self.balanced_accuracy,
            confusion=self.confusion,
            interval=self.interval,
        )
        return judge_test(together, self.train_accuracy, classes)

    @property
    def learnt_nothing(self) -> bool:
        """Whether it is no better than guessing, on its own training clips neither."""
        return any(finding.kind == "learnt nothing" for finding in self.findings())


@dataclass(frozen=True)
class Comparison:
    """A table of networks, in the order in which they were asked for."""

    rows: tuple[Row, ...]
    reference: str
    """Name of the row to which the others are compared."""
    searched: str | None
    """Name of the row of the searched network, if there is one: what the paper's own stands beside."""
    classes: tuple[str, ...]
    caption: str
    """Data, clips, recipe and protocol in words: what an accuracy means nothing without."""
    machine: str
    """Where time was measured, in words."""

    @property
    def compared(self) -> bool:
        """Whether any network has a difference to the reference."""
        return any(row.difference is not None for row in self.rows)


def make_row(
    name: str,
    runs: Sequence[SeedRun],
    cost: Cost | None,
    failures: Sequence[str],
    reference: Sequence[SeedRun] | None,
) -> Row:
    """The row of a network with these finished runs; `reference` are those to compare with, if others."""
    difference = paired_difference(runs, reference) if reference is not None else None
    accuracies = [run.scores.top1 for run in runs]
    return Row(
        name=name,
        runs=tuple(runs),
        cost=cost,
        failures=tuple(failures),
        accuracy=statistics.fmean(accuracies) if runs else None,
        spread=statistics.stdev(accuracies) if len(runs) > 1 else None,
        interval=bootstrap_interval(_mean_right(runs), runs[0].groups) if runs else None,
        difference=difference[0] if difference else None,
        difference_interval=difference[1] if difference else None,
    )


def paired_difference(runs: Sequence[SeedRun], reference: Sequence[SeedRun]) -> tuple[float, Interval] | None:
    """How much more often `runs` are right than `reference`, over the seeds of both; None without such.

    Both have seen the same test videos, so what is hard for both cancels out, and the interval is narrower
    than the two single ones suggest.
    """
    seeds = {run.seed for run in runs} & {run.seed for run in reference}
    if not seeds:
        return None
    own, other = ([run for run in side if run.seed in seeds] for side in (runs, reference))
    assert own[0].videos == other[0].videos
    values = _mean_right(own) - _mean_right(other)
    return float(values.mean()), bootstrap_interval(values, own[0].groups)


def _mean_right(runs: Sequence[SeedRun]) -> npt.NDArray[np.float64]:
    """How often each test video was right, over the seeds."""
    right = np.array([run.right for run in runs], dtype=np.float64)
    return np.asarray(right.mean(axis=0))
