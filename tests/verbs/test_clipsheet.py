"""What clips.png shows is what goes into the network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from vidnas.assembly import videos
from vidnas.config.presets import train_preset
from vidnas.nn.frame_input import ClipNorm, FrameInput, SeesFrames
from vidnas.report.figures.contact import draw_contact_sheet
from vidnas.runs.log import RunLog
from vidnas.shapes import Frames, Pixels
from vidnas.training.recipe import Mix
from vidnas.verbs import clipsheet
from vidnas.verbs.clipsheet import picture_rows
from vidnas.video.clips.transforms import MEAN, STD, normalize, to_frames, to_pixels


def noise(seed: int = 0, num_frames: int = 4) -> Pixels:
    generator = np.random.default_rng(seed)
    return to_pixels(generator.integers(0, 256, (num_frames, 12, 10, 3), dtype=np.uint8))


def moving_square() -> Frames:
    """A bright square on a dark ground, two pixels further right in every frame."""
    frames = np.full((4, 12, 16, 3), 40, dtype=np.uint8)
    for time, frame in enumerate(frames):
        frame[4:8, 2 * time : 2 * time + 4] = 100
    return frames


def fed(clip: Pixels, sees: FrameInput, clip_norm: ClipNorm = "off") -> torch.Tensor:
    """What arrives at a network behind its own view of the frames."""
    seen: list[torch.Tensor] = []

    class Spy(nn.Module):
        def forward(self, video: torch.Tensor) -> torch.Tensor:
            seen.append(video[0])
            return video.mean((2, 3, 4))

    SeesFrames(Spy(), sees, clip_norm)(normalize(clip).unsqueeze(0))
    return seen[0]


def test_colours_are_shown_as_they_are() -> None:
    clips = [noise(0), noise(1)]
    rows = picture_rows(clips, ["run", "walk"], sees="rgb", mix="none")
    assert [title for title, _ in rows] == ["run", "walk"]
    for (_, picture), clip in zip(rows, clips, strict=True):
        np.testing.assert_array_equal(picture, to_frames(clip))


def test_changes_stand_below_the_frames_on_their_scale() -> None:
    """Where the square arrives it is brighter by 60, where it leaves darker; all else is grey."""
    (title, above), (told, below) = picture_rows(
        [to_pixels(moving_square())], ["run"], sees="residual", mix="none"
    )
    assert "run" in title and "does not see" in title
    assert "minus the one before" in told
    np.testing.assert_array_equal(above, moving_square())
    expected = np.full((4, 12, 16, 3), 128)
    for time in (1, 2, 3):
        expected[time, 4:8, 2 * time + 2 : 2 * time + 4] = 128 + 60
        expected[time, 4:8, 2 * time - 2 : 2 * time] = 128 - 60
    expected[0] = expected[1]  # the first frame has none before it
    np.testing.assert_array_equal(below, expected)


@pytest.mark.parametrize("sees", ["residual", "both"])
@pytest.mark.parametrize("clip_norm", ["off", "frames", "input"])
def test_the_picture_of_changes_is_what_arrives_at_the_network(sees: FrameInput, clip_norm: ClipNorm) -> None:
    """Each value of the network's, times the deviation by which it was divided, is a step of grey."""
    clip = to_pixels(moving_square())
    _, (told, below) = picture_rows([clip], ["run"], sees=sees, mix="none", clip_norm=clip_norm)
    arrived = fed(clip, sees, clip_norm)[-3:] * 255 * torch.tensor(STD).view(3, 1, 1, 1)
    steps = arrived.clamp(-128, 127).permute(1, 2, 3, 0).numpy()
    np.testing.assert_allclose(steps, below.astype(float) - 128, atol=0.51)
    assert ("each clip normalised" in told) is (clip_norm != "off")


@pytest.mark.parametrize("sees", ["rgb", "both"])
def test_normalised_frames_are_shown_normalised(sees: FrameInput) -> None:
    frames = np.full((4, 12, 16, 3), 40, dtype=np.uint8)
    frames[:, 4:8, 4:8] = 46  # a dark clip, whose contrast its own deviation makes large
    told, picture = picture_rows([to_pixels(frames)], ["run"], sees=sees, mix="none", clip_norm="frames")[0]
    arrived = fed(to_pixels(frames), sees, "frames")[:3].permute(1, 2, 3, 0).numpy()
    expected = (255 * (arrived * STD + MEAN)).clip(0, 255)
    np.testing.assert_allclose(picture, expected, atol=0.51)
    assert "each clip normalised" in told
    assert float(picture.std()) > 10 * float(frames.std())


