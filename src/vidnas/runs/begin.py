"""A run's folder: a new one, or one to go on with; what ends a run early says how to go on."""

import json
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch

from vidnas.config.json_files import to_json
from vidnas.config.kinds import verb_of
from vidnas.config.learning import CompareConfig, SearchConfig, TrainConfig
from vidnas.errors import Interrupted, UsageError, UserError
from vidnas.runs.checkpoint import load_checkpoint
from vidnas.runs.files import CHECKPOINT, CONFIG, RESULT, SELECTION, VERSIONS, require_unused
from vidnas.runs.keeper import Keeper
from vidnas.runs.learnt import check_same
from vidnas.runs.log import RunLog, default_folder, require_writable
from vidnas.runs.settings import stored_config
from vidnas.runs.versions import installed_versions
from vidnas.video.items import VideoIndex
from vidnas.video.processes.shortage import shortage
from vidnas.video.processes.workers import end_if_run_anew

RunConfig = SearchConfig | TrainConfig | CompareConfig
FREE_TO_CHANGE = (
    "threads", "workers", "cache_mb", "checkpoint_minutes", "data", "test_list", "layout", "roots", "columns",
    "scan_limit_sec", "out",
)  # fmt: skip
"""Settings that a resumed run may have otherwise: none enters the numbers, but for threads, of which the log
says so, and the videos are compared."""


def new_folder(verb: str, out: str | None) -> Path:
    """The folder that a run will write: nothing is created yet, but a used one is refused at once."""
    end_if_run_anew()
    folder = Path(out).expanduser() if out else default_folder(verb)
    require_unused(folder)
    require_writable(folder)
    return folder


def begun_folder(config: RunConfig, *, free: Sequence[str] = ()) -> Path:
    """The folder `config.out`, to go on with the run there; UserError names the settings that differ.

    Those in FREE_TO_CHANGE and `free` may; so may the number of epochs where the minutes chose it, which is
    the number chosen at the beginning.
    """
    end_if_run_anew()
    if config.out is None:
        raise UsageError("To resume, name the run folder in `out`.")
    folder = Path(config.out).expanduser()
    begun = stored_config(type(config), folder)
    if begun is None:  # killed before it wrote anything
        return new_folder(verb_of(config), config.out)
    chosen = () if config.minutes is None or begun.minutes is None else ("epochs",)
    changed = [
        f"{name} is {was!r} there and {getattr(config, name)!r} here"
        for name, was in asdict(begun).items()
        if name not in (*FREE_TO_CHANGE, *free, *chosen) and was != getattr(config, name)
    ]
    if changed:
        raise UserError(
            f"The run in {folder} was begun with other settings: {'; '.join(changed)}. Leave settings away "
            "to go on with its own, or begin another run with --out."
        )
    return folder


@contextmanager
def going_on_by(verb: str, folder: Path) -> Iterator[None]:
    """Where a work of several runs is interrupted, say how all of it goes on."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt) as error:
        again = shlex.join(["vidnas", verb, "--resume", str(folder)])
        code = error.exit_code if isinstance(error, Interrupted) else 130
        raise Interrupted(f"Interrupted. To go on: {again}", code) from error


@contextmanager
def open_run(folder: Path, config: SearchConfig | TrainConfig, *, resume: bool) -> Iterator[RunLog]:
    """Begin a run in its folder, or open it to go on, its randomness seeded; says where it is.

    What ends the run early says how to go on.
    """
    again = shlex.join(["vidnas", verb_of(config), "--resume", str(folder)])
    with RunLog(folder, to_json(config), resume=resume) as log:
        log.say(f"Run folder: {folder}")
        if not log.path(VERSIONS).exists():
            log.write(VERSIONS, json.dumps(installed_versions(), indent=2) + "\n")
        torch.manual_seed(config.seed)
        try:
            yield log
        except Interrupted as error:
            _let_loaders_end()
            raise Interrupted(f"Interrupted. To go on: {again}", error.exit_code) from error
        except KeyboardInterrupt as error:
            _let_loaders_end()
            raise Interrupted(f"Stopped at once. To go on from the last checkpoint: {again}") from error
        except UserError as error:
            if isinstance(error.__cause__, OSError):  # a full disk, a drive that went away
                sentence = " ".join(filter(None, (str(error), shortage(error))))
                raise UserError(f"{sentence} When this is mended, go on: {again}") from error
            raise
        except (RuntimeError, OSError, EOFError) as error:
            cause = shortage(error)
            if cause is None and not _comes_from_a_worker(error):
                raise
            _let_loaders_end()
            cause = cause or (
                f"A process that decodes videos died: {error}\nIf the memory ran out, use fewer --workers; "
                "if a video crashes the decoder, `vidnas check` names it."
            )
            raise UserError(f"{cause} To go on: {again}") from error


def _comes_from_a_worker(error: Exception) -> bool:
    """Whether a process that reads videos has died, perhaps while a batch was on its way from it."""
    return isinstance(error, ConnectionError | EOFError) or "DataLoader worker" in str(error)


def _let_loaders_end() -> None:
    """Stop PyTorch from raising, at every signal of a child's end, that a worker died.

    That would break off the ending of its other workers, and this process could wait for them for ever.
    """
    if hasattr(signal, "SIGCHLD") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def is_begun(folder: Path) -> bool:
    """Whether a run in this folder has come to its first checkpoint."""
    return (folder / CHECKPOINT).exists()


def begin_or_go_on(
    keeper: Keeper,
    log: RunLog,
    config: SearchConfig | TrainConfig,
    *,
    index: VideoIndex,
    begin: Callable[[], None],
) -> None:
    """Restore the run's checkpoint; without one, as after an early kill, `begin()`.

    UserError where `index` has other videos than the run, or where it has lost its checkpoint: beginning anew
    would overwrite what else is there.
    """
    if is_begun(log.folder):
        state = load_checkpoint(log.path(CHECKPOINT))
        check_same(log.folder, index)
        keeper.restore(state)
        if keeper.epoch == config.epochs:
            log.say("All its epochs are done already; only what follows them is done again.")
        log.write(CONFIG, to_json(config))  # it may lie elsewhere now, or have other workers
        return
    lost = [name for name in (RESULT, SELECTION) if log.path(name).exists()]
    if lost:
        raise UserError(
            f"The run in {log.folder} has a {lost[0]} but no {CHECKPOINT} any more. Restore that file, or "
            "begin another run with --out."
        )
    log.begin()
    begin()
