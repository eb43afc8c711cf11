"""The verb `draw`: a cell as a picture, or a search as an animation of its cell and alpha over the epochs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from vidnas import console
from vidnas.assembly.architecture import read_genotype
from vidnas.atomic import write_whole
from vidnas.config.views import DrawConfig
from vidnas.errors import UserError, counted
from vidnas.report.figures.formats import ANIMATIONS
from vidnas.report.figures.gif import Picture, encode_gif
from vidnas.report.figures.save import rasterize, save_figure
from vidnas.report.geometry.animation import SearchEpoch, draw_search
from vidnas.report.geometry.cell import draw_cell
from vidnas.runs.read import Run, read_run
from vidnas.verbs.asked import find_cell, require_drawable
from vidnas.video.make.encode import Mp4Writer

HOLD_SEC = 3.0
"""How long an animation stays at its last epoch."""


@dataclass(frozen=True)
class DrawResult:
    """The file written, and what it shows, in words."""

    path: Path
    text: str


def run_draw(config: DrawConfig) -> DrawResult:
    """Draw `config.source` into the new file `config.out`, whose suffix says as what.

    UserError where the source is none or the file cannot be written; nothing is overwritten.
    """
    path = Path(config.out).expanduser()
    suffix = path.suffix.lower()
    require_drawable(config)
    shown, *problems = _animate(config, path) if suffix in ANIMATIONS else _draw_picture(config, path)
    return DrawResult(path, "\n".join([f"Drawn: {shown} in {path}.", *(f"Careful: {p}" for p in problems)]))


def _draw_picture(config: DrawConfig, path: Path) -> list[str]:
    """Draw one cell; what it is in words."""
    source, shown = find_cell(config.source)
    save_figure(draw_cell(read_genotype(source), title=config.title or ""), path)
    return [shown]


def _animate(config: DrawConfig, path: Path) -> list[str]:
    """Draw the epochs of a search; what they are in words, and what of the run could not be read."""
    run = read_run(Path(config.source).expanduser())
    epochs = _epochs_of(run)
    pictures = _render(epochs, run, config.title or "")
    if path.suffix.lower() == ".gif":
        durations = [1 / config.fps] * (len(epochs) - 1) + [1 / config.fps + HOLD_SEC]
        write_whole(path, encode_gif(pictures, durations))
    else:
        _write_mp4(pictures, path, config.fps)
    count = counted(len(epochs), "epoch")
    return [f"{count} of the search {config.source}", *run.problems]


def _epochs_of(run: Run) -> list[SearchEpoch]:
    """What the animation shows; UserError where no epoch is finished."""
    accuracies = {line["epoch"]: line.get("val_accuracy") for line in run.epochs}
    epochs = [
        SearchEpoch(
            cell.epoch,
            cell.genotype,
            np.array(cell.mixing),
            accuracies.get(cell.epoch),
            cell.edges,
            cell.primitives,
        )
        for cell in run.cells
        if cell.mixing
    ]
    if not epochs:
        raise UserError(f"The search in {run.folder} has not finished an epoch yet; draw it after the first.")
    return epochs


def _render(epochs: Sequence[SearchEpoch], run: Run, title: str) -> Iterator[Picture]:
    figures = draw_search(
        epochs,
        num_epochs=max(run.config.epochs, epochs[-1].number),
        chosen_epoch=run.chosen_epoch,
        title=title,
    )
    bar = console.bar(figures, total=len(epochs), label="Drawing", unit="epoch")
    yield from map(rasterize, bar)


def _write_mp4(pictures: Iterator[Picture], path: Path, fps: float) -> None:
    """The last picture is repeated while the animation holds."""
    first = next(pictures)
    height_px, width_px, _ = first.shape
    with Mp4Writer(path, rate=fps, size=(width_px, height_px)) as video:
        for picture in chain([first], pictures):
            video.write(picture)
        for _ in range(round(HOLD_SEC * fps)):
            video.write(picture)
