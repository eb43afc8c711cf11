"""The settings of predict, draw, report and demo, as learning.py has those of the other verbs."""

from dataclasses import dataclass

from vidnas.config.learning import Device
from vidnas.config.limits import at_least, check_types, from_0_to_1, positive
from vidnas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """Say what a trained network sees in videos: ranked labels, and a timeline of long ones."""

    run: str
    """Run folder of a training."""
    videos: tuple[str, ...] = ()
    """Video files, folders of them, or patterns such as 'clips/*.mp4'."""
    live: str | None = None
    """Watch a source instead of files: a stream's URL, a camera (/dev/video0) or - for a pipe."""
    top: int = 5
    """Labels shown of a video, and columns of them in the CSV file."""
    details: bool = False
    """Of several videos too, print the ranked labels and the timeline; by default each gets a line."""
    threshold: float = 0.0
    """Least score of an answer, 0 to 1: below it "none of these" is said. Scores are a network's softmax, not
    calibrated probabilities: choose it on videos whose label you know. 0: there is always an answer."""
    csv: str | None = None
    """Write the predictions to this new CSV file."""
    json: str | None = None
    """Write the predictions to this new JSON file."""
    annotate: str | None = None
    """Write the video, of which there must be one, with its labels in the picture to this new MP4 file."""
    window_sec: float | None = None
    """Length of the window that slides over a longer video, seconds, by half of it at a time; by default the
    median duration of the videos that the run was trained on."""
    batch_size: int = 16
    """Clips computed at once."""
    workers: int = 2
    """Processes that check the videos before; 0 checks in the main one, which a file may then crash."""
    scan_limit_sec: float = 60.0
    """Refuse a video whose decoder computes, or whose disk or server is silent, for so many seconds without a
    new frame. A machine that is busy with other things refuses none."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("top", "batch_size"):
            at_least(self, name, 1)
        at_least(self, "workers", 0)
        from_0_to_1(self, "threshold")
        positive(self, "scan_limit_sec")
        if self.window_sec is not None:
            positive(self, "window_sec")


@dataclass(frozen=True, kw_only=True)
class DrawConfig:
    """Draw a cell as a picture, or a search as an animation of its cell and alpha over the epochs."""

    source: str
    """A genotype file, a run folder, random:SEED or all-skip."""
    out: str = "cell.png"
    """New file to write: a picture ends in .png, .svg or .pdf, an animation of a search in .gif or .mp4."""
    title: str | None = None
    """Text above the cell."""
    fps: float = 2.0
    """Epochs a second of an animation."""

    def __post_init__(self) -> None:
        check_types(self)
        positive(self, "fps")


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Write one self-contained page about a run, or one about each of several and an overview."""

    runs: tuple[str, ...]
    """Run folders of searches and trainings."""
    out: str | None = None
    """Page to write; by default report.html in the run's folder or, for the overview, in the current one."""
    live: bool = False
    """Serve the page of a run in progress on this machine, refreshed as the run goes on, until Ctrl-C."""
    port: int = 8765
    """Port of the live page; 0 takes any free one."""

    def __post_init__(self) -> None:
        check_types(self)
        if not self.runs or (self.live and len(self.runs) > 1):
            raise UsageError("Name the run folder of a search or a training, or several without --live.")
        at_least(self, "port", 0)
        if self.port > 65535:
            raise UsageError(f"port is {self.port}; allowed are 0 to 65535.")


DEMO_SEARCH = "search"
"""Folder of the search in a demo's: its first run, whose settings are the demo's."""


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """Show the whole path on the built-in clips in a few minutes: search, derive, train, evaluate, draw."""

    workers: int = 2
    """Processes that decode videos; 0 decodes in the main one."""
    device: Device = "auto"
    """Where to compute."""
    seed: int = 0
    """Seed of everything random."""
    out: str | None = None
    """Folder to write, new or empty; by default runs/demo-DATE-TIME."""
