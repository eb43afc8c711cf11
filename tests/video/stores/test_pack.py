"""A pack stands for the videos that it was made of; whatever happens to its files is noticed and named."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vidnas.config.data import PackConfig
from vidnas.errors import UsageError, UserError
from vidnas.training import memory
from vidnas.verbs.pack import run_pack
from vidnas.video.clips.datasets import TrainClips
from vidnas.video.index.index import index_videos
from vidnas.video.index.sources import Source
from vidnas.video.items import VideoIndex
from vidnas.video.make import packing
from vidnas.video.stores import footage, shards
from vidnas.video.stores.decode import VideoInfo, scan_video
from vidnas.video.stores.footage import decode_frames
from vidnas.video.stores.pack import open_pack
from vidnas.video.stores.shards import INDEX, read_index, shard_name

Write = Callable[..., Path]
FRAMES = 12


def paint(number: int) -> np.ndarray:
    """A frame with its number in its brightness, and a ramp."""
    ramp = np.linspace(0, 60, 64)[None, :, None]
    return np.broadcast_to(ramp + 10 * number + 20, (48, 64, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, write_video: Write) -> Path:
    """Two classes of four clips, lists in the layout of UCF101 with two splits."""
    folder = tmp_path_factory.mktemp("videos") / "data"
    lines: dict[str, list[str]] = {
        name: [] for name in ("trainlist01", "testlist01", "trainlist02", "testlist02")
    }
    for label, name in enumerate(("Bend", "Wave"), 1):
        for group in range(1, 5):
            clip = f"{name}/v_{name}_g{group:02}_c01.avi"
            (folder / clip).parent.mkdir(parents=True, exist_ok=True)
            write_video(folder / clip, FRAMES + group, paint=paint, title=name)
            for split in (1, 2):
                part = "test" if group == split else "train"
                lines[f"{part}list0{split}"].append(f"{clip} {label}\n")
    for name, own in lines.items():
        (folder / f"{name}.txt").write_text("".join(own))
    (folder / "classInd.txt").write_text("1 Bend\n2 Wave\n")
    return folder


def pack(data: Path, out: Path, **settings: object) -> Path:
    run_pack(PackConfig(data=str(data), out=str(out), workers=2, **settings))  # type: ignore[arg-type]
    return out


@pytest.fixture(scope="module")
def packed(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(videos, tmp_path_factory.mktemp("packs") / "pack")


@pytest.fixture
def copy(packed: Path, tmp_path: Path) -> Path:
    """A pack that a test may spoil."""
    return Path(shutil.copytree(packed, tmp_path / "copy"))


def read(data: Path, **where: object) -> VideoIndex:
    source = Source(data, **where)  # type: ignore[arg-type]
    return index_videos(source, split_by="auto", group_regex=None, seed=0)


def names(index: VideoIndex, root: Path) -> list[list[tuple[str, int, str | None]]]:
    return [
        [(item.path.relative_to(root).as_posix(), item.label, item.group) for item in part]
        for part in (index.train, index.test)
    ]


# What it stands for


@pytest.mark.parametrize("split", [1, 2])
def test_a_pack_has_the_names_classes_groups_and_splits_of_its_data(
    videos: Path, packed: Path, split: int
) -> None:
    there, here = read(videos, split=split), read(packed, split=split)
    assert here.classes == there.classes
    assert names(here, packed) == names(there, videos)
    assert [note.replace(str(packed), str(videos)) for note in here.notes] == list(there.notes)


def test_a_packed_clip_is_known_as_the_video_that_it_was(videos: Path, packed: Path) -> None:
    for one, other in zip(read(videos).train, read(packed).train, strict=True):
        assert footage.size_bytes(other.path) == footage.size_bytes(one.path)
        assert footage.fingerprint(other.path) == footage.fingerprint(one.path)
        assert footage.told(other.path) == scan_video(one.path) == footage.scan(other.path)
        assert footage.told(one.path) is None
    assert footage.exists(packed / "Bend/v_Bend_g01_c01.avi")
    assert not footage.exists(packed / "Bend/another.avi")
    with pytest.raises(UserError, match=r"another\.avi is not in the pack"):
        decode_frames(packed / "Bend/another.avi", [0], short_side_px=None)


@pytest.mark.parametrize("short_side_px", [None, 48, 24, 17, 100])
def test_its_frames_are_those_of_the_video_but_for_what_jpeg_loses(
    videos: Path, packed: Path, short_side_px: int | None
) -> None:
    name, indices = "Wave/v_Wave_g02_c01.avi", [0, 3, 3, FRAMES + 1]
    there, here = (
        decode_frames(root / name, indices, short_side_px=short_side_px) for root in (videos, packed)
    )
    assert here.shape == there.shape and here.dtype == np.uint8
    assert np.abs(here.astype(int) - there).mean() < 3
    every = list(footage.read_frames(packed / name, None, short_side_px=24))
    assert [frame.index for frame in every] == list(range(FRAMES + 2))
    with pytest.raises(UserError, match="ends before frame 99"):
        decode_frames(packed / name, [99], short_side_px=None)


def test_no_detail_is_lost_while_decoding(tmp_path: Path) -> None:
    """Frames are decoded at no smaller size than is wanted."""
    stripes = np.zeros((48, 64, 3), np.uint8)
    stripes[::2] = 255
    for name in ("a/1", "a/2", "b/1", "b/2"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(np.roll(stripes, len(name) + number)).save(
                tmp_path / "data" / name / f"{number}.png"
            )
    out = pack(tmp_path / "data", tmp_path / "pack")
    (frame,) = decode_frames(out / "a/1", [0], short_side_px=48)
    assert np.abs(frame[1:].astype(int) - frame[:-1]).mean() > 200


def test_other_layouts_keep_their_labels_parts_and_groups(tmp_path: Path, videos: Path) -> None:
    data = tmp_path / "lists"
    shutil.copytree(videos, data / "videos")
    clips = sorted(path.relative_to(data).as_posix() for path in data.rglob("*.avi"))
    rows = [f"{clip},{1 - n % 2},{'test' if n % 4 > 1 else 'train'},p{n}" for n, clip in enumerate(clips)]
    (data / "l.csv").write_text("\n".join(["path,label,split,group", *rows]))
    out = pack(data / "l.csv", tmp_path / "pack")
    there, here = read(data / "l.csv"), read(out)
    assert here.classes == there.classes and names(here, out) == names(there, data)
    assert here.notes[0] == f"Read the pack {out}: every frame, short side 128 px, JPEG quality 90."


def test_folders_of_frames_are_packed_as_well(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for clip in "123":
            folder = tmp_path / "data" / name / clip
            folder.mkdir(parents=True)
            for number in range(1, 12):
                shade = paint(number) + "ab".index(name) * 3 + int(clip)
                Image.fromarray(shade).save(folder / f"{number}.jpg", quality=95)
    out = pack(tmp_path / "data", tmp_path / "pack")
    frames = decode_frames(out / "a/2", [0, 9], short_side_px=None)
    assert np.abs(frames[1].astype(int) - paint(10) - 2).mean() < 3, "the tenth is 10.jpg"
    assert len(read(out).train) == 4


def test_some_frames_of_each_clip_may_do(videos: Path, tmp_path: Path) -> None:
    out = pack(videos, tmp_path / "pack", frames=4)
    name = "Bend/v_Bend_g04_c01.avi"
    info = footage.told(out / name)
    assert info == replace(scan_video(videos / name), num_frames=4)
    kept = decode_frames(out / name, range(4), short_side_px=None)
    true = decode_frames(videos / name, [2, 6, 10, 14], short_side_px=None)
    assert np.abs(kept.astype(int) - true).mean() < 3
    assert (
        len(decode_frames(pack(videos, tmp_path / "all", frames=99) / name, range(16), short_side_px=None))
        == 16
    )


def test_larger_clips_than_were_packed_for_are_refused(videos: Path, tmp_path: Path) -> None:
    out = pack(videos, tmp_path / "pack", short_side_px=24)
    path = out / "Bend/v_Bend_g04_c01.avi"
    assert decode_frames(path, [0], short_side_px=None).shape == (1, 24, 32, 3)
    with pytest.raises(UserError, match=r"packed with a short side of 24 px, .* --short-side-px 40"):
        decode_frames(path, [0], short_side_px=40)
    with pytest.raises(UserError, match="--short-side-px 100"):
        decode_frames(path, [0], short_side_px=100)


# How it is made


def test_without_workers_it_is_made_in_this_process_to_the_same_bytes(
    videos: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidnas.video.scan.scans.ProcessPool", None)
    run_pack(PackConfig(data=str(videos), out=str(tmp_path / "pack"), workers=0, verify=True))
    made = {path.relative_to(packed): path.read_bytes() for path in packed.rglob("*") if path.is_file()}
    assert {Path(shard_name(0)), Path(INDEX)} <= set(made)
    for path, content in made.items():
        assert (tmp_path / "pack" / path).read_bytes() == content, path


def test_a_bad_video_costs_a_line(videos: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(videos, tmp_path / "data"))
    bad = data / "Wave/v_Wave_g03_c01.avi"
    bad.write_bytes(bad.read_bytes()[:300])
    result = run_pack(PackConfig(data=str(data), out=str(tmp_path / "pack"), workers=2))
    assert (result.num_clips, len(result.faults)) == (7, 1)
    assert "Careful: 1 video could not be packed:\n  " in result.text and "v_Wave_g03_c01.avi" in result.text
    told = footage.told(tmp_path / "pack/Wave/v_Wave_g03_c01.avi")
    assert isinstance(told, UserError) and str(told) == result.faults[0]
    assert len(read(tmp_path / "pack").train) == 6, "it is listed, and bad, as in the data"
    with pytest.raises(UserError, match=r"1 of 8 videos cannot be used:\n.*v_Wave_g03"):
        pack(data, tmp_path / "strict", on_bad="raise")
    assert not (tmp_path / "strict").exists()


def test_a_complete_pack_is_left_alone_and_another_one_is_refused(videos: Path, copy: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in copy.iterdir()}
    for leftover in (packing.PLAN, packing._piece_name(2)):  # of one that was killed at the very end
        (copy / leftover).write_text("{}")
    pack(videos, copy)
    assert {path.name: path.stat().st_mtime_ns for path in copy.iterdir()} == before
    with pytest.raises(UserError, match="holds a pack of other videos or with other settings"):
        pack(videos, copy, quality=50)


def test_a_pack_of_an_earlier_reading_is_read_as_it_is_and_not_gone_on_with(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its frames may be held otherwise than those of today."""
    with monkeypatch.context() as earlier:
        earlier.setattr("vidnas.video.make.packing.READING", 1)
        old = pack(videos, tmp_path / "old")
    name = "Bend/v_Bend_g04_c01.avi"
    there, here = (decode_frames(root / name, [3], short_side_px=24) for root in (videos, old))
    assert np.abs(here.astype(int) - there).mean() < 3
    assert footage.told(old / name) == scan_video(videos / name)
    with pytest.raises(UserError, match="or one of an earlier version of vidnas"):
        pack(videos, old)
    begun = tmp_path / "begun"
    begun.mkdir()
    plan = read_index(old / INDEX).facts["plan"]
    (begun / packing.PLAN).write_text(json.dumps({"plan": plan}))
    with pytest.raises(UserError, match="or one of an earlier version of vidnas"):
        pack(videos, begun)


