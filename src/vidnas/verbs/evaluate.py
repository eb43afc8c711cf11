"""The verb `evaluate`: how good a trained network is on test videos, and what it costs."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from vidnas import console
from vidnas.assembly import networks, steps, videos
from vidnas.atomic import write_whole, writing
from vidnas.compare.verdict import Finding, judge_test
from vidnas.config.learning import EvaluateConfig
from vidnas.config.parts import BUILTIN
from vidnas.errors import UserError
from vidnas.report.answers import Answer, answers_csv, name_answers, surest
from vidnas.report.figures.save import save_figure
from vidnas.report.figures.thumbnails import MOMENTS, SIZE_PX, thumbnail
from vidnas.report.geometry.confusion import draw_confusion
from vidnas.report.pages.verdicts import paragraphs
from vidnas.report.text import accuracy_line, class_table
from vidnas.runs import files, learnt
from vidnas.runs.files import EvaluationFiles, new_evaluation
from vidnas.runs.read import Run, read_training
from vidnas.runs.versions import installed_versions
from vidnas.training.loop import evaluate_epoch
from vidnas.training.profile import Profile, cost_line, profile_network
from vidnas.training.scores import Scores, score
from vidnas.video.clips.loaders import test_loader
from vidnas.video.clips.sampling import even_indices
from vidnas.video.items import Item, VideoIndex
from vidnas.video.scan.scans import Scanned
from vidnas.video.stores.footage import decode_frames, side_within

MOST_CLIPS = 8
"""Thumbnails of right answers, and as many of wrong ones."""


@dataclass(frozen=True)
class EvaluateResult:
    """The scores on the test videos, the cost, the report as text, and where all of it was written."""

    scores: Scores
    profile: Profile
    report: str
    path: Path
    findings: tuple[Finding, ...] = ()
    """What makes the network worth little; of a control that sees single frames nothing."""


@dataclass(frozen=True)
class _Test:
    """What is written about one test."""

    classes: tuple[str, ...]
    notes: tuple[str, ...]
    skipped: tuple[str, ...]
    """What to say at the end of videos that could not be used."""
    answers: list[Answer]
    scores: Scores
    profile: Profile


def run_evaluate(config: EvaluateConfig) -> EvaluateResult:
    """Test the network of a run folder; writes evaluation-PROTOCOL.json and, beside it, the confusion
    matrix, every prediction as CSV, and thumbnails of the surest right and wrong answers.

    Earlier evaluations stay: the new one then gets a number. UserError where the folder is not a training's,
    the videos have classes that it does not know, or the network has learnt from a test video.
    """
    precision = steps.prepare(config)
    run = read_training(Path(config.run).expanduser())
    folder, train_config = run.folder, run.training
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(
            f"No permission to write in {folder}, where the evaluation is kept. Copy the run folder and name "
            "the copy with --run."
        )
    network, classes = networks.load(run)
    network.to(precision.device)
    folded = networks.fold(network)
    index = _open_videos(config, run)
    learnt.check_unseen(index, folder, run.seen)
    _require_known(index, classes, config)
    scanned = videos.scan(index, config, parts=("test",))
    items = _relabelled(scanned.index, classes)
    counts = scanned.counts(items)
    clips = videos.test_clips(items, counts, train_config, multi=config.protocol == "multi")
    batch_size = max(1, config.batch_size // (clips.num_clips * clips.num_crops))
    loader = test_loader(clips, batch_size=batch_size, workers=config.workers)
    batches = console.bar(loader, total=len(loader), label="Testing", unit="batch")
    predictions = evaluate_epoch(folded, batches, precision, max_clips=config.batch_size)
    test = _Test(
        classes,
        (
            *scanned.index.notes,
            *videos.uneven(items, classes, "; accuracy is mostly that of the large ones."),
            *networks.unfinished(run),
        ),
        videos.describe_skipped(scanned),
        name_answers(predictions, items, classes),
        score(predictions.scores, predictions.labels, videos.group_keys(items)),
        profile_network(network, steps.clip_shape(train_config), precision.device, inference=folded),
    )
    place = new_evaluation(folder, config.protocol)
    with _claimed(place):
        shown = _write_clips(place.clips, test.answers, scanned)
        return _write(place, test, config, run, shown)


def _open_videos(config: EvaluateConfig, run: Run) -> VideoIndex:
    """The run's own videos, divided as it divided them; other ones whole, unless a setting divides them."""

    def as_trained(*names: str) -> EvaluateConfig:
        return replace(config, **{n: getattr(config, n) or getattr(run.training, n) for n in names})

    divided, read = ("split", "split_by", "group_regex"), ("layout", "roots", "columns", "test_list")
    # Path.resolve fails on a circle of links
    if len({os.path.realpath(Path(one.data).expanduser()) for one in (config, run.training)}) == 1:
        return videos.open_videos(as_trained(*divided, *read))
    with suppress(UserError):  # a pack of the run's videos, or the videos of its pack
        index = videos.open_videos(as_trained(*divided))
        if learnt.are_those(run.seen, index):
            return index
    if config.data == BUILTIN or config.split is not None or config.split_by is not None:
        return videos.open_videos(config)
    return videos.open_new_videos(config)


