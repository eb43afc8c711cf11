"""What numbers say against a result, in sentences: a network that guesses, or knows its training by heart.

This decides when a network is called ready to use. Chance is what guessing gets, by the metric: of all videos
whoever always answers the largest class, of the balanced accuracy one in their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vidnas.errors import counted
from vidnas.nas.genotype import Genotype
from vidnas.training.scores import Scores

Kind = Literal["learnt nothing", "guesses", "learnt by heart", "one answer", "alpha still", "alpha collapsed"]

LEARNT = 0.25
"""How far above guessing accuracy on the training clips must be, as a share of guessing's own successes or
failures, whichever are fewer: below, nothing has been learnt."""
KEPT = 0.5
"""Of what training clips show above chance, so much must be possible on test videos by their interval, ..."""
MARGIN = 0.1
"""... or the upper end of the interval be no further below."""
ONE_ANSWER = 0.9
"""Share of all videos, and of those of other classes, that get one and the same answer."""
STILL = 1.1
"""Mean over the edges of alpha's largest share, over an even one, below which it has hardly moved."""
COLLAPSED = 0.8
"""Mean share of `skip` and `none` together above which alpha has collapsed, ..."""
SKIPS = 0.75
"""... or share of skips among the ops of the cell."""


FEW_GROUPS = 10
"""A test of fewer groups may be too small to tell even where its accuracy is below chance."""


@dataclass(frozen=True)
class Finding:
    """Something that makes a result worth little."""

    kind: Kind
    sentence: str
    """What is the matter, to stand behind the name of the network or search."""
    causes: tuple[str, ...]
    """The likely ones first."""
    remedy: str
    """What to try next, without a full stop."""

    def about(self, subject: str, command: str = "") -> str:
        """All of it in one paragraph; `command` tries the remedy."""
        causes = "; ".join(self.causes)
        remedy = f"{self.remedy}: {command}" if command else f"{self.remedy}."
        return f"{subject} {self.sentence} Likely causes, in this order: {causes}. To try next: {remedy}"


def chance(scores: Scores) -> float:
    """Accuracy of always answering the largest class of the test.

    Where a class has no test videos, the test is not what the network was made for: one in all classes.
    """
    sizes = [sum(row) for row in scores.confusion]
    return max(sizes) / sum(sizes) if all(sizes) else 1 / len(sizes)


def describe_chance(scores: Scores) -> str:
    """What guessing gets, by the metric where it matters."""
    guess, even = chance(scores), 1 / len(scores.per_class)
    if np.isclose(guess, even):
        return f"chance {even:.1%}"
    return f"chance {guess:.1%} (always the largest class), of the balanced accuracy {even:.1%}"


