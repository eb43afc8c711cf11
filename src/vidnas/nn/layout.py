"""The layout of feature maps: frames first.

Everywhere in vidnas a video reads (batch, channels, time, height, width), as nn.Conv3d has it. In memory
the feature maps inside networks lie as (batch, time, channels, height, width): a frame's channels are
together. Then a spatial stage is a plain 2-D convolution of batch x time images, a temporal stage mixes
numbers that are whole frames apart, and neither needs a copy: `frames_first` only renames the axes of what
already lies so.
"""

from torch import Tensor

from vidnas.shapes import FeatureFrames, Features


def frames_first(video: Features) -> FeatureFrames:
    """(batch, time, channels, height, width), contiguous; a copy only of what did not lie like that."""
    return video.transpose(1, 2).contiguous()


def channels_first(frames: FeatureFrames) -> Features:
    """The view (batch, channels, time, height, width)."""
    return frames.transpose(1, 2)


def images(frames: FeatureFrames) -> Tensor:
    """The view (batch x time, channels, height, width)."""
    return frames.flatten(0, 1)


def clips_of(images: Tensor, num_frames: int) -> FeatureFrames:
    """The view (batch, time, channels, height, width) of such images: `images` undone."""
    return images.view(-1, num_frames, *images.shape[1:])
