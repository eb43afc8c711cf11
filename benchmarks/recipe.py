"""Which part of the training recipe helps a small network on little video, measured on training groups alone.

    python benchmarks/recipe.py --data ucf101_5 --out runs/recipe --json docs/results/recipe.json

The training videos of official split 1 are cut into three folds by group; every variant of the recipe trains
on two and is tested on the third, so that each training video is tested once. The official test videos are
never read. A variant differs from the base in the settings that its name says. Differences are paired by
video, and their 95 % intervals come from resampling groups; they do not cover the seed. Finished runs are
kept. As many trainings at a time as there are cores, with one thread each.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidnas.training.scores import bootstrap_interval
from vidnas.video.index.index import index_videos
from vidnas.video.index.sources import Source
from vidnas.video.items import VideoIndex

NUM_FOLDS = 3
PAPER = ["--optimizer", "sgd", "--lr", "0.025", "--weight-decay", "3e-4"]
PLAIN = ["--warmup", "0", "--label-smoothing", "0"]
VARIANTS: Mapping[str, Sequence[str]] = {
    "base": [],
    "sgd without warm-up or smoothing": [*PAPER, *PLAIN],
    "sgd without smoothing": [*PAPER, "--warmup", "0.3", "--label-smoothing", "0"],
    "sgd without warm-up": [*PAPER, "--warmup", "0", "--label-smoothing", "0.1"],
    "sgd": PAPER,
    "without warm-up": ["--warmup", "0"],
    "without smoothing": ["--label-smoothing", "0"],
    "dropout 0.3": ["--dropout", "0.3"],
    "mixup": ["--mix", "mixup"],
    "cutmix": ["--mix", "cutmix"],
    "ema 0.99": ["--ema", "0.99"],
    "residual frames": ["--input", "residual"],
    "rgb and residual frames": ["--input", "both"],
    "repeats 2": ["--repeats", "2"],
    "residual frames without warm-up": ["--input", "residual", "--warmup", "0"],
    "residual frames without smoothing": ["--input", "residual", "--label-smoothing", "0"],
    "residual frames and sgd without either": ["--input", "residual", *PAPER, *PLAIN],
}
BASE = [
    "--preset", "cpu", "--optimizer", "adamw", "--lr", "3e-3", "--weight-decay", "0.05", "--warmup", "0.3",
    "--label-smoothing", "0.1", "--input", "rgb",
]  # fmt: skip


def main() -> None:
    """Train what is missing, then compare."""
    parser = make_parser(__doc__ or "", VARIANTS, networks="random:0,random:1", epochs=40)
    parser.add_argument("--base", default="base", help="the variant that the others are compared with")
    args = parser.parse_args()
    index = videos_of(args)
    same = [*BASE, "--size-px", str(args.size_px), "--epochs", str(args.epochs), "--workers", "1"]
    names = args.variants.split(",")
    networks = args.networks.split(",")
    variants = {name: [*same, *VARIANTS[name]] for name in names}
    train_folds(args.out, index, networks, variants)
    table = {
        name: {"settings": VARIANTS[name], **compare(args.out, networks, name, args.base)} for name in names
    }
    say(table)
    if args.json:
        settings = {"size_px": args.size_px, "epochs": args.epochs, "networks": networks, "base": BASE}
        record = {"settings": settings, "torch": torch.__version__, "variants": table}
        args.json.write_text(json.dumps(record, indent=2) + "\n")


def make_parser(
    description: str, variants: Iterable[str], *, networks: str, epochs: int
) -> argparse.ArgumentParser:
    """The arguments of a benchmark that compares variants of the recipe, with its own defaults."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder ucf101_5")
    parser.add_argument("--out", type=Path, required=True, help="where videos, folds and run folders go")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--networks", default=networks, help="genotypes or names of networks")
    parser.add_argument("--variants", default=",".join(variants), help="some of the variants")
    parser.add_argument("--size-px", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=epochs)
    return parser


