"""Does the supernet know which cells are good? Rank correlations over random cells, on the built-in clips.

    python benchmarks/supernet_rank.py --out runs/supernet-rank --json docs/results/supernet_rank.json

What training shows: the mean accuracy, over seeds, of each cell's network on training videos held out
(`vidnas compare --validate`: half of the groups, those on which the search learns alpha). What is believed
beforehand:

    one-hot accuracy, loss   of the supernet on the same videos when each edge computes the cell's op alone
    alpha                    sum over the cell's edges of the logarithm of their softmax weight
    synflow                  zero-cost proxy (Tanaka et al., 2020; Abdelfattah et al., 2021): sum of |w dR/dw|
                             of the untrained network, R its output for ones, all weights made positive
    parameters               how many the network has

Spearman's rank correlation, with a 95 % interval from resampling the cells. What is finished is kept.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidnas import console
from vidnas.assembly import networks, steps, videos
from vidnas.config.learning import CompareConfig, SearchConfig
from vidnas.config.parts import BUILTIN
from vidnas.config.presets import TRAIN_PRESETS, search_preset
from vidnas.nas.genotype import Genotype, edge_sources, random_genotype
from vidnas.nas.network import Supernet
from vidnas.nas.primitives import PRIMITIVES
from vidnas.runs.checkpoint import load_checkpoint
from vidnas.runs.files import CHECKPOINT
from vidnas.runs.settings import stored_config
from vidnas.training.loop import evaluate_epoch
from vidnas.training.profile import count_parameters
from vidnas.verbs.compare import run_compare
from vidnas.verbs.search import run_search
from vidnas.video.clips.loaders import test_loader
from vidnas.video.index.division import divide

NAMES = tuple(PRIMITIVES)

RESAMPLES = 2000


def main() -> None:
    """Search, train every cell, and correlate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--data", default=BUILTIN)
    parser.add_argument("--cells", type=int, default=16)
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--epochs", type=int, default=4, help="of a training")
    parser.add_argument("--search-epochs", type=int, default=10)
    args = parser.parse_args()
    search = search_preset("demo", data=args.data, epochs=args.search_epochs, out=str(args.out / "search"))
    with console.printed():
        run_search(search, resume=True)
    genotypes = [random_genotype(number) for number in range(args.cells)]
    settings = {**TRAIN_PRESETS["demo"], "data": args.data, "epochs": args.epochs, "validate": True}
    sources = ",".join(f"random:{number}" for number in range(args.cells))
    compare = CompareConfig(**settings, networks=sources, seeds=args.seeds, out=str(args.out / "trained"))
    with console.printed():
        rows = run_compare(compare, resume=True).comparison.rows
    shown = [row.accuracy or 0.0 for row in rows]
    believed = beliefs(args.out / "search", genotypes, compare)
    table = {name: correlation(values, shown) for name, values in believed.items()}
    seeds = [[run.scores.top1 for run in row.runs] for row in rows]
    if len(seeds[0]) > 1:
        table["another seed"] = correlation([one[0] for one in seeds], [one[1] for one in seeds])
    for name, row in table.items():
        print(f"{name:20} {row['spearman']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})")
    if args.json:
        record = {"settings": {k: str(v) for k, v in vars(args).items()}, "torch": torch.__version__,
                  "shown": seeds, "believed": believed, "correlations": table}  # fmt: skip
        args.json.write_text(json.dumps(record, indent=2) + "\n")


