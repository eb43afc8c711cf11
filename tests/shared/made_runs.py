"""Run folders made by hand: what a search or a training leaves, without running one."""

import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidnas.compare.rows import Comparison, Cost, Row
from vidnas.config.json_files import to_json
from vidnas.config.learning import TrainConfig
from vidnas.config.presets import search_preset, train_preset
from vidnas.nas.genotype import edge_sources, random_genotype, to_json as genotype_json
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.figures.thumbnails import thumbnail
from vidnas.runs.finished import SeedRun
from vidnas.training.scores import Scores

MakeRun = Callable[..., Path]


def record(epoch: int, kind: str, **numbers: float) -> str:
    line = {"kind": kind, "epoch": epoch, **numbers, "epoch_sec": 12.5, "waiting_share": 0.01}
    return json.dumps({**line, "lr": 0.05 / epoch, "time_sec": 13.0 * epoch}) + "\n"


@pytest.fixture(scope="session")
def make_search(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Makes a search of `done` of `epochs` epochs, each with another cell or, with `cells`, that many."""

    def make(
        name: str = "a search",
        *,
        parent: Path | None = None,
        epochs: int = 4,
        done: int | None = None,
        cells: int | None = None,
        **more: Any,
    ) -> Path:
        parent, done = parent or tmp_path_factory.mktemp("runs"), epochs if done is None else done
        folder = parent / name
        for part in ("genotypes", "alphas"):
            (folder / part).mkdir(parents=True)
        (folder / "config.json").write_text(
            to_json(search_preset("cpu", **{"data": "videos", "epochs": epochs, **more}))
        )
        for epoch in range(1, done + 1):
            add_epoch(folder, epoch, cells or epochs)
        if done == epochs:
            (folder / "genotype.json").write_text((folder / f"genotypes/epoch-{epochs:03}.json").read_text())
            (folder / "selection.json").write_text(json.dumps({"select": "best", "epoch": epochs}))
        return folder

    return make


def add_epoch(folder: Path, epoch: int, cells: int) -> None:
    """What a search writes at the end of an epoch, metrics last."""
    draw = random.Random(epoch)
    alpha = [[draw.gauss(0, 1) for _ in PRIMITIVES] for _ in edge_sources(4)]
    (folder / f"genotypes/epoch-{epoch:03}.json").write_text(genotype_json(random_genotype(epoch % cells)))
    edges = [{"node": node, "source": source} for node, source in edge_sources(4)]
    table = {"epoch": epoch, "primitives": [*PRIMITIVES], "edges": edges, "alpha": alpha}
    (folder / f"alphas/epoch-{epoch:03}.json").write_text(json.dumps(table))
    falling = {f"{part}_loss": 2 * math.exp(-epoch / 20) for part in ("train", "val")}
    rising = {f"{part}_accuracy": 1 - math.exp(-epoch / 20) for part in ("train", "val")}
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(record(epoch, "search", **falling, **rising))


@dataclass
class Html:
    """A parsed page: its elements as (tag, attributes), and the text that is in none of script and style."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [have for name, have in self.elements if name == tag and attributes.items() <= have.items()]


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page, self.inside = Html(), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else self.inside

    def handle_endtag(self, tag: str) -> None:
        self.inside = "" if tag == self.inside else self.inside

    def handle_data(self, data: str) -> None:
        self.page.text += "" if self.inside else data


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], Html]:
    """Reads HTML."""

    def parse(html: str) -> Html:
        reader = Reader()
        reader.feed(html)
        return reader.page

    return parse


@pytest.fixture(scope="session")
def append_epoch() -> Callable[[Path, int, int], None]:
    """Lets a search finish one more epoch."""
    return add_epoch


def tested(classes: int, right: int = 9) -> dict[str, Any]:
    """What result.json says: of ten clips a class `right` are right, the others taken for the next class."""
    confusion = [[0] * classes for _ in range(classes)]
    for label in range(classes):
        confusion[label][label] += right
        confusion[label][(label + 1) % classes] += 10 - right
    scores = {
        "top1": right / 10, "top5": 1.0, "top5_k": min(5, classes), "balanced_accuracy": right / 10 - 0.123,
        "per_class": [right / 10] * classes, "confusion": confusion, "interval": [right / 10 - 0.1, 0.95],
        "num_clips": 10 * classes, "num_groups": 7,
    }  # fmt: skip
    cost = {
        "parameters": 93_040, "weight_bytes": 372_160, "macs": 10_733_568, "latency_ms": 10.9,
        "latency_spread_ms": 0.2, "threads": 2, "device": "cpu", "checkpoint_bytes": 1_245_585,
    }  # fmt: skip
    return {"protocol": "one centre-cropped clip a video", "scores": scores, "cost": cost}


