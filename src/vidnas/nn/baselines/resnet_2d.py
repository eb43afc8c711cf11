"""A control that knows appearance alone: ResNet-18 (He et al., 2016) on one frame of the clip."""

from torch import nn

from vidnas.nn.baselines.parts import ClipSize, Triple, conv_norm, init_kaiming
from vidnas.nn.baselines.resnet import BASIC_18, WIDTHS, Residual
from vidnas.nn.head import Head
from vidnas.shapes import Logits, Video

SPATIAL: Triple = (1, 3, 3)


class ResNet2D(nn.Module):
    """The frame in the middle of the clip, a ResNet-18 with filters of one frame, mean, linear."""

    def __init__(self, num_classes: int, *, channels: int, dropout: float) -> None:
        super().__init__()
        pool = nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        self.stem = nn.Sequential(conv_norm(channels, WIDTHS[0], (1, 7, 7), (1, 2, 2)), pool)
        blocks = []
        channels_in = WIDTHS[0]
        for stage, (width, depth) in enumerate(zip(WIDTHS, BASIC_18, strict=True)):
            for index in range(depth):
                blocks.append(_block(channels_in, width, 2 if stage > 0 and index == 0 else 1))
                channels_in = width
        self.blocks = nn.Sequential(*blocks)
        self.head = Head(channels_in, num_classes, dropout)
        init_kaiming(self)

    def forward(self, video: Video) -> Logits:
        """Logits of a batch."""
        middle = video.shape[2] // 2
        return self.head(self.blocks(self.stem(video[:, :, middle : middle + 1])))  # type: ignore[no-any-return]


def _block(channels_in: int, width: int, stride: int) -> Residual:
    strides = (1, stride, stride)
    same = stride == 1 and channels_in == width
    convs = nn.Sequential(
        conv_norm(channels_in, width, SPATIAL, strides), conv_norm(width, width, SPATIAL, activation=None)
    )
    fitted = conv_norm(channels_in, width, (1, 1, 1), strides, activation=None)
    return Residual(convs, nn.Identity() if same else fitted, nn.Identity())


def build_resnet_2d(
    num_classes: int,
    *,
    clip: ClipSize,  # noqa: ARG001
    channels: int = 3,
    dropout: float = 0.0,
) -> nn.Module:
    """2d-resnet-18."""
    return ResNet2D(num_classes, channels=channels, dropout=dropout)
