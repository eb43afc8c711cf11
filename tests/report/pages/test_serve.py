import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.report.pages.serve import LivePage, serving
from vidnas.runs.read import Run

MakeRun = Callable[..., Path]
AppendEpoch = Callable[[Path, int, int], None]


@contextmanager
def served(folder: Path) -> Iterator[http.client.HTTPConnection]:
    with serving(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        try:
            yield connection
        finally:
            connection.close()
            server.shutdown()
            thread.join()


def get(
    connection: http.client.HTTPConnection, path: str = "/", method: str = "GET", **headers: str
) -> tuple[int, str, str]:
    """Status, tag and body."""
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.headers.get("ETag", ""), answer.read().decode()


def test_the_page_gains_an_epoch_when_the_run_does(make_search: MakeRun, append_epoch: AppendEpoch) -> None:
    run = make_search(done=0)
    with served(run) as connection:
        status, tag, page = get(connection)
        assert (status, "No epoch is done yet" in page) == (200, True)
        assert get(connection, **{"If-None-Match": tag}) == (304, tag, "")
        append_epoch(run, 1, 4)
        status, newer, page = get(connection, **{"If-None-Match": tag})
        assert (status, newer != tag) == (200, True)
        assert "1 of 4 epochs is done" in page


def test_a_page_is_made_once_while_nothing_changes(
    make_search: MakeRun, append_epoch: AppendEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def render(run: Run, *, live: bool) -> str:
        made.append(live)
        return f"page of {run.last_epoch} epochs"

    monkeypatch.setattr("vidnas.report.pages.serve.render_run", render)
    run = make_search(done=1)
    page = LivePage(run)
    assert [page.current()[1] for _ in range(3)] == [b"page of 1 epochs"] * 3
    assert made == [True]
    append_epoch(run, 2, 4)
    assert page.current()[1] == b"page of 2 epochs"


def test_only_this_machine_is_answered_and_only_at_the_root(make_search: MakeRun) -> None:
    with serving(make_search(), 0) as server:
        assert server.server_address[0] == "127.0.0.1"
    with served(make_search()) as connection:
        assert get(connection, Host="evil.example:80")[0] == 403
        assert get(connection, Host="localhost:9999")[0] == 200  # through a tunnel
        assert get(connection, "/config.json")[0] == 404
        assert get(connection, "/../config.json")[0] == 404
        assert get(connection, method="HEAD")[::2] == (200, "")
        assert get(connection, method="POST")[0] == 501


def test_a_folder_that_went_away_is_told_and_the_server_lives_on(make_search: MakeRun) -> None:
    run = make_search(done=1)
    with served(run) as connection:
        config = (run / "config.json").read_text()
        (run / "config.json").unlink()
        status, _, said = get(connection)
        assert status == 503
        assert str(run) in said
        (run / "config.json").write_text(config)
        assert get(connection)[0] == 200


def test_serving_writes_nothing(make_search: MakeRun) -> None:
    run = make_search()
    before = {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]}
    with served(run) as connection:
        assert get(connection)[0] == 200
    assert {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]} == before


@pytest.mark.parametrize("port", [None, 80_000])
def test_a_port_that_cannot_be_had_is_named_with_the_way_out(make_search: MakeRun, port: int | None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = port or taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"port {number}: .*--port"), serving(make_search(), number):
            pass


def test_the_command_prints_where_it_serves_and_ends_well_by_ctrl_c(make_search: MakeRun) -> None:
    command = [sys.executable, "-m", "vidnas", "report", str(make_search(done=0)), "--live", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        with urllib.request.urlopen(said.split()[1], timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == ""
