"""C3D (Tran et al. 2015): clips of 16 frames as published, or of 8 in a variant of our own."""

from typing import Literal

from torch import Tensor, nn

STAGES = ((64,), (128,), (256, 256), (512, 512), (512, 512))
"""Channels of the 3x3x3 convolutions before each pool."""


class C3D(nn.Module):
    """Eight 3x3x3 convolutions, five pools, three linear layers.

    The first pool keeps time, the others halve it. With 8 frames there is but one frame left before the last
    pool, which therefore keeps time too: our variant, with the parameters of the original.
    """

    def __init__(self, num_classes: int, *, num_frames: Literal[8, 16] = 16, size_px: int = 112) -> None:
        super().__init__()
        keeps_time = (0,) if num_frames == 16 else (0, 4)
        layers: list[nn.Module] = []
        channels_in = 3
        for stage, widths in enumerate(STAGES):
            for channels in widths:
                layers += [nn.Conv3d(channels_in, channels, 3, padding=1), nn.ReLU(inplace=True)]
                channels_in = channels
            size = (1, 2, 2) if stage in keeps_time else (2, 2, 2)
            layers.append(nn.MaxPool3d(size, size, padding=(0, 1, 1) if stage == 4 else 0))
        self.features = nn.Sequential(*layers)
        left_px = size_px // 16 // 2 + 1  # the last pool makes 4 px of 7
        self.classifier = nn.Sequential(
            nn.Linear(512 * left_px**2, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
            nn.Linear(4096, num_classes),
        )  # fmt: skip

    def forward(self, video: Tensor) -> Tensor:
        """Logits of a batch."""
        logits: Tensor = self.classifier(self.features(video).flatten(1))
        return logits
