"""The verb `evaluate`: how good a trained network is on test videos, and what it costs."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from vidnas import runs, videos
from vidnas.config import EvaluateConfig, TrainConfig
from vidnas.engine.atomic import write_whole
from vidnas.engine.loop import evaluate_epoch
from vidnas.engine.profile import Profile, profile_network
from vidnas.engine.report import accuracy_line, class_table, cost_line
from vidnas.engine.runlog import unused_path
from vidnas.engine.scores import Scores, score
from vidnas.errors import UserError
from vidnas.figures.confusion import draw_confusion
from vidnas.figures.save import save_figure
from vidnas.video.layouts import Item, VideoIndex
from vidnas.video.loaders import test_loader
from vidnas.videos import BUILTIN


@dataclass(frozen=True)
class EvaluateResult:
    """The scores on the test videos, the cost, the report as text, and where all of it was written."""

    scores: Scores
    profile: Profile
    report: str
    path: Path


def run_evaluate(config: EvaluateConfig) -> EvaluateResult:
    """Test the network of a run folder; writes evaluation-PROTOCOL.json and a confusion matrix beside it.

    Earlier evaluations stay: the new one then gets a number. UserError where the folder is not a training's,
    the videos have classes that it does not know, or the network has learnt from a test video.
    """
    precision = runs.choose_precision(config.device)
    folder = Path(config.run).expanduser()
    train_config = runs.load_train_config(folder)
    network, classes = runs.load(folder)
    network.to(precision.device)
    index = _open_videos(config, train_config)
    videos.check_unseen(index, folder)
    items = _relabelled(index, classes, config)
    clips = videos.test_clips(
        items,
        videos.frame_counts(items, workers=config.workers),
        train_config,
        multi=config.protocol == "multi",
    )
    batch_size = max(1, config.batch_size // (clips.num_clips * clips.num_crops))
    loader = test_loader(clips, batch_size=batch_size, workers=config.workers)
    batches = tqdm(loader, desc="Testing", unit="batch", leave=False, disable=None)
    predictions = evaluate_epoch(network, batches, precision, max_clips=config.batch_size)
    scores = score(predictions.scores, predictions.labels, videos.group_keys(items))
    profile = profile_network(network, runs.clip_shape(train_config), precision.device)
    notes = (*index.notes, *runs.unfinished(folder, train_config))
    return _write(config, train_config, folder, classes, notes, scores, profile)


def _open_videos(config: EvaluateConfig, train_config: TrainConfig) -> VideoIndex:
    """The run's own videos, divided as it divided them; other ones whole, unless a setting divides them."""
    if _resolved(config.data) == _resolved(train_config.data):
        as_trained = replace(
            config,
            split=config.split or train_config.split,
            split_by=config.split_by or train_config.split_by,
            group_regex=config.group_regex or train_config.group_regex,
            test_list=config.test_list or train_config.test_list,
        )
        return videos.open_videos(as_trained)
    if config.data == BUILTIN or config.split is not None or config.split_by is not None:
        return videos.open_videos(config)
    return videos.open_new_videos(config)


def _resolved(data: str) -> Path:
    return Path(data).expanduser().resolve()


def _relabelled(index: VideoIndex, classes: tuple[str, ...], config: EvaluateConfig) -> tuple[Item, ...]:
    """The test videos, their labels translated to those of the run."""
    unknown = sorted(set(index.classes) - set(classes))
    if unknown:
        raise UserError(
            f"{config.data} has classes that {config.run} was not trained on: {', '.join(unknown)}. "
            f"It knows {', '.join(classes)}."
        )
    return tuple(replace(item, label=classes.index(index.classes[item.label])) for item in index.test)


def _write(
    config: EvaluateConfig,
    train_config: TrainConfig,
    folder: Path,
    classes: tuple[str, ...],
    notes: tuple[str, ...],
    scores: Scores,
    profile: Profile,
) -> EvaluateResult:
    checkpoint_bytes = (folder / runs.CHECKPOINT).stat().st_size
    accuracy = accuracy_line(scores, runs.describe_protocol(config.protocol, train_config))
    cost = cost_line(profile, runs.describe_clip(train_config))
    path = unused_path(folder / f"evaluation-{config.protocol}.json")
    result = {
        "config": asdict(config),
        "data": notes,
        "scores": asdict(scores),
        "cost": asdict(profile) | {"checkpoint_bytes": checkpoint_bytes},
    }
    write_whole(path, (json.dumps(result, indent=2) + "\n").encode())
    picture = path.with_name(path.stem + "-confusion.png")
    save_figure(draw_confusion(scores.confusion, classes, caption=accuracy), picture)
    report = "\n".join(
        [
            *notes,
            "",
            class_table(scores, classes),
            "",
            accuracy,
            f"{cost} Checkpoint: {checkpoint_bytes / 1e6:.2f} MB.",
            f"Written: {path}   Confusion matrix: {picture}",
        ]
    )
    return EvaluateResult(scores, profile, report, path)
