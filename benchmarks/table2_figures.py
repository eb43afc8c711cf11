"""The README's picture of Table 2, and the costs in it, measured in one go on an idle machine.

    python benchmarks/table2_figures.py docs/results/table2 --plot docs/tradeoff.png [--measure]

Takes the accuracies that benchmarks/table2.sh measured (table.json, and from lowest-rate.json C3D's at its
own learning rate) and the costs in cost.json beside them. With --measure it first builds every network anew
for its size, MACs and latency, and writes that file. The accuracies take hours and may be measured beside
other work; latencies may not, and take a minute: on a busy machine nothing is written.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from vidnas.assembly import architecture, networks, steps
from vidnas.config.presets import train_preset
from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.tradeoff import PARAMETERS, Kind, Rated, draw_sheet
from vidnas.training.latency import measure_latencies
from vidnas.training.profile import count_macs, count_parameters

SEARCHED, OWN_RATE = "searched", "c3d-8"
BEST_OF = "best-of-5"
"""Drew random:2, which is there already."""


@dataclass(frozen=True)
class Cost:
    """What a network costs whatever its weights; a clip's median latency, and its quartiles' range."""

    parameters: int
    macs: int
    latency_ms: float
    latency_spread_ms: float
    reference_ms: float | None = None
    """Of training/latency.py; not known of the costs that were measured before there was one."""


def main() -> None:
    """Read the accuracies and the costs, which are measured if asked for, and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plot", type=Path, required=True)
    parser.add_argument("--measure", action="store_true")
    args = parser.parse_args()
    table = json.loads((args.folder / "table.json").read_text())
    slower = json.loads((args.folder / "lowest-rate.json").read_text())
    rows = {row["name"]: row for row in table["rows"] if row["name"] not in (BEST_OF, OWN_RATE)}
    rows[f"{OWN_RATE}, lr 0.0001"] = next(row for row in slower["rows"] if row["name"] == OWN_RATE)
    stored = args.folder / "cost.json"
    if args.measure:
        measured = measure({name: source(row["name"], args.folder) for name, row in rows.items()})
        written = {name: asdict(cost) for name, cost in measured.items()}
        stored.write_text(json.dumps(written, indent=1) + "\n")
    costs = {name: Cost(**cost) for name, cost in json.loads(stored.read_text()).items()}
    points = [place(number, name, rows[name], cost) for number, (name, cost) in enumerate(costs.items(), 1)]
    save_figure(draw_sheet(points, caption=table["caption"]), args.plot)


def source(name: str, folder: Path) -> str:
    """What `architecture.read_architecture` reads, of a row's name."""
    if name == SEARCHED:
        return str(folder / "genotypes" / "searched.json")
    return name.replace("random-", "random:")


def measure(sources: dict[str, str]) -> dict[str, Cost]:
    """Size, MACs and latency of every network for the table's clips."""
    config = train_preset("cpu", data="builtin:8", size_px=48)
    shape, device = steps.clip_shape(config), torch.device("cpu")
    built = {
        name: networks.build_network(architecture.read_architecture(source), config, num_classes=5)
        for name, source in sources.items()
    }
    latencies = measure_latencies([networks.fold(network) for network in built.values()], shape, device)
    if any(latency.busy for latency in latencies):
        raise SystemExit("The machine is busy, and its latencies would be too long: nothing is written.")
    return {
        name: Cost(
            count_parameters(network),
            count_macs(network, shape),
            latency.median_ms,
            latency.spread_ms,
            latency.reference_ms,
        )
        for (name, network), latency in zip(built.items(), latencies, strict=True)
    }


def place(number: int, name: str, row: dict[str, Any], cost: Cost) -> Rated:
    """The network in the picture."""
    costs = {PARAMETERS: cost.parameters, Kind("MACs"): cost.macs, Kind("latency", "ms"): cost.latency_ms}
    low, high = row["interval"]
    reference = name == SEARCHED
    return Rated(name, row["accuracy"], low, high, costs, label=str(number), reference=reference)


if __name__ == "__main__":
    main()
