"""Norms of the supernet and the networks, and what the kernels need to know of them."""

import torch.nn.functional as F
from torch import Tensor, nn

from vidnas.nn.layout import channels_first
from vidnas.nn.native.norms import EPS
from vidnas.shapes import Features, Video


class BatchStatsNorm(nn.Module):
    """Batch norm that always uses the batch's own statistics: no parameters, no running statistics.

    The supernet's only norm. Having nothing to remember, the architect's extra passes leave no trace.
    """

    def forward(self, video: Video) -> Video:
        """Normalise each channel over batch, time, height and width."""
        return F.batch_norm(video, None, None, training=True)


def norm(channels: int, batch_stats: bool) -> nn.Module:
    """The supernet's norm (`batch_stats`) or the network's batch norm with affine parameters."""
    return BatchStatsNorm() if batch_stats else nn.BatchNorm3d(channels)


def norm_images(norm: nn.Module, out: Tensor, num_frames: int) -> Features:
    """The video of these images, behind a norm: a 3-D one does not mind clips of one frame."""
    normed = norm(out.unsqueeze(2)).squeeze(2)
    return channels_first(normed.unflatten(0, (-1, num_frames)))


def image_filters(conv: nn.Module) -> Tensor:
    """The filters of a convolution of single frames, (outputs, inputs, height, width)."""
    assert isinstance(conv, nn.Conv3d)
    return conv.weight.squeeze(2)


def weight_and_bias(norm: nn.Module, filters: Tensor) -> tuple[Tensor, Tensor]:
    """Of a norm without parameters too, which stands behind these filters."""
    if isinstance(norm, nn.BatchNorm3d) and norm.affine:
        return norm.weight, norm.bias
    return filters.new_ones(len(filters)), filters.new_zeros(len(filters))


def by_the_batch(*norms: nn.Module) -> bool:
    """Whether these norms use the batch's own statistics just as the kernels compute them.

    Others, such as frozen ones or a subclass, are to be called themselves.
    """
    return all(
        type(norm) is BatchStatsNorm
        or (type(norm) is nn.BatchNorm3d and norm.training and norm.eps == EPS and norm.momentum is not None)
        for norm in norms
    )


def remember(norm: nn.Module, mean: Tensor, var: Tensor) -> None:
    """What a batch norm does with a batch's mean and unbiased variance while training."""
    if isinstance(norm, nn.BatchNorm3d) and norm.track_running_stats:
        assert norm.running_mean is not None and norm.running_var is not None
        assert norm.num_batches_tracked is not None and norm.momentum is not None
        for running, own in ((norm.running_mean, mean), (norm.running_var, var)):
            running.lerp_(own.to(running), norm.momentum)
        norm.num_batches_tracked.add_(1)
