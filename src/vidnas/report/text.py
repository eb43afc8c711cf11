"""Scores in words: what the verbs print, always with the protocol beside the accuracy."""

from collections.abc import Sequence

from vidnas.compare.verdict import describe_chance
from vidnas.errors import counted
from vidnas.report.geometry.confusion import confused
from vidnas.training.scores import Scores


def accuracy_line(scores: Scores, protocol: str) -> str:
    """Accuracies in per cent, the interval, and how they were measured."""
    low, high = scores.interval
    few = scores.top5_k >= len(scores.per_class)  # of five classes, each is among the five best
    top5 = "" if few else f", {scores.top5:.1%} top-{scores.top5_k}"
    return (
        f"Test accuracy: {scores.top1:.1%} top-1 (95 % interval {low:.1%} to {high:.1%} over "
        f"{counted(scores.num_groups, 'group')}){top5}; balanced accuracy "
        f"{scores.balanced_accuracy:.1%}; {describe_chance(scores)}. "
        f"{counted(scores.num_clips, 'video')}; protocol: {protocol}."
    )


def class_table(scores: Scores, classes: Sequence[str]) -> str:
    """One line per class: its accuracy, its clips, and what it is most often taken for."""
    width = max(len("class"), *map(len, classes))
    lines = [f"{'class':{width}}  accuracy  clips  most often taken for"]
    for label, (name, accuracy) in enumerate(zip(classes, scores.per_class, strict=True)):
        found = confused(scores.confusion, label)
        taken_for = f"{classes[found[0]]} ({found[1]})" if found else "-"
        share = "-" if accuracy is None else f"{accuracy:.1%}"
        lines.append(f"{name:{width}}  {share:>8}  {sum(scores.confusion[label]):5}  {taken_for}")
    return "\n".join(lines)
