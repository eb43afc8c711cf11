"""The videos of a run, and the memory of those that a network has seen."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from vidnas.assembly import videos
from vidnas.config.learning import EvaluateConfig
from vidnas.config.parts import OnBad
from vidnas.config.presets import search_preset, train_preset
from vidnas.errors import UserError
from vidnas.runs import learnt
from vidnas.runs.learnt import read_seen
from vidnas.runs.log import RunLog
from vidnas.video.clips.transforms import scaled_short_side
from vidnas.video.items import Item, VideoIndex
from vidnas.video.scan import scan_index, scans
from vidnas.video.scan.scans import Scanned
from vidnas.video.stores.footage import read_frames


def test_a_made_test_split_is_the_same_for_every_verb_and_seed(tiny_videos: Path) -> None:
    """Otherwise `evaluate` would test on clips that `train --seed 1` has seen."""
    data = str(tiny_videos / "videos")  # without the lists beside it
    indices = [
        videos.open_videos(train_preset("demo", data=data, genotype="random:0", seed=seed))
        for seed in (0, 1, 2)
    ]
    indices.append(videos.open_videos(search_preset("demo", data=data, seed=3)))
    indices.append(videos.open_videos(EvaluateConfig(run="x", data=data)))
    assert len(indices[0].test) > 0
    assert all(index.test == indices[0].test for index in indices)


def test_builtin_clips_are_written_once_to_the_user_s_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(tmp_path))

    def write(folder: Path, *, progress: Callable[[int], object]) -> None:
        progress(1)
        written.append(folder)

    monkeypatch.setattr(videos, "write_clips", write)
    assert videos.builtin_clips() == written[0]
    assert written[0].parent == tmp_path


@pytest.mark.parametrize("workers", [0, 2])
def test_frames_stay_in_memory_where_those_of_all_training_videos_have_room(
    tiny_videos: Path, workers: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = train_preset("demo", data=str(tiny_videos), genotype="random:0", workers=workers)
    scanned = videos.scan(videos.open_videos(config), config)
    needed = 0
    for item in scanned.index.train:
        short_side_px = scaled_short_side(config.size_px)
        frames = [frame.image for frame in read_frames(item.path, None, short_side_px=short_side_px)]
        needed += sum(frame.nbytes for frame in frames)
    cache = videos.frame_cache(scanned, config)
    assert cache is not None and cache.num_bytes == needed
    assert videos.frame_cache(scanned, replace(config, cache_mb=needed / 1e6)) is not None
    caplog.set_level("INFO", "vidnas")
    caplog.clear()
    assert videos.frame_cache(scanned, replace(config, cache_mb=0.0)) is None
    assert caplog.text == ""
    assert videos.frame_cache(scanned, replace(config, cache_mb=needed / 1e6 - 0.001)) is None
    assert "Every epoch decodes its videos: all frames of the training videos take" in caplog.text
    monkeypatch.setattr(videos, "free_bytes", lambda _: 4 * needed - 4)
    assert videos.frame_cache(scanned, config) is None
    monkeypatch.setattr(videos, "free_bytes", lambda _: None)
    assert videos.frame_cache(scanned, config) is None
    monkeypatch.setattr(videos, "free_bytes", lambda _: 4 * needed)
    assert videos.frame_cache(scanned, config) is not None
    monkeypatch.setattr(videos, "can_share", lambda: False)
    caplog.clear()
    assert (videos.frame_cache(scanned, config) is None) == (workers > 0)
    assert caplog.text == ""
    assert (videos.frame_cache(scanned, replace(config, cache_mb=100.0)) is None) == (workers > 0)
    assert ("--cache-mb needs --workers 0" in caplog.text) == (workers > 0)


def test_clips_without_a_group_are_resampled_alone() -> None:
    items = [Item(Path("a.avi"), 0, "g01"), Item(Path("b.avi"), 1, "g01"), Item(Path("c.avi"), 1, None)]
    assert videos.group_keys(items) == ["0/g01", "1/g01", "c.avi"]


def test_classes_are_uneven_from_three_times_as_many_videos_on() -> None:
    def told(*counts: int) -> tuple[str, ...]:
        items = [
            Item(Path(f"{n}.avi"), label, None) for label, count in enumerate(counts) for n in range(count)
        ]
        return videos.uneven(items, ("bend", "jump", "wave"), "; do something.")

    assert told(5, 2, 3) == told(1) == told() == told(4, 0, 4) == ()
    assert told(2, 5, 6) == (
        "The classes are uneven: wave has 3 times as many videos as bend. Balanced accuracy counts every "
        "class alike; do something.",
    )


@pytest.fixture
def run(tiny_videos: Path, tmp_path: Path) -> Path:
    """A run folder that remembers having learnt from the tiny videos' training part."""
    return remember(tmp_path / "run", scan(tiny_videos))


