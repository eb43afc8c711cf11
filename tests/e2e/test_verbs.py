"""The verbs from end to end on a few tiny encoded videos, as a user types them."""

import json
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from little import LITTLE, flags

import vidnas
from vidnas.cli.main import main
from vidnas.nas.genotype import load_genotype
from vidnas.runs.checkpoint import load_checkpoint
from vidnas.runs.read import read_run

SMALL = flags(**{**LITTLE, "epochs": 2, "batch_size": 8, "num_cells": 2, "first_channels": 2})


def vidnas_main(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def metrics(run: Path) -> list[dict[str, Any]]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if not k.endswith(("_sec", "_share"))} for line in lines
    ]


def test_a_search_leaves_everything_that_was_asked_for(tiny_search: Path) -> None:
    expected = ["config.json", "metrics.jsonl", "log.txt", "genotype.json", "selection.json", "checkpoint.pt"]
    expected += ["cell.png", "cell.svg", "alphas.png", "clips.png", "tensorboard"]
    expected += [f"{kind}/epoch-{epoch:03}.json" for kind in ("genotypes", "alphas") for epoch in (1, 2)]
    assert [name for name in expected if not (tiny_search / name).exists()] == []


def test_the_settings_of_a_run_read_back(tiny_search: Path, tiny_videos: Path) -> None:
    config = read_run(tiny_search).config
    assert (config.data, config.epochs, config.size_px, config.flip) == (str(tiny_videos), 2, 16, False)


def test_the_result_is_the_genotype_of_the_epoch_with_the_best_val_accuracy(tiny_search: Path) -> None:
    accuracies = [line["val_accuracy"] for line in metrics(tiny_search)]
    selection = json.loads((tiny_search / "selection.json").read_text())
    assert accuracies[selection["epoch"] - 1] == max(accuracies) == selection["val_accuracy"]
    chosen = tiny_search / "genotypes" / f"epoch-{selection['epoch']:03}.json"
    assert load_genotype(chosen) == load_genotype(tiny_search / "genotype.json")


def test_a_search_moves_alpha_and_the_weights(tiny_search: Path) -> None:
    first, second = (
        json.loads((tiny_search / "alphas" / f"epoch-{epoch:03}.json").read_text()) for epoch in (1, 2)
    )
    moved = (torch.tensor(first["alpha"]) - torch.tensor(second["alpha"])).abs()
    assert moved.min() > 1e-4
    assert second["edges"][-1] == {"node": 3, "source": 4}


@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_seed_gives_the_same_search(
    few_runs: Mapping[str, Path], few_videos: Path, tmp_path: Path, workers: int
) -> None:
    """Also with other workers: to the last digit of every metric and weight."""
    arguments = flags(**{**LITTLE, "workers": workers})
    assert vidnas_main("search", "--data", few_videos, "--out", tmp_path / "again", *arguments) == 0
    assert metrics(tmp_path / "again") == metrics(few_runs["search"])
    again, first = (
        load_checkpoint(run / "checkpoint.pt") for run in (tmp_path / "again", few_runs["search"])
    )
    for name, tensor in first["supernet"].items():
        assert torch.equal(tensor, again["supernet"][name]), name


def test_another_seed_gives_another_search(
    few_runs: Mapping[str, Path], few_videos: Path, tmp_path: Path
) -> None:
    arguments = flags(**{**LITTLE, "seed": 1})
    assert vidnas_main("search", "--data", few_videos, "--out", tmp_path / "b", *arguments) == 0
    assert metrics(tmp_path / "b") != metrics(few_runs["search"])


def test_a_second_order_search_takes_another_way(
    few_runs: Mapping[str, Path], few_videos: Path, tmp_path: Path
) -> None:
    arguments = flags(**{**LITTLE, "epochs": 2, "order": 2, "select": "last"})
    assert vidnas_main("search", "--data", few_videos, "--out", tmp_path / "b", *arguments) == 0
    assert metrics(tmp_path / "b")[0]["val_loss"] != metrics(few_runs["search"])[0]["val_loss"]
    assert json.loads((tmp_path / "b" / "selection.json").read_text())["epoch"] == 2


def test_a_training_leaves_everything_that_was_asked_for(tiny_training: Path) -> None:
    expected = ["config.json", "metrics.jsonl", "log.txt", "genotype.json", "classes.json", "result.json"]
    expected += ["checkpoint.pt", "cell.png", "confusion.png", "curves.png", "clips.png", "tensorboard"]
    assert [name for name in expected if not (tiny_training / name).exists()] == []
    result = json.loads((tiny_training / "result.json").read_text())
    assert result["scores"]["num_clips"] == 16
    assert result["cost"]["checkpoint_bytes"] == (tiny_training / "checkpoint.pt").stat().st_size