def test_a_pack_holds_pictures_upright_and_with_square_pixels(
    tmp_path: Path, write_video: Write, set_matrix: Callable[..., Path]
) -> None:
    for label in "ab":
        (tmp_path / "data" / label).mkdir(parents=True)
        for clip in range(3):
            path = write_video(
                tmp_path / "data" / label / f"{clip}.mp4", 3, codec="libx264", aspect=Fraction(3, 2)
            )
            set_matrix(path, (0, 1, 1, 0) if label == "a" else (-1, 0, 0, 1))
    out = pack(tmp_path / "data", tmp_path / "pack", short_side_px=32)
    for name, size in (("a/1.mp4", (48, 96)), ("b/1.mp4", (96, 48))):
        told = footage.told(out / name)
        assert isinstance(told, VideoInfo) and (told.width_px, told.height_px) == size
        for short_side_px in (None, 24):
            here = decode_frames(out / name, [1], short_side_px=short_side_px)
            there = decode_frames(tmp_path / "data" / name, [1], short_side_px=short_side_px or 32)
            assert here.shape == there.shape
            assert np.abs(here.astype(int) - there).mean() < 6


def test_other_labels_or_other_videos_of_the_same_size_are_another_pack(tmp_path: Path, videos: Path) -> None:
    data = Path(shutil.copytree(videos, tmp_path / "data"))
    clips = sorted(path.relative_to(data).as_posix() for path in data.rglob("*.avi"))
    rows = [f"{clip},{'ab'[n % 2]},p{n}" for n, clip in enumerate(clips)]

    def write(rows: list[str]) -> Path:
        (data / "l.csv").write_text("\n".join(["path,label,group", *rows]))
        return data / "l.csv"

    out = pack(write(rows), tmp_path / "pack")
    pack(write(rows), out)
    for changed in (
        [rows[0].replace(",a,", ",b,"), rows[1].replace(",b,", ",a,"), *rows[2:]],
        [row.replace(",p0", ",p1") for row in rows],
    ):
        with pytest.raises(UserError, match="a pack of other videos"):
            pack(write(changed), out)
    write(rows)
    _flip(data / clips[0])
    with pytest.raises(UserError, match="a pack of other videos"):
        pack(data / "l.csv", out)


