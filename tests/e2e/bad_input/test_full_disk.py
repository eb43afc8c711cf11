"""A disk that fills up while something is written: a sentence, and what was there before stays as it was.

The disk of these tests is a limit to the size of files. What a run writes: tests/e2e/test_full_disk.py.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

resource = pytest.importorskip("resource")

OnRun = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]

ROOMS = (100, 200, 500, 1000, 2000, 3000, 5000, 7000, 10_000, 20_000, 30_000, 50_000, 1_000_000)
"""Bytes that a file may have."""


def leaving(size: int) -> Callable[[], None]:
    """To be called in a child: no file of it grows beyond `size` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def writing(
    on_run: OnRun, a_run: Path, few_runs: Mapping[str, Path], good_video: Path
) -> Callable[[str], tuple[object, ...]]:
    """writing(what): a command that writes it."""
    predict = ("predict", "--run", a_run, good_video)
    commands = {
        "evaluate": on_run("evaluate", a_run),
        "report": ("report", a_run),
        "picture": ("draw", a_run, "--out", "cell.png"),
        "animation": ("draw", few_runs["search"], "--out", "search.gif"),
        "film": ("draw", few_runs["search"], "--out", "search.mp4"),
        "csv": (*predict, "--csv", "out.csv"),
        "json": (*predict, "--json", "out.json"),
        "labels": (*predict, "--annotate", "labelled.mp4"),
    }
    return commands.__getitem__


@pytest.mark.parametrize("rooms", [ROOMS[:1], pytest.param(ROOMS, marks=pytest.mark.slow)], ids=len)
@pytest.mark.parametrize(
    "what", ["evaluate", "report", "picture", "animation", "film", "csv", "json", "labels"]
)
def test_what_is_written_is_whole_or_not_there(
    what: str,
    rooms: tuple[int, ...],
    vidnas: Vidnas,
    writing: Callable[[str], tuple[object, ...]],
    tmp_path: Path,
) -> None:
    before = snapshot(tmp_path)
    codes = []
    for size in rooms:
        code, _, err = vidnas(*writing(what), prepare=leaving(size))
        codes.append(code)
        if code == 0:
            break
        (sentence,) = [line for line in err.splitlines() if line.startswith("vidnas: ")]
        assert (code, "Cannot write " in sentence, "File too large" in sentence) == (1, True, True), err
        assert snapshot(tmp_path) == before
    assert codes[0] == 1
    if rooms == ROOMS:
        assert codes[-1] == 0
        after = snapshot(tmp_path)
        assert {path: after.get(path) for path in before} == before
        assert after.keys() - before.keys()


def snapshot(folder: Path) -> dict[Path, bytes | None]:
    """Everything below a folder: the content of files, None for folders."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_an_earlier_page_outlives_a_full_disk(vidnas: Vidnas, a_run: Path) -> None:
    """`report` replaces its own pages."""
    assert vidnas("report", a_run)[0] == 0
    page = (a_run / "report.html").read_bytes()
    (a_run / "log.txt").write_text("another log\n")
    assert vidnas("report", a_run, prepare=leaving(1000))[0] == 1
    assert (a_run / "report.html").read_bytes() == page
    assert vidnas("report", a_run)[0] == 0
    assert (a_run / "report.html").read_bytes() != page


def test_evaluate_after_a_full_disk_writes_all(
    vidnas: Vidnas, writing: Callable[[str], tuple[object, ...]], a_run: Path
) -> None:
    assert vidnas(*writing("evaluate"), prepare=leaving(300))[0] == 1
    assert vidnas(*writing("evaluate"))[0] == 0
    (told,) = a_run.glob("evaluation-*.json")
    shown = json.loads(told.read_text())["clips"]
    assert all((a_run / clip["file"]).is_file() for clip in shown)


@pytest.mark.parametrize("size", [50, 100])
def test_an_index_that_finds_no_room_is_told_and_no_more(size: int, vidnas: Vidnas, videos: Path) -> None:
    for path in videos.glob(".vidnas*"):
        path.unlink()
    code, out, err = vidnas("check", "--data", videos, prepare=leaving(size))
    assert (code, err) == (0, "")
    assert "No index of the videos could be written: the next run decodes them again." in out
    assert {path.name for path in videos.iterdir()} == {"Grow", "Shrink"}
