"""The rows of the tables in docs/ are those of docs/results."""

import re
import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

Json = Any
Stored = Callable[[str], Json]

THREE_FIGURES = ((1e9, "G"), (1e6, "M"))
TABLE_2 = {
    "searched": "searched", "random-0": "random:0", "random-1": "random:1", "random-2": "random:2",
    "best-of-5": "best-of:5 (which took random:2)",
}  # fmt: skip
"""What the pages call a row that is stored under another name."""
DARK = ("dark.json",)
"""One seed each."""


@pytest.fixture(scope="session")
def results(pages: dict[str, str]) -> str:
    """The page of results."""
    return pages["docs/results.md"]


def percent(share: float) -> str:
    return f"{share:.1%}"


def accuracy(row: Json) -> str:
    spread = "" if row["spread"] is None else f" ± {100 * row['spread']:.1f}"
    return f"**{percent(row['accuracy'])}**{spread}"


def interval(bounds: tuple[float, float]) -> str:
    return f"{percent(bounds[0])} to {percent(bounds[1])}"


def points(share: float, bounds: tuple[float, float]) -> str:
    low, high = (round(100 * end, 1) + 0.0 for end in bounds)
    return f"{100 * share:+.1f} ({low:+.1f} to {high:+.1f})"


def macs(count: int) -> str:
    return next(f"{count / unit:.3g} {letter}" for unit, letter in THREE_FIGURES if count >= 0.9995 * unit)


def train_accuracy(row: Json) -> str:
    return percent(statistics.fmean(run["train_accuracy"] for run in row["runs"]))


def minutes(row: Json) -> str:
    return f"{statistics.fmean(run['train_sec'] for run in row['runs']) / 60:.1f} min"


def line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def table_2_rows(stored: Stored) -> Iterator[str]:
    costs = stored("table2/cost.json")
    rows = [row for row in stored("table2/table.json")["rows"] if row["name"] != "c3d-8"]
    for row in rows:
        name = row["name"]
        latency = costs[{"best-of-5": "random-2"}.get(name, name)]["latency_ms"]
        yield row_2(row, TABLE_2.get(name, name), f"{latency:.1f} ms")
    (slow,), (sixteen,) = (stored(f"table2/{name}.json")["rows"] for name in ("lowest-rate", "sixteen"))
    yield row_2(slow, "c3d-8 at lr 1e-4", f"{costs['c3d-8, lr 0.0001']['latency_ms']:.1f} ms")
    yield row_2(sixteen, "c3d, 16 frames, at lr 1e-4", "")


def row_2(row: Json, name: str, latency: str) -> str:
    difference = "" if row["difference"] is None else points(row["difference"], row["difference_interval"])
    cost = row["cost"]
    return line(
        name, accuracy(row), interval(row["interval"]), difference, train_accuracy(row),
        f"{cost['parameters']:,}", macs(cost["macs"]), latency, minutes(row),
    )  # fmt: skip


def time_rows(stored: Stored) -> Iterator[str]:
    files = ("time-cells", "time", "time-lowest-rate")
    names = {"random-0": "random:0", "c3d-8": "c3d-8 at lr 1e-4"}
    for row in (row for file in files for row in stored(f"table2/{file}.json")["rows"]):
        epochs = {run["epochs"] for run in row["runs"]}
        assert len(epochs) == 1
        yield line(
            names.get(row["name"], row["name"]), accuracy(row), interval(row["interval"]),
            train_accuracy(row), str(epochs.pop()), minutes(row),
        )  # fmt: skip


def depth_rows(stored: Stored) -> Iterator[str]:
    for row in stored("table2/depth.json")["rows"]:
        cells = match[1] if (match := re.fullmatch(r"searched-(\d)-cells", row["name"])) else "6"
        cost = row["cost"]
        yield line(
            cells, accuracy(row), interval(row["interval"]), train_accuracy(row), f"{cost['parameters']:,}",
            macs(cost["macs"]), minutes(row),
        )  # fmt: skip


def remedy_rows(stored: Stored) -> Iterator[str]:
    names = {
        "searched": "as it is",
        "epoch-010": "the cell of epoch 10 of the same search",
        "slow-alpha": "alpha ten times slower (`--alpha-lr 1e-3`)",
    }
    for row in stored("table2/remedies.json")["rows"]:
        difference = (
            "" if row["difference"] is None else points(row["difference"], row["difference_interval"])
        )
        cost = row["cost"]
        yield line(
            names[row["name"]], accuracy(row), interval(row["interval"]), difference, train_accuracy(row),
            f"{cost['parameters']:,}", macs(cost["macs"]),
        )  # fmt: skip