def test_where_no_video_can_be_used_there_is_no_pack(tmp_path: Path) -> None:
    for name in ("a/1.avi", "a/2.avi", "b/1.avi"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text("no video")
    with pytest.raises(UserError, match="3 of 3 videos cannot be used"):
        pack(tmp_path / "data", tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_a_pack_may_be_made_in_the_current_folder(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pack(videos, Path())
    assert (tmp_path / INDEX).is_file()


def test_a_missing_shard_is_told_before_anything_is_read(copy: Path, videos: Path) -> None:
    (copy / shard_name(3)).unlink()
    for use in (lambda: read(copy), lambda: pack(videos, copy)):
        with pytest.raises(UserError, match=r"shard-00003\.jpegs cannot be read: No such file"):
            use()


def test_packs_and_other_roots_do_not_mix(packed: Path, videos: Path) -> None:
    for data, root in ((packed, videos), (videos, packed)):
        with pytest.raises(UsageError, match=r"--roots goes with videos, but .* is a pack"):
            read(data, roots=(root,))
    with pytest.raises(UsageError, match="names a folder twice"):
        read(videos, roots=(videos,))


def test_nothing_is_written_where_something_is(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty, and no pack"):
        pack(videos, tmp_path)
    with pytest.raises(UserError, match="is a file"):
        pack(videos, tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_full_disk_is_told_before(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"needs about .* GB, and 0\.0 GB are free .* --frames"):
        pack(videos, tmp_path / "pack")


CODE = """
import sys
from vidnas.config.data import PackConfig
from vidnas.training import memory
from vidnas.verbs.pack import run_pack
run_pack(PackConfig(data=sys.argv[1], out=sys.argv[2], workers=1))
"""


def test_a_killed_packing_goes_on_where_it_was(videos: Path, packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    process = subprocess.Popen([sys.executable, "-c", CODE, str(videos), str(out)])
    deadline = time.monotonic() + 60
    while not (out / f"{shard_name(2)}.index").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path.name: path.stat().st_mtime_ns for path in out.glob("*.jpegs")}
    if not (out / INDEX).exists():
        (out / shard_name(1)).write_bytes((out / shard_name(1)).read_bytes()[:-1])  # cut by a loss of power
    pack(videos, out)
    again = {path.name: path.stat().st_mtime_ns for path in out.glob("*.jpegs")}
    assert again[shard_name(0)] == done[shard_name(0)] and len(again) > 3
    for name in ("Bend/v_Bend_g01_c01.avi", "Wave/v_Wave_g04_c01.avi"):
        here, there = (
            decode_frames(root / name, range(FRAMES), short_side_px=None) for root in (out, packed)
        )
        assert np.array_equal(here, there)
    assert {path.suffix for path in out.iterdir()} == {".jpegs", ".index", ".txt"}, "nothing is left over"


# What may happen to it


def verify(folder: Path) -> str:
    return run_pack(PackConfig(out=str(folder), verify=True, workers=1)).text


def test_what_is_no_pack_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no pack, for it has no pack\.index\. `vidnas pack` makes one"):
        verify(tmp_path)


def test_a_sound_pack_is_verified(packed: Path) -> None:
    assert verify(packed).endswith("Every frame is as it was written.")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path, at: int = -40) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def _remove(path: Path) -> None:
    path.unlink()


def _exchange(path: Path) -> None:
    other = path.with_name(shard_name(1))
    content = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cut, r"shard-00000\.jpegs has \d+ bytes instead of \d+\. Restore"),
        (_flip, r"shard-00000\.jpegs is damaged: frame \d+ of Bend/v_Bend_g\d+_c01\.avi has changed"),
        (_remove, r"shard-00000\.jpegs cannot be read: No such file"),
        (_exchange, r"shard-00000\.jpegs (is not the shard that belongs there|has \d+ bytes instead)"),
    ],
)
def test_a_spoilt_shard_is_named(copy: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(copy / shard_name(0))
    with pytest.raises(UserError, match=message):
        verify(copy)
    index = read_index(copy / INDEX)
    (clip,) = (clip for clip in map(index.clip, range(len(index))) if clip.shard == 0)
    with pytest.raises(UserError, match=message):
        decode_frames(copy / clip.name, range(len(clip.lengths)), short_side_px=None)


def test_a_shard_of_another_pack_is_named(videos: Path, copy: Path, tmp_path: Path) -> None:
    """Even where it has the same length."""
    other = pack(videos, tmp_path / "other", quality=89)
    content = (other / shard_name(0)).read_bytes()
    size = (copy / shard_name(0)).stat().st_size
    (copy / shard_name(0)).write_bytes((content + bytes(size))[:size])
    with pytest.raises(UserError, match=r"shard-00000\.jpegs is not the shard that belongs there"):
        verify(copy)


@pytest.mark.parametrize(
    "spoil", [_cut, *(lambda path, at=at: _flip(path, at) for at in (70, 400, 2000, -300))]
)
def test_a_spoilt_index_is_named(copy: Path, spoil: Callable[[Path], None]) -> None:
    spoil(copy / INDEX)
    with pytest.raises(UserError, match=r"pack\.index is damaged: .* Restore it from a copy"):
        verify(copy)
    with pytest.raises(UserError, match=r"pack\.index is damaged"):
        read(copy)


def test_every_bit_of_an_index_counts(packed: Path, tmp_path: Path) -> None:
    content = (packed / INDEX).read_bytes()
    for at in range(0, len(content), 7):
        spoilt = bytearray(content)
        spoilt[at] ^= 1 << at % 8
        (tmp_path / INDEX).write_bytes(spoilt)
        with pytest.raises(UserError, match="is damaged"):
            read_index(tmp_path / INDEX)


def test_an_index_of_another_version_is_told(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "VERSION", 2)
    with pytest.raises(UserError, match="was written by another version"):
        open_pack(copy)


# Shards


def sizes_of(jobs: Sequence[packing._Job]) -> list[int]:
    return [sum(clip.info.num_frames for _, clip in job.clips) for job in jobs]


def test_shards_are_of_like_size_and_hold_every_clip_once_in_order(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    info = VideoInfo(1, 100, 100, 1.0)
    clips = [
        (tmp_path, shards.PackedClip(f"{n}", replace(info, num_frames=int(frames)), 1, bytes(16)))
        for n, frames in enumerate(generator.integers(20, 400, 500))
    ]
    quality = packing.Quality(100, 90, None)
    for limit in (1 << 40, 3_000_000):
        made = packing.Packing(tmp_path, quality, clips, {}, shard_bytes=limit)
        assert [clip for job in made.jobs for clip in job.clips] == clips
        assert len(made.jobs) >= packing.FEWEST_SHARDS
        own = sizes_of(made.jobs)
        assert max(own) < 2 * np.mean(own)
        assert max(own) * 100 * 100 * packing.BYTES_A_PIXEL < 1.5 * limit


# However many clips are read


@pytest.mark.slow
@pytest.mark.parametrize("source", ["videos", "packed"])
def test_memory_does_not_grow_over_ten_thousand_clips(source: str, request: pytest.FixtureRequest) -> None:
    """Measured: 0 to 1 MiB. What the first thousand have loaded stays."""
    index = read(request.getfixturevalue(source))
    counts = [scan_video_or_told(item.path) for item in index.train]
    clips = TrainClips(
        index.train, counts, size_px=28, segments=4, frames_per_segment=2, flip=True, single_frame=False
    )
    for number in range(11_000):
        if number == 1000:
            before = memory.held_bytes(torch.device("cpu"))
        clips[number % len(clips), number]
    assert memory.held_bytes(torch.device("cpu")) - before < 8 << 20


def scan_video_or_told(path: Path) -> int:
    info = footage.told(path) or scan_video(path)
    assert isinstance(info, VideoInfo)
    return info.num_frames
