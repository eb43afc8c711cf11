"""clips.png: training clips as the network is fed them, so that a person can look."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch

from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.parts import Recipe
from vidnas.nn.frame_input import ClipNorm, FrameInput, seen_frames
from vidnas.report.figures.contact import draw_contact_sheet
from vidnas.report.figures.save import save_figure
from vidnas.runs.files import CLIPS
from vidnas.runs.log import RunLog
from vidnas.shapes import Clip, Frames, Pixels, Video
from vidnas.training.recipe import Mix, blend
from vidnas.video.clips.datasets import TrainClips
from vidnas.video.clips.transforms import MEAN, STD, normalize, to_frames

MOST_CLASSES = 8
NO_CHANGE = (128 / 255,) * 3
"""The grey of a pixel that does not change."""
CHANGES = "each frame minus the one before, grey where nothing changes"
TITLES: Mapping[FrameInput, tuple[str, ...]] = MappingProxyType(
    {
        "rgb": ("{name}{normed}",),
        "residual": (
            "{name}: the frames, which the network does not see",
            f"What it sees{{normed}}: {CHANGES}",
        ),
        "both": (
            "{name}: the frames, which the network sees{normed}",
            f"It sees these, too{{normed}}: {CHANGES}",
        ),
    }
)
"""Of each clip's rows."""

Row = tuple[str, Frames]
"""A title, and the pictures below it."""


def draw_clips(
    log: RunLog, clips: TrainClips, classes: Sequence[str], config: SearchConfig | TrainConfig
) -> None:
    """Write clips.png: a training clip of each of the first classes, as chance has cropped and mirrored it.

    Where the network sees how the frames change, that stands below the frames.
    """
    first = {item.label: index for index, item in reversed(list(enumerate(clips.items)))}
    samples = [clips[first[label], 0] for label in sorted(first)[:MOST_CLASSES]]
    mix: Mix = config.mix if isinstance(config, Recipe) else "none"
    rows = picture_rows(
        [pixels for pixels, _, _ in samples],
        [classes[label] for _, label, _ in samples],
        sees=config.input,
        mix=mix,
        clip_norm=config.clip_norm,
    )
    sheet = draw_contact_sheet([picture for _, picture in rows], [title for title, _ in rows])
    save_figure(sheet, log.path(CLIPS))


def picture_rows(
    clips: Sequence[Pixels],
    names: Sequence[str],
    *,
    sees: FrameInput,
    mix: Mix,
    clip_norm: ClipNorm = "off",
) -> list[Row]:
    """What a network is fed of such a batch, made as it is made for a network, as pictures.

    Changes are drawn on the scale of the frames: what is faint for the network is faint here.
    """
    videos = torch.stack([normalize(clip) for clip in clips])
    if mix != "none":
        videos, names = _blended(videos, names, mix)
    seen = seen_frames(videos, sees, clip_norm)
    frames, changes = videos if sees == "residual" else seen[:, :3], seen[:, -3:]
    normed = "" if clip_norm == "off" else ", each clip normalised"
    rows: list[Row] = []
    for name, video, change in zip(names, frames, changes, strict=True):
        pictures = (_picture(video, MEAN), _picture(change, NO_CHANGE))
        titles = [title.format(name=name, normed=normed) for title in TITLES[sees]]
        rows += zip(titles, pictures, strict=False)  # of colours alone there are no changes to show
    return rows


def _blended(videos: Video, names: Sequence[str], mix: Mix) -> tuple[Video, list[str]]:
    """Blended by chance of its own, which leaves PyTorch's as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        mixed, partner, share = blend(videos, mix)
    others = [names[index] for index in partner.tolist()]
    return mixed, [
        f"{share:.0%} {own}, {1 - share:.0%} {other}" for own, other in zip(names, others, strict=True)
    ]


def _picture(clip: Clip, zero: Sequence[float]) -> Frames:
    """Normalised values as colours; `zero` is the colour, 0 to 1, of what was normalised to 0."""
    scale, base = (torch.tensor(values).view(3, 1, 1, 1) for values in (STD, zero))
    colors = (clip * scale + base).mul(255).round().clamp(0, 255)
    return to_frames(colors.to(torch.uint8))
