"""Places that cannot be written, or must not be, for every verb that writes: told before any work is done."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]

LONG = "x" * 300


@pytest.fixture(autouse=True)
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """No video is decoded and no network run before the refusal."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the place to write is looked at too late")

    monkeypatch.setattr("vidnas.assembly.videos.scan_indexed", fail)
    monkeypatch.setattr("vidnas.verbs.predict.scan_videos", fail)
    monkeypatch.setattr("vidnas.assembly.videos.write_clips", fail)
    monkeypatch.setattr("vidnas.verbs.draw.draw_cell", fail)


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A folder with files and folders in the way."""
    (tmp_path / "file").write_text("precious")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("precious")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone/away")
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(0o500)
    return tmp_path


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("verb", ["search", "train", "demo"])
@pytest.mark.parametrize(
    ("out", "named"),
    [
        ("file", "The run folder file is a file. Name a new folder with --out"),
        ("file/run", "Cannot write file/run: "),
        ("file/a/b/c", "Cannot write file/a/b/c: "),
        ("used", "The run folder used is not empty, and vidnas overwrites no run."),
        (".", "The run folder . is not empty"),
        ("locked/run", "Cannot write locked/run: no permission in "),
        ("locked/a/b", "Cannot write locked/a/b: no permission in "),
        ("locked", "Cannot write locked: no permission in locked"),
        (LONG, f"{LONG}: File name too long"),
        (f"a/{LONG}", f"{LONG}: File name too long"),
        ("loop", "Cannot write loop: "),
        ("loop/run", "Cannot write loop/run: "),
        ("nowhere", "Cannot write nowhere: "),
        ("/proc/run", "Cannot write /proc/run: "),
        ("/dev/null", "/dev/null is a file"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_run_folder(
    verb: str,
    out: str,
    named: str,
    refused: Refused,
    on_data: OnData,
    few_videos: Path,
    obey_permissions: Callable[[], None],
) -> None:
    command = ("demo",) if verb == "demo" else on_data(verb, few_videos)
    refused(*command, "--out", out, names=(named,), prepare=obey_permissions)


FILES = {
    "draw": ("png", ("draw", "random:0", "--out")),
    "report": ("html", ("report", "RUN", "--out")),
    "csv": ("csv", ("predict", "--run", "RUN", "VIDEO", "--csv")),
    "json": ("json", ("predict", "--run", "RUN", "VIDEO", "--json")),
    "annotate": ("mp4", ("predict", "--run", "RUN", "VIDEO", "--annotate")),
    "animate": ("gif", ("draw", "SEARCH", "--out")),
}


@pytest.fixture
def writing(few_runs: Mapping[str, Path], good_video: Path) -> Callable[[str, str], tuple[object, ...]]:
    """writing(what, path): the command that writes such a file there, behind which its suffix is put."""
    stand_for = {"RUN": few_runs["train"], "SEARCH": few_runs["search"], "VIDEO": good_video}

    def command(what: str, path: str) -> tuple[object, ...]:
        suffix, words = FILES[what]
        return *(stand_for.get(word, word) for word in words), f"{path}.{suffix}"

    return command


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize(
    "path",
    ["file", "folder", "file/x", "missing/x", "locked/x", LONG, "loop/x", "loop", "/proc/x"],
    ids=lambda path: path[:9],
)
def test_a_file(
    what: str,
    path: str,
    refused: Refused,
    writing: Callable[[str, str], tuple[object, ...]],
    places: Path,
    obey_permissions: Callable[[], None],
) -> None:
    suffix = FILES[what][0]
    (places / f"file.{suffix}").write_text("precious")
    (places / f"folder.{suffix}").mkdir()
    (places / f"loop.{suffix}").symlink_to(f"loop.{suffix}")
    refused(*writing(what, path), names=(f"{path}.{suffix}",), prepare=obey_permissions)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("draw", "random:0", "--out", "cell.jpg"), "out is cell.jpg; a picture ends in .png, .svg, .pdf"),
        (("draw", "random:0", "--out", "cell"), "out is cell; a picture ends in"),
        (("predict", "--run", "RUN", "VIDEO", "--annotate", "x.avi"), "--annotate x.avi must end in .mp4"),
        (("predict", "--run", "RUN", "VIDEO", "--csv", "x", "--json", "x"), "--json and --csv name the same"),
        (
            ("predict", "--run", "RUN", "VIDEO", "VIDEOS", "--annotate", "x.mp4"),
            "--annotate labels one video",
        ),
    ],
)
def test_a_name_that_cannot_be(
    command: tuple[str, ...],
    named: str,
    refused: Refused,
    few_runs: Mapping[str, Path],
    good_video: Path,
    few_videos: Path,
) -> None:
    stand_for = {"RUN": few_runs["train"], "VIDEO": good_video, "VIDEOS": few_videos}
    refused(*(stand_for.get(word, word) for word in command), names=(named,), code=2)


@pytest.mark.parametrize("file", ["report.html", "cell.png"])
def test_a_default_that_is_there_already(file: str, refused: Refused, a_run: Path, tmp_path: Path) -> None:
    """report.html in the run's folder, cell.png in the current one."""
    command = {"report.html": ("report", a_run), "cell.png": ("draw", "random:0")}[file]
    (a_run / file).write_text("precious")
    (tmp_path / file).write_text("precious")
    refused(*command, names=(file, "--out"))


