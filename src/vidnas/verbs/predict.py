"""The verb `predict`: what a trained network sees in any videos, or in a live source."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas import console
from vidnas.assembly import networks, steps
from vidnas.atomic import write_whole
from vidnas.config.views import PredictConfig
from vidnas.errors import UserError, shown
from vidnas.report.listing import lay_out, summarize
from vidnas.report.predictions import (
    BadVideo,
    Prediction,
    caption,
    describe,
    predict,
    to_csv,
    to_json,
)
from vidnas.runs.read import read_training
from vidnas.shapes import Clip
from vidnas.training.classify import Classifier, Probabilities
from vidnas.verbs.asked import videos_to_predict
from vidnas.verbs.live import watch
from vidnas.video.clips.read import read_clips
from vidnas.video.clips.windows import Window, even_starts, first_nearest, slide
from vidnas.video.make.annotate import annotate_video
from vidnas.video.scan.scans import scan_videos
from vidnas.video.stores.decode import VideoInfo

IN_A_FOLDER = "A folder of frames states no frame rate, so it was taken as one clip."
MOST_WINDOWS = 1_000_000
"""Of a video: months of time between a few frames are a mistake."""


@dataclass(frozen=True)
class PredictResult:
    """What was seen in each video, and the files that could not be used; after a live source both empty."""

    predictions: tuple[Prediction, ...]
    bad: tuple[BadVideo, ...]

    @property
    def passed(self) -> bool:
        """Whether every file could be used."""
        return not self.bad


def run_predict(config: PredictConfig) -> PredictResult:
    """Tell what the network of a run sees, each video as soon as it is done, and write what was asked for.

    A video longer than a window is seen through windows that slide over it by half their length. Files that
    cannot be used come last, and do not keep the others. A live source is watched until it ends.
    UsageError and UserError before any work for settings that contradict each other, names that stand for no
    video, a file to write that exists, and a folder that is not a training's.
    """
    paths = videos_to_predict(config)
    if config.live is not None:
        classifier, window_sec = _open_run(config)
        watch(config.live, classifier, window_sec=window_sec, threshold=config.threshold)
        return PredictResult((), ())
    classifier, window_sec = _open_run(config)
    with console.bar(total=len(paths), label="Checking", unit="video") as bar:
        infos = scan_videos(
            paths, workers=config.workers, progress=bar.update, limit_sec=config.scan_limit_sec
        )
    predictions, bad = _predict_all(paths, infos, classifier, window_sec, config)
    for video in bad:
        console.say(f"Cannot be used: {video.cause}")
    if len(paths) > 1:
        console.say(summarize(predictions, bad))
    if config.json is not None:
        write_whole(_path(config.json), to_json(predictions, bad))
    if config.csv is not None:
        write_whole(_path(config.csv), to_csv(predictions, bad, top=config.top))
    if config.annotate is not None and predictions:
        _annotate(predictions[0], infos[0], window_sec, _path(config.annotate))
    return PredictResult(tuple(predictions), tuple(bad))


def _path(name: str) -> Path:
    return Path(name).expanduser()


def _open_run(config: PredictConfig) -> tuple[Classifier, float]:
    """The run's network on its device, and the length of a window, seconds; says if it is half-trained."""
    precision = steps.choose_precision(config.device)
    run = read_training(_path(config.run))
    train_config = run.training
    window_sec = config.window_sec or run.seen.window_sec
    if window_sec is None:
        raise UserError(
            f"{run.folder} does not say how long the videos were that it was trained on. Say how long a "
            "window is, in seconds, as in --window-sec 4."
        )
    network, classes = networks.load(run)
    for sentence in networks.unfinished(run):
        console.say(sentence)
    classifier = Classifier(
        networks.fold(network).to(precision.device),
        classes,
        precision,
        size_px=train_config.size_px,
        segments=train_config.segments,
        frames_per_segment=train_config.frames_per_segment,
        single_frame=train_config.single_frame,
        max_clips=config.batch_size,
    )
    return classifier, float(window_sec)


