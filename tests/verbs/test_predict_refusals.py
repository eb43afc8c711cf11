"""What `predict` refuses, and what it says of it: bad files, odd names, settings that cannot be."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from vidnas.assembly import networks
from vidnas.cli.main import main
from vidnas.config.views import PredictConfig
from vidnas.errors import UsageError, UserError
from vidnas.verbs.predict import run_predict
from vidnas.video.stores.decode import scan_video

NIGHT, DAY = 0.0, 1.0
Write = Callable[..., Path]


def predict(run: Path, *arguments: object) -> int:
    return main(["predict", "--run", str(run), "--window-sec", "2", *map(str, arguments)])


def test_bad_files_are_listed_last_and_the_others_done(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shades("clips/b.mp4", (DAY, 5))
    write_shades("clips/d.mp4", (NIGHT, 5))
    (tmp_path / "clips" / "a.mp4").touch()
    (tmp_path / "clips" / "c.avi").write_text("Not a video.\n" * 50)
    outputs = ("--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv")
    assert predict(shade_run, tmp_path / "clips", *outputs) == 1
    captured = capsys.readouterr()
    assert captured.out.index("b.mp4") < captured.out.index("d.mp4")
    complaints = [line for line in captured.err.splitlines() if line.startswith("Cannot be used")]
    assert len(complaints) == 2
    assert "a.mp4" in complaints[0] and "0 bytes" in complaints[0]
    assert "c.avi" in complaints[1] and "Invalid data" in complaints[1]
    seen = json.loads((tmp_path / "out.json").read_text())
    assert [Path(video["path"]).name for video in seen] == ["b.mp4", "d.mp4", "a.mp4", "c.avi"]
    assert ["error" in video for video in seen] == [False, False, True, True]
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [bool(row["error"]) for row in csv.DictReader(file)] == [False, False, True, True]


def test_without_workers_bad_files_are_found_in_this_process(
    shade_run: Path, write_shades: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidnas.video.scan.scans.ProcessPool", None)
    videos = str(write_shades("clips/b.mp4", (DAY, 5))), str(tmp_path / "clips" / "a.mp4")
    Path(videos[1]).touch()
    result = run_predict(PredictConfig(run=str(shade_run), videos=videos, window_sec=2.0, workers=0))
    (good,), (bad,) = result.predictions, result.bad
    assert (str(good.path), str(bad.path)) == videos


def test_names_may_hold_anything(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ['a "quoted", name.mp4', "two\nlines.mp4", "ünï 走.mp4", "'; rm.mp4", "[1].mp4", "-x.mp4"]
    paths = [write_shades(f"odd/{name}", (DAY, 3)) for name in names]
    assert predict(shade_run, *paths, "--json", tmp_path / "o.json", "--csv", tmp_path / "o.csv") == 0
    assert [video["path"] for video in json.loads((tmp_path / "o.json").read_text())] == [*map(str, paths)]
    with (tmp_path / "o.csv").open(newline="") as file:
        assert [row["video"] for row in csv.DictReader(file)] == [*map(str, paths)]
    assert r"two\nlines.mp4" in capsys.readouterr().out


def test_a_name_that_is_no_text_is_told_and_breaks_nothing(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shades("odd/good.mp4", (DAY, 3)).rename(tmp_path / "odd" / "\udcff.mp4")
    write_shades("odd/good.mp4", (DAY, 3))
    assert predict(shade_run, tmp_path / "odd", "--json", tmp_path / "o.json") == 1
    assert r"\udcff.mp4" in capsys.readouterr().err
    assert [("error" in video) for video in json.loads((tmp_path / "o.json").read_text())] == [False, True]


def test_what_contradicts_itself_is_refused_as_usage(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, other = write_shades("a.mp4", (DAY, 3)), write_shades("b.mp4", (DAY, 3))
    cases = {
        (): "Name videos to look at, or a source to watch with --live",
        (video, "--live", "-"): "one of them, not both",
        (video, other, "--annotate", tmp_path / "x.mp4"): "--annotate labels one video; 2 are named",
        (video, "--annotate", tmp_path / "x.avi"): "must end in .mp4",
        (video, "--json", tmp_path / "x", "--csv", tmp_path / "x"): "--json and --csv name the same file",
    }
    for arguments, message in cases.items():
        assert predict(shade_run, *arguments) == 2, arguments
        assert message in capsys.readouterr().err
    assert not (tmp_path / "x.mp4").exists()


def test_a_file_is_never_overwritten(
    shade_run: Path, write_shades: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that is said before any work."""
    monkeypatch.setattr(networks, "load", None)
    video = write_shades("a.mp4", (DAY, 3))
    taken = tmp_path / "taken.mp4"
    taken.write_text("mine")
    config = PredictConfig(run=str(shade_run), videos=(str(video),), window_sec=2.0)
    nowhere = str(tmp_path / "none" / "x.mp4")
    for name, taking, missing in (
        ("json", replace(config, json=str(taken)), replace(config, json=nowhere)),
        ("csv", replace(config, csv=str(taken)), replace(config, csv=nowhere)),
        ("annotate", replace(config, annotate=str(taken)), replace(config, annotate=nowhere)),
    ):
        with pytest.raises(UserError, match=rf"--{name} .*taken\.mp4 exists already"):
            run_predict(taking)
        with pytest.raises(UserError, match=rf"--{name} .* in a folder that does not exist"):
            run_predict(missing)
    assert taken.read_text() == "mine"