@pytest.fixture
def data(tiny_videos: Path, tmp_path: Path) -> Path:
    """A copy of the tiny videos that may be spoilt: 6 training and 2 test clips of each of 8 classes."""
    return Path(
        shutil.copytree(tiny_videos, tmp_path / "my videos", ignore=shutil.ignore_patterns(".vidnas*"))
    )


def open_tiny(folder: Path) -> VideoIndex:
    return videos.open_videos(search_preset("demo", data=str(folder)))


def scan(folder: Path, on_bad: OnBad = "raise", parts: Sequence[videos.Part] = ("train", "test")) -> Scanned:
    config = replace(search_preset("demo", data=str(folder)), on_bad=on_bad)
    return videos.scan(videos.open_videos(config), config, parts=parts)


def remember(folder: Path, scanned: Scanned, also: Path | None = None) -> Path:
    folder.mkdir()
    learnt.remember_seen(folder, scanned, also=read_seen(also / "videos.json") if also else None)
    return folder


def spoil(data: Path, *names: str) -> list[Path]:
    """Make text of these videos of the class Grow."""
    paths = [data / "videos" / "Grow" / f"v_Grow_{name}.avi" for name in names]
    for path in paths:
        path.write_text(f"no video: {path}")
    return paths


def test_a_scan_tells_of_every_video_what_it_holds(data: Path) -> None:
    scanned = scan(data)
    assert scanned.index == open_tiny(data)
    assert scanned.skipped == videos.describe_skipped(scanned) == ()
    assert scanned.counts((*scanned.index.test, *scanned.index.train)) == [8] * 64
    relabelled = [replace(item, label=0, group=None) for item in scanned.index.test]
    assert scanned.counts(relabelled) == [8] * 16


def test_a_scan_of_one_part_looks_at_no_other(data: Path) -> None:
    spoil(data, "g01_c01")  # of the test part
    scanned = scan(data, parts=["train"])
    assert set(scanned.infos) == {item.path for item in scanned.index.train}
    assert len(scanned.index.test) == 16
    with pytest.raises(UserError, match=r"1 of 16 videos cannot be used"):
        scan(data, parts=["test"])


