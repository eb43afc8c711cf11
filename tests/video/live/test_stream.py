"""Live sources against a clock that goes only when told."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from av.video.stream import VideoStream

from vidnas.errors import UserError
from vidnas.video.live import stream as stream_module
from vidnas.video.live.stream import LATE_SEC, Player, open_source, shown_source
from vidnas.video.stores.clock import FrameClock
from vidnas.video.stores.upright import FrameScaler

Write = Callable[..., Path]
ReadNumber = Callable[[np.ndarray], int]
RATE, GROUP = 25, 12  # frames; the encoder's own group of pictures


class FakeTime:
    def __init__(self) -> None:
        self.now_sec = 1000.0

    def monotonic(self) -> float:
        return self.now_sec

    def sleep(self, seconds: float) -> None:
        self.now_sec += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(stream_module, "time", fake)
    return fake


@pytest.fixture(scope="module")
def video(write_video: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s of numbered frames of which every twelfth needs no other."""
    return write_video(tmp_path_factory.mktemp("video") / "live.ts", 200, codec="mpeg2video")


def delayed(
    packets: "Iterator[Packet[VideoStream]]", time: FakeTime, arrival_sec: Callable[[int], float]
) -> "Iterator[Packet[VideoStream]]":
    """The packets, each when `arrival_sec(number)` says and not before."""
    start = time.now_sec
    for number, packet in enumerate(packets):
        time.now_sec = max(time.now_sec, start + arrival_sec(number))
        yield packet


def play(
    video: Path,
    time: FakeTime,
    *,
    arrival_sec: Callable[[int], float] = lambda _: 0.0,
    work_sec: Callable[[int], float] = lambda _: 0.0,
    read_number: ReadNumber,
) -> tuple[list[tuple[int, float, float]], int]:
    """(number, stream time, time of the wall clock) of each frame played, and how many were dropped.

    `work_sec(n)` is what the n-th frame played costs.
    """
    start = time.now_sec
    played: list[tuple[int, float, float]] = []
    with open_source(str(video), timeout_sec=5.0) as source:
        packets = delayed(source.packets, time, arrival_sec)
        player = Player(replace(source, packets=packets), sleep=time.sleep)
        scaler = FrameScaler(None, source.aspect)
        for end_sec, frame in player.frames():
            played.append((read_number(scaler(frame)), end_sec, time.now_sec - start))
            time.now_sec += work_sec(len(played))
    return played, player.num_dropped


def test_what_comes_at_once_is_played_at_its_own_speed(
    video: Path, time: FakeTime, read_number: ReadNumber
) -> None:
    played, dropped = play(video, time, read_number=read_number)
    assert [number for number, _, _ in played] == list(range(200))
    assert [end for _, end, _ in played] == pytest.approx([(n + 1) / RATE for n in range(200)])
    assert [wall for _, _, wall in played] == pytest.approx([n / RATE for n in range(200)])
    assert dropped == 0


def test_what_comes_in_real_time_is_played_when_it_comes(
    video: Path, time: FakeTime, read_number: ReadNumber
) -> None:
    played, dropped = play(video, time, arrival_sec=lambda n: n / RATE, read_number=read_number)
    assert all(abs(wall - n / RATE) <= 0.1 for n, _, wall in played)
    assert (len(played), dropped) == (200, 0)


def test_a_slow_decoder_leaves_frames_out_and_stays_close_to_live(
    video: Path, time: FakeTime, read_number: ReadNumber
) -> None:
    """Each frame costs three times its duration, so no more than a third can be played."""
    played, dropped = play(
        video, time, arrival_sec=lambda n: n / RATE, work_sec=lambda _: 3 / RATE, read_number=read_number
    )
    assert max(wall - end for _, end, wall in played) < LATE_SEC + 1.5 * GROUP / RATE
    numbers = [number for number, _, _ in played]
    assert numbers == sorted(set(numbers))
    assert len(played) + dropped == 200
    assert 40 < len(played) < 100
    assert all(end == pytest.approx((number + 1) / RATE) for number, end, _ in played)
    after_gap = [number for before, number in pairwise(numbers) if number > before + 1]
    assert after_gap
    assert all(number % GROUP == 0 for number in after_gap)


def test_after_a_pause_in_the_work_the_player_catches_up(
    video: Path, time: FakeTime, read_number: ReadNumber
) -> None:
    played, dropped = play(
        video,
        time,
        arrival_sec=lambda n: n / RATE,
        work_sec=lambda n: 2.5 if n == 50 else 0.0,
        read_number=read_number,
    )
    assert 2.5 * RATE - GROUP - LATE_SEC * RATE <= dropped <= 2.5 * RATE + GROUP
    assert all(wall - end < 0.1 for number, end, wall in played if number > 50 + 2.5 * RATE + GROUP)


