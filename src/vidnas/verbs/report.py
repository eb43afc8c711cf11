"""The verb `report`: pages about runs, as files or live."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vidnas import console
from vidnas.atomic import write_whole
from vidnas.config.views import ReportConfig
from vidnas.errors import UserError
from vidnas.report.pages.render import GENERATOR, render_overview, render_run
from vidnas.report.pages.serve import HOST, serving
from vidnas.runs.files import PAGE
from vidnas.runs.read import read_run
from vidnas.runs.settings import is_run
from vidnas.verbs.asked import runs_to_report


@dataclass(frozen=True)
class ReportResult:
    """The pages that were written, an overview last; and what to tell."""

    pages: tuple[Path, ...]
    text: str


def run_report(config: ReportConfig) -> ReportResult:
    """Write a page about each run and, of several, an overview; or serve the page of one until Ctrl-C.

    A folder of run folders, such as a demo's, stands for all of them. A page that vidnas wrote earlier is
    replaced. UserError where a folder is no run, or a page would replace any other file.
    """
    folders = runs_to_report(config)
    if config.live:
        return _serve(folders[0], config.port)
    given = [Path(run).expanduser() for run in config.runs]
    runs = [read_run(folder) for folder in folders]
    if len(given) == 1 and is_run(given[0]):
        page = Path(config.out).expanduser() if config.out else given[0] / PAGE
        return _write({page: render_run(runs[0])})
    beside = given[0] if len(given) == 1 else Path()
    overview = Path(config.out).expanduser() if config.out else beside / PAGE
    pages = {run.folder / PAGE: render_run(run) for run in runs}
    for run in runs:
        if overview.resolve() == (run.folder / PAGE).resolve():
            raise UserError(
                f"The overview and the page of {run.folder} would be the same file, {overview}. "
                "Name another for the overview with --out."
            )
    links = [(run, _link(overview, run.folder / PAGE)) for run in runs]
    return _write({**pages, overview: render_overview(links)})


def _link(source: Path, target: Path) -> str:
    """The way from one page to another, as a relative URL."""
    way = os.path.relpath(target.absolute(), source.absolute().parent)
    return quote(os.fsencode(Path(way).as_posix()))


def _write(pages: dict[Path, str]) -> ReportResult:
    """Write all pages, or none where one must not be."""
    for path in pages:
        _require_replaceable(path)
    for path, page in pages.items():
        write_whole(path, page.encode())
    return ReportResult(tuple(pages), "\n".join(f"Written: {path}" for path in pages))


def _require_replaceable(path: Path) -> None:
    """UserError where something lies there that is not a page of vidnas's."""
    if not path.exists() and not path.is_symlink():
        return
    start = b""
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(400)
    if f'content="{GENERATOR}'.encode() not in start:
        raise UserError(
            f"{path} exists and is not a page that vidnas made, so it is not replaced. Name another file "
            "with --out."
        )


def _serve(folder: Path, port: int) -> ReportResult:
    with serving(folder, port) as server:
        console.give(f"Live: http://{HOST}:{server.server_port}/   Ctrl-C ends it.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return ReportResult((), "")
    raise AssertionError("a server ends by Ctrl-C only")
