"""The verb `predict` on files, with a network that knows shades and with one that was trained."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidnas.assembly import networks, steps
from vidnas.cli.main import main
from vidnas.config.views import PredictConfig
from vidnas.runs.read import read_run
from vidnas.training.loop import evaluate_epoch
from vidnas.verbs.predict import run_predict
from vidnas.video.clips import loaders
from vidnas.video.clips.datasets import TestClips
from vidnas.video.clips.read import read_clips
from vidnas.video.items import Item
from vidnas.video.make.encode import Mp4Writer
from vidnas.video.stores.decode import VideoInfo, read_frames, scan_video
from vidnas.video.stores.footage import decode_frames

RATE = 10
NIGHT, DUSK, DAY = 0.0, 0.5, 1.0
Write = Callable[..., Path]


def predict(run: Path, *arguments: object) -> int:
    return main(["predict", "--run", str(run), "--window-sec", "2", *map(str, arguments)])


def test_a_long_video_gets_a_timeline_of_its_windows(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows of 20 frames at 0, 10, 20, ...; the network sees black, grey and white."""
    video = write_shades("long.mp4", (NIGHT, 40), (DAY, 30), (DUSK, 25))
    assert predict(shade_run, video, "--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv") == 0
    (seen,) = json.loads((tmp_path / "out.json").read_text())
    ends = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.5]
    assert [window["end_sec"] for window in seen["windows"]] == pytest.approx(ends)
    assert [window["start_sec"] for window in seen["windows"]] == pytest.approx([end - 2 for end in ends])
    labels = [window["label"] for window in seen["windows"]]
    assert labels[:3] + labels[4:6] + labels[7:] == ["night"] * 3 + ["day"] * 2 + ["dusk"] * 2
    assert all(seen["windows"][sure]["score"] > 0.99 for sure in (0, 1, 2, 4, 5, 7, 8))
    assert sum(label["score"] for label in seen["labels"]) == pytest.approx(1.0)
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == labels
    printed = capsys.readouterr().out
    assert printed.startswith(f"{video}  (9.5 s, 9 windows)\n")
    assert "\n  0:00.0 - 0:0" in printed