def _predict_all(
    paths: Sequence[Path],
    infos: Sequence[VideoInfo | UserError],
    classifier: Classifier,
    window_sec: float,
    config: PredictConfig,
) -> tuple[list[Prediction], list[BadVideo]]:
    """Look at all videos that can be used and tell what is seen in each: a line, or all of it."""
    predictions, bad = [], []
    listing = lay_out(paths, classifier.classes, console.line_width())
    listed = len(paths) > 1 and not config.details
    windowed = [_windows(path, info, window_sec) for path, info in zip(paths, infos, strict=True)]
    total = sum(len(_different(windows)) for windows in windowed if not isinstance(windows, UserError))
    with console.bar(total=total, label="Predicting", unit="clip") as bar:
        for path, info, windows in zip(paths, infos, windowed, strict=True):
            try:
                if isinstance(windows, UserError):
                    raise windows
                assert isinstance(info, VideoInfo)
                different = _different(windows)
                rows = classifier(_counted(_read(path, different, classifier), bar.update))
                row_of = dict(zip(different, rows, strict=True))
                probabilities = [row_of[window.start, window.stop] for window in windows]
            except UserError as error:
                bad.append(BadVideo(path, str(error)))
            else:
                seen = _predict(path, info, windows, probabilities, classifier.classes, config)
                predictions.append(seen)
                console.give(listing.line(seen) if listed else describe(seen, top=config.top) + "\n")
    return predictions, bad


def _windows(path: Path, info: VideoInfo | UserError, window_sec: float) -> list[Window] | UserError:
    """The windows of a video, or why it has none."""
    if isinstance(info, UserError):
        return info
    # Even frames make no more windows than there are frames, however slow they are.
    if info.starts_sec and 2 * info.duration_sec / window_sec > MOST_WINDOWS:
        return UserError(
            f"{shown(path)} lasts {info.duration_sec / 3600:,.0f} h, which are more than {MOST_WINDOWS:,} "
            f"windows of {window_sec:g} s. Take longer windows, as with --window-sec 3600."
        )
    return slide(info, window_sec)


def _different(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """The frames, first and behind the last, of windows that have others than the window before."""
    return list(dict.fromkeys((window.start, window.stop) for window in windows))


def _read(path: Path, stretches: Sequence[tuple[int, int]], classifier: Classifier) -> Iterator[Clip]:
    """The clip of each stretch of frames, taken by number as a training takes it, however long each lasts."""
    clips = [
        [start + number for number in classifier.frame_numbers(stop - start)] for start, stop in stretches
    ]
    return read_clips(path, clips, size_px=classifier.size_px)


def _predict(
    path: Path,
    info: VideoInfo,
    windows: Sequence[Window],
    probabilities: Sequence[Probabilities],
    classes: Sequence[str],
    config: PredictConfig,
) -> Prediction:
    """What was computed of a video, its windows in seconds."""
    spans_sec = [(window.start_sec, window.end_sec) for window in windows]
    unknown = IN_A_FOLDER if path.is_dir() else "The file states no frame rate, so it was taken as one clip."
    note = "" if info.duration_sec else unknown
    return predict(
        path,
        info.duration_sec,
        spans_sec,
        probabilities,
        classes,
        note,
        top=config.top,
        threshold=config.threshold,
    )


def _counted(clips: Iterator[Clip], progress: Callable[[int], object]) -> Iterator[Clip]:
    for clip in clips:
        yield clip
        progress(1)


def _annotate(prediction: Prediction, info: VideoInfo | UserError, window_sec: float, out: Path) -> None:
    """Write the video with the best label of the window whose centre is nearest in every frame."""
    assert isinstance(info, VideoInfo)
    firsts = first_nearest(info, slide(info, window_sec))
    captions = [caption(window) for window in prediction.windows]
    with console.bar(total=info.num_frames, label="Annotating", unit="frame") as bar:
        annotate_video(
            prediction.path,
            out,
            list(zip(firsts, captions, strict=True)),
            size=(info.width_px, info.height_px),
            starts_sec=info.starts_sec or even_starts(info),
            rate=info.num_frames / info.duration_sec if info.duration_sec else 25,
            progress=bar.update,
        )
    console.give(f"Written: {shown(out)}")
