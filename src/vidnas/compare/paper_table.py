"""Table 2 of the paper as data, to stand beside one's own measurements, and what is known of its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class PaperRow:
    """A line of Table 2: UCF101 split 1 (101 classes), from scratch. Sizes as the paper prints them."""

    parameters: str
    model_size: str
    accuracy: float
    note: str = ""
    """What is known of its figures."""


OURS = "ours"
"""The paper's searched network in TABLE_2."""

TABLE_2: Mapping[str, PaperRow] = MappingProxyType(
    {
        "3d-resnet-18": PaperRow(
            "33.2M",
            "252M",
            0.424,
            "252M are the 33.08 M parameters of shortcut A times 8 bytes: weights and momentum.",
        ),
        "3d-resnet-101": PaperRow(
            "100M +", "652M", 0.467, "It has 85.45 M parameters; times 8 bytes they are the 652M."
        ),
        "c3d": PaperRow(
            "79M",
            "305M",
            0.516,
            "305M are 79.99 M parameters, those with 487 classes, times 4 bytes: weights alone.",
        ),
        "stc-resnet-18": PaperRow("33.2M +", "-", 0.428, "No official code exists."),
        "stc-resnet-50": PaperRow("92M +", "-", 0.462, "A 3D-ResNet-50 has 46.4 M parameters, half of that."),
        "stc-resnet-101": PaperRow("100M +", "-", 0.479, "No official code exists."),
        OURS: PaperRow("0.67M", "7.32M", 0.586, "7.32M are 10.9 bytes a parameter, which nothing explains."),
    }
)
"""By the names of the networks here. The baselines' accuracies are quoted there from other works, with other
clips and schedules; the searched network's is the paper's own. What the paper calls model size is not one
measure: it is set against weights and checkpoint bytes apart."""


def paper_row(name: str, *, searched: str | None) -> PaperRow | None:
    """The line of Table 2 about a network; `searched` is the name of the searched one."""
    if name == searched:
        return TABLE_2[OURS]
    return TABLE_2.get(name) if name != OURS else None
