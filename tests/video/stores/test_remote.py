"""Data on a real S3-compatible server and a real HTTP server, both on this machine."""

import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidnas.assembly import videos
from vidnas.config.data import CheckConfig, PackConfig
from vidnas.errors import UsageError, UserError
from vidnas.verbs.check import run_check
from vidnas.verbs.pack import run_pack
from vidnas.video.clips.datasets import TrainClips
from vidnas.video.clips.loaders import train_loader
from vidnas.video.index.contents import read_contents
from vidnas.video.index.index import index_videos
from vidnas.video.index.sources import Source
from vidnas.video.items import VideoIndex
from vidnas.video.stores import pack as pack_module, remote, servers
from vidnas.video.stores.footage import decode_frames, size_bytes
from vidnas.video.stores.remote import MARKER, mirror

moto_server = pytest.importorskip("moto.server")
s3fs = pytest.importorskip("s3fs")
FRAMES = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write_video: Callable[..., Path]) -> Path:
    """Two classes of four clips, no two alike, one with a space in its name."""
    folder = tmp_path_factory.mktemp("data")
    for label, name in enumerate(("bend", "walk fast")):
        (folder / name).mkdir()
        for clip in range(4):
            write_video(folder / name / f"clip {clip}.avi", FRAMES + 4 * label + clip)
    lines = [
        f"{path.relative_to(folder).as_posix()} {path.parent.name.split()[0]}"
        for path in sorted(folder.rglob("*.avi"))
    ]
    (folder / "list.txt").write_text("\n".join(lines))
    run_pack(PackConfig(data=str(folder / "list.txt"), out=str(folder / "packed"), workers=1))
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name, **_: tmp_path / "cache")
    monkeypatch.setattr(servers, "FIRST_PAUSE_SEC", 0.01)
    for cached in (mirror, servers._system, remote._read_facts, remote._size_asked_for):
        cached.cache_clear()
    yield tmp_path / "cache"
    for cached in (mirror, servers._system, remote._read_facts, remote._size_asked_for):
        cached.cache_clear()


