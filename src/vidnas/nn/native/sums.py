"""What the kernels add up: taken apart by thread, in double precision."""

from typing import Any

import torch
from torch import Tensor

from vidnas.nn.native.library import address


class Sums:
    """Sums of a shape, one of each for every thread."""

    def __init__(self, *shape: int) -> None:
        self.by_thread = torch.zeros(torch.get_num_threads(), *shape, dtype=torch.float64)

    def of_thread(self, thread: int, *index: int) -> Any:
        """Where a thread adds its own, those at `index` and behind it."""
        return address(self.by_thread[(thread, *index)])

    def total(self) -> Tensor:
        """The sums of all threads."""
        return self.by_thread.sum(dim=0)


class ParameterGradient:
    """The gradient of a matrix or of filters; nothing where none is wanted."""

    def __init__(self, parameter: Tensor, *, wanted: bool) -> None:
        self.dtype = parameter.dtype
        self.sums = Sums(*parameter.shape) if wanted else None

    def of_thread(self, thread: int) -> Any:
        """Where a thread adds its products, or NULL."""
        return address(None) if self.sums is None else self.sums.of_thread(thread)

    def total(self) -> Tensor | None:
        """The gradient."""
        return None if self.sums is None else self.sums.total().to(self.dtype)