def test_an_overview_replaces_no_page_of_a_run(
    refused: Refused, few_runs: Mapping[str, Path], a_run: Path
) -> None:
    command = ("report", a_run, few_runs["search"], "--out", a_run / "report.html")
    refused(*command, names=("would be the same file", "--out"))


@pytest.mark.parametrize("use", ["evaluate", "report"])
def test_a_run_folder_that_may_not_be_written(
    use: str,
    refused: Refused,
    a_run: Path,
    few_videos: Path,
    obey_permissions: Callable[[], None],
    request: pytest.FixtureRequest,
) -> None:
    a_run.chmod(0o500)
    request.addfinalizer(lambda: a_run.chmod(0o700))
    command = {"evaluate": ("evaluate", "--run", a_run, "--data", few_videos), "report": ("report", a_run)}
    refused(*command[use], names=(a_run, "ermission"), prepare=obey_permissions)


@pytest.mark.parametrize("where", ["current folder", "runs"])
def test_without_out_in_a_folder_that_may_not_be_written(
    where: str,
    refused: Refused,
    few_videos: Path,
    tmp_path: Path,
    obey_permissions: Callable[[], None],
    request: pytest.FixtureRequest,
) -> None:
    locked = tmp_path if where == "current folder" else tmp_path / "runs"
    locked.mkdir(exist_ok=True)
    locked.chmod(0o500)
    request.addfinalizer(lambda: locked.chmod(0o700))
    names = ("Cannot write runs/train-", "no permission in", "--out")
    refused("train", "--genotype", "random:0", "--data", few_videos, names=names, prepare=obey_permissions)


def test_the_index_of_a_data_folder_that_may_not_be_written_goes_to_the_cache(
    vidnas: Vidnas,
    videos: Path,
    obey_permissions: Callable[[], None],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for path in videos.glob(".vidnas*"):
        path.unlink()
    videos.chmod(0o500)
    request.addfinalizer(lambda: videos.chmod(0o700))
    code, out, err = vidnas("check", "--data", videos, prepare=obey_permissions)
    assert (code, err) == (0, "")
    assert f"{videos} cannot be written; its index of videos is {tmp_path / 'cache'}" in out
    (tmp_path / "cache").chmod(0o700)
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("in the way")
    code, out, err = vidnas("check", "--data", videos, prepare=obey_permissions)
    assert (code, err) == (0, "")
    assert "No index of the videos could be written: the next run decodes them again." in out
