"""What may be resumed and what is refused: other settings, videos and folders, damaged checkpoints."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from vidnas.cli.main import main
from vidnas.runs.checkpoint import load_checkpoint, save_checkpoint

Small = Mapping[str, Sequence[str]]
RunVidnas = Callable[..., Any]
Outcome = Callable[[Path], dict[str, object]]
Uninterrupted = Callable[..., Path]


def files(run: Path) -> dict[str, bytes]:
    """Every file of a run but for what a refused command adds to its log."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name != "log.txt"
    }


@pytest.fixture(scope="module")
def half(
    run_vidnas: RunVidnas, small: Small, few_videos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A folder by verb that holds a run `run`, killed in its second epoch, and its videos `videos`."""
    folders = {}
    for verb in ("search", "train"):
        folders[verb] = tmp_path_factory.mktemp(verb)
        shutil.copytree(few_videos, folders[verb] / "videos")
        command = [*small[verb], "--data", folders[verb] / "videos", "--out", folders[verb] / "run"]
        killed = {"target": "vidnas.training.loop:WeightStep.__call__", "nth": 8}
        assert run_vidnas([*command, "--workers", 0, "--checkpoint-minutes", 0], killed).code == -9
    return folders


@pytest.fixture
def begun(half: dict[str, Path], tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
    """begun(verb): the run folder and the videos of a run that was killed, in copies of the test's own."""

    def copy(verb: str) -> tuple[Path, Path]:
        shutil.copytree(half[verb], tmp_path, dirs_exist_ok=True)
        return tmp_path / "run", tmp_path / "videos"

    return copy


Begun = Callable[[str], tuple[Path, Path]]


@pytest.fixture
def refused(run_vidnas: RunVidnas) -> Callable[..., str]:
    """refused(run, arguments, code=1): what is said when these are refused; nothing was touched."""

    def say(run: Path, arguments: Sequence[object], code: int = 1) -> str:
        before, log = files(run), (run / "log.txt").read_text()
        ended = run_vidnas(arguments)
        assert ended.code == code, ended.printed
        assert "Traceback" not in ended.printed
        assert files(run) == before
        assert (run / "log.txt").read_text().startswith(log)
        return str(ended.printed)

    return say


Refused = Callable[..., str]


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_finished_run_comes_to_the_same_again(
    verb: str, run_vidnas: RunVidnas, uninterrupted: Uninterrupted, outcome: Outcome, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted(verb), run)
    assert run_vidnas([verb, "--resume", run]).code == 0
    assert outcome(run) == outcome(uninterrupted(verb))


@pytest.mark.parametrize("verb", ["search", "train"])
def test_where_there_is_no_run_none_is_resumed_but_with_data_one_begins(
    verb: str,
    small: Small,
    run_vidnas: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
) -> None:
    told = run_vidnas([verb, "--resume", tmp_path / "none"])
    assert told.code == 1
    assert f"There is no run in {tmp_path}/none to go on with; with --data, one would begin" in told.printed
    assert not (tmp_path / "none").exists()
    assert run_vidnas([*small[verb], "--resume", tmp_path / "none"]).code == 0
    assert outcome(tmp_path / "none") == outcome(uninterrupted(verb))


def test_a_folder_of_something_else_is_left_alone(
    small: Small, run_vidnas: RunVidnas, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    for name, cause in (("thesis", "is not empty"), ("thesis/chapter.txt", "is a file")):
        told = run_vidnas([*small["train"], "--resume", tmp_path / name])
        assert (told.code, cause in told.printed) == (1, True), told.printed
    assert [path.name for path in tmp_path.rglob("*")] == ["thesis", "chapter.txt"]


def test_a_search_is_not_resumed_as_a_training_nor_the_other_way_round(
    begun: Begun, refused: Refused
) -> None:
    run, _ = begun("search")
    told = refused(run, ["train", "--resume", run])
    assert "is the run folder of a search" in told
    assert f"vidnas search --resume {run}" in told


def test_a_training_is_not_resumed_as_a_search(begun: Begun, refused: Refused) -> None:
    run, _ = begun("train")
    told = refused(run, ["search", "--resume", run])
    assert "is the run folder of a training" in told
    assert f"vidnas train --resume {run}" in told


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--epochs", 5], "epochs is 2 there and 5 here"),
        (["--seed", 1, "--lr", 0.5], "seed is 0 there and 1 here; lr is 0.05 there and 0.5 here"),
        (["--no-flip", "--flip"], "flip is False there and True here"),
        (["--split-by", "clip"], "split_by is 'auto' there and 'clip' here"),
        (["--preset", "demo"], "epochs is 2 there and"),
    ],
)
def test_other_settings_are_refused_by_both_values(
    flags: list[object], named: str, begun: Begun, refused: Refused
) -> None:
    run, _ = begun("search")
    told = refused(run, ["search", "--resume", run, *flags])
    assert f"The run in {run} was begun with other settings: " in told
    assert named in told
    assert "Leave settings away to go on with its own, or begin another run with --out." in told