def beliefs(
    search: Path, genotypes: Sequence[Genotype], settings: CompareConfig
) -> Mapping[str, Sequence[float]]:
    """What each measure says of each genotype; the higher the better."""
    config = stored_config(SearchConfig, search)
    assert config is not None, f"{search} is no run folder"
    scanned = videos.scan(videos.open_videos(config), config, parts=("train",))
    classes = scanned.index.classes
    supernet = steps.build_supernet(config, len(classes))
    supernet.load_state_dict(load_checkpoint(search / CHECKPOINT)["supernet"])
    _, val, _ = divide(
        scanned.index.train, classes=classes, by=config.split_by, fraction=0.5, seed=config.seed
    )
    clips = videos.test_clips(val, scanned.counts(val), config)
    batches = list(test_loader(clips, batch_size=config.batch_size, workers=0, order_seed=config.seed))
    precision = steps.choose_precision(config.device)
    one_hot = [
        evaluate_epoch(_OneHot(supernet, genotype), batches, precision, max_clips=config.batch_size)
        for genotype in genotypes
    ]
    built = [networks.build_network(genotype, settings, len(classes)) for genotype in genotypes]
    return {
        "one-hot accuracy": [predictions.accuracy for predictions in one_hot],
        "one-hot loss": [-predictions.loss for predictions in one_hot],
        "alpha": [alpha_score(supernet.alpha.detach(), genotype) for genotype in genotypes],
        "synflow": [synflow(network, steps.clip_shape(settings)) for network in built],
        "parameters": [float(count_parameters(network)) for network in built],
    }


class _OneHot(nn.Module):
    """The supernet as the network of a genotype: each of its edges computes one op, all others none."""

    def __init__(self, supernet: Supernet, genotype: Genotype) -> None:
        super().__init__()
        self.supernet = supernet
        self.mixing = one_hot(genotype)

    def forward(self, video: Tensor) -> Tensor:
        return self.supernet(video, self.mixing)  # type: ignore[no-any-return]


def one_hot(genotype: Genotype) -> Tensor:
    """Mixing weights, (edges, primitives): 1 for what the genotype keeps, and `none` elsewhere."""
    mixing = torch.zeros(len(edge_sources(len(genotype.nodes))), len(NAMES))
    mixing[:, NAMES.index("none")] = 1
    for row, column in kept(genotype):
        mixing[row] = 0
        mixing[row, column] = 1
    return mixing


def kept(genotype: Genotype) -> list[tuple[int, int]]:
    """Alpha's (row, column) of each edge that the genotype keeps."""
    rows = {edge: row for row, edge in enumerate(edge_sources(len(genotype.nodes)))}
    return [
        (rows[node, edge.source], NAMES.index(edge.primitive))
        for node, edges in enumerate(genotype.nodes)
        for edge in edges
    ]


def alpha_score(alpha: Tensor, genotype: Genotype) -> float:
    """Logarithm of the weight that alpha gives to the genotype's ops together."""
    weights = alpha.log_softmax(dim=-1)
    return float(sum(weights[row, column] for row, column in kept(genotype)))


def synflow(network: nn.Module, clip_shape: Sequence[int]) -> float:
    """Logarithm of the sum of |w dR/dw|; norms, in evaluation, pass everything through."""
    torch.manual_seed(0)
    network = network.double().eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.abs_()
    total = network(torch.ones(*clip_shape, dtype=torch.float64)).sum()
    weights = list(network.parameters())
    grads = torch.autograd.grad(total, weights, materialize_grads=True)
    flows = [(w * g).abs().sum() for w, g in zip(weights, grads, strict=True)]
    return float(torch.stack(flows).sum().log().detach())


def correlation(x: Sequence[float], y: Sequence[float]) -> dict[str, float]:
    """Spearman's rank correlation and its interval."""
    pairs = np.array([x, y])
    generator = np.random.default_rng(0)
    draws = (pairs[:, generator.integers(len(x), size=len(x))] for _ in range(RESAMPLES))
    values = [spearman(*draw) for draw in draws]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return {"spearman": spearman(*pairs), "low": float(low), "high": float(high)}


def ranks(values: np.ndarray) -> np.ndarray:
    """Of each value, how many are smaller, and half of those that are equal."""
    smaller, equal = (values[:, None] > values).sum(1), (values[:, None] == values).sum(1)
    return np.asarray(smaller + equal / 2)


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Correlation of the ranks; equal values share theirs."""
    first, second = (ranks(values) for values in (x, y))
    if first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


if __name__ == "__main__":
    main()
