"""Batch norms in double precision, from sums that the kernels have added up."""

from typing import NamedTuple

from torch import Tensor

from vidnas.nn.native.gradients import Sums

EPS = 1e-5
"""Added to variances: nn.BatchNorm3d's default."""


class Slopes(NamedTuple):
    """The gradient in the values before a norm: scale x g + slope x value + shift by channel."""

    scale: Tensor
    slope: Tensor
    shift: Tensor


class Norm(NamedTuple):
    """A batch norm as scale x value + shift by channel, and what its gradient needs."""

    mean: Tensor
    var: Tensor
    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, moments: Sums, count: int, weight: Tensor, bias: Tensor) -> "Norm":
        """The norm of `count` values with these sums and sums of squares."""
        total, square_total = moments.total().unbind()
        mean = total / count
        return cls(mean, (square_total / count - mean.square()).clamp_min(0), weight.double(), bias.double())

    @property
    def inv_std(self) -> Tensor:
        """1 / standard deviation."""
        return (self.var + EPS).rsqrt()

    @property
    def scale(self) -> Tensor:
        """What values are multiplied by."""
        return self.weight * self.inv_std

    @property
    def shift(self) -> Tensor:
        """What is added then."""
        return self.bias - self.mean * self.scale

    def stats(self, count: int) -> tuple[Tensor, Tensor]:
        """The mean and the unbiased variance."""
        return self.mean, self.var * count / max(count - 1, 1)

    def gradient(self, grad_sum: Tensor, product_sum: Tensor, count: int) -> tuple[Tensor, Slopes]:
        """From the sums of g and of g x value: the gradients in `weight` and in a value.

        That in `bias` is the sum of g.
        """
        d_weight = self.inv_std * (product_sum - self.mean * grad_sum)
        slope = -self.scale * self.inv_std * d_weight / count
        return d_weight, Slopes(self.scale, slope, -self.scale * grad_sum / count - slope * self.mean)
