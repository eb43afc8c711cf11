"""Every command in README.md and docs/ is run, as it is written, in the order of its page."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest

from vidnas.cli.main import VERBS, main

NOT_RUN: Mapping[str, str] = {
    "git clone <this repository> vidnas && cd vidnas": ".ci/run begins in a fresh clone",
    "make demo": "run by .ci/run",
    "make test": "it would run itself; run by .ci/run",
    "make bench-full": "an hour on an idle machine",
    "python benchmarks/busy.py --pairs 3": "half an hour on an idle machine",
    "python benchmarks/roofline.py": "part of make bench-full",
    "python benchmarks/growth.py": "part of make bench-full",
    "python benchmarks/fixed_costs.py": "part of make bench-full",
    "python benchmarks/data.py --data /path/to/ucf101_5": "four minutes, on real clips",
    "vidnas check --data s3://bucket/my-videos": "tests/video/stores/test_remote.py serves such a bucket",
    "vidnas train --data https://example.org/my-pack --genotype runs/my-search": "there, too",
    "benchmarks/ucf101_5.sh /path/to/ucf101_5 runs/ucf101_5": "70 minutes, on real clips",
    "python benchmarks/recipe.py --data /path/to/ucf101_5 --out runs/recipe": "two hours, on real clips",
    "python benchmarks/dark.py --data /path/to/ucf101_5 --out runs/dark": "an hour, on real clips",
    "benchmarks/table2.sh /path/to/ucf101_5 runs/table2": "four hours, on real clips",
    "python benchmarks/table2_figures.py docs/results/table2 --plot docs/tradeoff.png --measure": (
        "it would measure and redraw"
    ),
    "python benchmarks/make_ucf101_5.py /path/to/UCF-101 /path/to/ucfTrainTestlist ucf101_5": (
        "tests/docs/test_ucf101_5.py calls what it calls"
    ),
    "python benchmarks/supernet_rank.py --out runs/supernet-rank --cells 12": "a quarter of an hour",
    "python benchmarks/alpha_gradients.py runs/ucf101_5/search": "needs the search of those 70 minutes",
}
"""Commands that are not run, and why."""

STREAM = "rtsp://camera.local/stream"
"""The stream of the docs; the tests serve one on loopback in its place."""

REPOSITORY = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")))
WITHOUT_RUNS = ("README.md", "docs/guide.md")
"""The pages that begin with videos alone; on the others the reader has made the runs of the guide."""

TROUBLE = "docs/troubleshooting.md"


class Block(NamedTuple):
    """A fenced block: its language (none: a shell's commands), number of its first line, and text."""

    language: str
    line: int
    text: str


def blocks(page: str) -> Iterator[Block]:
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        yield Block(match[1], page.count("\n", 0, match.start(2)) + 1, match[2])


def commands(page: str) -> Iterator[tuple[int, str]]:
    """(line, command) of every shell block, without comments and extra spaces."""
    for block in blocks(page):
        if block.language == "":
            for number, text in enumerate(block.text.splitlines(), block.line):
                command = " ".join(re.sub(r"\s#\s.*", "", text).split())
                if command:
                    yield number, command


@pytest.fixture
def stream_url(phone_folder: Path) -> Iterator[str]:
    """The address of a stream on loopback."""
    handler = partial(_QuietHandler, directory=phone_folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/holiday.ts"
        server.shutdown()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == TROUBLE else ()) for name in PAGES]
)
@pytest.mark.usefixtures("small_presets")
def test_every_command_of_a_page_does_what_it_is_there_for(
    name: str,
    pages: dict[str, str],
    stream_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = [(line, command) for line, command in commands(pages[name]) if command not in NOT_RUN]
    steps += [(block.line, block.text) for block in blocks(pages[name]) if block.language == "python"]
    if not steps:
        return
    start = request.getfixturevalue("phone_folder" if name in WITHOUT_RUNS else "finished_folder")
    shutil.copytree(start, tmp_path / "reader")
    monkeypatch.chdir(tmp_path / "reader")
    for line, text in sorted(steps):
        if "\n" in text:
            exec(compile(text, f"{name}:{line}", "exec"), {"__name__": "__main__"})
        else:
            code = run_command(text.replace(STREAM, stream_url), monkeypatch)
            assert code == 0, f"{name}:{line}: {text} ended with {code}:\n{capsys.readouterr().err}"


def run_command(command: str, monkeypatch: pytest.MonkeyPatch) -> int | None:
    """The exit code; None for a command that nobody has said how to run."""
    words = shlex.split(command)
    while words and re.fullmatch(r"[A-Z_]+=\w*", words[0]):
        monkeypatch.setenv(*words.pop(0).split("="))
    if "|" in words:
        return run_in_shell(command)
    if words[0] != "vidnas":
        return None
    if words[1] == "report" and "--live" in words:
        return open_and_end(words)
    try:
        return main(words[1:])
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code


def installed_path() -> dict[str, str]:
    """The environment in which the installed `vidnas` is found."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run_in_shell(command: str) -> int:
    shell = ["bash", "-o", "pipefail", "-c", command]
    return subprocess.run(shell, env=installed_path(), timeout=100, check=False).returncode


def open_and_end(words: list[str]) -> int:
    """Start a server, open the page whose address it prints, and press Ctrl-C."""
    with subprocess.Popen(words, env=installed_path(), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = re.search(r"http://\S+", server.stdout.readline())
            assert address is not None
            with urlopen(address[0], timeout=20) as page:
                assert b"<h1>my-search</h1>" in page.read()
        finally:
            server.send_signal(signal.SIGINT)
        return server.wait(timeout=20)


def test_what_is_not_run_stands_in_the_docs(pages: dict[str, str]) -> None:
    """A stale entry would excuse a command that comes back."""
    written = {command for page in pages.values() for _, command in commands(page)}
    assert [command for command in NOT_RUN if command not in written] == []


def test_only_known_languages_are_fenced_and_no_command_hides_in_text(pages: dict[str, str]) -> None:
    hidden = re.compile(rf"^\s*(\$ )?(vidnas ({'|'.join(VERBS)})\b|make |python3? |pip )", re.MULTILINE)
    for name, page in pages.items():
        for block in blocks(page):
            assert block.language in ("", "python", "text"), f"{name}:{block.line}"
            assert block.language != "text" or not hidden.search(block.text), f"{name}:{block.line}"


def test_every_verb_is_shown_in_the_guide(pages: dict[str, str]) -> None:
    shown = {command.split()[1] for _, command in commands(pages["docs/guide.md"]) if "vidnas" in command}
    assert set(VERBS) - {"demo"} <= shown


def test_the_guide_names_every_file_of_a_run(pages: dict[str, str], finished_folder: Path) -> None:
    table = pages["docs/guide.md"].partition("\n## A run folder\n")[2].partition("\n## ")[0]
    named = {name.rstrip("/") for name in re.findall(r"`([^`]+)`", table)}
    for run in ("my-search", "my-network"):
        found = {
            path.name.replace("-paper", "-PROTOCOL") for path in (finished_folder / "runs" / run).iterdir()
        }
        assert found - named == set()