def ucf101_5_rows(stored: Stored) -> Iterator[str]:
    names = {
        "searched": "searched cell", "random-0": "random:0", "random-1": "random:1", "random-2": "random:2",
        "single-frame": "single frames (the searched cell)",
    }  # fmt: skip
    for file, name in names.items():
        run = stored(f"ucf101_5/{file}.json")
        scores, cost = run["scores"], run["cost"]
        yield line(
            name, f"**{percent(scores['top1'])}**", interval(scores["interval"]),
            percent(run["train_accuracy"]), f"{cost['parameters']:,}", f"{cost['macs'] / 1e9:.3f} G",
            f"{run['median_epoch_sec']:.1f} s ({run['shortest_epoch_sec']:.1f} s)",
        )  # fmt: skip


def growth_rows(stored: Stored) -> Iterator[str]:
    rows = stored("bench/growth.json")["rows"]
    units = {"batch": "batch {}", "frames": "{} frames", "size": "{} px"}
    units |= {"channels": "{} first channels", "cells": "{} cells"}
    places = dict.fromkeys((row["setting"], row["value"]) for row in rows)
    for setting, value in places:
        cells = [units[setting].format(value)]
        for step in ("search", "train"):
            found = [r for r in rows if (r["step"], r["setting"], r["value"]) == (step, setting, value)]
            cells += [f"{r['sec_per_clip']:.3f}" for r in found] or [""]
            cells += [f"{r['peak_mib']:.0f}" for r in found] or [""]
        yield line(*cells)


def speed_rows(stored: Stored) -> Iterator[str]:
    """Of a processor with AVX-512, on two threads, and the ratio on one."""
    for file in ("search_step", "train_step", "inference"):
        on_one = stored(f"bench/avx512/{file}-threads-1.json")
        for name, one in stored(f"bench/avx512/{file}-threads-2.json").items():
            if name != "machine":
                of_case = f"{file.replace('_step', '')}, {name.removesuffix(', beside reference')}"
                memory = f"{1 / one['memory_ratio']:.2f} x"
                yield line(of_case, *times_of(one), ratio_of(one), ratio_of(on_one[name]), memory)


def small_clip_rows(stored: Stored) -> Iterator[str]:
    """Of a processor with AVX2, on two threads, inference on one."""
    for file, threads in (("search_step", 2), ("train_step", 2), ("inference", 1)):
        for name, one in stored(f"bench/avx2/{file}-threads-{threads}.json").items():
            if name != "machine":
                of_case = f"{file.replace('_step', '')}, {name.removesuffix(', beside reference')}"
                memory = f"{1 / one['memory_ratio']:.2f} x"
                yield line(of_case, *times_of(one), ratio_of(one), memory)


def roofline_rows(stored: Stored) -> Iterator[str]:
    for file in ("roofline", "roofline_paper"):
        for row in stored(f"bench/avx2/{file}.json")["rows"]:
            case = row["case"]
            yield line(
                row["step"], f"{case['size_px']} px, stem stride {case['stem_stride']}",
                *(f"{row[name]:.0f}" for name in ("ms", "without_kernels_ms", "bound_ms")),
                *(bound_of(row["kernels"], stage) for stage in ("spatial", "temporal", "blend")),
            )  # fmt: skip


def bound_of(kernels: Json, stage: str) -> str:
    """Of a stage's kernels the milliseconds that they take, and those that the machine needs at least."""
    own = [work for name, work in kernels.items() if name.startswith(stage)]
    took, bound = (1e3 * sum(work[name] for work in own) for name in ("sec", "bound_sec"))
    return f"{took:.0f} ({bound:.0f})"


def times_of(one: Json) -> list[str]:
    return [time_of(one[f"{who}_median_sec"]) for who in ("rival", "ours")]


def ratio_of(one: Json) -> str:
    spread = f"({one['lowest_pair_ratio']:.2f} to {one['highest_pair_ratio']:.2f})"
    return f"**{one['time_ratio']:.2f}** {spread}"


def fixed_rows(stored: Stored) -> Iterator[str]:
    for row in stored("bench/avx512/fixed_costs.json")["rows"]:
        ms = (f"{row[name]:.0f} ms" for name in ("ms", "without_kernels_ms"))
        yield line(row["step"], str(row["size_px"]), *ms)


def busy_rows(stored: Stored) -> Iterator[str]:
    for row in stored("bench/avx2/busy.json")["rows"]:
        yield line(f"{row['threads']}", row["step"], row["who"], *(f"{1e3 * sec:.0f}" for sec in row["sec"]))


def time_of(sec: float) -> str:
    if sec < 0.02:
        return f"{1000 * sec:.1f} ms"
    return f"{1000 * sec:.0f} ms" if sec < 0.2 else f"{sec:#.3g} s" if sec >= 0.995 else f"{sec:.2f} s"


def reading_rows(stored: Stored) -> Iterator[str]:
    own, pack, h264 = (
        stored("bench/data.json")[name] for name in ("avi_own", "avi_packed_vs_source", "h264_own")
    )
    num_avi, num_h264 = 128, 32
    yield f"| **{num_avi / pack['ours_median_sec']:.0f}** | |"
    for name, key in (("vidnas from the videos", "ours"), ("OpenCV 5.0", "rival")):
        avi, other = num_avi / own[f"{key}_median_sec"], num_h264 / h264[f"{key}_median_sec"]
        yield line(name, f"{avi:.0f}", f"{other:.0f}")
    by_pair = f"by pair {pack['lowest_pair_ratio']:.1f} to {pack['highest_pair_ratio']:.1f}"
    yield f"A pack is {pack['time_ratio']:.1f} times ({by_pair}"


