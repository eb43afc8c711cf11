"""`vidnas compare` from end to end: rows, a kill, more rows, failures that cost no other row."""

import csv
import json
import os
import pickle
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from little import LITTLE, flags

from vidnas.assembly import forecasts, videos
from vidnas.cli.main import main
from vidnas.compare.here import Ended, run_all
from vidnas.compare.jobs import Job
from vidnas.config.learning import TrainConfig
from vidnas.nas.genotype import all_skip_genotype, load_genotype, random_genotype, to_json
from vidnas.training.pace import Pace

RunVidnas = Callable[..., Any]
SMALL = flags(**LITTLE)


@pytest.fixture(scope="module")
def command(few_videos: Path) -> tuple[str, ...]:
    return ("compare", "--data", str(few_videos), *SMALL)


@pytest.fixture(scope="module")
def compared(command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of three networks with two seeds, one of which cannot be trained."""
    folder = tmp_path_factory.mktemp("comparisons")
    (folder / "my cell.json").write_text(to_json(random_genotype(3)))
    networks = f"random:0,{folder / 'my cell.json'},c3d,3d-shufflenet-0.5"
    out = folder / "a comparison"
    assert main([*command, "--networks", networks, "--seeds", "0,4", "--paper", "--out", str(out)]) == 1
    return out


def without_epochs(command: tuple[str, ...]) -> tuple[str, ...]:
    """For a comparison by minutes, which decide how many epochs there are."""
    at = command.index("--epochs")
    return command[:at] + command[at + 2 :]


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "comparison.csv").open(newline="") as file:
        return {row["network"]: row for row in csv.DictReader(file)}


def test_a_row_holds_every_seed_the_cost_and_the_difference_to_the_reference(compared: Path) -> None:
    rows = rows_of(compared)
    assert list(rows) == ["random-0", "my cell", "c3d", "3d-shufflenet-0.5"]
    record = json.loads((compared / "comparison.json").read_text())
    assert record["reference"] == "my cell"
    tests = [
        json.loads((compared / f"runs/my cell/seed-{seed}/result.json").read_text())["scores"]["top1"]
        for seed in (0, 4)
    ]
    own = rows["my cell"]
    assert float(own["accuracy"]) == pytest.approx(sum(tests) / 2)
    assert (own["seeds"], own["epochs"], own["difference"]) == ("0 4", "1", "")
    other = rows["3d-shufflenet-0.5"]
    difference = float(other["accuracy"]) - float(own["accuracy"])
    assert float(other["difference"]) == pytest.approx(difference)
    assert float(other["difference_low"]) <= difference <= float(other["difference_high"])
    assert 0 < int(own["weight_bytes"]) < int(own["checkpoint_bytes"])


def test_a_network_that_fails_costs_no_other_its_row(compared: Path) -> None:
    row = rows_of(compared)["c3d"]
    assert row["accuracy"] == ""
    assert "seed 0: The network c3d takes clips of 16 frames" in row["failures"]
    assert "seed 4" in row["failures"]


def test_what_is_foretold_is_told_before_the_first_training(compared: Path) -> None:
    said = (compared / "log.txt").read_text()
    first = said.index("[1/8] random-0, seed 0; about ")
    assert said.count("Careful: c3d cannot be trained, and its row will say so: The network c3d takes") == 1
    assert 0 < said.index("Careful: c3d cannot be trained") < first
    (forecast,) = (line for line in said.splitlines() if line.startswith("Forecast of the whole: about "))
    assert said.index(forecast) < first
    for training in ("random-0/0", "random-0/4", "my cell/4", "3d-shufflenet-0.5/0"):
        assert f"{training} " in forecast
    assert "c3d/" not in forecast
    assert re.search(r"\[8/8\] 3d-shufflenet-0\.5, seed 4; about .* until the end of the comparison", said)


def test_after_every_training_the_table_so_far_is_printed(compared: Path) -> None:
    tables = [part.split("\n[")[0] for part in (compared / "log.txt").read_text().split("\nSo far:\n")[1:]]
    assert len(tables) == 8
    assert [line.split()[0] for line in tables[0].splitlines()] == [
        "network", "random-0", "my", "c3d", "3d-shufflenet-0.5"
    ]  # fmt: skip
    assert re.search(r"^random-0 +\d+\.\d%", tables[0], re.MULTILINE)
    assert re.search(r"^my cell +- ", tables[0], re.MULTILINE)
    assert "parameters" not in tables[-1]  # they are counted at the end
    assert tables[-1].count("2 seeds") == 3


def test_all_forms_of_the_table_are_written_and_link_the_runs_pages(compared: Path) -> None:
    for name in ("comparison.md", "comparison.html", "tradeoff.png", "tradeoff.svg", "log.txt"):
        assert (compared / name).stat().st_size > 0
    page = (compared / "comparison.html").read_text()
    assert 'href="runs/my%20cell/seed-4/report.html"' in page
    assert (compared / "runs/my cell/seed-4/report.html").exists()
    assert "58.6" in page


def test_every_run_is_one_like_any_other(compared: Path, few_videos: Path) -> None:
    run = compared / "runs/3d-shufflenet-0.5/seed-0"
    assert main(["evaluate", "--run", str(run), "--data", str(few_videos), "--workers", "0"]) == 0
    videos = sorted((few_videos / "Grow").iterdir())[:1]
    assert main(["predict", "--run", str(run), str(videos[0])]) == 0


def test_a_comparison_that_is_killed_goes_on_and_keeps_what_is_finished(
    command: tuple[str, ...], tmp_path: Path, run_vidnas: RunVidnas
) -> None:
    out = tmp_path / "killed"
    whole = (*command, "--networks", "random:0,all-skip", "--epochs", "2", "--checkpoint-minutes", "0")
    killed = run_vidnas(
        (*whole, "--out", out),
        {"target": "vidnas.runs.keeper:Keeper.step_done", "nth": 9, "after": True},
    )
    assert killed.code == -signal.SIGKILL
    finished = out / "runs/random-0/seed-0/result.json"
    before = finished.read_bytes()
    assert not (out / "runs/all-skip/seed-0/result.json").exists()
    assert main(["compare", "--resume", str(out)]) == 0
    assert finished.read_bytes() == before
    assert "Going on after" in (out / "runs/all-skip/seed-0/log.txt").read_text()
    uninterrupted = tmp_path / "uninterrupted"
    assert main([*whole, "--out", str(uninterrupted)]) == 0
    for row, same in zip(rows_of(out).values(), rows_of(uninterrupted).values(), strict=True):
        assert (row["accuracy"], row["train_accuracy"]) == (same["accuracy"], same["train_accuracy"])


def test_an_interrupted_comparison_says_how_to_go_on(
    command: tuple[str, ...], tmp_path: Path, run_vidnas: RunVidnas
) -> None:
    out = tmp_path / "interrupted"
    ended = run_vidnas(
        (*command, "--networks", "random:0,all-skip", "--out", out),
        {"target": "vidnas.runs.keeper:Keeper.step_done", "does": "send", "number": signal.SIGINT},
    )
    assert ended.code == 130
    assert f"To go on: vidnas compare --resume {out}" in ended.printed


def test_a_stop_between_two_trainings_is_not_forgotten(
    command: tuple[str, ...], tmp_path: Path, run_vidnas: RunVidnas
) -> None:
    out = tmp_path / "stopped"
    ended = run_vidnas(
        (*command, "--networks", "random:0,all-skip", "--out", out),
        {"target": "vidnas.runs.log:RunLog.write", "name": "result.json", "after": True, "does": "send",
         "number": signal.SIGINT},
    )  # fmt: skip
    assert ended.code == 130
    assert (out / "runs/random-0/seed-0/result.json").exists()
    assert not (out / "runs/all-skip").exists()
    assert re.search(r"So far:\nnetwork .*\nrandom-0 +\d+\.\d%", ended.printed)
    assert float(rows_of(out)["random-0"]["accuracy"]) >= 0
    assert rows_of(out)["all-skip"]["accuracy"] == ""
    assert "random-0" in (out / "comparison.md").read_text()


def test_it_goes_on_with_the_same_videos_only(
    command: tuple[str, ...], few_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "compared"
    assert main([*command, "--networks", "all-skip", "--out", str(out)]) == 0
    before = (out / "config.json").read_bytes()
    videos = tmp_path / "videos"
    shutil.copytree(few_videos, videos)
    both = ("--networks", "all-skip,random:0")
    assert main(["compare", "--resume", str(out), "--data", str(videos), *both]) == 0
    (out / "config.json").write_bytes(before)
    next((videos / "Grow").iterdir()).unlink()
    capsys.readouterr()
    assert main(["compare", "--resume", str(out), "--data", str(videos)]) == 1
    assert "was begun with other videos" in capsys.readouterr().err
    assert (out / "config.json").read_bytes() == before
    predictions = out / "runs/all-skip/seed-0/predictions.csv"
    lines = predictions.read_text().splitlines(keepends=True)
    for content, said in (("".join(lines[:-1]), "was tested on other videos"), ("", "names no video")):
        predictions.write_text(content)
        assert main(["compare", "--resume", str(out), *both]) == 1
        assert said in capsys.readouterr().err


def test_networks_and_seeds_may_come_on_top(command: tuple[str, ...], tmp_path: Path) -> None:
    out = str(tmp_path / "grows")
    assert main([*command, "--networks", "random:0", "--out", out]) == 0
    before = (tmp_path / "grows/runs/random-0/seed-0/result.json").read_bytes()
    assert main(["compare", "--resume", out, "--networks", "random:0,all-skip", "--seeds", "0,1"]) == 0
    assert [row["seeds"] for row in rows_of(tmp_path / "grows").values()] == ["0 1", "0 1"]
    assert (tmp_path / "grows/runs/random-0/seed-0/result.json").read_bytes() == before
    assert load_genotype(tmp_path / "grows/runs/all-skip/seed-0/genotype.json") == all_skip_genotype()


def test_another_recipe_is_another_comparison(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--resume", str(compared), "--epochs", "3"]) == 1
    assert "epochs is 1 there and 3 here" in capsys.readouterr().err


def test_a_depth_study_builds_every_cell_with_each_number_of_cells(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "depths"
    assert (
        main([*command, "--networks", "random:0,3d-shufflenet-0.5", "--depths", "2,1,3", "--out", str(out)])
        == 0
    )
    rows = rows_of(out)
    assert list(rows) == ["random-0-2-cells", "random-0", "random-0-3-cells", "3d-shufflenet-0.5"]
    two, one, three, _ = (int(row["parameters"]) for row in rows.values())
    assert one < two < three
    assert json.loads((out / "comparison.json").read_text())["reference"] == "random-0"  # as deep as set


def test_the_best_of_k_is_chosen_without_the_test_videos(command: tuple[str, ...], tmp_path: Path) -> None:
    out = tmp_path / "best"
    assert main([*command, "--networks", "best-of:3", "--out", str(out)]) == 0
    accuracies = []
    for number in range(3):
        candidate = out / f"runs/best-of-3/random-{number}/seed-0"
        accuracies.append(json.loads((candidate / "result.json").read_text())["scores"]["top1"])
        seen = json.loads((candidate / "videos.json").read_text())
        test = json.loads((out / "runs/best-of-3/seed-0/videos.json").read_text())["test"]
        names = {str(video) for video in [*seen["train"], *seen["test"]]}
        assert names.isdisjoint({str(video) for video in test})
    best = accuracies.index(max(accuracies))
    assert load_genotype(out / "runs/best-of-3/seed-0/genotype.json") == random_genotype(best)


def test_jobs_may_run_elsewhere_and_in_another_order_and_videos_are_opened_once(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each job comes to its place as bytes, as to another process; the candidates are divided otherwise."""
    opened: list[str] = []

    def counting(name: str, original: Callable[..., object], *given: object, **more: object) -> object:
        opened.append(name)
        return original(*given, **more)

    for name in ("index_videos", "scan_indexed"):
        original = getattr(videos, name)
        monkeypatch.setattr(videos, name, partial(counting, name, original))
    whole = (*command, "--networks", "all-skip,best-of:2", "--seeds", "0,1")
    assert main([*whole, "--out", str(tmp_path / "here")]) == 0
    assert sorted(opened) == ["index_videos", "scan_indexed", "scan_indexed"]

    def elsewhere(jobs: Sequence[Job], run: Callable[[Job], object], **more: Any) -> Iterator[Ended]:
        return run_all(pickle.loads(pickle.dumps(jobs[::-1])), run, **more)

    monkeypatch.setattr("vidnas.verbs.compare.run_all", elsewhere)
    assert main([*whole, "--out", str(tmp_path / "elsewhere")]) == 0
    numbers = ("network", "seeds", "accuracy", "train_accuracy", "difference", "parameters", "failures")
    for here, there in zip(
        rows_of(tmp_path / "here").values(), rows_of(tmp_path / "elsewhere").values(), strict=True
    ):
        assert [here[name] for name in numbers] == [there[name] for name in numbers]


def test_equal_time_gives_a_small_network_more_epochs(command: tuple[str, ...], tmp_path: Path) -> None:
    out = tmp_path / "timed"
    whole = (*without_epochs(command), "--networks", "all-skip,3d-mobilenetv2-0.45", "--minutes", "0.02")
    assert main([*whole, "--out", str(out)]) == 0
    rows = rows_of(out)
    assert int(rows["all-skip"]["epochs"]) > int(rows["3d-mobilenetv2-0.45"]["epochs"]) >= 1


def test_a_network_of_which_no_epoch_fits_is_told_first_and_costs_no_other_its_row(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pace(outlook: object, config: TrainConfig) -> Pace:  # noqa: ARG001
        return Pace(epoch_sec=100.0 if config.network else 2.0, once_sec=50.0)

    monkeypatch.setattr(forecasts.Outlook, "pace", pace)
    out = tmp_path / "unequal"
    whole = (*without_epochs(command), "--networks", "all-skip,3d-shufflenet-0.5", "--minutes", "0.11")
    assert main([*whole, "--out", str(out)]) == 1
    said = (out / "log.txt").read_text()
    first = said.index("[1/2] ")
    assert said.index("3d-shufflenet-0.5 cannot be trained, and its row will say so: minutes is 0.11") < first
    rows = rows_of(out)
    assert rows["all-skip"]["epochs"] == "3"  # its own time is what counts, without what comes once
    assert "too few for one epoch, which takes about 100 s here" in rows["3d-shufflenet-0.5"]["failures"]
    config = json.loads((out / "runs/all-skip/seed-0/config.json").read_text())
    assert (config["epochs"], config["minutes"]) == (3, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--networks", "3d-resnet-19"), "genotype file, the run folder of a search or of a cell's training"),
        (("--networks", "3d-resnet-19"), "it may also be best-of:K"),
        (("--networks", "3d-resnet-19"), "A network designed by hand is one of 3d-resnet-18, 3d-resnet-50"),
        (("--networks", "c3d-8,,x3d-xs"), "random:SEED, all-skip, best-of:K, genotype files, run folders"),
        (("--networks", "3d-resnet-19"), "There is no network 3d-resnet-19. Did you mean 3d-resnet-18?"),
        (("--networks", "C3D"), "Did you mean c3d?"),
        (("--networks", "random:0,random:0"), "it must hold different names"),
        (("--networks", "random:0,random:00"), "would both be called random-0"),
        (("--networks", "random:0", "--seeds", "1,1"), "it must hold different whole numbers"),
        (("--networks", "c3d-8"), "num_cells does nothing with networks c3d-8"),
        (("--networks", "best-of:0"), "write best-of: and a number from 1 to 1000"),
        (("--networks", "random:x"), "write random: and a whole number"),
        (("--networks", "random:0", "--seeds", "0,one"), "it must hold whole numbers of at least 0"),
        (("--networks", "random:0", "--depths", "0"), "it must hold whole numbers of at least 1"),
    ],
)
def test_a_wrong_command_line_is_told_before_anything_is_written(
    command: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert main([*command, *arguments, "--out", str(tmp_path / "none")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_two_networks_on_the_built_in_clips_killed_in_the_middle_and_continued(
    tmp_path: Path, run_vidnas: RunVidnas
) -> None:
    out = tmp_path / "built in"
    networks = ("--networks", "random:0,3d-shufflenet-0.5", "--preset", "demo", "--epochs", "3")
    steps = 3 * 38  # of the first network, and then one and a half epochs of the second
    killed = run_vidnas(
        ("compare", "--data", "builtin", *networks, "--out", out),
        {"target": "vidnas.runs.keeper:Keeper.step_done", "nth": steps + 57, "after": True},
    )
    assert killed.code == -signal.SIGKILL
    assert (out / "runs/random-0/seed-0/result.json").exists()
    assert not (out / "runs/3d-shufflenet-0.5/seed-0/result.json").exists()
    assert main(["compare", "--resume", str(out)]) == 0
    assert "Going on after 1 whole epoch" in (out / "runs/3d-shufflenet-0.5/seed-0/log.txt").read_text()
    rows = rows_of(out)
    assert float(rows["random-0"]["accuracy"]) > 0.3  # chance is 0.125
    assert set(rows) == {"random-0", "3d-shufflenet-0.5"}


def test_trainings_of_an_older_version_stay_in_the_comparison(compared: Path, tmp_path: Path) -> None:
    """Their results call balanced accuracy mean_class."""
    out = Path(shutil.copytree(compared, tmp_path / "old"))
    before = rows_of(out)
    for path in out.rglob("result.json"):
        path.write_text(path.read_text().replace('"balanced_accuracy"', '"mean_class"'))
    assert main(["compare", "--resume", str(out)]) == 1  # c3d fails once more
    assert all(before[name]["balanced_accuracy"] for name in before if name != "c3d")
    for name, row in rows_of(out).items():
        for column in ("accuracy", "balanced_accuracy"):
            assert row[column] == before[name][column]


def test_depths_are_refused_where_nothing_has_cells(
    few_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = ("--networks", "c3d-8", "--depths", "2,3", "--out", str(tmp_path / "none"))
    assert main(["compare", "--data", str(few_videos), *networks]) == 2
    assert "depths is 2,3, but c3d-8 has no network of cells" in capsys.readouterr().err


def test_a_cell_s_file_name_may_be_any_bytes(command: tuple[str, ...], tmp_path: Path) -> None:
    cell = os.fsdecode(os.fsencode(tmp_path) + b"/cell \xff|$.json")
    Path(cell).write_text(to_json(random_genotype(0)))
    out = tmp_path / "odd"
    assert main([*command, "--networks", f"{cell},all-skip", "--out", str(out)]) == 0
    assert list(rows_of(out)) == ["cell \ufffd|$", "all-skip"]
    assert "cell" in (out / "comparison.html").read_text(encoding="utf-8")


def test_a_balanced_comparison_says_so_and_balances_every_training(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "balanced"
    assert main([*command, "--networks", "random:0,all-skip", "--balance", "--out", str(out)]) == 0
    assert "classes weighed alike, last epoch" in (out / "comparison.md").read_text()
    settings = [json.loads(path.read_text()) for path in out.glob("runs/*/seed-0/config.json")]
    assert [one["balance"] for one in settings] == [True, True]


def test_missing_videos_are_told_once_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "nowhere", tmp_path / "none"
    networks = ("--networks", "random:0,all-skip")
    assert main(["compare", "--data", str(data), *SMALL, *networks, "--out", str(out)]) == 1
    assert capsys.readouterr().err.count("nowhere") == 1
    assert not out.exists()
