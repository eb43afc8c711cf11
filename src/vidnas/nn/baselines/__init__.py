"""The hand-designed networks, one file per family; docs/rivals.md says of each where it comes from."""

from collections.abc import Mapping
from types import MappingProxyType

from vidnas.nn.baselines.c3d import c3d_builder
from vidnas.nn.baselines.mobilenet import build_mobilenet
from vidnas.nn.baselines.movinet import build_movinet
from vidnas.nn.baselines.parts import Builder as Builder, ClipSize as ClipSize
from vidnas.nn.baselines.resnet import build_resnet_2d, resnet_builder
from vidnas.nn.baselines.shufflenet import shufflenet_builder
from vidnas.nn.baselines.stc import STCBlock
from vidnas.nn.baselines.x3d import build_x3d

BASELINES: Mapping[str, Builder] = MappingProxyType(
    {
        "3d-resnet-18": resnet_builder(18),
        "3d-resnet-50": resnet_builder(50),
        "3d-resnet-101": resnet_builder(101),
        "3d-resnet-18-a": resnet_builder(18, shortcut="A"),
        "3d-resnet-50-a": resnet_builder(50, shortcut="A"),
        "3d-resnet-101-a": resnet_builder(101, shortcut="A"),
        "c3d": c3d_builder(16),
        "c3d-8": c3d_builder(8),
        "stc-resnet-18": resnet_builder(18, behind=STCBlock),
        "stc-resnet-50": resnet_builder(50, behind=STCBlock),
        "stc-resnet-101": resnet_builder(101, behind=STCBlock),
        "3d-mobilenetv2-0.45": build_mobilenet,
        "3d-shufflenet-0.5": shufflenet_builder(0.5),
        "3d-shufflenet-1.0": shufflenet_builder(1.0),
        "x3d-xs": build_x3d,
        "movinet-a0": build_movinet,
        "2d-resnet-18": build_resnet_2d,
    }
)
"""Name -> builder, in the order of config.Baseline."""
