"""stub"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import nn


class ClipSize(NamedTuple):
    """stub"""

    num_frames: int
    size_px: int


BASELINES: Mapping[str, Callable[..., nn.Module]] = {}
