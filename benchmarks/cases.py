"""The cases that a benchmark of speed measures: the paper's size, and the sizes at which most people work."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """What is computed on: preset paper but for these settings."""

    size_px: int = 112
    stem_stride: int = 1
    batch_size: int = 4
    genotype: str = "random:0"

    @property
    def name(self) -> str:
        """For the console and the JSON file."""
        return f"{self.size_px} px, stem stride {self.stem_stride}, batch {self.batch_size}, {self.genotype}"

    @property
    def seed(self) -> int:
        """Of the random cell."""
        return int(self.genotype.removeprefix("random:"))


def arguments_of(description: str, pairs: int = 5) -> argparse.Namespace:
    """What such a benchmark is told; a case of its own where a setting of it is given."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of each process (default: 2)")
    parser.add_argument("--pairs", type=int, default=pairs, help=f"turns of each (default: {pairs})")
    parser.add_argument("--batch-size", type=int, help="clips of a step")
    parser.add_argument("--size-px", type=int, help="this size instead of all")
    parser.add_argument("--stem-stride", type=int, choices=(1, 2), help="stride of the stem")
    parser.add_argument("--genotype", metavar="random:SEED", help="the cell")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser.parse_args()


def chosen(arguments: argparse.Namespace, standard: Sequence[Case]) -> Sequence[Case]:
    """The standard cases or, where one was described, that one: what it leaves open is as in the first."""
    names = "size_px", "stem_stride", "batch_size", "genotype"
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return [replace(standard[0], **given)] if given else standard
