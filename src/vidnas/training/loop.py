"""The loops over batches: one step of the weights, a training epoch, an evaluation epoch."""

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from vidnas.shapes import Labels, Logits, Video
from vidnas.training.recipe import Mix, blend
from vidnas.video.clips.transforms import normalize

Batch = Sequence[Tensor]
"""What a loader brings: videos, labels, and the videos' indices in their dataset.

Plain tensors, since batches of one iterable differ in size; shapes are checked where one is taken apart."""


@runtime_checkable
class Stateful(Protocol):
    """What has a state of tensors and plain values: a module, an optimizer, a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """Its state."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Take this state."""


@dataclass(frozen=True)
class Precision:
    """Where to compute and in what: `dtype` is autocast's, or None for float32 throughout."""

    device: torch.device
    dtype: torch.dtype | None = None

    def autocast(self) -> AbstractContextManager[object]:
        """The context for a forward pass."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None)

    def to_device(self, batch: Batch) -> tuple[Video, Labels]:
        """Videos and labels of a batch on the device, ready for a network."""
        videos, labels, _ = batch
        return self.ready(videos), labels.to(self.device, non_blocking=True)

    def ready(self, videos: Tensor) -> Tensor:
        """Videos on the device; pixels are normalised there, what is normalised stays as it is."""
        videos = videos.to(self.device, non_blocking=True)
        return normalize(videos) if videos.dtype == torch.uint8 else videos


def best_precision(device: torch.device) -> Precision:
    """Mixed precision where the device has it: bfloat16, or float16 on a GPU without it."""
    if device.type == "cuda":
        bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return Precision(device, torch.bfloat16 if bfloat16 else torch.float16)
    return Precision(device, torch.float16 if device.type == "mps" else None)


@dataclass
class Tally:
    """Running mean of loss and top-1 accuracy over the clips seen."""

    num_clips: int = 0
    loss_sum: float = 0.0
    num_correct: int = 0

    def add(self, logits: Logits, labels: Labels, loss: float) -> None:
        """Count a batch with its mean loss."""
        self.num_clips += len(labels)
        self.loss_sum += loss * len(labels)
        self.num_correct += int((logits.argmax(dim=1) == labels).sum())

    @property
    def loss(self) -> float:
        """Mean loss of a clip."""
        return self.loss_sum / self.num_clips

    @property
    def accuracy(self) -> float:
        """Share of clips whose best class is right."""
        return self.num_correct / self.num_clips


@dataclass
class WeightStep:
    """One optimizer step on a batch, the schedule's step behind it: what outlives a step of training.

    `accumulate` cuts a batch into that many parts, whose gradients add up to the batch's (batch norm sees the
    parts, and clips are blended by `mix` within one). `class_weights`, one a class and on the device, make
    the loss a weighted mean over the batch, as in torch's CrossEntropyLoss. `average` follows the weights;
    who has one tests that. `grad_clip` bounds the norm of the gradient of `weights`, which are all that the
    optimizer holds.
    """

    model: nn.Module
    weights: Sequence[Tensor]
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    precision: Precision
    label_smoothing: float = 0.0
    class_weights: Tensor | None = None
    mix: Mix = "none"
    accumulate: int = 1
    grad_clip: float | None = None
    average: AveragedModel | None = None
    scaler: torch.amp.GradScaler = field(init=False)

    def __post_init__(self) -> None:
        # Only float16 gradients underflow; for the others the scaler passes everything through.
        float16 = self.precision.dtype is torch.float16
        self.scaler = torch.amp.GradScaler(self.precision.device.type, enabled=float16)

    @property
    def tested(self) -> nn.Module:
        """What is to be tested: the model, or its average."""
        if self.average is None:
            return self.model
        averaged: nn.Module = self.average.module
        return averaged

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def __call__(self, videos: Video, labels: Labels, tally: Tally) -> None:
        """Step the weights on one batch and count it in `tally`."""
        parts = zip(videos.chunk(self.accumulate), labels.chunk(self.accumulate), strict=True)
        for part, part_labels in parts:
            with self.precision.autocast():
                logits, loss = self._loss(part, part_labels)
            scaled = self.scaler.scale(loss * self._share(part_labels, labels))
            torch.autograd.backward([scaled], inputs=list(self.weights))
            tally.add(logits, part_labels, loss.item())
        self._update()

    def _share(self, part: Tensor, whole: Tensor) -> Tensor | float:
        """How much the mean loss over these labels of a part counts in that over those of the whole batch."""
        if self.class_weights is None:
            return len(part) / len(whole)
        return self.class_weights[part].sum() / self.class_weights[whole].sum()

    def _loss(self, videos: Video, labels: Labels) -> tuple[Logits, Tensor]:
        smoothing, weights = self.label_smoothing, self.class_weights
        if self.mix == "none":
            logits = self.model(videos)
            return logits, F.cross_entropy(logits, labels, weights, label_smoothing=smoothing)
        blended = blend(videos, self.mix)
        logits = self.model(blended.videos)
        return logits, blended.loss(logits, labels, smoothing, weights)

    def _update(self) -> None:
        if self.grad_clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.weights, self.grad_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(self.model)


def train_epoch(
    step: WeightStep, batches: Iterable[Batch], tally: Tally, *, after_step: Callable[[], None]
) -> None:
    """Step the weights on each of `batches` and count it in `tally`; `after_step()` is called behind each."""
    step.model.train()
    for batch in batches:
        step(*step.precision.to_device(batch), tally)
        after_step()


@dataclass(frozen=True)
class Predictions:
    """What a model says of each video: scores are log probabilities, one row per video in the order seen."""

    scores: Logits
    labels: Labels
    indices: Labels

    @property
    def accuracy(self) -> float:
        """Share of videos whose best class is right."""
        return float((self.scores.argmax(dim=1) == self.labels).float().mean())

    @property
    def loss(self) -> float:
        """Mean negative log probability of the right class."""
        return float(F.nll_loss(self.scores, self.labels))


@torch.no_grad()
def evaluate_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    precision: Precision,
    *,
    max_clips: int,
) -> Predictions:
    """The model's scores of every video, in evaluation mode, at most `max_clips` clips at once.

    A batch's videos come as (batch, views, channels, time, height, width); a video's probabilities are the
    mean of its views' softmax.
    """
    model.eval()
    parts = [
        (_mean_over_views(model, views, precision, max_clips), labels, indices)
        for views, labels, indices in batches
    ]
    scores, labels, indices = (torch.cat(column) for column in zip(*parts, strict=True))
    return Predictions(scores, labels, indices)


def _mean_over_views(
    model: Callable[[Video], Logits], views: Tensor, precision: Precision, max_clips: int
) -> Logits:
    clips = views.flatten(0, 1)
    with precision.autocast():
        logits = [model(precision.ready(part)).float().cpu() for part in torch.split(clips, max_clips)]
    log_softmax = torch.cat(logits).log_softmax(dim=1).reshape(*views.shape[:2], -1)
    return log_softmax.logsumexp(dim=1) - math.log(views.shape[1])
