"""A trained network that classifies: files, frames, lists of both."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import vidnas
from vidnas.errors import UserError
from vidnas.video.clips.sampling import even_indices
from vidnas.video.make.synthetic import Plan, write_clips
from vidnas.video.stores.decode import scan_video
from vidnas.video.stores.footage import decode_frames

NIGHT, DUSK, DAY = 0.0, 0.5, 1.0
Write = Callable[..., Path]


def frames_of(video: Path) -> np.ndarray:
    """All frames of a file, as large as they are."""
    return decode_frames(video, range(scan_video(video).num_frames), short_side_px=None)


def test_a_file_s_name_gives_its_ranked_labels(shade_run: Path, write_shades: Write) -> None:
    classifier = vidnas.load(shade_run, window_sec=2.0)
    seen = classifier(str(write_shades("a.mp4", (DUSK, 20))))
    assert seen.label == "dusk"
    assert seen.labels[0].label == "dusk"
    assert sum(score for _, score in seen.labels) == pytest.approx(1)
    assert classifier.classes == ("night", "dusk", "day")


def test_it_says_of_a_long_video_what_predict_says(shade_run: Path, write_shades: Write) -> None:
    video = write_shades("a.mp4", (NIGHT, 40), (DAY, 20))
    config = vidnas.PredictConfig(run=str(shade_run), videos=(str(video),), window_sec=2.0, top=3)
    (said,) = vidnas.run_predict(config).predictions
    assert vidnas.load(shade_run, window_sec=2.0)(video) == said
    assert len(said.windows) > 1


def test_a_run_that_does_not_say_how_long_its_videos_were_wants_a_window(
    shade_run: Path, write_shades: Write
) -> None:
    (shade_run / "videos.json").write_text('{"train": []}')
    classifier = vidnas.load(shade_run)
    with pytest.raises(UserError, match="does not say how long the videos were"):
        classifier(write_shades("a.mp4", (DAY, 3)))
    assert classifier(np.full((5, 96, 128, 3), 255, dtype=np.uint8)).label == "day"


class Remembers(torch.nn.Module):
    """Logits that are all 0, and the last clip that it saw."""

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        (self.clip,) = video
        return torch.zeros(1, 3)


def test_frames_as_an_array_make_the_clip_of_their_file(random_run: Path, tmp_path: Path) -> None:
    """But for rounding: of a file the conversion to RGB and the scaling are one step."""
    write_clips(tmp_path / "clips", Plan(groups_per_class=2, clips_per_group=1, test_groups=1, num_frames=20))
    video = next((tmp_path / "clips").rglob("*.avi"))
    sees = Remembers()
    classifier = replace(vidnas.load(random_run, window_sec=100.0), folded=sees)
    classifier(video)
    of_file = sees.clip
    seen = classifier(frames_of(video))
    assert (seen.path, seen.name) == (None, "frames")
    assert (sees.clip - of_file).abs().mean() < 0.05
    classifier(frames_of(video)[..., ::-1])
    assert (sees.clip - of_file).abs().mean() > 0.1
    classifier(frames_of(video)[::-1])
    assert (sees.clip - of_file).abs().mean() > 0.1


def test_a_list_gives_a_list_in_its_order(shade_run: Path, write_shades: Write) -> None:
    classifier = vidnas.load(shade_run, window_sec=2.0)
    videos = [write_shades("a.mp4", (NIGHT, 9)), write_shades("b.mp4", (DAY, 9))]
    assert [seen.label for seen in classifier(videos)] == ["night", "day"]
    assert [seen.label for seen in classifier([frames_of(video) for video in videos])] == ["night", "day"]
    assert classifier([]) == []


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((8, 32, 32), dtype=np.uint8),
        np.zeros((8, 3, 32, 32), dtype=np.uint8),
        np.zeros((8, 32, 32, 3), dtype=np.float32),
        np.zeros((0, 32, 32, 3), dtype=np.uint8),
    ],
)
def test_an_array_that_is_no_video_is_refused_with_what_it_must_be(
    shade_run: Path, frames: np.ndarray
) -> None:
    with pytest.raises(UserError, match=r"must be \(time, height, width, 3\), RGB from 0 to 255 as uint8"):
        vidnas.load(shade_run)(frames)


def test_a_list_of_single_frames_is_told_how_to_become_a_video(shade_run: Path) -> None:
    with pytest.raises(UserError, match=r"numpy\.stack"):
        vidnas.load(shade_run)([np.zeros((32, 32, 3), dtype=np.uint8)] * 8)


def test_a_file_that_cannot_be_used_is_named(shade_run: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"bad\.mp4"):
        vidnas.load(shade_run, window_sec=2.0)(tmp_path / "bad.mp4")


def test_it_is_quiet_and_says_what_is_to_be_told_in_its_notes(
    shade_run: Path, write_shades: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = shade_run / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    torch.save(state | {"epoch": 0}, checkpoint)
    classifier = vidnas.load(shade_run, window_sec=2.0)
    classifier(write_shades("a.mp4", (DAY, 3)))
    assert capsys.readouterr() == ("", "")
    assert "the training is not finished" in " ".join(classifier.notes)


def test_the_module_is_there_for_those_who_want_it(random_run: Path) -> None:
    """Folded is only what classifies."""
    classifier = vidnas.load(random_run)
    network, classes = classifier
    assert network is classifier.network
    assert classes == classifier.classes
    assert not network.training
    settings = json.loads((random_run / "config.json").read_text())
    frames = settings["segments"] * settings["frames_per_segment"]
    clip = torch.randn(2, 3, frames, classifier.size_px, classifier.size_px)
    with torch.no_grad():
        torch.testing.assert_close(network(clip), classifier.folded(clip), rtol=1e-4, atol=1e-4)


def test_it_is_shown_in_a_line(random_run: Path) -> None:
    assert repr(vidnas.load(random_run)) == f"<Classifier of night, dusk, day: {random_run}>"


@pytest.mark.parametrize("num_frames", [1, 5, 100])
def test_a_clip_is_the_even_one_of_the_evaluation(shade_run: Path, num_frames: int) -> None:
    classifier = replace(vidnas.load(shade_run), segments=2, frames_per_segment=3)
    assert classifier.frame_numbers(num_frames) == even_indices(num_frames, 2, 3)


@pytest.mark.parametrize(("num_frames", "middle"), [(1, 0), (5, 2), (100, 50)])
def test_a_single_frame_control_sees_the_middle_frame_alone(
    shade_run: Path, num_frames: int, middle: int
) -> None:
    classifier = replace(vidnas.load(shade_run), segments=2, frames_per_segment=3, single_frame=True)
    assert classifier.frame_numbers(num_frames) == [middle] * 6
