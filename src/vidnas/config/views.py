"""The settings of predict, draw, report and demo, as learning.py has those of the other verbs."""

from dataclasses import dataclass
from typing import Annotated

from vidnas.config.limits import (
    Cell,
    Count,
    File,
    Folder,
    Limit,
    Natural,
    Positive,
    Settings,
    Share,
    refuse_idle,
)
from vidnas.config.parts import Decoding, Inference, Machine
from vidnas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class PredictConfig(Decoding, Inference):
    """Say what a trained network sees in videos: ranked labels, and a timeline of long ones."""

    run: Folder
    """Run folder of a training."""
    videos: tuple[File, ...] = ()
    """Video files, folders of them, or patterns such as 'clips/*.mp4'."""
    live: Annotated[str, "SOURCE"] | None = None
    """Watch a source instead of files: a stream's URL, a camera (/dev/video0) or - for a pipe."""
    top: Count = 5
    """Labels shown of a video, and columns of them in the CSV file."""
    details: bool = False
    """Of several videos too, print the ranked labels and the timeline; by default each gets a line."""
    threshold: Share = 0.0
    """Least score of an answer, 0 to 1: below it "none of these" is said. Scores are a network's softmax, not
    calibrated probabilities: choose it on videos whose label you know. 0: there is always an answer."""
    csv: File | None = None
    """Write the predictions to this new CSV file."""
    json: File | None = None
    """Write the predictions to this new JSON file."""
    annotate: File | None = None
    """Write the video, of which there must be one, with its labels in the picture to this new MP4 file."""
    window_sec: Positive | None = None
    """Length of the window that slides over a longer video, seconds, by half of it at a time; by default the
    median duration of the videos that the run was trained on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.live is not None:
            idle = ("top", "batch_size", "workers", "scan_limit_sec")
            refuse_idle(self, idle, "with --live, which says the best label of each window as it comes")


@dataclass(frozen=True, kw_only=True)
class DrawConfig(Settings):
    """Draw a cell as a picture, or a search as an animation of its cell and alpha over the epochs."""

    source: Cell
    """A genotype file, a run folder, random:SEED or all-skip."""
    out: File = "cell.png"
    """New file to write: a picture ends in .png, .svg or .pdf, an animation of a search in .gif or .mp4."""
    title: str | None = None
    """Text above the cell."""
    fps: Positive = 2.0
    """Epochs a second of an animation."""


@dataclass(frozen=True, kw_only=True)
class ReportConfig(Settings):
    """Write one self-contained page about a run, or one about each of several and an overview."""

    runs: tuple[Folder, ...]
    """Run folders of searches and trainings."""
    out: File | None = None
    """Page to write; by default report.html in the run's folder or, for the overview, in the current one."""
    live: bool = False
    """Serve the page of a run in progress on this machine, refreshed as the run goes on, until Ctrl-C."""
    port: Annotated[Natural, Limit("allowed are 0 to 65535", lambda value: value <= 65535)] = 8765
    """Port of the live page; 0 takes any free one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.runs or (self.live and len(self.runs) > 1):
            raise UsageError("Name the run folder of a search or a training, or several without --live.")
        if self.live:
            refuse_idle(self, ["out"], "with --live, which serves the page and writes none")
        else:
            refuse_idle(self, ["port"], "without --live")


DEMO_SEARCH = "search"
"""Folder of the search in a demo's: its first run, whose settings are the demo's."""


@dataclass(frozen=True, kw_only=True)
class DemoConfig(Machine):
    """Show the whole path on the built-in clips in a few minutes: search, derive, train, evaluate, draw."""

    seed: Natural = 0
    """Seed of everything random."""
    out: Folder | None = None
    """Folder to write, new or empty; by default runs/demo-DATE-TIME."""
