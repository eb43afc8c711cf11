"""The verb `report`: which files it writes, and which it does not."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from vidnas.config.views import ReportConfig
from vidnas.errors import UsageError, UserError
from vidnas.verbs.report import ReportResult, run_report

MakeRun = Callable[..., Path]


def report(*runs: Path, **more: Any) -> ReportResult:
    return run_report(ReportConfig(runs=tuple(map(str, runs)), **more))


def links(page: Path, parsed: Callable[[str], Any]) -> list[Path]:
    """The files that a page links to."""
    found = [link["href"] for link in parsed(page.read_text()).all("a")]
    return [page.parent / os.fsdecode(unquote_to_bytes(link)) for link in found]


def test_the_page_of_a_run_lies_in_its_folder(make_training: MakeRun) -> None:
    run = make_training()
    result = report(run)
    assert result.pages == (run / "report.html",)
    assert str(run / "report.html") in result.text
    assert "90.0" in (run / "report.html").read_text()


def test_a_page_of_vidnas_is_replaced_and_no_other_file(make_training: MakeRun, tmp_path: Path) -> None:
    run = make_training()
    report(run)
    (run / "result.json").unlink()
    report(run)
    assert "Not finished" in (run / "report.html").read_text()
    for path in (run / "report.html", tmp_path / "mine.html"):
        path.write_text("<!doctype html><title>my notes on vidnas report</title>")
        with pytest.raises(UserError, match="--out") as error:
            report(run, out=str(path))
        assert str(path) in str(error.value)
        assert "my notes" in path.read_text()


def test_nothing_is_written_where_one_page_must_not_be(make_training: MakeRun, tmp_path: Path) -> None:
    first, second = make_training("first", parent=tmp_path), make_training("second", parent=tmp_path)
    (second / "report.html").write_text("mine")
    with pytest.raises(UserError, match=r"second/report\.html"):
        report(first, second, out=str(tmp_path / "all.html"))
    assert not (first / "report.html").exists()
    assert not (tmp_path / "all.html").exists()


def test_out_may_not_be_a_folder(make_training: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--out"):
        report(make_training(), out=str(tmp_path))


@pytest.mark.parametrize("name", ["a b", "100%", "what?#!", "häng", "'\"&<", "a\\b", os.fsdecode(b"\xff")])
def test_an_overview_links_to_the_page_of_every_run(
    make_training: MakeRun, make_search: MakeRun, parsed: Callable[[str], Any], tmp_path: Path, name: str
) -> None:
    for folder in ("deep", "pages"):
        (tmp_path / folder).mkdir()
    runs = [make_training(name, parent=tmp_path / "deep"), make_search(parent=tmp_path)]
    overview = tmp_path / "pages" / "all.html"
    result = report(*runs, runs[0], out=str(overview))
    assert result.pages == (*(run / "report.html" for run in runs), overview)
    assert [path.resolve() for path in links(overview, parsed)] == [run / "report.html" for run in runs]


def test_the_overview_lies_in_the_current_folder_by_default(
    make_training: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parsed: Callable[[str], Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        make_training(name, parent=tmp_path)
    assert report(Path("one"), Path("two")).pages[-1] == Path("report.html")
    assert links(tmp_path / "report.html", parsed) == [
        tmp_path / "one/report.html",
        tmp_path / "two/report.html",
    ]


def test_a_folder_of_runs_stands_for_all_of_them(
    make_training: MakeRun, make_search: MakeRun, parsed: Callable[[str], Any], tmp_path: Path
) -> None:
    """A demo's: search/, train/ and single-frame/."""
    make_search("search", parent=tmp_path)
    make_training("train", parent=tmp_path)
    make_training("single-frame", parent=tmp_path, single_frame=True, input="rgb")
    (tmp_path / "notes").mkdir()
    report(tmp_path)
    expected = [tmp_path / name / "report.html" for name in ("search", "single-frame", "train")]
    assert links(tmp_path / "report.html", parsed) == expected
    assert all(path.exists() for path in expected)
    with pytest.raises(UserError, match="holds several runs"):
        report(tmp_path, live=True)


def test_an_overview_may_not_be_the_page_of_a_run(
    make_training: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = [make_training(name, parent=tmp_path) for name in ("one", "two")]
    monkeypatch.chdir(runs[0])
    with pytest.raises(UserError, match="would be the same file"):
        report(*runs)
    assert not (runs[1] / "report.html").exists()


@pytest.mark.parametrize("live", [False, True])
def test_what_is_no_run_is_refused(tmp_path: Path, live: bool) -> None:
    with pytest.raises(UserError, match="not the run folder"):
        report(tmp_path, live=live)
    with pytest.raises(UserError, match="missing"):
        report(tmp_path / "missing", live=live)
    assert list(tmp_path.iterdir()) == []


def test_live_is_for_one_run(make_training: MakeRun) -> None:
    with pytest.raises(UsageError, match="without --live"):
        report(make_training(), make_training(), live=True)


def test_a_folder_that_cannot_be_written_is_named(make_training: MakeRun, tmp_path: Path) -> None:
    run = make_training()
    shutil.copytree(run, tmp_path / "copy")
    with pytest.raises(UserError, match=r"Cannot write .*missing"):
        report(tmp_path / "copy", out=str(tmp_path / "missing" / "page.html"))
