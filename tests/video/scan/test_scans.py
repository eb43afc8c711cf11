"""Scanning in workers: whatever a file does to its worker, the others are scanned and no process is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from vidnas.errors import UserError
from vidnas.video.processes.heartbeat import at_rest, beat
from vidnas.video.scan import scans
from vidnas.video.scan.scans import scan_each, scan_videos
from vidnas.video.stores.decode import VideoInfo
from vidnas.video.stores.footage import decode_frames

Write = Callable[..., Path]
INFO = VideoInfo(1, 2, 3, 4.0)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a false decoder reaches forked workers only")


def misbehave(path: Path) -> VideoInfo:
    """A decoder that does what the file's name says."""
    if path.name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.name == "exit":
        os._exit(7)
    if path.name == "hang":
        time.sleep(15)
    if path.name == "spin":
        while True:
            pass
    if path.name in ("long", "long and waiting"):
        for _ in range(20):
            computing_sec = time.process_time()
            while path.name == "long" and time.process_time() - computing_sec < 0.1:
                pass
            time.sleep(0.1 if path.name != "long" else 0.0)
            beat()
    if path.name == "suspended":
        subprocess.Popen(["sh", "-c", f"sleep 1.5; kill -CONT {os.getpid()}"])
        os.kill(os.getpid(), signal.SIGSTOP)
    if path.name == "fetched":
        with at_rest():
            time.sleep(1.5)
    if path.name == "memory":
        np.zeros(3 << 30, np.uint8)  # more than a forked worker may find free in what its parent had
    if path.name == "bad":
        raise UserError("bad is bad.")
    return INFO


@pytest.fixture
def false_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidnas.video.stores.footage.scan", misbehave)


def scan(*names: str, workers: int = 2, limit_sec: float = 60.0) -> list[str]:
    """`good`, or the message, of files with these names."""
    results = scan_videos(
        [Path(name) for name in names],
        workers=workers,
        progress=lambda _: None,
        limit_sec=limit_sec,
    )
    return ["good" if result == INFO else str(result) for result in results]


@pytest.mark.usefixtures("false_decoder")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_crash_is_the_fault_of_one_file(workers: int) -> None:
    assert scan("a", "crash", "b", "exit", "c", "bad", "crash", "d", workers=workers) == [
        "good",
        "crash crashes the decoder (SIGSEGV).",
        "good",
        "exit crashes the decoder (exit code 7).",
        "good",
        "bad is bad.",
        "crash crashes the decoder (SIGSEGV).",
        "good",
    ]


def test_without_workers_a_file_is_scanned_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a bad file is still that file's fault, but a crash or too little memory is not."""
    seen: list[tuple[str, int]] = []

    def note(path: Path) -> VideoInfo:
        seen.append((path.name, os.getpid()))
        return misbehave(path)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("vidnas.video.stores.footage.scan", note)
    monkeypatch.setattr(scans, "ProcessPool", refuse)
    assert scan("a", "bad", "b", workers=0) == ["good", "bad is bad.", "good"]
    assert seen == [(name, os.getpid()) for name in ("a", "bad", "b")]
    with pytest.raises(AssertionError):
        scan("a", workers=1)


CRASHING = """
import os, signal, sys
from pathlib import Path
import av
from vidnas.video.scan import scans
scans.footage.scan = lambda _: os.kill(os.getpid(), signal.SIGSEGV)
av.VideoFrame(320, 240, "rgb24").to_ndarray(format="yuv420p")
print(scans.scan_videos([Path("a"), Path("b")], workers=int(sys.argv[1]), progress=lambda _: None))
"""