def _require_known(index: VideoIndex, classes: tuple[str, ...], config: EvaluateConfig) -> None:
    unknown = sorted(set(index.classes) - set(classes))
    if unknown:
        raise UserError(
            f"{config.data} has classes that {config.run} was not trained on: {', '.join(unknown)}. "
            f"It knows {', '.join(classes)}."
        )


def _relabelled(index: VideoIndex, classes: tuple[str, ...]) -> tuple[Item, ...]:
    """The test videos, their labels translated to those of the run."""
    return tuple(replace(item, label=classes.index(index.classes[item.label])) for item in index.test)


@contextmanager
def _claimed(place: EvaluationFiles) -> Iterator[None]:
    """With the folder of the thumbnails, by which the name is taken. Who fails leaves nothing."""
    with writing(place.clips):
        place.clips.mkdir()
    try:
        yield
    except BaseException:
        shutil.rmtree(place.clips, ignore_errors=True)
        for path in (place.told, place.confusion, place.predictions):
            path.unlink(missing_ok=True)
        raise


def _write_clips(folder: Path, answers: Sequence[Answer], scanned: Scanned) -> list[dict[str, object]]:
    """A thumbnail of each of the surest right and wrong answers; returns what they show."""
    shown: list[dict[str, object]] = []
    for right, name in ((True, "right"), (False, "wrong")):
        for rank, one in enumerate(surest(answers, right=right, most=MOST_CLIPS), start=1):
            indices = even_indices(scanned.infos[one.path].num_frames, MOMENTS, 1)
            frames = decode_frames(one.path, indices, short_side_px=side_within(one.path, SIZE_PX))
            path = folder / f"{name}-{rank}.jpg"
            write_whole(path, thumbnail(frames))
            told = {"label": one.label, "predicted": one.predicted, "score": one.score, "right": right}
            shown.append({"file": f"{folder.name}/{path.name}", "path": str(one.path), **told})
    return shown


def _judge(test: _Test, run: Run) -> tuple[Finding, ...]:
    """What the test says against the network of the run; of a control that sees single frames nothing."""
    if run.training.single_frame:
        return ()
    train_accuracy = run.epochs[-1].get("accuracy") if run.epochs else None
    return judge_test(test.scores, train_accuracy, test.classes)


def _write(
    place: EvaluationFiles,
    test: _Test,
    config: EvaluateConfig,
    run: Run,
    clips: list[dict[str, object]],
) -> EvaluateResult:
    """Write the predictions, the confusion matrix and, last, the JSON file that tells of both."""
    train_config, checkpoint_bytes = run.training, (run.folder / files.CHECKPOINT).stat().st_size
    # What is tested here are test videos, also of a training that itself left them alone.
    protocol = steps.describe_protocol(config.protocol, replace(train_config, validate=False))
    accuracy = accuracy_line(test.scores, protocol)
    cost = cost_line(test.profile, steps.describe_clip(train_config))
    write_whole(place.predictions, answers_csv(test.answers, test.classes))
    save_figure(draw_confusion(test.scores.confusion, test.classes, caption=accuracy), place.confusion)
    findings = _judge(test, run)
    result = {
        "config": asdict(config),
        "protocol": protocol,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": installed_versions(),
        "data": (*test.notes, *test.skipped),
        "classes": test.classes,
        "scores": asdict(test.scores),
        "warnings": [asdict(finding) for finding in findings],
        "cost": asdict(test.profile) | {"checkpoint_bytes": checkpoint_bytes},
        "clips": clips,
    }
    write_whole(place.told, (json.dumps(result, indent=2) + "\n").encode())
    report = "\n".join(
        [
            *test.notes,
            "",
            class_table(test.scores, test.classes),
            "",
            accuracy,
            *(f"Careful: {paragraph}" for paragraph in paragraphs(findings, train_config)),
            f"{cost} Checkpoint: {checkpoint_bytes / 1e6:.2f} MB.",
            f"Written: {place.told}   Confusion matrix: {place.confusion}   Every prediction: "
            f"{place.predictions}   Surest clips: {place.clips}",
            *test.skipped,
        ]
    )
    return EvaluateResult(test.scores, test.profile, report, place.told, findings)