def test_a_source_that_pauses_loses_nothing(video: Path, time: FakeTime, read_number: ReadNumber) -> None:
    played, dropped = play(
        video, time, arrival_sec=lambda n: n / RATE + (3.0 if n > 60 else 0.0), read_number=read_number
    )
    assert [number for number, _, _ in played] == list(range(200))
    assert dropped == 0
    assert played[-1][1] == pytest.approx(8.0)


def test_joining_in_the_middle_of_a_stream_waits_for_a_whole_frame(
    video: Path, tmp_path: Path, time: FakeTime, read_number: ReadNumber
) -> None:
    data = video.read_bytes()
    cut = tmp_path / "joined.ts"
    cut.write_bytes(data[len(data) // 3 // 188 * 188 :])
    played, _ = play(cut, time, read_number=read_number)
    numbers = [number for number, _, _ in played if number % GROUP == 0]
    assert numbers == list(range(numbers[0], 200, GROUP))
    assert numbers[0] > 30
    assert played[0][1] <= 0.5


@pytest.mark.parametrize(
    ("stated", "left_out", "expected"),
    [
        ([0.0, 0.04, 0.08], [0, 0, 0], [0.04, 0.08, 0.12]),
        ([90.0, 90.1, 92.0], [0, 0, 9], [0.04, 0.14, 2.04]),  # left out or not, the times tell
        ([5.0, 1.0, 1.04], [0, 0, 0], [0.04, 0.08, 0.12]),  # set back
        ([5.0, 500.0, 500.1], [0, 0, 0], [0.04, 0.08, 0.18]),  # set ahead
        ([None, None, None], [0, 0, 3], [0.04, 0.08, 0.24]),
        ([0.0, None, 7.0], [0, 1, 0], [0.04, 0.12, 0.16]),
    ],
)
def test_stream_time_never_leaps(
    stated: list[float | None], left_out: list[int], expected: list[float]
) -> None:
    clock = FrameClock(0.04, leaps=True)
    ticks = [
        clock.start(time_sec, skipped) + 0.04 for time_sec, skipped in zip(stated, left_out, strict=True)
    ]
    assert ticks == pytest.approx(expected)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("tcp://127.0.0.1:9", "tcp://127.0.0.1:9 cannot be opened: Connection refused. Check the address"),
        ("rtsp://me:secret@127.0.0.1:9/x", "rtsp://...@127.0.0.1:9/x cannot be opened: Connection refused"),
        ("98", "The camera /dev/video98 cannot be opened: .*Cameras here: "),
        ("/dev/video99", "The camera /dev/video99 cannot be opened: .*Plug it in"),
        ("missing.ts", r"missing.ts cannot be opened: No such file.*A live source is a URL"),
    ],
)
def test_a_source_that_cannot_be_opened_is_explained(source: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught, open_source(source, timeout_sec=2.0):
        pass
    assert "secret" not in str(caught.value)


def test_a_camera_that_one_may_not_use_says_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise av.PermissionError(13, "Permission denied", "/dev/video0")

    monkeypatch.setattr(av, "open", refuse)
    with (
        pytest.raises(UserError, match=r"/dev/video0 cannot be opened: Permission denied\. .* group `video`"),
        open_source("0", timeout_sec=1.0),
    ):
        pass


def test_text_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Not a video.\n" * 100)
    with pytest.raises(UserError, match=r"no video in .*notes\.txt"), open_source(str(path), timeout_sec=1.0):
        pass


def test_a_file_with_a_colon_in_its_name_is_no_protocol(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tcp:x.ts").write_bytes(video.read_bytes())
    monkeypatch.chdir(tmp_path)
    with open_source("tcp:x.ts", timeout_sec=1.0) as source:
        assert source.rate == RATE


def test_the_standard_input_is_a_source(video: Path) -> None:
    program = (
        "from vidnas.video.live.stream import Player, open_source\n"
        "with open_source('-', timeout_sec=5.0) as source:\n"
        "    print(len(list(Player(source, sleep=lambda _: None).frames())))\n"
    )
    with video.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", program], stdin=file, capture_output=True, text=True, timeout=60
        )
    assert done.stdout.strip() == "200", done.stderr


def test_a_password_is_not_shown() -> None:
    assert shown_source("http://a:b@host/x?y=1@z") == "http://...@host/x?y=1@z"
    assert shown_source("http://host/x@y") == "http://host/x@y"
    assert shown_source("-") == "the standard input"
