"""Single files of a run folder as plain values, whatever their state: a run may be writing them right now."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidnas.errors import UserError
from vidnas.nas.genotype import Genotype, load_genotype
from vidnas.runs.files import alpha_of, cell_of
from vidnas.training.scores import by_present_names

Number = int | float
"""What JSON calls a number."""

LOG_CHARACTERS = 20_000
"""Of log.txt, the end is kept."""
JPEG = b"\xff\xd8\xff"
"""How every JPEG file begins."""

Numbers = Mapping[str, Number]
"""One line of metrics.jsonl without its kind; what was not finite is absent."""


@dataclass(frozen=True)
class Clip:
    """A test clip that a network was sure of: its thumbnail, the truth and the answer."""

    picture: bytes
    path: str
    label: str
    predicted: str
    score: float
    right: bool


@dataclass(frozen=True)
class Test:
    """One test of a network: `source` is the file that tells of it, `made` an ISO time or empty."""

    __test__ = False  # pytest would take the name for a test class

    source: str
    protocol: str
    data: str
    made: str
    scores: Mapping[str, Any]
    """As in training/scores.py."""
    cost: Mapping[str, Any]
    """As in training/profile.py, and checkpoint_bytes."""
    clips: tuple[Clip, ...]


@dataclass(frozen=True)
class CellOfEpoch:
    """What a search thought in one epoch: `mixing` (edges, primitives) is the softmax of alpha, or empty."""

    epoch: int
    genotype: Genotype
    mixing: tuple[tuple[float, ...], ...]
    edges: tuple[tuple[int, int], ...] = ()
    """(node, source) of every row of `mixing`."""
    primitives: tuple[str, ...] = ()
    """Names of its columns, as they were at the time."""


def read_json(path: Path) -> Any:
    """The content of a JSON file; UserError if there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path.name} cannot be read: {error}.") from error


def read_metrics(path: Path) -> dict[str, list[Numbers]]:
    """The lines by kind, in the order of their epochs; the last line of an epoch counts, none cut off."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return {}  # the run has not come to its first epoch
    found: dict[str, dict[int, Numbers]] = {}
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and type(record.get("epoch")) is int:
            found.setdefault(str(record.get("kind")), {})[record["epoch"]] = _numbers(record)
    return {kind: [epochs[epoch] for epoch in sorted(epochs)] for kind, epochs in found.items()}


def _numbers(record: Mapping[str, Any]) -> Numbers:
    return {
        name: value
        for name, value in record.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def read_cell(run: Path, epoch: int) -> CellOfEpoch:
    """The genotype and alpha of an epoch of a search; UserError if they cannot be read."""
    genotype = load_genotype(run / cell_of(epoch))
    path = run / alpha_of(epoch)
    if not path.exists():
        return CellOfEpoch(epoch, genotype, ())
    record = read_json(path)
    try:
        mixing = tuple(_softmax(row) for row in record["alpha"])
        edges = tuple((int(edge["node"]), int(edge["source"])) for edge in record["edges"])
        primitives = tuple(record["primitives"])
        if [len(row) for row in mixing] != [len(primitives)] * len(edges):
            raise ValueError("its shape does not fit its edges and primitives")
        if not _has_all(genotype, edges, primitives):
            raise ValueError("it does not fit the genotype")
        return CellOfEpoch(epoch, genotype, mixing, edges, primitives)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{path.name} holds no alpha: {error!r}.") from error


def read_selection(path: Path) -> int:
    """The epoch whose cell a search has found; UserError where selection.json names none."""
    selection = read_json(path)
    if not isinstance(selection, dict) or type(selection.get("epoch")) is not int:
        raise UserError(f"{path.name} does not name an epoch.")
    return int(selection["epoch"])


def read_classes(path: Path) -> tuple[str, ...]:
    """The class names of a training, in the order of the logits; UserError where they are no such list."""
    try:
        classes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or error
        raise UserError(f"Cannot read the classes of the run in {path}: {cause}.") from error
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise UserError(f"{path} must hold a list of class names.")
    if len(set(classes)) < len(classes):
        raise UserError(f"{path} holds a class name twice.")
    return tuple(classes)


def read_versions(path: Path) -> Mapping[str, str]:
    """What was installed at a run's begin; UserError where the file does not say it."""
    versions = read_json(path)
    if not isinstance(versions, dict):
        raise UserError(f"{path.name} holds no versions.")
    return {str(name): str(value) for name, value in versions.items()}


def read_log(path: Path) -> str:
    """What a run has said, of much the end, in whole lines; nothing where that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text if len(text) <= LOG_CHARACTERS else "…" + text[-LOG_CHARACTERS:].partition("\n")[2]


def _has_all(genotype: Genotype, edges: Sequence[tuple[int, int]], primitives: Sequence[str]) -> bool:
    """Whether there is a row and a column for everything that the genotype keeps."""
    return all(
        (node, edge.source) in edges and edge.primitive in primitives
        for node, kept in enumerate(genotype.nodes)
        for edge in kept
    )


def _softmax(row: list[Any]) -> tuple[float, ...]:
    powers = [math.exp(value - max(row)) for value in row]
    return tuple(power / sum(powers) for power in powers)


def read_test(path: Path, data: str) -> Test:
    """What result.json or an evaluation says; `data` is what was tested where the file does not say it."""
    record = read_json(path)
    try:
        config = record.get("config", {})
        clips = [_read_clip(path.parent, entry) for entry in record.get("clips", ())]
        test = Test(
            source=path.name,
            protocol=record.get("protocol") or config["protocol"],
            data=config.get("data", data),
            made=str(record.get("made", "")),
            scores=by_present_names(record["scores"]),
            cost=record["cost"],
            clips=tuple(clip for clip in clips if clip is not None),
        )
        _require_whole(test)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path.name} does not tell of a test: {error!r}.") from error
    return test


def _require_whole(test: Test) -> None:
    """Fails, with one of the errors above, where a number is missing that the page shows."""
    scores, cost, size = test.scores, test.cost, len(test.scores["per_class"])
    low, high = scores["interval"]
    names = ("top1", "top5", "top5_k", "balanced_accuracy", "num_clips", "num_groups")
    numbers = [scores[name] for name in names]
    numbers += [cost[name] for name in ("parameters", "weight_bytes", "macs", "latency_ms", "threads")]
    numbers += [low, high, *(share for share in scores["per_class"] if share is not None)]
    rows = [[int(count) for count in row] for row in scores["confusion"]]
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a number is not finite")
    if not size or len(rows) != size or any(len(row) != size for row in rows):
        raise ValueError("its confusion matrix does not fit its classes")


def _read_clip(run: Path, entry: Mapping[str, Any]) -> Clip | None:
    """The clip, or None where its thumbnail is gone or is no JPEG: no other file may get into a page."""
    file = (run / entry["file"]).resolve()
    try:
        picture = file.read_bytes() if file.is_relative_to(run.resolve()) else b""
    except OSError:
        return None
    if not picture.startswith(JPEG):
        return None
    path, label, predicted = (str(entry[name]) for name in ("path", "label", "predicted"))
    return Clip(picture, path, label, predicted, float(entry["score"]), bool(entry["right"]))
