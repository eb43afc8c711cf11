"""How near the first-order and finite-difference alpha gradients are to the exact one, on real batches.

usage: python benchmarks/alpha_gradients.py SEARCH_RUN [--batches 3] [--json FILE]

Reads the settings, the videos and the last checkpoint of a search's run folder. For each pair of a train and
a val batch: cosine to the exact gradient (autograd through the weight step, eq. 5 not approximated) of the
first-order gradient and of the finite difference at several radii; and of the second term alone, with its
relative error. All on the plain supernet, which has second derivatives. The learning rate of the weight step
is the search's highest.
"""

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from reference import PlainSupernet
from vidnas.assembly import videos
from vidnas.config.learning import SearchConfig
from vidnas.nas.methods.darts import Architect, first_order, hypergradient
from vidnas.runs.checkpoint import load_checkpoint
from vidnas.runs.files import CHECKPOINT
from vidnas.runs.settings import stored_config
from vidnas.video.clips.loaders import train_loader
from vidnas.video.index.division import divide

RADII = (0.1, 0.01, 0.001, 0.0001)
Pair = tuple[Tensor, Tensor]


def exact_gradient(architect: Architect, train: Pair, val: Pair, lr: float) -> Tensor:
    """Gradient in alpha of the validation loss through the weight step, by double backward."""
    alpha = architect.supernet.alpha.detach().requires_grad_()
    weights = [w.detach().requires_grad_() for w in architect.supernet.weights().values()]
    loss = architect.loss(weights, [alpha], train)
    grads = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
    stepped = [w - lr * g for w, g in zip(weights, grads, strict=True)]
    return torch.autograd.grad(architect.loss(stepped, [alpha], val), alpha)[0]


def cosine(a: Tensor, b: Tensor) -> float:
    """Cosine of the angle between two tensors taken as vectors."""
    return torch.nn.functional.cosine_similarity(a.flatten().double(), b.flatten().double(), dim=0).item()


def compare(architect: Architect, train: Pair, val: Pair, lr: float) -> dict[str, object]:
    """All comparisons on one pair of batches."""
    weights, alphas = list(architect.supernet.weights().values()), [architect.supernet.alpha]
    exact = exact_gradient(architect, train, val, lr)
    first = first_order(architect.loss, weights, alphas, val=val)[0]
    direct = _direct_term(architect, train, val, lr)  # what exceeds it is the second term
    row: dict[str, object] = {
        "norm_exact": exact.norm().item(),
        "norm_second_term": (exact - direct).norm().item(),
        "cosine_first_order": cosine(first, exact),
        "cosine_without_second_term": cosine(direct, exact),
    }
    for radius in RADII:
        ours = hypergradient(architect.loss, weights, alphas, train=train, val=val, lr=lr, radius=radius)[0]
        second, exact_second = ours - direct, exact - direct
        row[f"radius {radius}"] = {
            "cosine": cosine(ours, exact),
            "cosine_second_term": cosine(second, exact_second),
            "error_second_term": ((second - exact_second).norm() / exact_second.norm()).item(),
        }
    return row


def _direct_term(architect: Architect, train: Pair, val: Pair, lr: float) -> Tensor:
    """The first term of eq. 5: the validation loss's gradient in alpha at the stepped weights."""
    weights = [w.detach().requires_grad_() for w in architect.supernet.weights().values()]
    alpha = architect.supernet.alpha.detach()
    grads = torch.autograd.grad(architect.loss(weights, [alpha], train), weights, materialize_grads=True)
    stepped = [(w - lr * g).detach() for w, g in zip(weights, grads, strict=True)]
    return first_order(architect.loss, stepped, [alpha], val=val)[0]


def main() -> None:
    """Compare on the first batches of the search's data and print a line per pair."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--batches", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = stored_config(SearchConfig, arguments.run)
    assert config is not None, f"{arguments.run} is no run folder"
    scanned = videos.scan(videos.open_videos(config), config, parts=("train",))
    index = scanned.index
    supernet = PlainSupernet(
        len(index.classes),
        num_cells=config.num_cells,
        first_channels=config.first_channels,
        stem_stride=config.stem_stride,
    )
    supernet.load_state_dict(load_checkpoint(arguments.run / CHECKPOINT)["supernet"])
    architect = Architect(supernet, order=2, lr=config.alpha_lr, weight_decay=config.alpha_weight_decay)
    parts = divide(index.train, classes=index.classes, by=config.split_by, fraction=0.5, seed=config.seed)[:2]
    loaders = [
        train_loader(
            videos.train_clips(part, scanned.counts(part), config),
            batch_size=config.batch_size,
            seed=config.seed,
            workers=0,
        )
        for part in parts
    ]
    rows = []
    for number, (train, val) in enumerate(zip(*loaders, strict=False)):
        if number == arguments.batches:
            break
        rows.append(compare(architect, tuple(train[:2]), tuple(val[:2]), config.lr))
        print(json.dumps(rows[-1], indent=2), flush=True)
    if arguments.json:
        facts = {"torch": torch.__version__, "threads": torch.get_num_threads(), "lr": config.lr}
        arguments.json.write_text(json.dumps({**facts, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
