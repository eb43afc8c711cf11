"""Frames -> frames -> pixels -> clip: cropping, changing the light, mirroring, normalising.

Workers hand on pixels, since bytes travel faster than floats; they are normalised where they are computed on.

A crop, a flip or a change of light is the same for all frames of a clip; chance comes from an explicit
generator. A crop is typed as a plain array: as Frames it would have to be as large as what it was cut from.
"""

import numpy as np
import torch
from torch import Tensor

from vidnas.shapes import Frames, Pixels

MEAN = (0.43216, 0.394666, 0.37645)
"""Mean of red, green and blue over the Kinetics videos, of 0 to 1: the field's usual figures."""

STD = (0.22803, 0.22145, 0.216989)
"""Standard deviation beside MEAN."""


def scaled_short_side(size_px: int) -> int:
    """Short side, pixels, to which frames are resized before a crop of `size_px`: 128 for 112."""
    return round(size_px * 128 / 112)


def random_crop(frames: Frames, size_px: int, generator: np.random.Generator) -> np.ndarray:
    """One square anywhere in the frame."""
    height_px, width_px = frames.shape[1:3]
    top = int(generator.integers(height_px - size_px + 1))
    left = int(generator.integers(width_px - size_px + 1))
    return _crop(frames, top, left, size_px)


def center_crop(frames: Frames, size_px: int) -> np.ndarray:
    """The square in the middle of the frame."""
    height_px, width_px = frames.shape[1:3]
    return _crop(frames, (height_px - size_px) // 2, (width_px - size_px) // 2, size_px)


def three_crops(frames: Frames, size_px: int) -> list[np.ndarray]:
    """Squares at the start, the centre and the end of the long side, in the middle of the short one."""
    height_px, width_px = frames.shape[1:3]
    room_y, room_x = height_px - size_px, width_px - size_px
    if width_px >= height_px:
        return [_crop(frames, room_y // 2, left, size_px) for left in (0, room_x // 2, room_x)]
    return [_crop(frames, top, room_x // 2, size_px) for top in (0, room_y // 2, room_y)]


def random_flip(frames: Frames, generator: np.random.Generator) -> Frames:
    """The whole clip mirrored left to right, or not, at even odds."""
    return frames[:, :, ::-1] if generator.random() < 0.5 else frames


def random_light(frames: Frames, amount: float, generator: np.random.Generator) -> Frames:
    """The whole clip in another light: x -> contrast (b - mean b) + mean b, where b = brightness x^gamma.

    x is 0 to 1, cut off there at the end; brightness and contrast are uniform in 1 - amount to 1 + amount,
    gamma log-uniform in 1 / (1 + amount) to 1 + amount (as torchvision's ColorJitter and adjust_gamma take
    them). The mean is the clip's, over all frames and colours. `amount` is at least 0 and below 1.
    """
    brightness, contrast = generator.uniform(1 - amount, 1 + amount, size=2)
    gamma = (1 + amount) ** generator.uniform(-1, 1)
    lit = brightness * np.linspace(0, 1, 256) ** gamma
    mean = np.bincount(frames.reshape(-1), minlength=256) @ lit / frames.size
    changed = contrast * (lit - mean) + mean
    return np.take(np.rint(255 * changed.clip(0, 1)).astype(np.uint8), frames)


def to_pixels(frames: Frames) -> Pixels:
    """Frames with their colour channels first, as workers hand them on."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(3, 0, 1, 2)))


def to_frames(pixels: Pixels) -> Frames:
    """`to_pixels` undone, for a person to look at."""
    return pixels.permute(1, 2, 3, 0).numpy()


def normalize(pixels: Tensor) -> Tensor:
    """Float values with mean 0 and deviation 1 over Kinetics, of (..., channels, time, height, width)."""
    mean, std = (255 * torch.tensor(values, device=pixels.device).view(3, 1, 1, 1) for values in (MEAN, STD))
    return pixels.float().sub_(mean).div_(std)


def _crop(frames: Frames, top: int, left: int, size_px: int) -> np.ndarray:
    assert min(top, left) >= 0, f"no {size_px} px square fits into frames of shape {frames.shape}"
    return frames[:, top : top + size_px, left : left + size_px]
