"""Two thousand spoilt files: each comes to a result or to an error that names it; nothing hangs or dies."""

import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidnas.config.data import PackConfig
from vidnas.errors import UserError, shown
from vidnas.verbs.pack import run_pack
from vidnas.video.scan.scans import scan_videos
from vidnas.video.stores import footage
from vidnas.video.stores.decode import VideoInfo
from vidnas.video.stores.shards import shard_name
from vidnas.video.stores.tree import local_tree, videos_in

Write = Callable[..., Path]
NUMBER = 2000
LIMIT_SEC = 20.0
MOST_BYTES = 1 << 30
"""What the main process and its workers may take together beyond what they begin with."""


@pytest.fixture(scope="module")
def bases(
    tmp_path_factory: pytest.TempPathFactory, write_video: Write, write_audio: Callable[[Path], Path]
) -> list[bytes]:
    """Good files of several kinds."""
    folder = tmp_path_factory.mktemp("bases")
    files = [
        write_video(folder / "a.avi", 12),
        write_video(folder / "b.avi", 30, max_b_frames=2),
        write_video(folder / "c.mp4", 12, codec="libx264"),
        write_video(folder / "d.mkv", 12, codec="libx264"),
        write_video(folder / "e.webm", 6, codec="libvpx"),
        write_video(folder / "f.mov", 12, codec="mjpeg", pix_fmt="yuvj420p"),
        write_audio(folder / "g.wav"),
    ]
    return [file.read_bytes() for file in files]


def mutated(bases: list[bytes], generator: np.random.Generator) -> bytes:
    """One of the good files with bits flipped, cut short, or spliced with itself or another one."""
    content = bytearray(bases[generator.integers(len(bases))])
    for _ in range(generator.integers(1, 4)):
        kind, at = generator.integers(5), int(generator.integers(max(1, len(content))))
        if kind == 0:
            for place in generator.integers(len(content), size=generator.integers(1, 40)):
                content[place] ^= 1 << int(generator.integers(8))
        elif kind == 1:  # in the header, where it hurts most
            for place in generator.integers(min(512, len(content)), size=8):
                content[place] = int(generator.integers(256))
        elif kind == 2:
            del content[at:]
        elif kind == 3:
            other = bases[generator.integers(len(bases))]
            content[at:] = other[int(generator.integers(len(other))) :]
        else:
            content[at : at + 64] = bytes(generator.integers(0, 256, 4096, dtype=np.uint8))
        if not content:
            break
    return bytes(content)


