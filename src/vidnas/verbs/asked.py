"""What predict, draw, report and a demo to go on with are asked for, checked against the files there are.

The verbs begin with it, and the command line asks it before it imports them (given.py): imports neither
PyTorch nor PyAV nor numpy.
"""

from pathlib import Path

from vidnas.assembly.architecture import ALL_SKIP, RANDOM, read_genotype
from vidnas.atomic import require_new
from vidnas.config.kinds import verb_of
from vidnas.config.limits import refuse_idle
from vidnas.config.views import DEMO_SEARCH, DemoConfig, DrawConfig, PredictConfig, ReportConfig
from vidnas.errors import UsageError, UserError
from vidnas.report.figures.formats import ANIMATIONS, FORMATS
from vidnas.runs.files import GENOTYPE, cell_of, epochs_with_cells
from vidnas.runs.settings import is_run, read_config, runs_in
from vidnas.video.index.names import find_videos

SLOWEST_FPS, FASTEST_FPS = 0.1, 50.0


def videos_to_predict(config: PredictConfig) -> list[Path]:
    """The videos that the names stand for, none with a live source.

    UsageError for settings that contradict each other; UserError for a name that stands for no video, and
    for a file to write that exists or cannot be made.
    """
    if bool(config.videos) == (config.live is not None):
        raise UsageError("Name videos to look at, or a source to watch with --live: one of them, not both.")
    _require_outputs(config)
    if config.live is not None:
        return []
    paths = find_videos(config.videos)
    if config.annotate is not None and len(paths) != 1:
        raise UsageError(f"--annotate labels one video; {len(paths)} are named.")
    return paths


def _require_outputs(config: PredictConfig) -> None:
    wanted = {"json": config.json, "csv": config.csv, "annotate": config.annotate}
    outputs = {f"--{flag}": Path(name).expanduser() for flag, name in wanted.items() if name is not None}
    if config.live is not None and outputs:
        raise UsageError(
            f"{' and '.join(outputs)} cannot be with --live, which prints a line per window: redirect those."
        )
    if config.live is not None and config.details:
        raise UsageError("--details tells more of videos; --live prints a line per window.")
    if len(set(outputs.values())) < len(outputs):
        raise UsageError(f"{' and '.join(outputs)} name the same file.")
    for flag, path in outputs.items():
        if flag == "--annotate" and path.suffix.lower() != ".mp4":
            raise UsageError(f"--annotate {path} must end in .mp4, which is what it writes.")
        require_new(path, flag)


def require_drawable(config: DrawConfig) -> None:
    """UsageError or UserError for a source that is none, or a file to write of no known kind or not new."""
    path = Path(config.out).expanduser()
    suffix = path.suffix.lower()
    if suffix not in (*FORMATS, *ANIMATIONS):
        raise UsageError(
            f"out is {config.out}; a picture ends in {', '.join(FORMATS)}, an animation of a search in "
            f"{' or '.join(ANIMATIONS)}."
        )
    require_new(path, "--out")
    if suffix in FORMATS:
        refuse_idle(config, ["fps"], f"for a picture, as {config.out} is one")
        read_genotype(find_cell(config.source)[0])
        return
    if not SLOWEST_FPS <= config.fps <= FASTEST_FPS:
        raise UsageError(
            f"fps is {config.fps:g}; an animation shows {SLOWEST_FPS:g} to {FASTEST_FPS:g} epochs a second."
        )
    _require_search(config.source)


def find_cell(source: str) -> tuple[str, str]:
    """Where to read a genotype, and what it is in words: of an unfinished search the newest cell."""
    folder = Path(source).expanduser()
    if source.startswith(RANDOM) or source == ALL_SKIP:
        return source, f"the cell {source}"
    if not folder.exists():
        raise UserError(
            f"{source} does not exist. Draw a genotype file, the run folder of a search or a training, a "
            f"random cell, as in random:0, or {ALL_SKIP}."
        )
    if not folder.is_dir() or (folder / GENOTYPE).exists():
        return source, f"the cell of {source}"
    epochs = epochs_with_cells(folder)
    if not epochs:
        raise UserError(
            f"{source} holds no cell: no {GENOTYPE}, as a run folder has it, and no "
            f"{cell_of(1)}, as a search has it after its first epoch. A demo's run folders are "
            "its search/ and train/."
        )
    newest = folder / cell_of(epochs[-1])
    return str(newest), f"the newest cell of the unfinished search {source}, {newest.stem}"


def _require_search(source: str) -> None:
    """UserError where this is not the run folder of a search."""
    wanted = "An animation shows a search over its epochs: name its run folder"
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise UserError(f"{source} is not a folder. {wanted}, or draw a cell into a .png, .svg or .pdf file.")
    if verb_of(read_config(folder)) != "search":
        raise UserError(
            f"{source} is the run folder of a training, whose cell does not change. {wanted}, or draw the "
            "cell into a .png, .svg or .pdf file."
        )


def runs_to_report(config: ReportConfig) -> list[Path]:
    """The run folders that are named, a folder of them standing for all; UserError where one is none."""
    given = [Path(run).expanduser() for run in config.runs]
    folders = list(dict.fromkeys(folder for one in given for folder in _run_folders(one)))
    if config.live and folders != given:
        raise UserError(f"{given[0]} holds several runs; --live shows one: {', '.join(map(str, folders))}.")
    for folder in folders:
        read_config(folder)
    return folders


def _run_folders(folder: Path) -> list[Path]:
    """The folder itself, or the run folders in one that is none."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder. Name the run folder of a search or a training.")
    found = [] if is_run(folder) else runs_in(folder)
    return found or [folder]  # reading it says what it lacks


def begun_demo(config: DemoConfig) -> Path:
    """The folder `config.out`, to go on with the demo there, which may not have come to its search."""
    if config.out is None:
        raise UsageError("To resume, name the demo's folder in `out`.")
    folder = Path(config.out).expanduser()
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / DEMO_SEARCH).is_dir()):
        raise UserError(
            f"There is no demo in {folder} to go on with. A demo's folder holds its {DEMO_SEARCH}/; runs of "
            "other verbs go on by the verb that began them."
        )
    return folder