def test_load_gives_the_trained_network_and_its_classes(tiny_training: Path) -> None:
    network, classes = vidnas.load(tiny_training)
    assert len(classes) == 8
    state = load_checkpoint(tiny_training / "checkpoint.pt")["network"]
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    assert not network.training
    assert network(torch.zeros(1, 3, 4, 16, 16)).shape == (1, 8)


def test_evaluate_repeats_the_training_s_accuracy_and_overwrites_nothing(
    tiny_training: Path, tiny_videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("evaluate", "--run", tiny_training, "--data", tiny_videos, "--workers", 0)
    assert vidnas_main(*arguments) == 0
    assert vidnas_main(*arguments) == 0
    trained = json.loads((tiny_training / "result.json").read_text())["scores"]
    for name in ("evaluation-paper.json", "evaluation-paper-2.json"):
        assert json.loads((tiny_training / name).read_text())["scores"] == trained
    printed = capsys.readouterr().out
    assert "one centre-cropped clip a video, no aggregation" in printed
    assert "chance 12.5%" in printed


def test_evaluate_by_many_clips_and_crops_says_so(
    tiny_training: Path, tiny_videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--data", tiny_videos, "--workers", 0, "--protocol", "multi")
    assert vidnas_main("evaluate", "--run", tiny_training, *arguments) == 0
    assert "mean of 10 clips x 3 crops a video" in capsys.readouterr().out


def test_evaluate_refuses_classes_that_the_run_does_not_know(
    tiny_training: Path, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Grow", "Hop"):
        (tmp_path / "clips" / name).mkdir(parents=True)
        for number, file in enumerate(sorted((tiny_videos / "videos" / "Grow").iterdir())):
            (tmp_path / "clips" / name / f"{number}{file.suffix}").write_bytes(
                file.read_bytes() + name.encode()
            )
    arguments = ("--run", tiny_training, "--data", tmp_path / "clips", "--workers", 0)
    assert vidnas_main("evaluate", *arguments) == 1
    assert "classes that" in (error := capsys.readouterr().err)
    assert "Hop" in error
    assert "Traceback" not in error


def test_a_random_cell_trains_and_the_single_frame_control_is_another_training(
    tiny_videos: Path, tmp_path: Path
) -> None:
    runs = {"clips": [], "frames": ["--single-frame"]}
    for name, more in runs.items():
        arguments = [*SMALL, "--genotype", "random:3", "--data", tiny_videos, "--out", tmp_path / name, *more]
        assert vidnas_main("train", *arguments) == 0
    assert load_genotype(tmp_path / "clips" / "genotype.json") == vidnas.random_genotype(3)
    assert metrics(tmp_path / "clips") != metrics(tmp_path / "frames")
    assert read_run(tmp_path / "frames").training.single_frame


def test_an_existing_run_is_never_overwritten(
    tiny_search: Path, tiny_videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in tiny_search.rglob("*") if path.is_file()}
    assert vidnas_main("search", "--data", tiny_videos, "--out", tiny_search, *SMALL) == 1
    assert str(tiny_search) in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tiny_search.rglob("*") if path.is_file()} == before


def test_a_failed_start_leaves_nothing_behind(tiny_videos: Path, tmp_path: Path) -> None:
    """So that the same command, corrected, can be typed again."""
    out = tmp_path / "run"
    (tmp_path / "broken" / "a").mkdir(parents=True)
    (tmp_path / "broken" / "b").mkdir()
    for number in range(8):
        (tmp_path / "broken" / "ab"[number % 2] / f"{number}.mp4").write_bytes(b"no video" * (number + 1))
    for data in (tmp_path / "missing", tmp_path / "broken"):
        assert vidnas_main("search", "--data", data, "--out", out, *SMALL) == 1
        assert vidnas_main("train", "--genotype", "random:0", "--data", data, "--out", out, *SMALL) == 1
        assert not out.exists()
    assert vidnas_main("train", "--genotype", "random:0", "--data", tiny_videos, "--out", out, *SMALL) == 0


@pytest.mark.parametrize("verb", [("search",), ("train", "--genotype", "random:0")])
def test_too_little_memory_is_told_before_anything_is_written(
    verb: tuple[str, ...],
    tiny_videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("vidnas.training.memory.free_bytes", lambda _device: 1000)
    assert vidnas_main(*verb, "--data", tiny_videos, "--out", tmp_path / "run", *SMALL) == 1
    assert "--batch-size" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_evaluate_tests_all_of_other_videos_and_none_that_were_trained_on(
    tiny_training: Path, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Shrink", "Grow"):
        (tmp_path / "new" / name).mkdir(parents=True)
        source = tiny_videos / "videos" / name / f"v_{name}_g01_c01.avi"  # of the test part
        (tmp_path / "new" / name / "one.avi").write_bytes(source.read_bytes())
    arguments = ("evaluate", "--run", tiny_training, "--workers", 0, "--data")
    assert vidnas_main(*arguments, tmp_path / "new") == 0
    printed = capsys.readouterr().out
    assert "all 2 are tested" in printed and "uneven" not in printed
    for number in range(2):
        (tmp_path / "new" / "Grow" / f"more {number}.avi").write_bytes(source.read_bytes())
    assert vidnas_main(*arguments, tmp_path / "new") == 0
    printed = capsys.readouterr().out
    assert "uneven: Grow has 3 times as many videos as Shrink. Balanced accuracy counts" in printed
    assert "; balanced accuracy " in printed
    assert vidnas_main(*arguments, tiny_videos / "videos") == 1
    assert "are among those that" in capsys.readouterr().err


def test_evaluate_says_when_a_training_was_not_finished(
    tiny_training: Path, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_training, run)
    settings = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**settings, "epochs": 200}))
    arguments = ("evaluate", "--run", run, "--data", tiny_videos, "--workers", 0)
    assert vidnas_main(*arguments) == 0
    assert "the training is not finished; this is its epoch 2 of 200" in capsys.readouterr().out


def test_evaluate_divides_the_videos_as_the_training_did(
    tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By clip, where its own default would be by group: no test video has been trained on."""
    data, out = tiny_videos / "videos", tmp_path / "run"
    train = ("train", "--genotype", "random:0", "--data", data, "--out", out, "--split-by", "clip")
    assert vidnas_main(*train, *SMALL) == 0
    evaluate = ("evaluate", "--run", out, "--data", data, "--workers", 0)
    assert vidnas_main(*evaluate) == 0
    assert "Divided by clip" in capsys.readouterr().out
    trained = json.loads((out / "result.json").read_text())["scores"]
    assert json.loads((out / "evaluation-paper.json").read_text())["scores"] == trained
    assert vidnas_main(*evaluate, "--split-by", "group") == 1
    assert "are among those that" in capsys.readouterr().err


def test_a_training_refuses_to_test_on_what_the_search_of_its_cell_has_seen(
    tiny_search: Path, tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--data", tiny_videos / "videos", "--split-by", "clip", "--out", tmp_path / "run")
    assert vidnas_main("train", "--genotype", tiny_search, *arguments, *SMALL) == 1
    assert "are among those that" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_next_command_divides_the_videos_in_the_same_way(
    tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a search"
    arguments = ("--data", tiny_videos / "videos", "--split-by", "clip", "--out", out)
    seen = ("--clip-norm", "frames", "--photometric", 0.3)
    assert vidnas_main("search", *arguments, *seen, *SMALL) == 0
    printed = capsys.readouterr().out.strip()
    assert printed.startswith("Next: ")
    expected = ["vidnas", "train", "--genotype", str(out), "--data", str(tiny_videos / "videos")]
    expected += ["--preset", "demo", "--split-by", "clip", "--size-px", "16", "--segments", "2"]
    expected += ["--clip-norm", "frames", "--photometric", "0.3"]
    assert shlex.split(printed)[1:] == expected


def test_a_search_that_diverges_says_so(
    tiny_videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--data", tiny_videos, "--out", tmp_path / "run", "--lr", 1e30, "--grad-clip", 1e30)
    assert vidnas_main("search", *arguments, *SMALL) == 1
    assert "diverged in epoch 1" in capsys.readouterr().err


@pytest.mark.dataset
@pytest.mark.slow
def test_search_and_training_on_weizmann(test_data: Path, tmp_path: Path) -> None:
    """Real clips of real people, divided by person; a few epochs, together within 3 minutes on 2 cores."""
    data = test_data / "weizmann_4"
    small = ("--preset", "cpu", "--size-px", 48, "--batch-size", 8)
    search = ("search", "--data", data, "--out", tmp_path / "s", *small, "--epochs", 2)
    assert vidnas_main(*search) == 0
    assert "'daria' of 'daria_bend.avi'" in (tmp_path / "s" / "log.txt").read_text()
    train = ("train", "--data", data, "--genotype", tmp_path / "s", "--out", tmp_path / "t", *small)
    assert vidnas_main(*train, "--epochs", 12) == 0
    losses = [line["loss"] for line in metrics(tmp_path / "t") if line["kind"] == "train"]
    assert losses[-1] < 0.8 * losses[0]
    result = json.loads((tmp_path / "t" / "result.json").read_text())
    assert (result["scores"]["num_clips"], result["scores"]["num_groups"]) == (12, 12)


def test_an_evaluation_of_a_validated_training_is_told_as_one_on_test_videos(
    tiny_videos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "validated"
    given = ("--data", tiny_videos, "--genotype", "random:0", "--validate", "--out", out)
    assert vidnas_main("train", *given, *SMALL) == 0
    assert "(validation)" in json.loads((out / "result.json").read_text())["protocol"]
    assert vidnas_main("evaluate", "--run", out, "--data", tiny_videos, "--workers", 0) == 0
    assert "(validation)" not in json.loads((out / "evaluation-paper.json").read_text())["protocol"]
