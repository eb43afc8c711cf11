"""What makes small networks train well: a warmed-up schedule, blended clips, averaged weights, balance."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vidnas.shapes import Labels, Logits, Video

Mix = Literal["none", "mixup", "cutmix"]
MIXUP_CONCENTRATION = 0.2
"""Of the Beta distribution of mixup's share: most clips stay nearly what they are (Zhang et al., 2018)."""


def warmed_cosine(
    optimizer: torch.optim.Optimizer, *, num_steps: int, warmup: float
) -> torch.optim.lr_scheduler.LambdaLR:
    """The learning rate rises linearly in the share `warmup` of the steps, then falls to 0 by a cosine."""
    rising = warmup * num_steps

    def factor(step: int) -> float:
        if step < rising:
            return min(1.0, (step + 1) / rising)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / (num_steps - rising))))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def averaged(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of a network's weights and running statistics, by `decay` a step."""
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)  # type: ignore[no-untyped-call]


def balancing_weights(labels: Sequence[int], num_classes: int) -> Tensor:
    """A weight for each class, inverse to how many clips have it, for a loss in which classes count alike.

    Over the clips their mean is 1 (scikit-learn's "balanced"); a class without clips weighs nothing.
    """
    counts = torch.bincount(torch.tensor(labels), minlength=num_classes)
    return (counts > 0) * len(labels) / ((counts > 0).sum() * counts.clamp(min=1))


class Blend(NamedTuple):
    """Clips blended pairwise: clip i is `share` of itself and 1 - share of clip partner[i]."""

    videos: Video
    partner: Tensor
    share: float

    def loss(
        self, logits: Logits, labels: Labels, label_smoothing: float, class_weights: Tensor | None = None
    ) -> Tensor:
        """Mean cross-entropy with both labels of a clip, by their shares.

        The mean is weighted by class where there are weights; partners being a permutation of the clips, it
        has the same sum of weights for both labels.
        """
        own, other = (
            nn.functional.cross_entropy(logits, target, class_weights, label_smoothing=label_smoothing)
            for target in (labels, labels[self.partner])
        )
        return self.share * own + (1 - self.share) * other


def blend(videos: Video, mix: Mix) -> Blend:
    """Blend each clip with another of its batch by chance, which PyTorch's global generator gives.

    mixup (Zhang et al., 2018) averages two clips pixel by pixel; cutmix (Yun et al., 2019) pastes a box
    of one into the other, at the same place in every frame, its share uniform. One share serves the batch.
    """
    partner = torch.randperm(len(videos)).to(videos.device)
    if mix == "mixup":
        concentration = torch.tensor(MIXUP_CONCENTRATION)
        share = float(torch.distributions.Beta(concentration, concentration).sample())
        return Blend(share * videos + (1 - share) * videos[partner], partner, share)
    assert mix == "cutmix"
    height, width = videos.shape[3:]
    rows, columns = _random_box(height, width)
    pasted = videos.clone()
    pasted[..., rows, columns] = videos[partner][..., rows, columns]
    share = 1 - len(range(height)[rows]) * len(range(width)[columns]) / (height * width)
    return Blend(pasted, partner, share)


def _random_box(height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of a box of the picture's proportions, uniform in area, cut off at the borders."""
    area, middle_y, middle_x = torch.rand(3).tolist()
    side = math.sqrt(area)

    def span(length: int, middle: float) -> slice:
        low, high = (round(length * (middle + half * side)) for half in (-0.5, 0.5))
        return slice(max(0, low), min(length, high))

    return span(height, middle_y), span(width, middle_x)
