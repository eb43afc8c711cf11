"""What a person gave, looked at before anything slow is imported: a typo in a path, a setting without effect.

What is wrong is said by the functions that the verbs ask, too. Imports neither PyTorch nor PyAV nor numpy.
"""

from collections.abc import Sequence
from pathlib import Path

from vidnas.assembly.architecture import BEST_OF, genotype_source, read_architecture, read_genotype
from vidnas.atomic import require_new
from vidnas.cli import flags
from vidnas.config.data import CheckConfig
from vidnas.config.learning import CompareConfig, EvaluateConfig, TrainConfig, refuse_cells
from vidnas.config.limits import names
from vidnas.config.parts import BUILTIN, Data, Work
from vidnas.config.views import DemoConfig, DrawConfig, PredictConfig, ReportConfig
from vidnas.runs.files import require_unused
from vidnas.runs.settings import read_train_config
from vidnas.verbs.asked import begun_demo, require_drawable, runs_to_report, videos_to_predict
from vidnas.video.index.sources import is_address, require_there
from vidnas.video.index.tables import parse_columns


def look(config: object, arguments: Sequence[str] = (), *, resume: bool = False) -> None:
    """UserError or UsageError for a path of these settings that is not there, or is there and must not be.

    What is on another machine, or made where it is missing, is left to the verb; so is a run to go on with.
    UsageError, too, for one of the `arguments` that does nothing for the chosen network.
    """
    if isinstance(config, TrainConfig | CompareConfig):
        refuse_cells(config, flags.given_in(arguments))
    if isinstance(config, TrainConfig) and not resume:
        if config.init is not None:
            refuse_cells(read_train_config(Path(config.init).expanduser()), flags.given_in(arguments))
        elif config.network is None:
            read_genotype(genotype_source(config))
    if isinstance(config, CompareConfig) and not resume:
        for name in names(config, "networks"):
            if not name.startswith(BEST_OF):
                read_architecture(name)
    if isinstance(config, EvaluateConfig | PredictConfig):
        read_train_config(Path(config.run).expanduser())
    if isinstance(config, Data):
        _require_videos(config)
    if isinstance(config, CheckConfig) and config.write_csv is not None:
        require_new(Path(config.write_csv).expanduser(), "--write-csv")
    if isinstance(config, Work | DemoConfig) and config.out is not None and not resume:
        require_unused(Path(config.out).expanduser())
    _look_at_views(config, resume=resume)


def _look_at_views(config: object, *, resume: bool) -> None:
    """As `look`, for the verbs that show something."""
    if isinstance(config, PredictConfig):
        videos_to_predict(config)
    if isinstance(config, DrawConfig):
        require_drawable(config)
    if isinstance(config, ReportConfig):
        runs_to_report(config)
    if isinstance(config, DemoConfig) and resume:
        begun_demo(config)


def _require_videos(config: Data) -> None:
    if config.columns is not None:
        parse_columns(config.columns)
    roots = [_local(root) for root in (config.roots or "").split(",") if root]
    require_there(_local(config.data), _local(config.test_list), [root for root in roots if root is not None])


def _local(name: str | None) -> Path | None:
    """The path on this machine; None for another one's, for nothing, for what is made where missing."""
    return None if not name or name == BUILTIN or is_address(name) else Path(name).expanduser()
