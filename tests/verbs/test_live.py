"""Watching streams that run in real time on this machine."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

import av
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vidnas.assembly import networks
from vidnas.cli.main import main

RATE = 25
NIGHT, DUSK, DAY = 0.0, 0.5, 1.0
WINDOW = "0.4"
Shades = list[tuple[float, float]]
"""Grey levels from 0 to 1, and for how many seconds each."""


def send(file: IO[bytes] | socket.SocketIO, shades: Shades, *, at_once: bool = False) -> None:
    """Write an MPEG-TS stream, in real time or at once."""
    with av.open(file, "w", format="mpegts", container_options={"flush_packets": "1"}) as container:
        stream = container.add_stream("mpeg2video", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        began, number = time.monotonic(), 0
        for shade, seconds in shades:
            for _ in range(round(seconds * RATE)):
                picture = np.full((48, 64, 3), round(255 * shade), dtype=np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                container.mux(stream.encode(frame))
                number += 1
                time.sleep(0.0 if at_once else max(0.0, began + number / RATE - time.monotonic()))
        container.mux(stream.encode())


@pytest.fixture
def serve() -> Iterator[Callable[[Shades], str]]:
    """serve(shades): the URL of a stream that starts when somebody connects."""
    threads = []

    def start(shades: Shades) -> str:
        server = socket.create_server(("127.0.0.1", 0))

        def answer() -> None:
            with server, server.accept()[0] as connection, suppress(OSError):  # whoever watched may leave
                send(connection.makefile("wb", buffering=0), shades)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(timeout=20)


class Line(NamedTuple):
    """A line of `predict --live`, the stream time in seconds."""

    end_sec: float
    score: float
    label: str


def read_lines(text: str) -> list[Line]:
    found = [
        re.fullmatch(r"\d\d:\d\d:\d\d +(\d+):(\d\d\.\d) +([\d.]+) %  (\w+)", x) for x in text.splitlines()
    ]
    assert all(found), text
    return [Line(60 * int(m[1]) + float(m[2]), float(m[3]), m[4]) for m in found if m]


def seen_and_left_out(summary: str) -> tuple[int, int]:
    found = re.search(r"Windows seen: (\d+); left out because the network was busy: (\d+)", summary)
    assert found is not None, summary
    return int(found[1]), int(found[2])


def watch(run: Path, source: str, *more: str) -> int:
    return main(["predict", "--run", str(run), "--live", source, "--window-sec", WINDOW, *more])


def test_a_stream_gives_a_line_for_each_window_with_its_label(
    shade_run: Path, serve: Callable[[Shades], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch(shade_run, serve([(NIGHT, 0.8), (DAY, 0.8), (DUSK, 0.4)])) == 0
    captured = capsys.readouterr()
    lines = read_lines(captured.out)
    assert seen_and_left_out(captured.err) == (len(lines), 9 - len(lines))  # due at 0.4, 0.6, ..., 2.0
    assert len(lines) >= 6  # all nine, but where this machine has much else to do
    assert all(line.label == "night" and line.score > 99 for line in lines if line.end_sec <= 0.8)
    assert all(line.label == "day" for line in lines if 1.25 <= line.end_sec <= 1.6)
    assert lines[-1].label == "dusk"
    assert "late or damaged: 0" in captured.err


def test_a_window_below_the_threshold_is_none_of_these(
    shade_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "unsure.ts").open("wb") as file:
        send(file, [(0.75, 0.8)], at_once=True)
    for threshold in ("0.95", "0"):
        assert watch(shade_run, str(tmp_path / "unsure.ts"), "--threshold", threshold) == 0
    lines = capsys.readouterr().out.splitlines()
    half = len(lines) // 2
    assert half >= 1
    assert all(re.fullmatch(r"[\d:]+ +[\d:.]+ +-  none of these", line) for line in lines[:half])
    assert {line.label for line in read_lines("\n".join(lines[half:]))} <= {"day", "dusk"}


def test_lines_come_while_the_stream_runs(
    shade_run: Path,
    serve: Callable[[Shades], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fifth of a second between two windows of two fifths."""
    times: list[float] = []

    def note(*_: object, file: object = None, flush: bool = False) -> None:
        if file is sys.stdout:
            assert flush
            times.append(time.monotonic())

    monkeypatch.setattr("builtins.print", note)
    assert watch(shade_run, serve([(NIGHT, 2)])) == 0
    assert 6 <= len(times) <= 9
    assert times[-1] - times[0] == pytest.approx(1.6, abs=0.5)
    assert max(after - before for before, after in pairwise(times)) < 0.8