def videos_of(arguments: argparse.Namespace) -> VideoIndex:
    """The videos that --data names."""
    return index_videos(Source(arguments.data), split_by="auto", group_regex=None, seed=0)


def train_folds(
    out: Path,
    index: VideoIndex,
    networks: Sequence[str],
    variants: Mapping[str, Sequence[str]],
    *,
    packed: Sequence[str] = (),
    processes: int | None = None,
) -> None:
    """Every network by every variant, which is named and given as flags, on every fold; finished ones stay.

    `packed` are flags of `vidnas pack`; None processes are as many as there are cores.
    """
    packs = [_pack_fold(index, fold, out, packed) for fold in range(NUM_FOLDS)]
    todo = [(network, name, fold) for network in networks for name in variants for fold in range(NUM_FOLDS)]
    with ThreadPoolExecutor(max_workers=processes or os.cpu_count()) as pool:
        list(pool.map(lambda one: _train(out, packs[one[2]], variants[one[1]], *one), todo))


def say(table: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for every variant: accuracy, and how much better than the base."""
    for name, row in table.items():
        low, high = row["interval"]
        print(f"{name:45} {row['accuracy']:6.1%}  {row['difference']:+6.1%} ({low:+.1%} to {high:+.1%})")


def _pack_fold(index: VideoIndex, fold: int, out: Path, packed: Sequence[str]) -> Path:
    """The training videos, every third group of a class set aside for a test, as a pack."""
    pack = out / f"pack-{fold}"
    if (pack / "pack.index").exists():
        return pack
    groups = sorted({(item.label, item.group) for item in index.train})
    place = {group: [g for g in groups if g[0] == group[0]].index(group) for group in groups}
    for item in index.train:
        part = "test" if place[item.label, item.group] % NUM_FOLDS == fold else "train"
        link = out / f"fold-{fold}" / part / index.classes[item.label] / item.path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(item.path.resolve())
    _vidnas("pack", "--data", str(out / f"fold-{fold}"), "--out", str(pack), *packed)
    return pack


def _train(out: Path, pack: Path, settings: Sequence[str], network: str, variant: str, fold: int) -> None:
    folder = _folder(out, network, variant, fold)
    if (folder / "result.json").exists():
        return
    kind = "--genotype" if ":" in network or Path(network).exists() else "--network"
    print(f"{network}, {variant}, fold {fold}", flush=True)
    _vidnas("train", "--resume", str(folder), "--data", str(pack), kind, network, *settings)


def _vidnas(*arguments: str) -> None:
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "vidnas", *arguments]
    subprocess.run(command, env=alone, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _folder(out: Path, network: str, variant: str, fold: int) -> Path:
    return out / Path(network).name.replace(":", "-") / f"{variant.replace(' ', '-')}-fold-{fold}"


def compare(out: Path, networks: Sequence[str], variant: str, base: str) -> dict[str, Any]:
    """Accuracy over folds and networks, and how much better than `base` it is, paired by video."""
    rows, others = (
        [_read(_folder(out, network, name, fold)) for network in networks for fold in range(NUM_FOLDS)]
        for name in (variant, base)
    )
    right, groups = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
    difference = right - np.concatenate([row[0] for row in others])
    folders = [_folder(out, network, variant, fold) for network in networks for fold in range(NUM_FOLDS)]
    return {
        "accuracy": float(right.mean()),
        "by_network": [float(part.mean()) for part in np.split(right, len(networks))],
        "difference": float(difference.mean()),
        "interval": bootstrap_interval(difference, groups.tolist()),
        "clips": len(right),
        "train_accuracy": float(np.mean([_last_accuracy(folder) for folder in folders])),
    }


def _read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Whether each test video was right, and its group."""
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = np.array([row["right"] == "true" for row in rows], dtype=np.float64)
    return right, np.array([f"{row['label']}/{row['group']}" for row in rows])


def _last_accuracy(folder: Path) -> float:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return float([line for line in lines if line["kind"] == "train"][-1]["accuracy"])


if __name__ == "__main__":
    main()
