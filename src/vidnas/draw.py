"""The verb `draw`: a cell as a picture, or a search as an animation of its cell and alpha over the epochs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from vidnas import console, networks
from vidnas.atomic import require_new, write_whole
from vidnas.errors import UsageError, UserError
from vidnas.figures.animation import SearchEpoch, draw_search
from vidnas.figures.cell import draw_cell
from vidnas.figures.gif import Picture, encode_gif
from vidnas.figures.save import FORMATS, save_figure, to_pixels
from vidnas.page.run import Run, read_run
from vidnas.video.encode import Mp4Writer
from vidnas.viewconfig import DrawConfig
from vidnas.words import counted

ANIMATIONS = (".gif", ".mp4")
SLOWEST_FPS, FASTEST_FPS = 0.1, 50.0
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
    if suffix not in (*FORMATS, *ANIMATIONS):
        raise UsageError(
            f"out is {config.out}; a picture ends in {', '.join(FORMATS)}, an animation of a search in "
            f"{' or '.join(ANIMATIONS)}."
        )
    require_new(path, "--out")
    shown, *problems = _animate(config, path) if suffix in ANIMATIONS else _draw_picture(config, path)
    return DrawResult(path, "\n".join([f"Drawn: {shown} in {path}.", *(f"Careful: {p}" for p in problems)]))


def _draw_picture(config: DrawConfig, path: Path) -> list[str]:
    """Draw one cell; what it is in words."""
    source, shown = _find_cell(config.source)
    save_figure(draw_cell(networks.read_genotype(source), title=config.title or ""), path)
    return [shown]


def _find_cell(source: str) -> tuple[str, str]:
    """Where to read a genotype, and what it is in words: of an unfinished search the newest cell."""
    folder = Path(source).expanduser()
    if source.startswith(networks.RANDOM) or source == networks.ALL_SKIP:
        return source, f"the cell {source}"
    if not folder.exists():
        raise UserError(
            f"{source} does not exist. Draw a genotype file, the run folder of a search or a training, a "
            f"random cell, as in random:0, or {networks.ALL_SKIP}."
        )
    if not folder.is_dir() or (folder / networks.GENOTYPE).exists():
        return source, f"the cell of {source}"
    newest = max((folder / "genotypes").glob("epoch-*.json"), default=None, key=_epoch_in)
    if newest is None:
        raise UserError(
            f"{source} holds no cell: no {networks.GENOTYPE}, as a run folder has it, and no "
            "genotypes/epoch-001.json, as a search has it after its first epoch. A demo's run folders are "
            "its search/ and train/."
        )
    return str(newest), f"the newest cell of the unfinished search {source}, {newest.stem}"


def _epoch_in(path: Path) -> int:
    number = path.stem.removeprefix("epoch-")
    return int(number) if number.isdecimal() else 0


def _animate(config: DrawConfig, path: Path) -> list[str]:
    """Draw the epochs of a search; what they are in words, and what of the run could not be read."""
    if not SLOWEST_FPS <= config.fps <= FASTEST_FPS:
        raise UsageError(
            f"fps is {config.fps:g}; an animation shows {SLOWEST_FPS:g} to {FASTEST_FPS:g} epochs a second."
        )
    run = _read_search(config.source)
    epochs = _epochs_of(run)
    pictures = _render(epochs, run, config.title or "")
    if path.suffix.lower() == ".gif":
        durations = [1 / config.fps] * (len(epochs) - 1) + [1 / config.fps + HOLD_SEC]
        write_whole(path, encode_gif(pictures, durations))
    else:
        _write_mp4(pictures, path, config.fps)
    count = counted(len(epochs), "epoch")
    return [f"{count} of the search {config.source}", *run.problems]


def _read_search(source: str) -> Run:
    """The run folder of a search; UserError if it is another thing."""
    wanted = "An animation shows a search over its epochs: name its run folder"
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise UserError(f"{source} is not a folder. {wanted}, or draw a cell into a .png, .svg or .pdf file.")
    run = read_run(folder)
    if run.verb != "search":
        raise UserError(
            f"{source} is the run folder of a training, whose cell does not change. {wanted}, or draw the "
            "cell into a .png, .svg or .pdf file."
        )
    return run


def _epochs_of(run: Run) -> list[SearchEpoch]:
    """What the animation shows; UserError where no epoch is finished."""
    accuracies = {line["epoch"]: line.get("val_accuracy") for line in run.epochs}
    epochs = [
        SearchEpoch(cell.epoch, cell.genotype, np.array(cell.mixing), accuracies.get(cell.epoch))
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
    yield from map(to_pixels, bar)


def _write_mp4(pictures: Iterator[Picture], path: Path, fps: float) -> None:
    """The last picture is repeated while the animation holds."""
    first = next(pictures)
    height_px, width_px, _ = first.shape
    with Mp4Writer(path, rate=fps, size=(width_px, height_px)) as video:
        for picture in chain([first], pictures):
            video.write(picture)
        for _ in range(round(HOLD_SEC * fps)):
            video.write(picture)