@pytest.fixture(scope="module")
def bucket(data: Path) -> Iterator[str]:
    """The data in a bucket of a server that speaks S3; the address of the bucket."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    kept = dict(os.environ)
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "who",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    system = s3fs.S3FileSystem(skip_instance_cache=True)
    system.mkdir("clips")
    system.put(f"{data}/", "clips/data/", recursive=True)
    yield "s3://clips/data"
    os.environ.clear()
    os.environ |= kept
    server.stop()


class Unsteady(http.server.SimpleHTTPRequestHandler):
    """A server that fails as told: `failures` answers of `status` first; files named `secret` are refused."""

    failures, status, asked = 0, 503, 0

    def do_GET(self) -> None:
        Unsteady.asked += 1
        if "secret" in self.path:
            self.send_error(403)
        elif Unsteady.failures > 0:
            Unsteady.failures -= 1
            self.send_error(Unsteady.status)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Unsteady, directory=str(data)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Unsteady, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def steady() -> None:
    Unsteady.failures, Unsteady.status, Unsteady.asked = 0, 503, 0


def read(address: str) -> VideoIndex:
    return index_videos(Source(mirror(address)), split_by="auto", group_regex=None, seed=0)


def names(index: VideoIndex) -> list[str]:
    return [item.path.name for item in (*index.train, *index.test)]


@pytest.fixture(params=["bucket", "site"])
def address(request: pytest.FixtureRequest) -> str:
    value: str = request.getfixturevalue(request.param)
    return value


# What is there is read as if it were here


@pytest.mark.parametrize("name", ["list.txt", "packed"])
def test_lists_and_packs_are_read_as_if_they_were_here(address: str, name: str, data: Path) -> None:
    here = index_videos(Source(data / name), split_by="auto", group_regex=None, seed=0)
    there = read(f"{address}/{name}")
    assert there.classes == here.classes and names(there) == names(here)
    for one, other in zip(there.train, here.train, strict=True):
        frames = decode_frames(one.path, [0, 5, FRAMES - 1], short_side_px=32)
        assert np.array_equal(frames, decode_frames(other.path, [0, 5, FRAMES - 1], short_side_px=32))


def test_a_bucket_is_listed(bucket: str) -> None:
    there = read(f"{bucket}/")
    assert set(there.classes) == {"bend", "walk fast"} and len(names(there)) == 8


def test_a_folder_that_a_web_server_lists_is_read(site: str) -> None:
    there = read(site)
    assert set(there.classes) == {"bend", "walk fast"} and len(names(there)) == 8


def test_official_lists_in_a_bucket_find_their_videos_in_a_folder_of_theirs(bucket: str, data: Path) -> None:
    """Which of two places a listed clip lies in, the listing says."""
    system = s3fs.S3FileSystem(skip_instance_cache=True)
    lines: dict[str, list[str]] = {"trainlist01.txt": [], "testlist01.txt": []}
    for path in sorted(data.glob("*/clip *.avi")):
        name = f"{path.parent.name.split()[0]}/{path.name}"
        system.put(str(path), f"clips/ucf/videos/{name}")
        lines["testlist01.txt" if "3" in path.name else "trainlist01.txt"].append(
            f"{name} {path.parent.name[0]}"
        )
    for name, own in lines.items():
        system.pipe(f"clips/ucf/{name}", "\n".join(own).encode())
    for address in ("s3://clips/ucf", "s3://clips/ucf/trainlist01.txt"):
        index = read(address)
        assert all(item.path.parents[1].name == "videos" for item in (*index.train, *index.test))
        assert len(decode_frames(index.train[0].path, [0], short_side_px=None)) == 1
    assert bucket.startswith("s3://clips")


def test_folders_of_frames_are_not_fetched_one_by_one(tmp_path: Path) -> None:
    for name in ("a/1", "a/2", "b/1", "b/2"):
        (tmp_path / "there" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "there" / name / f"{number}.jpg").touch()
    with served(tmp_path / "there") as address, pytest.raises(UserError, match="Pack them there"):
        read(address)


def test_where_a_pack_was_there_may_be_videos_now(tmp_path: Path, data: Path) -> None:
    shutil.copytree(data / "packed", tmp_path / "there")
    with served(tmp_path / "there") as address:
        read(address)
        shutil.rmtree(tmp_path / "there")
        shutil.copytree(data, tmp_path / "there")
        (tmp_path / "there/list.txt").unlink()
        shutil.rmtree(tmp_path / "there/packed")
        forget()
        assert read(address).notes[0].startswith("Read a folder per class in")


def test_other_roots_may_be_addresses(site: str, data: Path, tmp_path: Path) -> None:
    """And are refused like others with credentials in them."""
    (tmp_path / "l.txt").write_text((data / "list.txt").read_text())
    config = CheckConfig(data=str(tmp_path / "l.txt"), roots=site)
    assert len(read_contents(videos.source_of(config)).index.train) == 8
    with pytest.raises(UsageError, match="holds credentials"):
        videos.source_of(CheckConfig(data=str(tmp_path), roots="https://me:secret@host/x"))


def test_workers_fetch_what_they_read(address: str) -> None:
    index = read(f"{address}/list.txt")
    clips = TrainClips(
        index.train, [FRAMES] * len(index.train), size_px=28, segments=4, frames_per_segment=2, flip=True,
        single_frame=False,
    )  # fmt: skip
    seen = [tuple(indices.tolist()) for _, _, indices in train_loader(clips, batch_size=2, seed=0, workers=2)]
    assert sorted(i for pair in seen for i in pair) == list(range(len(index.train)))


@pytest.mark.usefixtures("shown")
def test_a_check_looks_at_everything_there_and_no_log_shows_a_key(
    bucket: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    result = run_check(CheckConfig(data=f"{bucket}/list.txt", workers=2))
    assert result.passed and "All 8 videos are good." in result.text
    shown = result.text + "".join(capsys.readouterr())
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "a-secret-key" not in shown and b"a-secret-key" not in kept


# The cache


def test_what_was_fetched_is_not_fetched_again_while_there_is_room(site: str, own_cache: Path) -> None:
    item = read(f"{site}/list.txt").train[0]
    decode_frames(item.path, [0], short_side_px=None)
    asked = Unsteady.asked
    decode_frames(item.path, [3], short_side_px=None)
    assert Unsteady.asked == asked
    assert item.path.is_relative_to(own_cache)


def test_the_cache_keeps_to_its_limit_and_forgets_what_was_used_longest_ago(
    site: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = read(f"{site}/list.txt").train
    sizes = [size_bytes(item.path) for item in items]
    monkeypatch.setattr(remote, "IN_USE_SEC", 0.0)
    monkeypatch.setenv("VIDNAS_CACHE_GB", str(2.5 * max(sizes) / 1e9))
    for item in items:
        assert len(decode_frames(item.path, [0], short_side_px=None)) == 1
        kept = list(own_cache.rglob("*.avi"))
        assert item.path in kept and sum(path.stat().st_size for path in kept) <= 3.5 * max(sizes)
    assert not items[0].path.exists() and items[-1].path.exists()
    assert len(decode_frames(items[0].path, [0], short_side_px=None)) == 1
    monkeypatch.setenv("VIDNAS_CACHE_GB", "much")
    with pytest.raises(UsageError, match="VIDNAS_CACHE_GB is 'much'"):
        remote.limit_bytes()


def forget() -> None:
    """As another process begins."""
    for cached in (mirror, servers._system, remote._read_facts, remote._size_asked_for, pack_module._opened):
        cached.cache_clear()


def test_what_has_changed_there_is_fetched_again(tmp_path: Path, data: Path) -> None:
    shutil.copytree(data, tmp_path / "there")
    with served(tmp_path / "there") as address:
        index = read(f"{address}/list.txt")
        path = next(item.path for item in (*index.train, *index.test) if "bend/clip 0" in str(item.path))
        decode_frames(path, [0], short_side_px=None)
        there = tmp_path / "there/bend/clip 0.avi"
        there.write_bytes((tmp_path / "there/walk fast/clip 3.avi").read_bytes())
        forget()
        new = decode_frames(path, [FRAMES + 6], short_side_px=None)
        assert np.array_equal(new, decode_frames(there, [FRAMES + 6], short_side_px=None))


def test_a_pack_that_was_made_anew_there_is_read_anew(tmp_path: Path, data: Path) -> None:
    shutil.copytree(data / "packed", tmp_path / "there/p")
    with served(tmp_path / "there") as address:
        item = read(f"{address}/p").train[0]
        before = decode_frames(item.path, [5], short_side_px=None)
        shutil.rmtree(tmp_path / "there/p")
        run_pack(
            PackConfig(data=str(data / "list.txt"), out=str(tmp_path / "there/p"), quality=20, workers=1)
        )
        forget()
        item = read(f"{address}/p").train[0]
        after = decode_frames(item.path, [5], short_side_px=None)
        assert not np.array_equal(before, after)


@pytest.mark.parametrize("name", ["a#b.avi", "50 %20.avi", "what?.avi", "прыжок.avi"])
def test_names_with_marks_of_addresses_are_only_names(tmp_path: Path, data: Path, name: str) -> None:
    for folder in ("a", "b"):
        (tmp_path / "there" / folder).mkdir(parents=True)
        for clip in range(2):
            content = (data / f"{'bend' if folder == 'a' else 'walk fast'}/clip {clip}.avi").read_bytes()
            (tmp_path / "there" / folder / f"{clip} {name}").write_bytes(content)
    with served(tmp_path / "there") as address:
        for item in read(address).train:
            assert len(decode_frames(item.path, [0], short_side_px=None)) == 1


# What may go wrong


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_is_asked_again(site: str, status: int) -> None:
    Unsteady.failures, Unsteady.status = 3, status
    assert len(names(read(f"{site}/list.txt"))) == 8


def test_in_the_end_it_is_told(site: str) -> None:
    Unsteady.failures = 1000
    with pytest.raises(UserError, match=r"cannot be reached: the server answers 503\. Tried 5 times"):
        mirror(f"{site}/list.txt")
    with pytest.raises(UserError, match=r"cannot be reached: .*\. Tried 5 times"):
        mirror("http://127.0.0.1:9/list.txt")


def test_what_is_missing_or_closed_is_told_at_once(site: str, bucket: str) -> None:
    for address, message in (
        (f"{site}/none.txt", r"none\.txt does not exist \(404\)"),
        (f"{site}/secret.txt", r"secret\.txt may not be read \(403\)"),
        (f"{bucket}/none.txt", r"none\.txt does not exist \(404\)"),
        (f"{bucket}/nothing", "There is nothing at s3://clips/data/nothing"),
        ("gopher://host/data", "gopher:// is no kind of address that fsspec knows"),
    ):
        Unsteady.asked = 0
        with pytest.raises(UserError, match=message):
            mirror(address)
        assert Unsteady.asked <= 2


def test_missing_credentials_are_told_at_once(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UserError, match=r"may not be read without credentials\. .* FSSPEC_S3_ANON=true"):
        mirror(bucket)


def test_a_listed_clip_that_is_missing_there_costs_a_line(data: Path, site: str) -> None:
    (data / "more.txt").write_text((data / "list.txt").read_text() + "\nbend/gone.avi bend\n")
    result = run_check(CheckConfig(data=f"{site}/more.txt", workers=1))
    assert [fault for fault in result.faults if "gone.avi does not exist (404)" in fault]
    assert "8 of 9 videos are good" in result.text


@pytest.mark.parametrize(
    "address",
    [
        "https://me:secret@host/data",
        "https://host/list.txt?X-Amz-Signature=secret",
        "s3://key:secret@bucket/x",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(address: str, own_cache: Path) -> None:
    with pytest.raises(UsageError, match="holds credentials or a query") as caught:
        videos.data_path(address)
    assert "secret" not in str(caught.value)
    assert not list(own_cache.rglob(MARKER))
