"""Whether a batch norm would have a single value per channel to normalise, of which it can make nothing."""

from collections.abc import Callable

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode


def normalizes_single_values(build: Callable[[], nn.Module], clip_shape: tuple[int, ...]) -> bool:
    """Whether a norm of the network that `build` makes has one value per channel in a step on one clip.

    `clip_shape` is that of a batch of one clip. The network is made and run on tensors without content, which
    takes no memory to speak of and draws no random number. It learns from two clips, or `build` fails: then
    every norm has two values.
    """
    with FakeTensorMode():
        network = build().train()
        try:
            network(torch.zeros(clip_shape))
        except ValueError:  # by F.batch_norm, before it computes
            network(torch.zeros(2, *clip_shape[1:]))
            return True
    return False