def test_the_next_scan_uses_the_index_and_other_verbs_do_too(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(data, parts=["train"])
    assert (data / ".vidnas-index.json").exists()
    seen: list[int] = []

    def count(paths: Sequence[Path], *, workers: int, limit_sec: float) -> Iterator[object]:
        seen.append(len(paths))
        yield from scans.scan_each(paths, workers=workers, limit_sec=limit_sec)

    monkeypatch.setattr(scan_index, "scan_each", count)
    config = EvaluateConfig(run="x", data=str(data))
    scanned = videos.scan(videos.open_videos(config), config)
    assert seen == [16]
    assert len(scanned.infos) == 64
    scan(data)
    assert seen == [16]


def test_a_list_file_s_index_lies_beside_it(data: Path) -> None:
    config = replace(
        search_preset("demo", data=str(data / "trainlist01.txt")), test_list=str(data / "testlist01.txt")
    )
    assert len(videos.scan(videos.open_videos(config), config).infos) == 64
    assert (data / ".vidnas-index.json").exists()


def test_all_bad_videos_are_named_at_once_with_the_ways_out(data: Path) -> None:
    bad = spoil(data, "g01_c01", "g02_c01")
    with pytest.raises(UserError) as caught:
        scan(data)
    message = str(caught.value)
    assert message.startswith("2 of 64 videos cannot be used:\n  ")
    assert all(str(path) in message for path in bad)
    assert f"`vidnas check --data '{data}'`" in message and "--on-bad skip" in message


def test_of_many_bad_videos_twenty_are_named(data: Path) -> None:
    for path in sorted(data.rglob("*.avi"))[:23]:
        path.write_bytes(b"")
    with pytest.raises(UserError) as caught:
        scan(data)
    first, *lines, more, _ = str(caught.value).splitlines()
    assert first == "23 of 64 videos cannot be used:"
    assert len(lines) == 20
    assert more == "  ... and 3 more."


def test_skipped_videos_are_counted_and_change_no_other_s_part(data: Path) -> None:
    for path in data.glob("*list*.txt"):
        path.unlink()  # so that the test part is drawn
    before = open_tiny(data)
    bad = [before.train[0].path, before.train[30].path, before.test[5].path]
    for path in bad:
        path.write_text(f"no video: {path}")
    scanned = scan(data, "skip")
    assert scanned.index.train == tuple(item for item in before.train if item.path not in bad)
    assert scanned.index.test == tuple(item for item in before.test if item.path not in bad)
    assert scanned.index.notes[-1].startswith("Skipped: 3 of 64 videos")
    assert [str(path) in text for path, text in zip(bad, scanned.skipped, strict=True)] == [True] * 3
    (again,) = videos.describe_skipped(scanned)
    assert "3 videos could not be used" in again and all(text in again for text in scanned.skipped)


def test_the_end_of_a_run_tells_what_was_skipped(data: Path, tmp_path: Path) -> None:
    (bad,) = spoil(data, "g02_c01")
    with RunLog(tmp_path / "run", "{}") as log:
        videos.say_skipped(log, scan(data, "skip"))
    log_text = (tmp_path / "run" / "log.txt").read_text()
    assert "1 video could not be used" in log_text and str(bad) in log_text
    bad.unlink()
    for path in data.glob("*list*.txt"):
        path.unlink()
    with RunLog(tmp_path / "other", "{}") as log:
        videos.say_skipped(log, scan(data, "skip"))
    assert not (tmp_path / "other" / "log.txt").exists()


@pytest.mark.parametrize(
    ("names", "part"), [(["g01_c01", "g01_c02"], "test"), (["g02", "g03", "g04"], "training")]
)
def test_a_class_must_keep_a_video_in_every_part(data: Path, names: list[str], part: str) -> None:
    bad = spoil(data, *(name for name in names if "c" in name))
    bad += spoil(data, *(f"{name}_{clip}" for name in names if "c" not in name for clip in ("c01", "c02")))
    with pytest.raises(UserError, match=rf"No {part} video of Grow can be used") as caught:
        scan(data, "skip")
    assert all(str(path) in str(caught.value) for path in bad)


def test_a_folder_that_cannot_be_written_gets_its_index_in_the_cache(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    (data / ".vidnas-index.json").unlink(missing_ok=True)
    (data / ".vidnas-index.json").mkdir()
    notes = scan(data).index.notes
    (file,) = (tmp_path / "cache" / "vidnas" / "indexes").iterdir()
    assert str(file) in notes[-1]


def test_test_videos_that_a_run_has_not_seen_are_fine(tiny_videos: Path, run: Path) -> None:
    learnt.check_unseen(open_tiny(tiny_videos), run)


def test_a_test_video_that_a_run_has_seen_is_named_even_under_another_path(
    tiny_videos: Path, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").symlink_to(tiny_videos)
    index = open_tiny(tmp_path / "elsewhere")
    swapped = replace(index, train=index.test, test=(*index.test, *index.train[-2:]))
    with pytest.raises(UserError, match=r"2 of the 18 test videos are among those .*_g04_c02.*config\.json"):
        learnt.check_unseen(swapped, run)


def test_what_the_first_of_a_chain_of_runs_has_seen_is_remembered(tiny_videos: Path, tmp_path: Path) -> None:
    scanned = scan(tiny_videos)
    grow, hop, spin = ([item for item in scanned.index.train if item.label == label] for label in (0, 1, 2))
    parts = [replace(scanned, index=replace(scanned.index, train=tuple(part))) for part in (grow, hop, spin)]
    first = remember(tmp_path / "first", parts[0])
    second = remember(tmp_path / "second", parts[1], also=first)
    third = remember(tmp_path / "third", parts[2], also=second)
    stored = json.loads((third / "videos.json").read_text())
    assert len(stored["train"]) == 6
    assert len(stored["seen_before"]) == 12
    for items in (grow, hop, spin):
        with pytest.raises(UserError, match="1 of the 1 test video is among"):
            learnt.check_unseen(replace(scanned.index, test=(items[0],)), third)
    learnt.check_unseen(replace(scanned.index, test=(hop[0],)), first)


def test_the_window_is_the_median_duration_of_the_training_videos(tiny_videos: Path, tmp_path: Path) -> None:
    scanned = scan(tiny_videos)
    durations = {item.path: float(number) for number, item in enumerate(scanned.index.train)}
    durations |= {item.path: 0.0 for item in scanned.index.train[:6]}  # unknown
    durations |= {item.path: 1000.0 for item in scanned.index.test}
    infos = {path: replace(scanned.infos[path], duration_sec=sec) for path, sec in durations.items()}
    run = remember(tmp_path / "a", replace(scanned, infos=infos))
    assert read_seen(run / "videos.json").window_sec == (6 + 47) / 2
    none = {path: replace(info, duration_sec=0.0) for path, info in scanned.infos.items()}
    run = remember(tmp_path / "b", replace(scanned, infos=none))
    assert read_seen(run / "videos.json").window_sec is None
    with pytest.raises(UserError, match=r"videos\.json"):
        read_seen(tmp_path / "videos.json")


def test_a_run_goes_on_with_the_same_videos_only(data: Path, tmp_path: Path) -> None:
    run = remember(tmp_path / "run", scan(data))
    learnt.check_same(run, open_tiny(data))
    (data / "videos" / "Grow" / "v_Grow_g02_c01.avi").open("ab").write(b"!")
    with pytest.raises(
        UserError, match=r"begun with other videos: 1 of another size \(Grow/v_Grow_g02_c01\.avi\)\."
    ):
        learnt.check_same(run, open_tiny(data))
    index = open_tiny(data)
    with pytest.raises(UserError, match="their order is another"):
        learnt.check_same(remember(tmp_path / "again", scan(data)), replace(index, train=index.train[::-1]))


def test_videos_come_in_the_order_of_the_index(data: Path, tmp_path: Path) -> None:
    scanned = scan(data)
    backwards = replace(scanned, index=replace(scanned.index, train=scanned.index.train[::-1]))
    one, other = (
        json.loads((remember(tmp_path / name, each) / "videos.json").read_text())
        for name, each in (("one", scanned), ("other", backwards))
    )
    assert one["train"] == other["train"][::-1] != other["train"]
    assert one["test"] == other["test"]


def test_a_run_folder_without_its_memory_is_an_error(tiny_videos: Path, run: Path) -> None:
    (run / "videos.json").write_text(json.dumps({"test": []}))
    for check in (learnt.check_unseen, lambda index, run: learnt.check_same(run, index)):
        with pytest.raises(UserError, match=r"videos\.json"):
            check(open_tiny(tiny_videos), run)
