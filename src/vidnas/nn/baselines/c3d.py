"""C3D (Tran et al., "Learning Spatiotemporal Features with 3D Convolutional Networks", 2015).

Eight convolutions of 3x3x3, five max-poolings, three linear layers. Made for 16 frames, which the poolings
bring down to one. `c3d-8` is a variant for 8 frames: its last pooling keeps time. The first linear layer has
as many inputs as the clip's size leaves; at 112 px and with 101 classes the network has 78.41 M parameters,
with the 487 classes of Sports-1M 79.99 M.
"""

from collections import OrderedDict
from functools import partial

from torch import nn

from vidnas.errors import UsageError
from vidnas.nn.baselines.parts import Builder, ClipSize

STAGES = ((64,), (128,), (256, 256), (512, 512), (512, 512))
WIDTH = 4096
DROPOUT = 0.5
SMALLEST_PX = 16


def _c3d(num_classes: int, clip: ClipSize, last_pool: int, channels: int, dropout: float) -> nn.Module:
    """`last_pool` is the last pooling's stride in time; a `dropout` above C3D's own replaces the last."""
    layers: list[nn.Module] = []
    for index, widths in enumerate(STAGES):
        for width in widths:
            layers += [nn.Conv3d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        in_time = (1, 2, 2, 2, last_pool)[index]
        padding = (0, 1, 1) if index == len(STAGES) - 1 else 0
        layers.append(nn.MaxPool3d((in_time, 2, 2), (in_time, 2, 2), padding))
    side = clip.size_px // 16 // 2 + 1
    hidden = nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * side * side, WIDTH), nn.ReLU(), nn.Dropout(DROPOUT),
        nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Dropout(max(DROPOUT, dropout)),
    )  # fmt: skip
    parts: dict[str, nn.Module] = {
        "convs": nn.Sequential(*layers),
        "classifier": nn.Sequential(OrderedDict(layers=hidden)),
        "head": nn.Sequential(OrderedDict(linear=nn.Linear(WIDTH, num_classes))),
    }
    return nn.Sequential(OrderedDict(parts))


def _build(
    num_frames: int, num_classes: int, *, clip: ClipSize, channels: int = 3, dropout: float = 0.0
) -> nn.Module:
    name, other = ("c3d", "c3d-8 takes 8") if num_frames == 16 else ("c3d-8", "c3d takes 16")
    if clip.num_frames != num_frames:
        raise UsageError(
            f"The network {name} takes clips of {num_frames} frames, and these have {clip.num_frames}. Use "
            f"--segments {num_frames // 2} --frames-per-segment 2; the network {other}."
        )
    if clip.size_px < SMALLEST_PX:
        raise UsageError(f"size_px is {clip.size_px}; the network {name} needs at least {SMALLEST_PX}.")
    last_pool = 2 if num_frames == 16 else 1
    return _c3d(num_classes, clip, last_pool, channels, dropout)


def c3d_builder(num_frames: int) -> Builder:
    """A builder of C3D for clips of 16 frames, or of its variant for 8."""
    return partial(_build, num_frames)
