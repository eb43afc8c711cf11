"""How good predictions are: accuracy with an interval that knows about groups, per class, and confusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from vidnas.errors import UserError, counted
from vidnas.shapes import Labels, Logits


@dataclass(frozen=True)
class Scores:
    """The scores of one test; every accuracy is a fraction from 0 to 1."""

    top1: float
    top5: float
    """Share of clips whose class is among the `top5_k` best."""
    top5_k: int
    """5, or the number of classes where that is smaller."""
    balanced_accuracy: float
    """Mean of `per_class`, the recalls, over the classes that have clips: every class counts alike (Brodersen
    et al., 2010)."""
    per_class: tuple[float | None, ...]
    """Top-1 accuracy within each class; None for a class without clips."""
    confusion: tuple[tuple[int, ...], ...]
    """Clips by true class (row) and predicted class (column)."""
    interval: tuple[float, float]
    """95 % interval of top1 over the draw of groups of clips; it covers no other chance, such as the seed."""
    num_clips: int
    num_groups: int


FORMER_NAMES = {"mean_class": "balanced_accuracy"}
"""What scores are called in the files of older versions: the name of today."""


def by_present_names(record: Mapping[str, Any]) -> dict[str, Any]:
    """Scores as a file of any version holds them, under the names of `Scores`."""
    return {FORMER_NAMES.get(name, name): value for name, value in record.items()}


def scores_from(record: Mapping[str, Any]) -> Scores:
    """Scores as JSON holds them; LookupError, TypeError or ValueError where they are not whole."""
    low, high = record["interval"]
    present = by_present_names(record) | {
        "interval": (low, high),
        "per_class": tuple(record["per_class"]),
        "confusion": tuple(tuple(row) for row in record["confusion"]),
    }
    return Scores(**{field.name: present[field.name] for field in fields(Scores)})


def score(
    logits: Logits, labels: Labels, groups: Sequence[str], *, seed: int = 0, resamples: int = 2000
) -> Scores:
    """Score the logits of at least one clip. Of equal logits the lower class ranks first.

    `groups[i]` is the group of clip i, which holds clips that are alike because they come from one video:
    a key that is unique over classes, or the clip's own name where there are no groups.
    """
    assert len(labels) == len(groups) > 0
    if logits.isnan().any():
        count = int(logits.isnan().any(dim=1).sum())
        raise UserError(
            f"The network's output is not a number for {count} of {counted(len(labels), 'clip')}: "
            "it diverged while training. Train it again with a smaller learning rate."
        )
    num_classes = logits.shape[1]
    ranking = logits.argsort(dim=1, descending=True, stable=True).cpu().numpy()
    truth = labels.cpu().numpy()
    hits = ranking == truth[:, None]
    correct = hits[:, 0]
    confusion = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(confusion, (truth, ranking[:, 0]), 1)
    per_class = tuple(
        int(row[label]) / int(row.sum()) if row.any() else None for label, row in enumerate(confusion)
    )
    present = [accuracy for accuracy in per_class if accuracy is not None]
    return Scores(
        top1=float(correct.mean()),
        top5=float(hits[:, :5].any(axis=1).mean()),
        top5_k=min(5, num_classes),
        balanced_accuracy=sum(present) / len(present),
        per_class=per_class,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        interval=bootstrap_interval(correct, groups, seed=seed, resamples=resamples),
        num_clips=len(truth),
        num_groups=len(set(groups)),
    )


def bootstrap_interval(
    values: npt.NDArray[np.bool_] | npt.NDArray[np.float64],
    groups: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 2000,
) -> tuple[float, float]:
    """95 % percentile interval of the mean of `values`, one of each clip, when whole groups are drawn with
    replacement. A value is whether a clip is right or, of two networks alike, how much more often.

    Clips of one group are cut from one video and err together; drawing them one by one would make the
    interval too narrow.
    """
    _, group_of = np.unique(np.asarray(groups), return_inverse=True)
    clips = np.bincount(group_of)
    hits = np.bincount(group_of, weights=values)
    generator = np.random.default_rng(seed)
    draws = (generator.integers(len(clips), size=len(clips)) for _ in range(resamples))
    means = [hits[draw].sum() / clips[draw].sum() for draw in draws]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
