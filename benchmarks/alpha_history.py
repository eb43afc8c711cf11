"""What alpha believes as a search goes on: the mean over edges of its softmax, and the cell of the epoch.

python benchmarks/alpha_history.py runs/table2/searched --epochs 10,20,30,44
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import torch

from vidnas.nas.genotype import load_genotype
from vidnas.nas.primitives import PRIMITIVES


def main() -> None:
    """Print a line for each epoch."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("search", type=Path, help="run folder of a search")
    parser.add_argument("--epochs", required=True, help="separated by commas")
    args = parser.parse_args()
    for epoch in map(int, args.epochs.split(",")):
        record = json.loads((args.search / f"alphas/epoch-{epoch:03d}.json").read_text())
        weights = torch.tensor(record["alpha"]).softmax(-1).mean(0).tolist()
        genotype = load_genotype(args.search / f"genotypes/epoch-{epoch:03d}.json")
        kept = Counter(edge.primitive for node in genotype.nodes for edge in node)
        shares = "  ".join(f"{name} {share:.0%}" for name, share in zip(PRIMITIVES, weights, strict=True))
        print(f"epoch {epoch}: {shares}; cell: {', '.join(f'{n} {name}' for name, n in kept.items())}")


if __name__ == "__main__":
    main()