def test_changes_beyond_the_scale_end_at_black_and_white() -> None:
    frames = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    frames[1, :, :4] = 255
    rows = picture_rows([to_pixels(frames), to_pixels(255 - frames)], ["a", "b"], sees="residual", mix="none")
    brighter, darker = rows[1][1], rows[3][1]
    assert (brighter[1, :, :4] == 255).all() and (brighter[1, :, 4:] == 128).all()
    assert (darker[1, :, :4] == 0).all() and (darker[1, :, 4:] == 128).all()


def test_of_one_frame_repeated_nothing_is_left_but_grey() -> None:
    still = noise(num_frames=1).expand(3, 4, 12, 10)
    _, (_, below) = picture_rows([still], ["run"], sees="residual", mix="none")
    assert (below == 128).all()


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_blended_clips_are_shown_blended_with_both_names(mix: Mix) -> None:
    clips = [torch.full((3, 4, 12, 10), value, dtype=torch.uint8) for value in (0, 100, 200)]
    state = torch.random.get_rng_state()
    rows = picture_rows(clips, ["a", "b", "c"], sees="rgb", mix=mix)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(title.count("%") == 2 for title, _ in rows)
    for (title, picture), own in zip(rows, clips, strict=True):
        share, other = title.split("%")[0], title[-1]
        if title[-1] != title.split("% ")[1][0]:
            partner = {"a": 0, "b": 100, "c": 200}[other]
            expected = int(own.flatten()[0]) * int(share) / 100 + partner * (1 - int(share) / 100)
            assert picture.mean() == pytest.approx(expected, abs=2)


Sheet = list[tuple[str, Frames]]


@pytest.fixture
def sheet(tiny_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sheet]:
    """The titles and pictures of the clips.png that a training with these settings writes."""
    drawn: list[Sheet] = []

    def note(pictures: list[Frames], titles: list[str]) -> Figure:
        drawn.append(list(zip(titles, pictures, strict=True)))
        return draw_contact_sheet(pictures, titles)

    monkeypatch.setattr(clipsheet, "draw_contact_sheet", note)

    def draw(**settings: Any) -> Sheet:
        config = train_preset("demo", data=str(tiny_videos), genotype="random:0", workers=0, **settings)
        scanned = videos.scan(videos.open_videos(config), config)
        train = scanned.index.train
        clips = videos.train_clips(train, scanned.counts(train), config)
        with RunLog(tmp_path / f"run-{len(drawn)}", "{}", resume=False) as log:
            clipsheet.draw_clips(log, clips, scanned.index.classes, config)
            assert log.path("clips.png").stat().st_size > 10_000
        return drawn[-1]

    return draw


def test_a_run_shows_a_clip_of_each_class_and_what_its_network_sees_of_it(
    sheet: Callable[..., Sheet],
) -> None:
    colours, changes = sheet(input="rgb"), sheet(input="residual")
    assert len(colours) == clipsheet.MOST_CLASSES
    assert len(changes) == 2 * clipsheet.MOST_CLASSES
    for (name, alone), (title, above), (told, below) in zip(
        colours, changes[::2], changes[1::2], strict=True
    ):
        assert title == f"{name}: the frames, which the network does not see"
        assert told.startswith("What it sees: each frame minus the one before")
        np.testing.assert_array_equal(alone, above)
        assert below.shape == above.shape
        assert not np.array_equal(below, above)


def test_a_control_on_single_frames_shows_one_frame_repeated(sheet: Callable[..., Sheet]) -> None:
    for _, picture in sheet(input="rgb", single_frame=True):
        assert (picture == picture[:1]).all()


def test_mirrored_clips_are_shown_mirrored(sheet: Callable[..., Sheet]) -> None:
    """By the same chance as in training, which is one and the same for every clip's first sample."""
    for (_, one), (_, other) in zip(sheet(flip=True), sheet(flip=False), strict=True):
        assert np.array_equal(one, other) or np.array_equal(one, other[:, :, ::-1])
