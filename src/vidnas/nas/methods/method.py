"""A search method as a value, and how its steps alternate with those of the weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vidnas.shapes import Alpha, Labels, Video
from vidnas.training.loop import Batch, Stateful, Tally, WeightStep

LabelledClips = tuple[Video, Labels]


@dataclass(frozen=True)
class Method:
    """How a supernet is searched; made for one supernet, whose weights learn beside it."""

    step: Callable[[LabelledClips, LabelledClips, float], object]
    """step(train, val, weights_lr): learn from a batch of either part, ahead of the weights' step on `train`
    with this learning rate."""
    judge: Callable[[], Alpha]
    """What it thinks of the candidates now: a row per row of the space, a column per candidate."""
    state: Mapping[str, Stateful]
    """What a checkpoint keeps of it, by name."""


class AlphaHistory:
    """Alpha after every epoch, (epochs, edges, primitives): what the result is chosen from and drawn with."""

    def __init__(self) -> None:
        self.epochs: list[Alpha] = []

    def state_dict(self) -> dict[str, list[Alpha]]:
        """What a checkpoint keeps."""
        return {"epochs": self.epochs}

    def load_state_dict(self, state: dict[str, list[Alpha]]) -> None:
        """Go on from there."""
        self.epochs = list(state["epochs"])


def search_step(step: WeightStep, method: Method, train_batch: Batch, val_batch: Batch, tally: Tally) -> None:
    """A step of the method on a val batch and one of the weights on a train batch, which `tally` counts."""
    train_clips = step.precision.to_device(train_batch)
    method.step(train_clips, step.precision.to_device(val_batch), step.lr)
    step(*train_clips, tally)
