"""A trained network as its user sees it: `load` a run folder, and call it with videos."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from torch import nn

from vidnas.assembly import networks, steps
from vidnas.config.parts import Device
from vidnas.errors import UserError, shown
from vidnas.runs.read import Run, read_training
from vidnas.shapes import Clip
from vidnas.training.classify import Probabilities, classify
from vidnas.training.loop import Precision
from vidnas.training.predictions import Prediction, predict
from vidnas.video.clips.read import read_clips, scaled, test_clip
from vidnas.video.clips.sampling import even_indices
from vidnas.video.clips.windows import Window, slide
from vidnas.video.scan.scans import Scan, scan_videos
from vidnas.video.stores.decode import VideoInfo

Video = str | Path | np.ndarray
"""A video's file, a folder of its frames, or frames (time, height, width, 3), RGB from 0 to 255, uint8."""
V = TypeVar("V", str, Path, np.ndarray)
IN_A_FOLDER = "A folder of frames states no frame rate, so it was taken as one clip."
IN_A_FILE = "The file states no frame rate, so it was taken as one clip."
MOST_WINDOWS = 1_000_000
"""Of a video: months of time between a few frames are a mistake."""


def _no_progress(clips: int) -> None:
    """What is told of every clip that was computed."""


@dataclass(frozen=True, repr=False)
class Classifier:
    """A trained network with all that it takes to classify videos: `classifier("clip.mp4").label`.

    It looks at videos as `vidnas predict` does, prints nothing, and starts no processes.
    """

    network: nn.Module
    """Normalised clips (batch, 3, time, size_px, size_px) -> logits, in evaluation mode."""
    classes: tuple[str, ...]
    """Their names, in the order of the logits."""
    size_px: int
    """Height and width of a clip, pixels."""
    segments: int
    frames_per_segment: int
    single_frame: bool
    """Whether it was trained as the control whose clips are one frame repeated."""
    asked_window_sec: float | None
    """As `load` was given it."""
    notes: tuple[str, ...]
    """Sentences about the run to be told: that its training is not finished."""
    run: Run
    folded: nn.Module
    """What `network` computed when it was loaded, made quick."""
    precision: Precision
    batch_size: int
    """Clips computed at once."""

    @overload
    def __call__(self, video: Video) -> Prediction: ...
    @overload
    def __call__(self, video: list[V] | tuple[V, ...]) -> list[Prediction]: ...
    def __call__(self, video: Video | list[V] | tuple[V, ...]) -> Prediction | list[Prediction]:
        """What is seen in a video, or in each of a list of them: all classes ranked, the likeliest first.

        An array is one clip, whatever its length. UserError where a video cannot be used. A file is decoded
        in this process: `vidnas predict` is safe from files that crash a decoder.
        """
        if isinstance(video, list | tuple):
            return [self(one) for one in video]
        if isinstance(video, np.ndarray):
            return self._see_frames(video)
        path = Path(video).expanduser()
        (scan,) = scan_videos([path], workers=0, progress=_no_progress)
        windows = self.windows(path, scan)
        assert isinstance(scan, VideoInfo)
        return self.tell(path, scan, windows, self.look(path, windows))

    def __repr__(self) -> str:
        return f"<Classifier of {', '.join(self.classes)}: {self.run.folder}>"

    def __iter__(self) -> Iterator[Any]:
        """`network` and `classes`, for `network, classes = vidnas.load(...)`."""
        return iter((self.network, self.classes))

    @cached_property
    def window_sec(self) -> float:
        """A longer video is seen through windows of this length, seconds; UserError where nobody says it."""
        window_sec = self.asked_window_sec or self.run.seen.window_sec
        if window_sec is None:
            raise UserError(
                f"{self.run.folder} does not say how long the videos were that it was trained on. Say how "
                "long a window is, in seconds, as in --window-sec 4."
            )
        return float(window_sec)

    def windows(self, path: Path, scan: Scan) -> list[Window]:
        """The stretches through which a scanned video is seen; UserError where it cannot be used."""
        if isinstance(scan, UserError):
            raise scan
        window_sec = self.window_sec if scan.duration_sec else 0.0
        # Even frames make no more windows than there are frames, however slow they are.
        if scan.starts_sec and 2 * scan.duration_sec / window_sec > MOST_WINDOWS:
            raise UserError(
                f"{shown(path)} lasts {scan.duration_sec / 3600:,.0f} h, which are more than "
                f"{MOST_WINDOWS:,} windows of {window_sec:g} s. Take longer windows, as with "
                "--window-sec 3600."
            )
        return slide(scan, window_sec)

    def look(
        self, path: Path, windows: Sequence[Window], *, progress: Callable[[int], object] = _no_progress
    ) -> list[Probabilities]:
        """Each window's probabilities; `progress(1)` is called after every clip that was computed.

        Windows with the very same frames are computed once. UserError where the video cannot be read.
        """
        different = distinct(windows)
        rows = self.classify(self._read(path, different, progress))
        row_of = dict(zip(different, rows, strict=True))
        return [row_of[window.start, window.stop] for window in windows]

    def tell(
        self,
        path: Path,
        info: VideoInfo,
        windows: Sequence[Window],
        rows: Sequence[Probabilities],
        *,
        top: int | None = None,
        threshold: float = 0.0,
    ) -> Prediction:
        """What was seen through the windows, of which `top` labels each are kept.

        UserError where the network's output is not a number.
        """
        unknown = IN_A_FOLDER if path.is_dir() else IN_A_FILE
        return predict(
            path,
            info.duration_sec,
            [(window.start_sec, window.end_sec) for window in windows],
            rows,
            self.classes,
            "" if info.duration_sec else unknown,
            top=top,
            threshold=threshold,
        )

    def classify(self, clips: Iterable[Clip]) -> list[Probabilities]:
        """The probabilities of at least one clip."""
        return classify(self.folded, clips, self.precision, max_clips=self.batch_size)

    def clip_of(self, frames: np.ndarray) -> Clip:
        """The clip of frames whose short side is scaled as `scaled_short_side(size_px)` says."""
        return test_clip(frames[self.frame_numbers(len(frames))], self.size_px)

    def frame_numbers(self, num_frames: int) -> list[int]:
        """Which of so many frames, numbered from 0, make the clip: those of `evaluate`'s paper protocol."""
        if self.single_frame:
            return even_indices(num_frames, 1, 1) * (self.segments * self.frames_per_segment)
        return even_indices(num_frames, self.segments, self.frames_per_segment)

    def _see_frames(self, frames: np.ndarray) -> Prediction:
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not frames.size:
            raise UserError(
                f"An array of shape {frames.shape} and type {frames.dtype} is no video; it must be "
                "(time, height, width, 3), RGB from 0 to 255 as uint8, as numpy.stack makes of single frames."
            )
        numbers = self.frame_numbers(len(frames))
        chosen = scaled(frames[numbers], self.size_px)
        rows = self.classify([test_clip(chosen, self.size_px)])
        return predict(None, 0.0, [(0.0, 0.0)], rows, self.classes)

    def _read(
        self, path: Path, stretches: Sequence[tuple[int, int]], progress: Callable[[int], object]
    ) -> Iterator[Clip]:
        """The clip of each stretch of frames, by number as a training takes it, however long it lasts."""
        numbers = [
            [start + number for number in self.frame_numbers(stop - start)] for start, stop in stretches
        ]
        for clip in read_clips(path, numbers, size_px=self.size_px):
            yield clip
            progress(1)


def distinct(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """The frames, first and behind the last, of windows that have others than the window before."""
    return list(dict.fromkeys((window.start, window.stop) for window in windows))


def load(
    run_dir: str | Path,
    *,
    device: Device = "cpu",
    window_sec: float | None = None,
    batch_size: int = 16,
) -> Classifier:
    """The trained network of a run folder, ready to classify videos.

    `window_sec` is by default the median duration of the videos that it was trained on. UserError where the
    folder is not a training's or is damaged, UsageError where the device cannot be used.
    """
    precision = steps.choose_precision(device)
    run = read_training(Path(run_dir).expanduser())
    network, classes = networks.load(run)
    network.to(precision.device)
    return Classifier(
        network=network,
        classes=classes,
        size_px=run.training.size_px,
        segments=run.training.segments,
        frames_per_segment=run.training.frames_per_segment,
        single_frame=run.training.single_frame,
        asked_window_sec=window_sec,
        notes=networks.unfinished(run),
        run=run,
        folded=networks.fold(network),
        precision=precision,
        batch_size=batch_size,
    )
