"""A control that knows appearance alone: ResNet-18 (He et al., 2016) on one frame of the clip."""

from itertools import pairwise

from torch import Tensor, nn

from vidnas.nn.baselines.parts import Triple, conv_norm, for_every_clip, network_of
from vidnas.nn.baselines.resnet import BASIC_18, WIDTHS, Residual, widths_of
from vidnas.nn.head import Head
from vidnas.shapes import Video

SPATIAL: Triple = (1, 3, 3)


class MiddleFrame(nn.Sequential):
    """Layers that see the frame in the middle of the clip."""

    def forward(self, video: Video) -> Tensor:
        """What they make of it."""
        middle = video.shape[2] // 2
        return super().forward(video[:, :, middle : middle + 1])  # type: ignore[no-any-return, no-untyped-call]


def _block(channels_in: int, width: int) -> Residual:
    strides = (1, 1, 1) if channels_in == width else (1, 2, 2)
    convs = nn.Sequential(
        conv_norm(channels_in, width, SPATIAL, strides), conv_norm(width, width, SPATIAL, activation=None)
    )
    fitted = conv_norm(channels_in, width, (1, 1, 1), strides, activation=None)
    return Residual(convs, nn.Identity() if channels_in == width else fitted)


@for_every_clip
def build_resnet_2d(num_classes: int, channels: int, dropout: float) -> nn.Module:
    """The frame in the middle of the clip, a ResNet-18 with filters of one frame, mean, linear."""
    pool = nn.MaxPool3d(SPATIAL, stride=(1, 2, 2), padding=(0, 1, 1))
    stem = MiddleFrame(conv_norm(channels, WIDTHS[0], (1, 7, 7), (1, 2, 2)), pool)
    blocks = nn.Sequential(*(_block(before, width) for before, width in pairwise(widths_of(BASIC_18))))
    return network_of({"stem": stem, "blocks": blocks, "head": Head(WIDTHS[-1], num_classes, dropout)})