def test_a_network_that_is_too_slow_leaves_windows_out_and_says_how_many(
    shade_run: Path,
    serve: Callable[[Shades], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quick, classes = networks.load(shade_run)

    class Slow(nn.Module):
        def forward(self, video: Tensor) -> Tensor:
            time.sleep(0.5)
            return torch.as_tensor(quick(video))

    monkeypatch.setattr(networks, "load", lambda _: (Slow().eval(), classes))
    assert watch(shade_run, serve([(NIGHT, 0.8), (DAY, 1.6)])) == 0
    captured = capsys.readouterr()
    lines = read_lines(captured.out)
    steps = [after.end_sec - before.end_sec for before, after in pairwise(lines)]
    assert all(0.3 <= step <= 1.6 for step in steps)
    assert 3 <= len(lines) <= 6
    # Due at 0.4, 0.6, ..., 2.4.
    assert seen_and_left_out(captured.err) == (len(lines), 11 - len(lines))
    assert (lines[0].label, lines[-1].label) == ("night", "day")


def test_a_stream_of_a_file_gets_the_labels_of_the_file(
    shade_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "same.ts").open("wb") as file:
        send(file, [(NIGHT, 0.72), (DUSK, 0.72), (DAY, 0.56)], at_once=True)
    arguments = [str(tmp_path / "same.ts"), "--csv", str(tmp_path / "same.csv")]
    assert main(["predict", "--run", str(shade_run), "--window-sec", WINDOW, *arguments]) == 0
    capsys.readouterr()
    assert watch(shade_run, str(tmp_path / "same.ts")) == 0
    rows = [row.split(",") for row in (tmp_path / "same.csv").read_text().splitlines()[1:]]
    of_file = {round(float(row[2]), 1): row[3] for row in rows}
    lines = read_lines(capsys.readouterr().out)
    assert sum(line.end_sec in of_file for line in lines) >= 5
    for line in lines:
        assert of_file.get(line.end_sec, line.label) == line.label
    assert {line.label for line in lines} == {"night", "dusk", "day"}


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ctrl_c_ends_the_watching_with_a_summary_and_success(shade_run: Path, number: signal.Signals) -> None:
    """The stream comes through a pipe, from which nothing follows after a while: then it is waited for."""
    command = [sys.executable, "-m", "vidnas", "predict", "--run", str(shade_run), "--live", "-"]
    with subprocess.Popen(
        [*command, "--window-sec", WINDOW],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        send(process.stdin, [(NIGHT, 1.5)], at_once=True)
        process.stdin.flush()
        first = process.stdout.readline().decode()
        process.send_signal(number)
        rest, said = process.stdout.read().decode(), process.stderr.read().decode()
        assert process.wait(timeout=20) == 0, said
    lines = read_lines(first + rest)
    assert len(lines) >= 1
    summary = said.strip().splitlines()[-1]
    assert summary.startswith(f"Windows seen: {len(lines)}; left out")
    assert "Traceback" not in said


def test_a_source_that_is_not_there_exits_with_1_and_the_way_out(
    shade_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source, message in (("tcp://127.0.0.1:9", "Connection refused"), ("97", "Cameras here:")):
        assert watch(shade_run, source) == 1
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.out == ""


def test_settings_that_make_no_sense_for_a_stream_are_refused(
    shade_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch(shade_run, "-", "--details") == 2
    assert "--details tells more of videos; --live prints a line per window." in capsys.readouterr().err
    for more in (["--csv", "x.csv"], ["--json", "x.json"], ["--annotate", "x.mp4"]):
        assert watch(shade_run, "-", *more) == 2
        assert f"{more[0]} cannot be with --live" in capsys.readouterr().err
