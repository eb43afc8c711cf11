"""Plain PyTorch: the oracle that the tests compare vidnas with, and the rivals of the benchmarks.

The supernet and the network are written module by module, one call per edge and primitive, as the public
DARTS codes are. Their state has the names and shapes of vidnas's, so that one loads into the other.
"""

from reference.c3d import C3D
from reference.network import PlainNetwork
from reference.resnet import PlainResNet18
from reference.supernet import PlainSupernet

__all__ = ["C3D", "PlainNetwork", "PlainResNet18", "PlainSupernet"]