@pytest.fixture(scope="session")
def make_training(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Makes a training of `done` of `epochs` epochs with classes of these names, tested if it is finished."""

    def make(
        name: str = "a training",
        *,
        parent: Path | None = None,
        epochs: int = 3,
        done: int | None = None,
        classes: tuple[str, ...] = ("run", "walk", "jump"),
        right: int = 9,
        **more: Any,
    ) -> Path:
        parent, done = parent or tmp_path_factory.mktemp("runs"), epochs if done is None else done
        folder = parent / name
        folder.mkdir()
        config: TrainConfig = train_preset(
            "cpu", **{"data": "videos", "genotype": "random:0", "epochs": epochs, **more}
        )
        (folder / "config.json").write_text(to_json(config))
        (folder / "genotype.json").write_text(genotype_json(random_genotype(0)))
        (folder / "classes.json").write_text(json.dumps(classes))
        lines = [
            record(epoch, "train", loss=2 / epoch, accuracy=1 - 1 / (1 + epoch))
            for epoch in range(1, done + 1)
        ]
        (folder / "metrics.jsonl").write_text("".join(lines))
        if done == epochs:
            (folder / "result.json").write_text(json.dumps(tested(len(classes), right)))
        return folder

    return make


@pytest.fixture(scope="session")
def add_evaluation() -> MakeRun:
    """Adds what `vidnas evaluate` writes, with two right and two wrong clips; returns the JSON file."""

    def add(
        run: Path,
        name: str = "evaluation-paper",
        *,
        made: str = "",
        data: str = "videos",
        label: str = "run",
        path: str | None = None,
    ) -> Path:
        (run / f"{name}-clips").mkdir()
        clips = []
        for number in (1, 2):
            for right, word in ((True, "right"), (False, "wrong")):
                file = f"{name}-clips/{word}-{number}.jpg"
                (run / file).write_bytes(thumbnail(np.full((4, 30, 40, 3), 60 * number, dtype=np.uint8)))
                told = {"label": label, "predicted": label if right else "walk", "right": right}
                clips.append(
                    {"file": file, "path": path or f"v/{word}-{number}.avi", "score": 1 - number / 10, **told}
                )
        clips.sort(key=lambda clip: not clip["right"])
        classes = len(json.loads((run / "classes.json").read_text()))
        record = {
            **tested(classes),
            "config": {"data": data, "protocol": "paper"},
            "made": made,
            "clips": clips,
        }
        (run / f"{name}.json").write_text(json.dumps(record))
        return run / f"{name}.json"

    return add


CLASSES = ("walk", "<b>jump</b>")
NASTY = "a <script>alert(1)</script> & very long name of a network " * 2
ODD = "not UTF-8 \udcff, $x_{, 50%?#"


def a_run(seed: int, run: str = "runs/x") -> SeedRun:
    scores = Scores(
        top1=0.6, top5=1.0, top5_k=2, balanced_accuracy=0.577, per_class=(0.5, 0.7),
        confusion=((5, 5), (3, 7)), interval=(0.4, 0.8), num_clips=20, num_groups=5,
    )  # fmt: skip
    return SeedRun(seed, f"{run}/seed-{seed}", scores, 0.9, 60.0, 3, ("a.avi",), (True,), ("walk/g1",))


def a_row(name: str, *, seeds: int = 2, difference: float | None = None, failures: int = 0) -> Row:
    """A network's; without seeds it has failed altogether."""
    runs = tuple(a_run(seed, f"runs/{name}") for seed in range(seeds))
    failed = not runs
    return Row(
        name=name,
        runs=runs,
        cost=None if failed else Cost(665_965, 2_663_860, 8_000_000, 910_000_000, 12.3, 0.4),
        failures=tuple(f"seed {9 - i}: no memory <left>" for i in range(failures)),
        accuracy=None if failed else 0.6,
        spread=0.02 if len(runs) > 1 else None,
        interval=None if failed else (0.4, 0.8),
        difference=difference,
        difference_interval=None if difference is None else (difference - 0.1, difference + 0.1),
    )


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    """Twelve networks: one that failed, some of one seed, hostile names."""
    rows = (
        a_row("searched"),
        a_row("c3d", difference=-0.2),
        a_row("x3d-xs", seeds=1, difference=0.05),
        a_row("movinet-a0", seeds=0, failures=2),
        a_row(NASTY, difference=0.3),
        a_row(ODD, seeds=1, difference=0.0, failures=1),
        *(a_row(f"random-{i}", difference=0.0) for i in range(6)),
    )
    return Comparison(rows, "searched", "searched", CLASSES, "Five classes, chance 50.0%.", "cpu, 2 threads")
