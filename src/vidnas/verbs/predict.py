"""The verb `predict`: what a trained network sees in any videos, or in a live source."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidnas import console
from vidnas.assembly import steps
from vidnas.assembly.classifier import Classifier, distinct, load
from vidnas.atomic import write_whole
from vidnas.config.views import PredictConfig
from vidnas.errors import UserError, shown
from vidnas.report.predictions import BadVideo, caption, describe, lay_out, summarize, to_csv, to_json
from vidnas.training.predictions import Prediction
from vidnas.verbs.asked import videos_to_predict
from vidnas.verbs.live import watch
from vidnas.video.clips.windows import Window, even_starts, first_nearest
from vidnas.video.make.annotate import annotate_video
from vidnas.video.scan.scans import Scan, scan_videos
from vidnas.video.stores.decode import VideoInfo


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
    classifier = _open_run(config)
    if config.live is not None:
        watch(config.live, classifier, threshold=config.threshold)
        return PredictResult((), ())
    with console.bar(total=len(paths), label="Checking", unit="video") as bar:
        scans = scan_videos(
            paths, workers=config.workers, progress=bar.update, limit_sec=config.scan_limit_sec
        )
    predictions, bad = _predict_all(paths, scans, classifier, config)
    for video in bad:
        console.say(f"Cannot be used: {video.cause}")
    if len(paths) > 1:
        console.say(summarize(predictions, bad))
    if config.json is not None:
        write_whole(_path(config.json), to_json(predictions, bad))
    if config.csv is not None:
        write_whole(_path(config.csv), to_csv(predictions, bad, top=config.top))
    if config.annotate is not None and predictions:
        assert isinstance(scans[0], VideoInfo)
        _annotate(predictions[0], paths[0], scans[0], classifier, _path(config.annotate))
    return PredictResult(tuple(predictions), tuple(bad))


def _path(name: str) -> Path:
    return Path(name).expanduser()


def _open_run(config: PredictConfig) -> Classifier:
    """The run's network on its device; says if it is half-trained."""
    steps.prepare(config)
    classifier = load(
        config.run, device=config.device, window_sec=config.window_sec, batch_size=config.batch_size
    )
    assert classifier.window_sec > 0  # where nobody says it, that is told before any work
    for sentence in classifier.notes:
        console.say(sentence)
    return classifier


def _predict_all(
    paths: Sequence[Path], scans: Sequence[Scan], classifier: Classifier, config: PredictConfig
) -> tuple[list[Prediction], list[BadVideo]]:
    """Look at all videos that can be used and tell what is seen in each: a line, or all of it."""
    predictions, bad = [], []
    listing = lay_out(paths, classifier.classes, console.line_width())
    listed = len(paths) > 1 and not config.details
    windowed = [_windows(path, scan, classifier) for path, scan in zip(paths, scans, strict=True)]
    total = sum(len(distinct(windows)) for windows in windowed if not isinstance(windows, UserError))
    with console.bar(total=total, label="Predicting", unit="clip") as bar:
        for path, scan, windows in zip(paths, scans, windowed, strict=True):
            try:
                if isinstance(windows, UserError):
                    raise windows
                rows = classifier.look(path, windows, progress=bar.update)
            except UserError as error:
                bad.append(BadVideo(path, str(error)))
            else:
                assert isinstance(scan, VideoInfo)
                seen = classifier.tell(path, scan, windows, rows, top=config.top, threshold=config.threshold)
                predictions.append(seen)
                console.give(listing.line(seen) if listed else describe(seen, top=config.top) + "\n")
    return predictions, bad


def _windows(path: Path, scan: Scan, classifier: Classifier) -> list[Window] | UserError:
    """The windows of a video, or why it has none."""
    try:
        return classifier.windows(path, scan)
    except UserError as error:
        return error


def _annotate(prediction: Prediction, path: Path, info: VideoInfo, classifier: Classifier, out: Path) -> None:
    """Write the video with the best label of the window whose centre is nearest in every frame."""
    firsts = first_nearest(info, classifier.windows(path, info))
    captions = [caption(window) for window in prediction.windows]
    with console.bar(total=info.num_frames, label="Annotating", unit="frame") as bar:
        annotate_video(
            path,
            out,
            list(zip(firsts, captions, strict=True)),
            size=(info.width_px, info.height_px),
            starts_sec=info.starts_sec or even_starts(info),
            rate=info.num_frames / info.duration_sec if info.duration_sec else 25,
            progress=bar.update,
        )
    console.give(f"Written: {shown(out)}")
