"""What the tests of bad input share: commands as a user types them, and what must hold of every refusal."""

import ctypes
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from little import LITTLE, flags

from vidnas.cli.main import main
from vidnas.video.scan.scan_index import FILE_NAME

FLAGS = flags(**LITTLE)

Arguments = tuple[object, ...]


class Told(NamedTuple):
    """How a command ended: its exit code, and what it printed to stdout and to stderr."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def shared(few_videos: Path, few_runs: Mapping[str, Path]) -> Path:
    """The folder of what all these tests read and none may change."""
    assert {run.parent for run in few_runs.values()} == {few_videos.parent}
    return few_videos.parent


@pytest.fixture(autouse=True)
def elsewhere(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is `tmp_path`, the user's cache a folder of these tests, and runs draw nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared.parent / "cache"))
    monkeypatch.chdir(tmp_path)
    for module in ("search", "train", "clipsheet"):  # drawing takes longer than all the rest
        monkeypatch.setattr(f"vidnas.verbs.{module}.save_figure", lambda *_: None)


@pytest.fixture(scope="session")
def good_video(few_videos: Path) -> Path:
    """One of them."""
    return next(iter(sorted((few_videos / "Grow").iterdir())))


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """One moving picture of 40 frames, a second and a half long, as the bytes of files of several kinds."""
    codecs = {"clip.avi": "mpeg4", "clip.mkv": "mpeg4", "clip.mov": "mpeg4", "clip.mp4": "libx264"}
    folder = tmp_path_factory.mktemp("clips")
    return {name: _encode(folder / name, codec) for name, codec in codecs.items()}


def _encode(path: Path, codec: str) -> bytes:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot encode with {codec}")
    with av.open(str(path), "w", container_options={"movflags": "faststart"}) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for number in range(40):
            picture = np.random.default_rng(number).integers(256, size=(32, 48, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def videos(few_videos: Path, tmp_path: Path) -> Path:
    """A copy of the videos, to be spoiled."""
    return Path(shutil.copytree(few_videos, tmp_path / "videos"))


@pytest.fixture
def a_run(few_runs: Mapping[str, Path], tmp_path: Path) -> Path:
    """A copy of the training's run folder, to be spoiled."""
    return Path(shutil.copytree(few_runs["train"], tmp_path / "run"))


@pytest.fixture
def on_data(few_runs: Mapping[str, Path]) -> Callable[..., Arguments]:
    """on_data(verb, data): a command line of `verb` that reads these videos and would write to `out`."""

    def arguments(verb: str, data: object) -> Arguments:
        return {
            "check": ("check", "--data", data),
            "search": ("search", "--data", data, "--out", "out", *FLAGS),
            "train": ("train", "--data", data, "--genotype", "random:0", "--out", "out", *FLAGS),
            "evaluate": ("evaluate", "--data", data, "--run", few_runs["train"], "--workers", 0),
        }[verb]

    return arguments


@pytest.fixture
def on_run(few_videos: Path, good_video: Path) -> Callable[..., Arguments]:
    """on_run(use, run): a command line that reads this run folder in the way `use`."""

    def arguments(use: str, run: object) -> Arguments:
        data = ("--data", few_videos)
        return {
            "evaluate": ("evaluate", "--run", run, *data, "--workers", 0),
            "predict": ("predict", "--run", run, good_video, "--csv", "out.csv"),
            "report": ("report", run, "--out", "out.html"),
            "draw": ("draw", run, "--out", "out.png"),
            "animate": ("draw", run, "--out", "out.gif"),
            "genotype": ("train", "--genotype", run, *data, "--out", "out", *FLAGS),
            "init": ("train", "--init", run, *data, "--out", "out", *FLAGS),
            "resume": ("train", "--resume", run),
            "resume search": ("search", "--resume", run),
        }[use]

    return arguments


