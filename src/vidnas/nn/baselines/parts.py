"""What the hand-designed networks share: convolutions with their norm, their initialisation, clip sizes."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

Triple = tuple[int, int, int]


class ClipSize(NamedTuple):
    """The clips that a network will see."""

    num_frames: int
    size_px: int


@runtime_checkable
class Builder(Protocol):
    """Builds a network for clips of this size.

    `channels` are those of its input, 6 for RGB and residual frames. `dropout` is the share of features
    dropped before the last layer, in place of what the network's authors had there: all networks of a
    comparison are trained by one recipe.
    """

    def __call__(
        self, num_classes: int, *, clip: ClipSize, channels: int = 3, dropout: float = 0.0
    ) -> nn.Module:
        """The network, its weights drawn from PyTorch's global generator."""


def for_every_clip(network: Callable[[int, int, float], nn.Module]) -> Builder:
    """The builder of a network(num_classes, channels, dropout) that is the same for clips of every size."""

    def build(
        num_classes: int,
        *,
        clip: ClipSize,  # noqa: ARG001  (every builder takes it)
        channels: int = 3,
        dropout: float = 0.0,
    ) -> nn.Module:
        return network(num_classes, channels, dropout)

    return build


def conv_norm(
    channels_in: int,
    channels_out: int,
    kernel: Triple,
    stride: Triple = (1, 1, 1),
    *,
    groups: int = 1,
    activation: Callable[[], nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """A convolution without bias, padded to keep the size, batch norm, and an activation if there is one."""
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    conv = nn.Conv3d(channels_in, channels_out, kernel, stride, padding, groups=groups, bias=False)
    norm = nn.BatchNorm3d(channels_out)
    return nn.Sequential(conv, norm, *([] if activation is None else [activation()]))


def depthwise(
    channels: int,
    kernel: Triple,
    stride: Triple = (1, 1, 1),
    activation: Callable[[], nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """`conv_norm` with a filter of its own for every channel."""
    return conv_norm(channels, channels, kernel, stride, groups=channels, activation=activation)


class SqueezeExcite(nn.Module):
    """Channels weighted by what a clip is like as a whole (Hu et al., 2018)."""

    def __init__(self, channels: int, hidden: int, activation: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool3d(1),
            nn.Conv3d(channels, hidden, 1),
            activation(),
            nn.Conv3d(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, video: Tensor) -> Tensor:
        """The input, channel by channel between 0 and 1 of itself."""
        weighted: Tensor = video * self.gate(video)
        return weighted


def network_of(parts: dict[str, nn.Module]) -> nn.Module:
    """These parts in their order; filters as He et al. (2015) draw them, by the number of outputs."""
    network = nn.Sequential(OrderedDict(parts))
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def make_divisible(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of `divisor`, at least that and not less than nine tenths of `channels`."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