@pytest.mark.parametrize("verb", ["search", "train"])
def test_the_same_settings_may_be_typed_again_beside_others_that_change_nothing(
    verb: str,
    begun: Begun,
    small: Small,
    run_vidnas: RunVidnas,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
) -> None:
    run, videos = begun(verb)
    free = ["--data", videos, "--out", run, "--workers", 1, "--checkpoint-minutes", 0]
    resumed = run_vidnas([*small[verb], *free, "--resume", run])
    assert resumed.code == 0, resumed.printed
    assert outcome(run) == outcome(uninterrupted(verb))


def test_a_run_does_not_go_on_in_another_folder(begun: Begun, refused: Refused, tmp_path: Path) -> None:
    run, _ = begun("train")
    told = refused(run, ["train", "--resume", run, "--out", tmp_path / "other"], code=2)
    assert f"--out {tmp_path}/other cannot be" in told
    assert not (tmp_path / "other").exists()


def test_videos_that_were_moved_as_a_whole_are_named_by_data(
    begun: Begun, run_vidnas: RunVidnas, refused: Refused, uninterrupted: Uninterrupted, outcome: Outcome
) -> None:
    run, videos = begun("train")
    moved = videos.rename(videos.with_name("videos elsewhere"))
    assert str(videos) in refused(run, ["train", "--resume", run, "--data", videos])
    assert run_vidnas(["train", "--resume", run, "--data", moved]).code == 0
    assert json.loads((run / "config.json").read_text())["data"] == str(moved)
    assert outcome(run) == outcome(uninterrupted("train"))


@pytest.mark.parametrize("verb", ["search", "train"])
def test_other_videos_are_refused_by_name(verb: str, begun: Begun, refused: Refused) -> None:
    run, videos = begun(verb)
    command = [verb, "--resume", run, "--data", videos]
    video = videos / "Grow" / "v_Grow_g02_c01.avi"
    content = video.read_bytes()
    video.write_bytes(content + b"more")
    assert "1 of another size (Grow/v_Grow_g02_c01.avi)" in refused(run, command)
    video.unlink()
    assert "1 missing (Grow/v_Grow_g02_c01.avi)" in refused(run, command)
    video.write_bytes(content)
    video.with_name("v_Grow_g05_c01.avi").write_bytes(content)
    assert "1 added (Grow/v_Grow_g05_c01.avi)" in (text := refused(run, command))
    assert f"The run in {run} was begun with other videos" in text


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_damaged_checkpoint_is_named_and_nothing_is_lost(verb: str, begun: Begun, refused: Refused) -> None:
    run, _ = begun(verb)
    whole = (run / "checkpoint.pt").read_bytes()
    for length in (0, 1, 1000, len(whole) // 2, len(whole) - 1):
        (run / "checkpoint.pt").write_bytes(whole[:length])
        told = refused(run, [verb, "--resume", run])
        assert f"{run}/checkpoint.pt is not a whole checkpoint ({length:,} bytes)" in told


@pytest.mark.parametrize(
    "lost",
    ["optimizer", "schedule", "scaler", "step", "tally", "records", "elapsed_sec", "cpu_random", "machine"],
)
def test_a_checkpoint_of_an_older_vidnas_is_named_and_nothing_is_lost(
    lost: str, begun: Begun, refused: Refused
) -> None:
    run, _ = begun("train")
    state = load_checkpoint(run / "checkpoint.pt")
    save_checkpoint(run / "checkpoint.pt", {name: part for name, part in state.items() if name != lost})
    told = refused(run, ["train", "--resume", run])
    assert f"{run}/checkpoint.pt does not fit the settings of its run, or an older vidnas wrote it" in told
    assert lost in told


def test_a_checkpoint_of_another_network_is_refused(begun: Begun, refused: Refused) -> None:
    run, _ = begun("train")
    state = load_checkpoint(run / "checkpoint.pt")
    state["network"]["head.weight"] = torch.zeros(3, 3)
    save_checkpoint(run / "checkpoint.pt", state)
    assert "does not fit the settings of its run" in refused(run, ["train", "--resume", run])


def test_another_number_of_threads_is_told(begun: Begun, run_vidnas: RunVidnas) -> None:
    run, _ = begun("train")
    more = {"target": "vidnas.cli.main:main", "does": "set_threads", "number": 3}
    resumed = run_vidnas(["train", "--resume", run], more)
    assert resumed.code == 0
    version = torch.__version__
    expected = f"saved by PyTorch {version} with 1 thread, this is PyTorch {version} with 3 threads"
    assert f"Careful: it was {expected}: sums may be rounded otherwise." in resumed.printed


@pytest.mark.parametrize("place", ["~/", ""], ids=["from home", "from here"])
def test_a_run_and_its_videos_may_be_named_otherwise_than_at_its_begin(
    place: str,
    begun: Begun,
    uninterrupted: Uninterrupted,
    outcome: Outcome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, _ = begun("train")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--resume", f"{place}run", "--data", f"{place}videos"]) == 0
    assert outcome(run) == outcome(uninterrupted("train"))