def test_a_video_s_labels_are_the_mean_over_its_windows(shade_run: Path, write_shades: Write) -> None:
    """Windows: night (0-20), half-half (10-30), day (20-40)."""
    video = write_shades("two.mp4", (NIGHT, 20), (DAY, 20))
    result = run_predict(PredictConfig(run=str(shade_run), videos=(str(video),), window_sec=2.0))
    (prediction,) = result.predictions
    rows = [dict(window.labels) for window in prediction.windows]
    assert len(rows) == 3
    for label, score in prediction.labels:
        assert score == pytest.approx(sum(row[label] for row in rows) / 3)


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("num_frames", [20, 7, 1])
def test_a_video_not_longer_than_a_window_is_one_clip(
    shade_run: Path, write_shades: Write, num_frames: int, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_shades("short.mp4", (DAY, num_frames))
    result = run_predict(PredictConfig(run=str(shade_run), videos=(str(video),), window_sec=2.0, top=2))
    (prediction,) = result.predictions
    (window,) = prediction.windows
    assert (window.start_sec, window.end_sec) == pytest.approx((0, num_frames / RATE))
    assert window.labels == prediction.labels[:2]
    lines = capsys.readouterr().out.rstrip().splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["day", "dusk"]


def test_of_several_videos_each_has_a_line_and_a_summary_comes_last(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        write_shades("clips/a.mp4", (DAY, 5)),
        write_shades("clips/long name.mp4", (NIGHT, 40)),
        write_shades("clips/z.mp4", (DAY, 5)),
    ]
    (tmp_path / "clips" / "bad.avi").write_text("x")
    assert predict(shade_run, tmp_path / "clips", "--json", tmp_path / "lines.json") == 1
    lines, told = capsys.readouterr()
    width = len(str(paths[1]))
    assert lines.splitlines() == [
        f"{paths[0]!s:{width}}  100.0 %  day",
        f"{paths[1]}  100.0 %  night          (3 windows in 4.0 s)",
        f"{paths[2]!s:{width}}  100.0 %  day",
    ]
    assert told.splitlines()[-2].startswith("Cannot be used: ")
    assert told.splitlines()[-1] == "Videos seen: 3 (day 2, night 1); cannot be used: 1."
    details = ("--details", "--top", 1, "--json", tmp_path / "details.json")
    assert predict(shade_run, *paths, *details) == 0
    lines, told = capsys.readouterr()
    assert lines.splitlines()[3:6] == [
        f"{paths[1]}  (4.0 s, 3 windows)",
        "  100.0 %  night",
        "  0:00.0 - 0:04.0  100.0 %  night",
    ]
    assert told == "Videos seen: 3 (day 2, night 1).\n"
    seen = [json.loads((tmp_path / f"{name}.json").read_text())[:3] for name in ("lines", "details")]
    assert seen[0] == seen[1]


def test_lines_are_cut_to_what_the_terminal_shows(
    shade_run: Path, write_shades: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [write_shades(f"a folder with a long name/{name}.mp4", (DAY, 60)) for name in ("one", "two")]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "50")
    assert predict(shade_run, *paths) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [len(line) for line in lines] == [50, 50]
    assert all(line.startswith("…") and "100.0 %  day" in line and line.endswith("…") for line in lines)
    assert "one.mp4" in lines[0] and "two.mp4" in lines[1]


def test_below_the_threshold_none_of_these_is_said_wherever_a_label_stands(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shade halfway between two that the network knows: each has half of the score."""
    sure, unsure = write_shades("sure.mp4", (DAY, 5)), write_shades("unsure.mp4", (0.75, 5))
    out = ("--json", tmp_path / "o.json", "--csv", tmp_path / "o.csv", "--threshold", 0.9)
    assert predict(shade_run, sure, unsure, *out) == 0
    printed = capsys.readouterr()
    first, second = printed.out.splitlines()
    assert first.endswith("  day")
    assert "     -  none of these  (best: d" in second
    assert "none of these 1)" in printed.err
    videos = json.loads((tmp_path / "o.json").read_text())
    assert [video["label"] for video in videos] == ["day", None]
    assert 0.4 < videos[1]["labels"][0]["score"] < 0.9
    with (tmp_path / "o.csv").open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["day", "none of these"]
    result = run_predict(
        PredictConfig(run=str(shade_run), videos=(str(unsure),), window_sec=2.0, threshold=0.3)
    )
    assert result.predictions[0].label == result.predictions[0].labels[0].label


def test_an_annotated_video_shows_where_there_is_no_answer(
    shade_run: Path, write_shades: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[int, str]] = []
    monkeypatch.setattr("vidnas.verbs.predict.annotate_video", lambda *given, **_: written.extend(given[2]))
    video = write_shades("long.mp4", (DAY, 40), (0.75, 40))
    assert predict(shade_run, video, "--annotate", tmp_path / "x.mp4", "--threshold", 0.9) == 0
    assert [text for _, text in written][::6] == ["day  100 %", "none of these"]


def as_evaluated(run: Path, video: Path) -> list[float]:
    """Log probabilities of a video by the evaluation's own way."""
    config = read_run(run).training
    network, _ = networks.load(run)
    clips = TestClips(
        [Item(video, 0, None)],
        [scan_video(video).num_frames],
        size_px=config.size_px,
        segments=config.segments,
        frames_per_segment=config.frames_per_segment,
        single_frame=config.single_frame,
    )
    precision = steps.choose_precision("cpu")
    loader = loaders.test_loader(clips, batch_size=1, workers=0)
    return [float(x) for x in evaluate_epoch(network, loader, precision, max_clips=1).scores[0]]


def assert_as_evaluated(run: Path, paths: list[Path], **more: Any) -> None:
    config = PredictConfig(run=str(run), videos=tuple(map(str, paths)), device="cpu", **more)
    classes = read_run(run).class_names
    for path, prediction in zip(paths, run_predict(config).predictions, strict=True):
        scores = dict(prediction.labels)
        assert [np.log(scores[name]) for name in classes] == pytest.approx(as_evaluated(run, path), abs=1e-5)


@pytest.mark.parametrize("single_frame", [False, True])
def test_a_short_video_s_scores_are_those_of_evaluate(
    random_run: Path, tiny_videos: Path, single_frame: bool
) -> None:
    settings = json.loads((random_run / "config.json").read_text()) | {"single_frame": single_frame}
    (random_run / "config.json").write_text(json.dumps(settings))
    assert_as_evaluated(random_run, sorted(tiny_videos.rglob("*.avi"))[::9], window_sec=60.0)


@pytest.mark.dataset
def test_real_clips_score_as_in_evaluate(random_run: Path, test_data: Path) -> None:
    paths = sorted((test_data / "ucf101_5" / "videos").rglob("*.avi"))[::150]
    assert_as_evaluated(random_run, paths, window_sec=3600.0)


@pytest.mark.dataset
def test_a_real_video_s_windows_are_clips_of_their_own(
    random_run: Path, test_data: Path, tmp_path: Path
) -> None:
    """Each window scores as a video that was cut out of the long one."""
    path = sorted((test_data / "ucf101_5" / "videos").rglob("*.avi"))[0]
    config = PredictConfig(run=str(random_run), videos=(str(path),), window_sec=2.0, batch_size=3)
    (prediction,) = run_predict(config).predictions
    classes = read_run(random_run).class_names
    info = scan_video(path)
    frames = decode_frames(path, range(info.num_frames), short_side_px=None)
    assert len(prediction.windows) > 3
    for window in prediction.windows:
        first = round(window.start_sec * info.num_frames / info.duration_sec)
        part = tmp_path / f"{first}.mkv"
        write_lossless(part, frames[first : first + 50])
        scores = dict(window.labels)
        assert [np.log(scores[name]) for name in classes] == pytest.approx(
            as_evaluated(random_run, part), abs=0.01
        )


def write_lossless(path: Path, frames: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "bgr0"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_batch_size_changes_nothing(
    random_run: Path, tiny_videos: Path, batch_size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sorted(tiny_videos.rglob("*.avi"))[0]
    for size in (batch_size, 16):
        assert predict(random_run, path, "--window-sec", "0.1", "--batch-size", size) == 0
    printed = capsys.readouterr().out
    half = len(printed) // 2
    assert printed[:half] == printed[half:]
    assert "windows)" in printed


def test_the_annotated_video_shows_the_label_of_the_nearest_window(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows of 20 frames every 10; the labels change between the centres of those that differ."""
    video = write_shades("long.mp4", (NIGHT, 40), (DAY, 40))
    out = tmp_path / "labelled.mp4"
    assert predict(shade_run, video, "--annotate", out) == 0
    assert scan_video(out) == scan_video(video)
    before, after = (list(read_frames(path, None, short_side_px=None)) for path in (video, out))
    assert [frame.time_sec for frame in after] == pytest.approx([frame.time_sec for frame in before])
    assert all(
        np.abs(a.image[:60].astype(int) - b.image[:60]).max() < 8 for a, b in zip(before, after, strict=True)
    )
    place = [frame.image[70:].astype(int) for frame in after]
    assert all((np.abs(part - b.image[70:]) > 60).any() for part, b in zip(place, before, strict=True))
    changes = [n for n, (old, new) in enumerate(pairwise(place), 1) if np.abs(old - new).max() > 60]
    assert changes == [35, 40, 45]  # night, dusk (the mean of both), day; at 40 the background
    assert f"Written: {out}" in capsys.readouterr().out


def write_uneven(path: Path) -> Path:
    """Two seconds of night at 50 frames a second, then 20 s of day at one frame a second."""
    times = [*(number / 50 for number in range(100)), *(2.0 + number for number in range(20))]
    with Mp4Writer(path, rate=50, size=(64, 48)) as writer:
        for time_sec in times:
            shade = 0 if time_sec < 2 else 255
            writer.write(np.full((48, 64, 3), shade, dtype=np.uint8), time_sec)
    return path


def test_windows_of_uneven_frames_are_told_at_the_time_of_what_they_show(
    shade_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the number of the frame, night would last until 17.5 s."""
    video = write_uneven(tmp_path / "uneven.mp4")
    outputs = ("--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv")
    assert predict(shade_run, video, *outputs, "--annotate", tmp_path / "out.mp4") == 0
    (seen,) = json.loads((tmp_path / "out.json").read_text())
    assert seen["duration_sec"] == pytest.approx(21.02, abs=0.01)
    windows = seen["windows"]
    starts, ends = [*range(20)], [*range(2, 21), seen["duration_sec"]]
    assert [window["start_sec"] for window in windows] == pytest.approx(starts)
    assert [window["end_sec"] for window in windows] == pytest.approx(ends)
    assert windows[0]["label"] == "night"
    assert {window["label"] for window in windows[2:]} == {"day"}
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [float(row["start_sec"]) for row in csv.DictReader(file)] == pytest.approx(starts, abs=1e-3)
    assert "- 0:21.0  " in capsys.readouterr().out.replace("100.0 %", "").strip()
    after = [frame.time_sec for frame in read_frames(tmp_path / "out.mp4", None, short_side_px=None)]
    before = [frame.time_sec for frame in read_frames(video, None, short_side_px=None)]
    assert after == pytest.approx(before, abs=1e-4)


def test_a_clock_that_leaps_changes_neither_windows_nor_what_is_seen(shade_run: Path, tmp_path: Path) -> None:
    """Two seconds of night and two of day, joined, the second recording dated 10 hours later."""
    parts = []
    for name, shade, first_sec in (("a.ts", NIGHT, 10), ("b.ts", DAY, 36_000)):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("mpeg2video", rate=25)
            stream.width, stream.height = 64, 48
            for number in range(50):
                picture = np.full((48, 64, 3), round(255 * shade), dtype=np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = 25 * first_sec + number, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        parts.append((tmp_path / name).read_bytes())
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    assert predict(shade_run, tmp_path / "joined.ts", "--json", tmp_path / "out.json") == 0
    (seen,) = json.loads((tmp_path / "out.json").read_text())
    assert seen["duration_sec"] == pytest.approx(4.0)
    assert [window["start_sec"] for window in seen["windows"]] == pytest.approx([0, 1, 2])
    assert [window["label"] for window in seen["windows"]] == ["night", "dusk", "day"]


def test_a_frame_that_stands_for_long_is_looked_at_once(
    shade_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Mp4Writer(tmp_path / "slides.mp4", rate=25, size=(64, 48)) as writer:
        for number, time_sec in enumerate([*(number / 25 for number in range(50)), 600.0, 1200.0]):
            writer.write(np.full((48, 64, 3), 255 if number == 50 else 0, dtype=np.uint8), time_sec)
    clips: list[Sequence[int]] = []

    def count(path: Path, stretches: Sequence[Sequence[int]], **more: Any) -> Any:
        clips.extend(stretches)
        return read_clips(path, stretches, **more)

    monkeypatch.setattr("vidnas.assembly.classifier.read_clips", count)
    video = str(tmp_path / "slides.mp4")
    result = run_predict(PredictConfig(run=str(shade_run), videos=(video,), window_sec=2.0))
    (prediction,) = result.predictions
    assert len(prediction.windows) == 1200
    assert len(clips) < 8
    assert [window.labels[0].label for window in prediction.windows[601:1198]] == ["day"] * 597
    assert dict(prediction.labels)["night"] == pytest.approx(0.5, abs=0.01)


def test_months_between_two_frames_are_refused_with_the_way_out_unless_all_are_as_slow(
    shade_run: Path, write_shades: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_shades("lapse.mp4", (DAY, 3))
    infos = [VideoInfo(3, 128, 96, 9e6, (0.0, 0.1, 8e6))]
    monkeypatch.setattr("vidnas.verbs.predict.scan_videos", lambda *_, **__: infos)
    assert predict(shade_run, video) == 1
    assert capsys.readouterr().err == (
        f"Cannot be used: {video} lasts 2,500 h, which are more than 1,000,000 windows of 2 s. Take longer "
        "windows, as with --window-sec 3600.\n"
    )
    assert predict(shade_run, video, "--window-sec", "3600") == 0
    assert "4,999 windows" in capsys.readouterr().out
    infos[0] = VideoInfo(3, 128, 96, 9e6)
    assert predict(shade_run, video) == 0
    assert "(9000000.0 s, 3 windows)" in capsys.readouterr().out
