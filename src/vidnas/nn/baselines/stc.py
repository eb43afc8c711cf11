"""STC-ResNets (Diba et al., "Spatio-Temporal Channel Correlation Networks for Action Classification", 2018).

No official code exists, so this is our reading. Behind every residual block, two branches say how much each
channel matters: one sees the clip as a whole (mean over height, width and time), the other frame by frame
(mean over height and width). Each is a linear layer to a fraction of the channels, ReLU, and a linear layer
back; the second is shared by the frames, so that clips of any length fit. Their sum goes through a sigmoid
and multiplies the channels. The fraction is 1/16, the usual one of squeeze-and-excitation, from which the
block comes. docs/rivals.md says what else the article may mean.
"""

from torch import Tensor, nn

from vidnas.shapes import Video

REDUCTION = 16


class STCBlock(nn.Module):
    """Channels weighted by two branches: SCB of the whole clip and TCB of each frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial = _branch(channels)
        self.temporal = _branch(channels)

    def gates(self, video: Video) -> Tensor:
        """Between 0 and 1, (batch, channels, time, 1, 1)."""
        frames = video.mean(dim=(3, 4)).transpose(1, 2)
        scores = self.spatial(frames.mean(dim=1, keepdim=True)) + self.temporal(frames)
        gates: Tensor = scores.sigmoid().transpose(1, 2)[..., None, None]
        return gates

    def forward(self, video: Video) -> Video:
        """The input, each channel of each frame by its gate."""
        return video * self.gates(video)


def _branch(channels: int) -> nn.Sequential:
    hidden = channels // REDUCTION
    return nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
