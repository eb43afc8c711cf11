"""--on-bad skip: a run goes on without the videos that cannot be used, and says so twice."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]
SKIP = ("--on-bad", "skip")


def blank(path: Path) -> Path:
    """Zeros in place of a video, as many bytes as it had."""
    path.write_bytes(bytes(path.stat().st_size))
    return path


def divided(run: Path) -> dict[str, list[tuple[str, int]]]:
    """The training and the test videos of a run."""
    seen = json.loads((run / "videos.json").read_text())
    return {part: [tuple(key) for key in seen[part]] for part in ("train", "test")}


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_run_goes_on_and_divides_the_others_as_before(
    verb: str, vidnas: Vidnas, on_data: OnData, videos: Path, few_runs: dict[str, Path], tmp_path: Path
) -> None:
    before = divided(few_runs[verb])
    name, _ = before["train"][3]
    bad = blank(videos / name)
    code, _out, err = vidnas(*on_data(verb, videos), *SKIP)
    assert code == 0
    start, _, end = err.partition("Epoch 1/1")
    num_scanned = 16 if verb == "train" else len(before["train"])
    assert f"Skipped: 1 of {num_scanned} videos, which cannot be used. The end lists them." in start
    assert f"Careful: 1 video could not be used:\n  {bad} cannot be opened as a video: Invalid data" in end
    assert end.strip().splitlines()[-1].startswith(f"  {bad} ")
    assert str(bad) in (tmp_path / "out" / "log.txt").read_text()
    after = divided(tmp_path / "out")
    assert after["test"] == before["test"]
    assert after["train"] == [key for key in before["train"] if key[0] != name]


def test_a_bad_test_video_is_not_replaced_by_another(
    vidnas: Vidnas, on_data: OnData, videos: Path, few_runs: dict[str, Path], tmp_path: Path
) -> None:
    before = divided(few_runs["train"])
    name, _ = before["test"][0]
    blank(videos / name)
    assert vidnas(*on_data("train", videos), *SKIP)[0] == 0
    after = divided(tmp_path / "out")
    assert after["train"] == before["train"]
    assert after["test"] == before["test"][1:]
    scores = json.loads((tmp_path / "out" / "result.json").read_text())["scores"]
    assert scores["num_clips"] == len(before["test"]) - 1


def test_evaluate_goes_on_too(vidnas: Vidnas, videos: Path, a_run: Path) -> None:
    name, _ = divided(a_run)["test"][0]
    bad = blank(videos / name)
    split = ("--split-by", "group", "--workers", 0)
    code, out, err = vidnas("evaluate", "--run", a_run, "--data", videos, *split, *SKIP)
    assert code == 0, err
    assert f"Skipped: 1 of {len(divided(a_run)['test'])} videos" in out
    assert f"Careful: 1 video could not be used:\n  {bad} cannot be opened" in out
    told = json.loads((a_run / "evaluation-paper.json").read_text())
    assert told["scores"]["num_clips"] == len(divided(a_run)["test"]) - 1
    assert any(str(bad) in note for note in told["data"])


@pytest.mark.parametrize("verb", ["search", "train", "evaluate"])
@pytest.mark.parametrize("lost", ["a class", "all"])
def test_a_class_must_keep_some_videos(
    verb: str, lost: str, refused: Refused, on_data: OnData, videos: Path
) -> None:
    for path in videos.rglob("*.avi"):
        path.write_bytes(path.read_bytes() + b" ")  # for evaluate: not those of the training
        if lost == "all" or path.parent.name == "Grow":
            blank(path)
    part, classes = ("test" if verb == "evaluate" else "training"), "Grow"
    classes += ", Shrink" if lost == "all" else ""
    names = (f"No {part} video of {classes} can be used", "v_Grow_g0", "mend or replace some")
    refused(*on_data(verb, videos), *SKIP, names=names)


def test_a_class_that_loses_its_test_videos(
    refused: Refused, on_data: OnData, videos: Path, few_runs: dict[str, Path]
) -> None:
    for name, _ in divided(few_runs["train"])["test"]:
        if name.startswith("Shrink"):
            blank(videos / name)
    refused(*on_data("train", videos), *SKIP, names=("No test video of Shrink can be used",))


def test_nothing_is_said_where_every_video_is_good(vidnas: Vidnas, on_data: OnData, videos: Path) -> None:
    code, _out, err = vidnas(*on_data("train", videos), *SKIP)
    assert (code, "Skipped" in err, "could not be used" in err) == (0, False, False)