def judge_test(
    scores: Scores, train_accuracy: float | None, classes: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """What a test says against its network; `train_accuracy` is that on the training clips, where known."""
    found = _worth(scores, train_accuracy), _one_answer(scores, classes)
    return tuple(one for one in found if one is not None)


def _worth(scores: Scores, train: float | None) -> Finding | None:
    low, high = scores.interval
    guess = chance(scores)
    tested = f"{scores.top1:.1%} of the test videos right (95 % interval {low:.1%} to {high:.1%})"
    if _guesses(scores):
        if train is not None and train < guess + LEARNT * min(guess, 1 - guess):
            return _learnt_nothing(train, guess)
        return _guessing(scores, tested, train, guess)
    if train is not None and high < min(train - MARGIN, guess + KEPT * (train - guess)):
        return Finding(
            "learnt by heart",
            f"knows its training clips by heart: {train:.1%} of them right, but {tested}; chance is "
            f"{guess:.1%}.",
            ("too few different recordings of each class", *_OTHER_SCENES),
            _MORE_RECORDINGS,
        )
    return None


def _guesses(scores: Scores) -> bool:
    """Whether neither accuracy is above its chance by the interval, taken to be as wide for both."""
    margin = scores.top1 - scores.interval[0]
    return scores.interval[0] <= chance(scores) and scores.balanced_accuracy - margin <= 1 / len(
        scores.per_class
    )


def _learnt_nothing(train: float, guess: float) -> Finding:
    return Finding(
        "learnt nothing",
        f"has learnt nothing: on its own training clips it is no better than guessing ({train:.1%}, chance "
        f"{guess:.1%}).",
        (
            "a learning rate that is too high for this network, or far too low",
            "too few epochs",
            "clips that do not show the action (see clips.png)",
            _WRONG_LABELS,
        ),
        "a tenth of the --lr, then more --epochs",
    )


_WRONG_LABELS = "labels that do not fit the videos (look at clips.png)"
_OTHER_SCENES = (
    "other places, people or light in the test than in training",
    "training videos that show their class by something else than the action, such as the background",
)
_MORE_RECORDINGS = (
    "more recordings of each class, in the places and the light of the test; until there are, --input "
    "residual if it is not on, which hides still backgrounds, and with dark clips --photometric 0.4 "
    "--clip-norm frames"
)


def _guessing(scores: Scores, tested: str, train: float | None, guess: float) -> Finding:
    tests, groups = counted(scores.num_clips, "video"), counted(scores.num_groups, "group")
    small = f"a test too small to tell ({tests}, {groups})"
    learnt = "" if train is None else f"; of its training clips it gets {train:.1%}"
    even = (
        "chance is"
        if np.isclose(guess, 1 / len(scores.per_class))
        else "always answering the largest class gets"
    )
    return Finding(
        "guesses",
        f"cannot be told from guessing: {tested}; {even} {guess:.1%}{learnt}.",
        (
            *((small,) if scores.top1 > guess or scores.num_groups < FEW_GROUPS else ()),
            *_OTHER_SCENES,
            "too few different recordings of each class",
            _WRONG_LABELS,
        ),
        _MORE_RECORDINGS,
    )


def _one_answer(scores: Scores, classes: Sequence[str]) -> Finding | None:
    confusion = np.array(scores.confusion)
    assert confusion.any()
    answers, sizes = confusion.sum(axis=0), confusion.sum(axis=1)
    label = int(answers.argmax())
    others = sizes.sum() - sizes[label]
    taken = answers[label] - confusion[label, label]
    if answers[label] < ONE_ANSWER * sizes.sum() or taken < ONE_ANSWER * others or not others:
        return None
    name = classes[label] if classes else f"class {label}"
    return Finding(
        "one answer",
        f"answers {name} for {answers[label] / sizes.sum():.1%} of the test videos, of which "
        f"{sizes[label] / sizes.sum():.1%} are it.",
        (
            "a learning rate that is too high for this network",
            "too few epochs",
            "training classes of very different sizes (`vidnas check` counts, --balance weighs them alike)",
        ),
        "a tenth of the --lr, then more --epochs",
    )


def judge_alpha(
    mixing: Sequence[Sequence[float]], primitives: Sequence[str], genotype: Genotype
) -> tuple[Finding, ...]:
    """What alpha's softmax, (edges, primitives), and the cell read from it say against a search."""
    shares = np.array(mixing)
    even = 1 / len(primitives)
    largest = float(shares.max(axis=1).mean())
    if largest < STILL * even:
        return (
            Finding(
                "alpha still",
                f"has hardly moved alpha: on an edge its largest share is {largest:.1%} on average and began "
                f"at {even:.1%}, so the cell is nearly a random one.",
                ("too few steps (videos x epochs)", "too small a learning rate of alpha"),
                "ten times the --alpha-lr, or more --epochs",
            ),
        )
    idle = [j for j, name in enumerate(primitives) if name in ("skip", "none")]
    empty = float(shares[:, idle].sum(axis=1).mean())
    ops = [edge.primitive for node in genotype.nodes for edge in node]
    skips = ops.count("skip")
    if empty < COLLAPSED and skips < SKIPS * len(ops):
        return ()
    return (
        Finding(
            "alpha collapsed",
            f"has collapsed: {skips} of its cell's {len(ops)} ops are skips, and on an edge skip and none "
            f"have {empty:.1%} of alpha on average, so the cell computes little.",
            ("too many epochs of search", "too large a learning rate of alpha"),
            "the cell of an earlier epoch (genotypes/ in its run folder), or a tenth of the --alpha-lr",
        ),
    )