@pytest.mark.parametrize(("workers", "code"), [(0, -signal.SIGSEGV), (1, 0)])
def test_a_crash_ends_a_scan_without_workers_alone(workers: int, code: int) -> None:
    """With them a process takes the place of each that crashed, although PyAV 19 has left threads here."""
    command = [sys.executable, "-c", CRASHING, str(workers)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == code
    assert ("b crashes the decoder (SIGSEGV)." in ended.stdout) == (code == 0)


@pytest.mark.usefixtures("false_decoder")
def test_a_hang_ends_after_the_file_s_time_and_is_its_fault() -> None:
    started = time.monotonic()
    message = (
        "hang takes longer than 0.6 s to be read further: its disk or server may hang. If nothing is wrong "
        "there, allow more, as in --scan-limit-sec 6."
    )
    assert scan("hang", "a", "b", "hang", "c", workers=1, limit_sec=0.6) == [
        message,
        "good",
        "good",
        message,
        "good",
    ]
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("false_decoder")
def test_a_decoder_that_computes_without_end_is_ended() -> None:
    assert scan("spin", "a", workers=1, limit_sec=0.6) == [
        "spin takes longer than 0.6 s of computing for a frame: the decoder may hang. If nothing is wrong "
        "there, allow more, as in --scan-limit-sec 6.",
        "good",
    ]


@pytest.mark.usefixtures("false_decoder")
def test_a_file_that_takes_long_is_good_as_long_as_frames_come() -> None:
    """Two seconds of computing, and of waiting, with a limit of one; on a busy machine it takes longer."""
    assert scan("long", "long and waiting", limit_sec=1.0) == ["good", "good"]


@pytest.mark.usefixtures("false_decoder")
def test_a_machine_that_gives_the_decoder_no_time_refuses_nothing() -> None:
    """The worker is stopped, as by Ctrl-Z, a laptop's lid or a machine with too much to do."""
    assert scan("suspended", "fetched", limit_sec=0.6) == ["good", "good"]


@pytest.mark.usefixtures("false_decoder")
def test_a_file_that_wants_too_much_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scan("memory") == ["good"]
    monkeypatch.setattr(scans, "MEMORY_BYTES", 100_000_000)
    assert scan("a", "memory", "b") == [
        "good",
        "memory needs more than 0.1 GB of memory to decode.",
        "good",
    ]


@pytest.mark.usefixtures("false_decoder")
def test_results_come_in_the_order_of_the_files_with_a_call_for_each(tmp_path: Path) -> None:
    calls: list[int] = []
    paths = [tmp_path / f"{number % 3}" for number in range(20)]
    assert scan_videos(paths, workers=2, progress=calls.append) == [INFO] * 20
    assert calls == [1] * 20
    assert scan_videos([], workers=2, progress=calls.append) == []
    assert sorted(number for number, _ in scan_each(paths, workers=3)) == list(range(20))


@pytest.mark.usefixtures("false_decoder")
def test_a_few_files_are_scanned_in_no_time() -> None:
    started = time.monotonic()
    scan("a", "b")
    assert time.monotonic() - started < 1


@pytest.mark.usefixtures("false_decoder")
def test_closing_the_iterator_ends_the_workers_at_once() -> None:
    with closing(scan_each([Path("a"), Path("hang"), Path("hang")], workers=3)) as results:
        assert next(results) == (0, INFO)
        started = time.monotonic()
    assert time.monotonic() - started < 1


def test_a_pipe_that_brings_nothing_is_ended_and_one_without_end_too(tmp_path: Path) -> None:
    silent, endless = tmp_path / "silent.mp4", tmp_path / "endless.mp4"
    for path in (silent, endless):
        os.mkfifo(path)
    feed = "import sys; out = open(sys.argv[1], 'wb'); out.write(b'YUV4MPEG2 W16 H16 F25:1 C420\\n')\n"
    feed += "while True: out.write(b'FRAME\\n' + bytes(384))"
    with subprocess.Popen([sys.executable, "-c", feed, str(endless)], stderr=subprocess.DEVNULL) as writer:
        try:
            results = scan_videos([silent, endless], workers=2, progress=lambda _: None, limit_sec=2.0)
        finally:
            writer.kill()
    assert str(results[0]).startswith(f"{silent} takes longer than 2 s to be read further:")
    assert str(results[1]) == (
        f"{endless} does not end: 1,001 frames are decoded, more than its header states and its size can "
        "hold."
    )


def test_a_header_that_states_too_few_frames_is_not_believed(tmp_path: Path, write_video: Write) -> None:
    """A recorder that broke off has stated none, or those so far."""
    path = write_video(tmp_path / "clip.avi", 1500)
    data = bytearray(path.read_bytes())
    for place in (data.index(b"avih") + 8 + 16, data.index(b"strh") + 8 + 32):
        data[place : place + 4] = (3).to_bytes(4, "little")
    path.write_bytes(data)
    (info,) = scan_videos([path], workers=1, progress=lambda _: None)
    assert isinstance(info, VideoInfo) and info.num_frames == 1500


HANGING = """
import time
from pathlib import Path
from vidnas.video.scan import scans
def hang(path):
    Path(path.name).touch()
    time.sleep(1000)
scans.footage.scan = hang
scans.scan_videos([Path("a"), Path("b"), Path("c")], workers=2, progress=lambda _: None)
"""


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own group whose two workers hang."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING], cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
        yield process
    finally:
        if group_lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def group_lives(group: int) -> bool:
    """Whether a process of the group still runs; one that has ended but is not waited for does not count."""
    states = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just gone
            continue
        if int(fields[2]) == group:
            states.append(fields[0])
    return any(state not in "ZX" for state in states)


@pytest.mark.parametrize("to_all", [True, False])
def test_ctrl_c_ends_a_scan_and_its_workers_at_once(hanging: "subprocess.Popen[bytes]", to_all: bool) -> None:
    """A terminal sends it to the workers too, another program perhaps not."""
    (os.killpg if to_all else os.kill)(hanging.pid, signal.SIGINT)
    assert hanging.wait(3) != 0
    assert not group_lives(hanging.pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_a_killed_scan(hanging: "subprocess.Popen[bytes]", number: int) -> None:
    os.kill(hanging.pid, number)
    hanging.wait(3)
    wait_for(lambda: not group_lives(hanging.pid))


def mutations(data: bytes, others: list[bytes], rng: np.random.Generator) -> Iterator[bytes]:
    """One of each kind of damage: flipped bits, overwritten bytes, a hole, a cut, a splice of two files."""
    array = np.frombuffer(data, np.uint8)
    for count in (1, 8, 64):
        flipped = array.copy()
        places = rng.integers(len(data), size=count)
        flipped[places] ^= np.uint8(1) << rng.integers(8, size=count, dtype=np.uint8)
        yield flipped.tobytes()
    header = array.copy()
    header[rng.integers(min(400, len(data)), size=6)] = rng.integers(256, size=6, dtype=np.uint8)
    yield header.tobytes()
    start, end = sorted(rng.integers(len(data), size=2).tolist())
    yield data[:start] + bytes(end - start) + data[end:]
    yield data[:start] + data[end:]
    yield data[: int(rng.integers(1, len(data)))]
    yield data[:start] + rng.choice(np.array(others, dtype=object))[end:]


def test_damaged_files_give_a_result_or_an_error_that_names_them(tmp_path: Path, write_video: Write) -> None:
    """Also when their frames are read afterwards, as training does."""
    kinds = {"a.mp4": "libx264", "b.avi": "mpeg4", "c.mkv": "mpeg4", "d.avi": "mpeg4"}
    whole = [write_video(tmp_path / name, 12, codec=codec) for name, codec in kinds.items()]
    contents = [path.read_bytes() for path in whole]
    rng = np.random.default_rng(3)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path, data in zip(whole, contents, strict=True):
        for _ in range(4):
            for number, mutated in enumerate(mutations(data, contents, rng)):
                (damaged / f"{len(list(damaged.iterdir())):03}-{number}{path.suffix}").write_bytes(mutated)
    paths = sorted(damaged.iterdir())
    assert len(paths) == 128
    results = scan_videos(paths, workers=2, progress=lambda _: None, limit_sec=20.0)
    for path, result in zip(paths, results, strict=True):
        if isinstance(result, UserError):
            assert str(path) in str(result)
        else:
            assert decode_frames(path, [0, result.num_frames - 1], short_side_px=24).shape[0] == 2
    num_bad = sum(isinstance(result, UserError) for result in results)
    assert 20 < num_bad < 120
    assert not any("crashes" in str(result) for result in results)