def gradient_rows(stored: Stored) -> Iterator[str]:
    rows = stored("alpha_gradients.json")["rows"]

    def of_batches(value: Callable[[Json], float]) -> str:
        return ", ".join(f"{value(row):.3f}" for row in rows)

    yield line("first order", of_batches(lambda row: row["cosine_first_order"]))
    first = "finite difference, radius 0.01 / norm of v (what `--order 2` does)"
    yield line(first, of_batches(lambda row: row["radius 0.01"]["cosine"]))
    for radius in ("0.1", "0.001", "0.0001"):
        yield line(f"radius {radius}", ", ".join(f"{row[f'radius {radius}']['cosine']:.3f}" for row in rows))
    alone = "second term alone, radius 0.01"
    yield line(alone, of_batches(lambda row: row["radius 0.01"]["cosine_second_term"]))
    error = "relative error of the second term, radius 0.01"
    yield line(error, of_batches(lambda row: row["radius 0.01"]["error_second_term"]))
    shares = ", ".join(f"{row['norm_second_term'] / row['norm_exact']:.2f}" for row in rows)
    yield f"its norm is {shares} of the whole gradient's"


def rank_rows(stored: Stored) -> Iterator[str]:
    record = stored("supernet_rank.json")
    for name, one in record["correlations"].items():
        bold = "**" if name == "one-hot accuracy" else ""
        yield f"| {bold}{one['spearman']:+.2f}{bold} ({one['low']:+.2f} to {one['high']:+.2f}) |"
    shown = [statistics.fmean(seeds) for seeds in record["shown"]]
    yield f"it ranges from {min(shown):.0%}".rstrip("%") + f" to {100 * max(shown):.0f} %"


TABLES: Mapping[str, tuple[str, Callable[[Stored], Iterator[str]]]] = {
    "Table 2": ("docs/results.md", table_2_rows),
    "equal time": ("docs/results.md", time_rows),
    "depth": ("docs/results.md", depth_rows),
    "remedies": ("docs/results.md", remedy_rows),
    "ucf101_5": ("docs/results.md", ucf101_5_rows),
    "speed": ("docs/performance.md", speed_rows),
    "small clips": ("docs/performance.md", small_clip_rows),
    "roofline": ("docs/performance.md", roofline_rows),
    "busy": ("docs/performance.md", busy_rows),
    "fixed costs": ("docs/performance.md", fixed_rows),
    "reading clips": ("docs/performance.md", reading_rows),
    "alpha gradients": ("docs/results.md", gradient_rows),
    "supernet": ("docs/results.md", rank_rows),
    "growth": ("docs/performance.md", growth_rows),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_is_as_stored(name: str, pages: dict[str, str], stored: Stored) -> None:
    page, rows = TABLES[name]
    expected = list(rows(stored))
    assert len(expected) >= 4 - (name == "remedies")
    assert [row for row in expected if row not in pages[page]] == []


def test_every_row_of_the_recipe_is_as_stored(results: str, stored: Stored) -> None:
    """The page has fewer rows than the file, which pairs every variant with either base."""
    measured = set()
    for comparison in stored("recipe.json")["comparisons"]:
        for name, variant in comparison["variants"].items():
            own = name == comparison["base"]
            difference = "  " if own else f" {points(variant['difference'], variant['interval'])} "
            shares = f"{percent(variant['accuracy'])} | {percent(variant['train_accuracy'])}"
            measured.add(f"| {name} | {len(comparison['networks'])} | {shares} |{difference}|")
    section = results.split("## Which parts of the recipe help")[1].split("\n## ")[0]
    shown = [row.replace("**", "") for row in section.splitlines() if re.match(r"\| .*\| \d \|", row)]
    assert len(shown) > 15
    assert [row for row in shown if row not in measured] == []


def test_every_row_of_the_dark_clips_is_as_stored(results: str, stored: Stored) -> None:
    """Of both sets of clips, side by side."""
    section = results.split("## Dark clips")[1].split("\n## ")[0]
    shown = [row for row in section.splitlines() if re.match(r"\| .* \| \d \|", row)]
    assert shown == list(dark_rows(stored))
    assert len(shown) >= 5


def dark_rows(stored: Stored) -> Iterator[str]:
    for file in DARK:
        record = stored(file)
        same = record["settings"]["same"]
        for name in record["dark"]:
            cells = [name, same[same.index("--seed") + 1]]
            for kind in ("untouched", "dark"):
                measured = record[kind][name]
                own = name == "residual frames"
                difference = "" if own else points(measured["difference"], measured["interval"])
                cells += [percent(measured["accuracy"]), percent(measured["train_accuracy"]), difference]
            yield line(*cells)