@pytest.fixture
def vidnas(capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """vidnas(*arguments, prepare=None): how the command ended. It shows no traceback, whatever happens.

    With `prepare` the command has a process of its own, in which that is called before.
    """

    def run(*arguments: object, prepare: Callable[[], object] | None = None) -> Told:
        command = [str(argument) for argument in arguments]
        if prepare is None:
            capfd.readouterr()
            code = _exit_code(command)
            told = Told(code, *capfd.readouterr())
        else:
            told = _in_child(command, prepare)
        assert "Traceback" not in told.out + told.err
        return told

    return run


def _exit_code(command: Sequence[str]) -> int:
    try:
        return main(command)
    except SystemExit as stop:  # tyro, about flags
        assert isinstance(stop.code, int)
        return stop.code


def _in_child(command: Sequence[str], prepare: Callable[[], object]) -> Told:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)

    def run() -> None:
        with redirect_stdout(_stream("strict")) as out, redirect_stderr(_stream("backslashreplace")) as err:
            prepare()
            code = _exit_code(command)
        there.send(Told(code, _printed(out), _printed(err)))

    child = context.Process(target=run)
    child.start()
    there.close()
    assert here.poll(120), "it hangs"
    told: Told = here.recv()
    child.join()
    return told


def _stream(errors: str) -> TextIOWrapper:
    """As Python's own stdout is, which is strict, and stderr, which is not."""
    return TextIOWrapper(BytesIO(), encoding="utf-8", errors=errors, write_through=True)


def _printed(stream: TextIOWrapper) -> str:
    assert isinstance(stream.buffer, BytesIO)
    return stream.buffer.getvalue().decode()


@pytest.fixture
def refused(vidnas: Callable[..., Told], shared: Path, tmp_path: Path) -> Callable[..., str]:
    """refused(*arguments, names=..., code=1, prepare=None): the message of a command that changes nothing.

    It contains every text in `names`.
    """

    def run(
        *arguments: object,
        names: tuple[object, ...],
        code: int = 1,
        prepare: Callable[[], object] | None = None,
    ) -> str:
        before = snapshot(shared, tmp_path)
        told = vidnas(*arguments, prepare=prepare)
        assert told.code == code, told
        assert told.out == ""
        assert told.err.startswith("vidnas: "), told.err
        assert told.err.count("vidnas: ") == 1
        sentence = told.err.removeprefix("vidnas: ").strip()
        assert [name for name in names if str(name) not in sentence] == [], sentence
        assert [word for word in ("Errno", "must not happen") if word in sentence] == [], sentence
        assert snapshot(shared, tmp_path) == before
        return sentence

    return run


@pytest.fixture
def found_by_check(vidnas: Callable[..., Told], shared: Path, tmp_path: Path) -> Callable[..., str]:
    """found_by_check(data, names=...): the report of `vidnas check` on data with faults, which it names."""

    def run(data: object, *more: object, names: tuple[object, ...]) -> str:
        before = snapshot(shared, tmp_path)
        told = vidnas("check", "--data", data, *more)
        assert (told.code, told.err) == (1, "")
        assert [name for name in names if str(name) not in told.out] == [], told.out
        assert snapshot(shared, tmp_path) == before
        return told.out

    return run


@pytest.fixture(scope="session")
def obey_permissions() -> Callable[[], None]:
    """To be called in a child: from then on permissions bind this process also where it is root's."""

    def give_up() -> None:
        if os.geteuid() != 0:
            return
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of capset(2), this process
        override = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
        held = (ctypes.c_uint32 * 6)()
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.capget(header, held) == 0
        for word in range(3):
            held[word] &= ~override
        assert libc.capset(header, held) == 0, os.strerror(ctypes.get_errno())

    return give_up


def snapshot(*folders: Path) -> dict[Path, object]:
    """Everything below the folders and what it is; but for the index of videos, which only saves time."""
    return {path: content for folder in folders for path, content in _below(folder)}


def _below(folder: Path) -> Iterator[tuple[Path, object]]:
    for path in folder.rglob("*"):
        if path.name == FILE_NAME:
            continue
        if path.is_symlink():
            yield path, path.readlink()
        elif path.is_file():
            yield path, path.read_bytes()
        else:
            yield path, None