def absurd(avi: bytes) -> Iterator[tuple[str, bytes]]:
    """Headers that promise what no machine can hold."""
    header, stream = avi.index(b"avih") + 8, avi.index(b"strf") + 8
    for name, at, value in (
        ("a year of frames.avi", header + 16, 25 * 31_536_000),
        ("wide.avi", stream + 4, 65_535),
        ("high.avi", stream + 8, 65_535),
        ("negative.avi", stream + 4, 2**32 - 64),
        ("no rate.avi", header, 0),
    ):
        content = bytearray(avi)
        struct.pack_into("<I", content, at, value)
        yield name, bytes(content)
    both = bytearray(avi)
    struct.pack_into("<II", both, stream + 4, 65_535, 65_535)
    yield "65535 x 65535.avi", bytes(both)
    yield "65535 x 65535.y4m.mp4", b"YUV4MPEG2 W65535 H65535 F25:1 Ip A1:1 C420\n" + 4 * b"FRAME\n"
    yield "empty.mp4", b""
    yield "zeros.mp4", bytes(100_000)
    yield "text.mp4", b"once upon a time\n" * 1000
    yield "playlist.mp4", b"#EXTM3U\n#EXTINF:5,\n/etc/passwd\n"
    yield "page.mp4", b"<html><body>404</body></html>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, bases: list[bytes]) -> Path:
    """All of them in one class folder, under all kinds of names and suffixes."""
    folder, generator = tmp_path_factory.mktemp("hostile") / "data" / "class", np.random.default_rng(0)
    folder.mkdir(parents=True)
    suffixes = (".avi", ".mp4", ".mkv", ".webm", ".mov", ".mpg", ".ts", ".flv", ".wmv", ".3gp")
    odd = (
        "it's",
        'say "hi"',
        "line\nbreak",
        "прыжок",
        "100 %",
        "a;rm -rf",
        "$HOME",
        "-dash",
        " space ",
        "é" * 60,
    )
    for number in range(NUMBER):
        name = f"{odd[number % len(odd)]} {number}{suffixes[int(generator.integers(len(suffixes)))]}"
        (folder / name).write_bytes(mutated(bases, generator))
    for name, content in absurd(bases[0]):
        (folder / name).write_bytes(content)
    (folder / "loop").symlink_to(folder)
    (folder / "itself.avi").symlink_to(folder / "itself.avi")
    (folder / "folder.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    Path(os.fsdecode(bytes(folder) + b"/caf\xe9.avi")).write_bytes(bases[0])
    return folder.parent


def memory_bytes() -> int:
    """Of this process and those that it has begun."""
    total, children = 0, [os.getpid()]
    while children:
        process = Path(f"/proc/{children.pop()}")
        try:
            lines = dict(
                line.split(":", 1) for line in (process / "smaps_rollup").read_text().splitlines()[1:]
            )
            total += int(lines["Pss"].split()[0]) * 1024  # what is shared after a fork counts once
            for task in (process / "task").iterdir():
                children += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return total


@pytest.mark.slow
def test_every_one_of_two_thousand_spoilt_files_comes_to_a_result_or_an_error_that_names_it(
    hostile: Path,
) -> None:
    paths = [hostile / name for name in videos_in(local_tree(hostile))]
    assert len(paths) > NUMBER
    before, most, seen, start = memory_bytes(), 0, 0, time.monotonic()

    def watch(_: int) -> None:
        nonlocal most, seen
        seen += 1
        if seen % 20 == 0:
            most = max(most, memory_bytes() - before)

    results = scan_videos(paths, workers=2, progress=watch, limit_sec=LIMIT_SEC)
    assert time.monotonic() - start < 600
    assert most < MOST_BYTES
    good = [path for path, result in zip(paths, results, strict=True) if isinstance(result, VideoInfo)]
    for path, result in zip(paths, results, strict=True):
        if isinstance(result, UserError):
            assert shown(path) in str(result)
            assert "Traceback" not in str(result) and "takes longer than" not in str(result)
        else:
            assert result.num_frames >= 1 and max(result.width_px, result.height_px) < 65_535
    assert len(paths) / 20 < len(good) < len(paths), "some are still good, most are not"
    for path in good:  # what a scan accepts can be read
        info = results[paths.index(path)]
        assert isinstance(info, VideoInfo)
        frames = footage.decode_frames(path, sorted({0, info.num_frames - 1}), short_side_px=24)
        assert frames.dtype == np.uint8 and min(frames.shape[1:3]) == 24


@pytest.mark.slow
def test_a_pack_of_spoilt_files_holds_the_good_ones_and_names_the_others(
    hostile: Path, tmp_path: Path
) -> None:
    second = hostile / "other"
    second.mkdir(exist_ok=True)
    for number, path in enumerate(sorted((hostile / "class").glob("*1.avi"))[:20]):
        (second / f"{number}.avi").write_bytes(path.read_bytes() + b"x")
    for path in (hostile / "class").glob("*[!1].*"):
        if path.is_file() and not path.is_symlink():
            path.unlink()
    result = run_pack(PackConfig(data=str(hostile), out=str(tmp_path / "pack"), workers=2))
    assert result.num_clips > 5 and len(result.faults) > 50
    assert run_pack(PackConfig(out=str(tmp_path / "pack"), verify=True)).text.endswith("as it was written.")


@pytest.mark.slow
def test_spoilt_shards_and_pictures_are_errors_too(tmp_path: Path, write_video: Write) -> None:
    generator = np.random.default_rng(1)
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for clip in range(3):
            write_video(tmp_path / "data" / name / f"{name}{clip}.avi", 12 + clip)
    run_pack(PackConfig(data=str(tmp_path / "data"), out=str(tmp_path / "pack"), workers=1))
    shard = tmp_path / "pack" / shard_name(0)
    whole = shard.read_bytes()
    picture = tmp_path / "frames" / "1.jpg"
    picture.parent.mkdir()
    Image.fromarray(generator.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(picture)
    jpeg = picture.read_bytes()
    for _ in range(300):
        shard.write_bytes(mutated([whole], generator))
        try:
            footage.scan(tmp_path / "pack/a/a0.avi")
        except UserError as error:
            assert shard.name in str(error)
        picture.write_bytes(mutated([jpeg], generator))
        try:
            footage.scan(picture.parent)
        except UserError as error:
            assert "frames" in str(error)
