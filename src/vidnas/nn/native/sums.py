"""What the kernels add up: taken apart by thread, in double precision."""

import torch
from torch import Tensor

from vidnas.nn.native.calls import PerThread


class Sums:
    """Sums of a shape, one of each for every thread."""

    def __init__(self, *shape: int) -> None:
        self.by_thread = torch.zeros(torch.get_num_threads(), *shape, dtype=torch.float64)

    def at(self, index: int = 0) -> PerThread:
        """Where a thread adds its own: those at `index` of the first axis and behind it."""
        size = self.by_thread.element_size()
        first = self.by_thread.data_ptr() + index * self.by_thread.stride(1) * size
        return PerThread(first, self.by_thread.stride(0) * size)

    def total(self) -> Tensor:
        """The sums of all threads."""
        return self.by_thread.sum(dim=0)


class ParameterGradient:
    """The gradient of a matrix or of filters; nothing where none is wanted."""

    def __init__(self, parameter: Tensor, *, wanted: bool) -> None:
        self.dtype = parameter.dtype
        self.sums = Sums(*parameter.shape) if wanted else None

    def at(self) -> PerThread | None:
        """Where a thread adds its products, if anywhere."""
        return None if self.sums is None else self.sums.at()

    def total(self) -> Tensor | None:
        """The gradient."""
        return None if self.sums is None else self.sums.total().to(self.dtype)
