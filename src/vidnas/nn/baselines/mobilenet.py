"""3D-MobileNetV2 at 0.45 of its width (Köpüklü et al., "Resource Efficient 3D CNNs", 2019).

Sandler et al.'s inverted residuals with three-dimensional depthwise filters. The features before the head are
as many as at full width.
"""

from torch import Tensor, nn

from vidnas.nn.baselines.parts import conv_norm, depthwise, for_every_clip, network_of
from vidnas.nn.head import Head
from vidnas.shapes import Video

WIDTH = 0.45
STEM = 32
FEATURES = 1280
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels at full width, blocks, and the stride of the first in time and space."""


class InvertedResidual(nn.Module):
    """Wider by a factor, depthwise, narrow again; added to the input where it has the same shape."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        self.convs = nn.Sequential(
            *([conv_norm(channels_in, wide, (1, 1, 1), activation=nn.ReLU6)] if expansion > 1 else []),
            depthwise(wide, (3, 3, 3), (stride,) * 3, nn.ReLU6),
            conv_norm(wide, channels_out, (1, 1, 1), activation=None),
        )
        self.added = stride == 1 and channels_in == channels_out

    def forward(self, video: Video) -> Tensor:
        """The block's output."""
        out: Tensor = self.convs(video)
        return video + out if self.added else out


@for_every_clip
def build_mobilenet(num_classes: int, channels: int, dropout: float) -> nn.Module:
    """Stem, inverted residuals, 1x1x1 to the features, mean, linear."""
    width = int(STEM * WIDTH)
    layers: list[nn.Module] = [conv_norm(channels, width, (3, 3, 3), (1, 2, 2), activation=nn.ReLU6)]
    for expansion, full_width, depth, stride in STAGES:
        for index in range(depth):
            channels_out = int(full_width * WIDTH)
            layers.append(InvertedResidual(width, channels_out, stride if index == 0 else 1, expansion))
            width = channels_out
    layers.append(conv_norm(width, FEATURES, (1, 1, 1), activation=nn.ReLU6))
    return network_of({"layers": nn.Sequential(*layers), "head": Head(FEATURES, num_classes, dropout)})