def test_names_without_a_video_are_told_before_any_work(
    shade_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "load", None)
    with pytest.raises(UserError, match=r"missing\.mp4 does not exist"):
        run_predict(PredictConfig(run=str(shade_run), videos=("missing.mp4",)))


def test_the_window_is_the_run_s_and_where_it_has_none_it_must_be_given(
    shade_run: Path, write_shades: Write
) -> None:
    video = write_shades("long.mp4", (DAY, 100))
    config = PredictConfig(run=str(shade_run), videos=(str(video),))
    (shade_run / "videos.json").write_text('{"train": [], "window_sec": 5.0}')
    assert len(run_predict(config).predictions[0].windows) == 3
    (shade_run / "videos.json").write_text('{"train": []}')
    with pytest.raises(UserError, match=r"does not say how long .* --window-sec 4"):
        run_predict(config)
    with pytest.raises(UsageError, match=r"window_sec is 0\.0"):
        PredictConfig(run="x", window_sec=0.0)


def test_a_half_trained_network_is_said_to_be_one(
    shade_run: Path, write_shades: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = json.loads((shade_run / "config.json").read_text())
    (shade_run / "config.json").write_text(json.dumps(settings | {"epochs": 9999}))
    assert predict(shade_run, write_shades("a.mp4", (DAY, 3))) == 0
    assert "the training is not finished" in capsys.readouterr().err


def test_a_network_that_diverged_is_not_the_videos_fault(
    shade_run: Path, write_shades: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Diverged(torch.nn.Module):
        def forward(self, video: torch.Tensor) -> torch.Tensor:
            return torch.full((len(video), 3), torch.nan)

    monkeypatch.setattr(networks, "load", lambda _: (Diverged().eval(), ("a", "b", "c")))
    assert predict(shade_run, write_shades("a.mp4", (DAY, 3))) == 1
    error = capsys.readouterr().err
    assert "it diverged while training" in error
    assert "Cannot be used" not in error


def test_a_file_without_a_frame_rate_is_one_clip_and_says_so(
    shade_run: Path, write_shades: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_shades("a.mp4", (DAY, 60))
    info = scan_video(video)
    unknown = [type(info)(info.num_frames, info.width_px, info.height_px, 0.0)]
    monkeypatch.setattr("vidnas.verbs.predict.scan_videos", lambda *_, **__: unknown)
    assert predict(shade_run, video) == 0
    printed = capsys.readouterr().out
    assert "The file states no frame rate, so it was taken as one clip." in printed
    assert "windows" not in printed


def test_frames_beside_videos_are_seen_too_and_their_note_is_true_of_a_folder(
    shade_run: Path, write_shades: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shades("odd/a.mp4", (DAY, 3))
    (tmp_path / "odd" / "frames").mkdir()
    for number in range(3):
        Image.new("L", (64, 48), 0).save(tmp_path / "odd" / "frames" / f"{number}.png")
    assert predict(shade_run, tmp_path / "odd") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "a.mp4" in first and first.endswith("day")
    assert "frames  100.0 %  night" in second
    assert second.endswith("(A folder of frames states no frame rate, so it was taken as one clip.)")
