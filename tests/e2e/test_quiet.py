"""The verbs as functions: whoever calls one from Python hears nothing of it, unless they ask."""

import io
import logging
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from little import LITTLE

import vidnas
from vidnas import console
from vidnas.assembly import videos
from vidnas.cli.main import VERBS
from vidnas.config import presets

Call = Callable[[Path], object]


@pytest.fixture
def calls(few_runs: Mapping[str, Path], few_videos: Path, tmp_path: Path) -> dict[str, Call]:
    """Every verb as a function of a folder to write into."""
    trained_run = shutil.copytree(few_runs["train"], tmp_path / "copied")
    data, some = str(few_videos), tuple(map(str, sorted(few_videos.rglob("*.avi"))[:3]))
    genotype, trained = str(few_runs["search"]), str(trained_run)
    make, train = vidnas.search_preset, vidnas.train_preset

    def predict(out: Path) -> object:
        vidnas.run_predict(
            vidnas.PredictConfig(
                run=trained, videos=some[:1], window_sec=0.3, annotate=str(out / "labelled.mp4")
            )
        )
        vidnas.run_predict(vidnas.PredictConfig(run=trained, live=some[0], window_sec=0.3))
        bad = out / "bad.avi"
        bad.write_bytes(b"no video")
        return vidnas.run_predict(vidnas.PredictConfig(run=trained, videos=(*some, str(bad))))

    def compare(out: Path) -> object:
        settings = {**LITTLE, "networks": "random:0,all-skip", "out": str(out / "compared")}
        return vidnas.run_compare(vidnas.compare_preset("demo", data=data, **settings))

    return {
        "check": lambda _: vidnas.run_check(vidnas.CheckConfig(data=data)),
        "pack": lambda out: vidnas.run_pack(vidnas.PackConfig(data=data, out=str(out / "pack"), verify=True)),
        "search": lambda out: vidnas.run_search(make("demo", data=data, out=str(out / "s"), **LITTLE)),
        "train": lambda out: vidnas.run_train(
            train("demo", data=data, genotype=genotype, out=str(out / "t"), **LITTLE)
        ),
        "evaluate": lambda _: vidnas.run_evaluate(vidnas.EvaluateConfig(run=trained, data=data)),
        "compare": compare,
        "predict": predict,
        "draw": lambda out: vidnas.run_draw(vidnas.DrawConfig(source=genotype, out=str(out / "search.gif"))),
        "report": lambda out: vidnas.run_report(
            vidnas.ReportConfig(runs=(genotype, trained), out=str(out / "all.html"))
        ),
        "demo": lambda out: vidnas.run_demo(vidnas.DemoConfig(out=str(out / "demo"), workers=0)),
    }


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where bars would be drawn."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


def small_demo(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """The demo on a few tiny videos."""
    for name in ("SEARCH_PRESETS", "TRAIN_PRESETS"):
        table = {preset: {**values, **LITTLE} for preset, values in getattr(presets, name).items()}
        for values in table.values():
            del values["workers"]
        monkeypatch.setattr(presets, name, table)
    monkeypatch.setattr(videos, "builtin_clips", lambda: data)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_called_prints_nothing_and_draws_no_bar(
    verb: str,
    calls: Mapping[str, Call],
    few_videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    on_a_terminal(monkeypatch)
    small_demo(monkeypatch, few_videos)
    capfd.readouterr()
    calls[verb](tmp_path)
    assert capfd.readouterr() == ("", "")


def test_who_asks_for_it_hears_it_through_logging(
    calls: Mapping[str, Call], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    heard, logger = io.StringIO(), logging.getLogger("vidnas")
    handler = logging.StreamHandler(heard)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        calls["train"](tmp_path)
        calls["predict"](tmp_path)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert (tmp_path / "t" / "log.txt").read_text() in heard.getvalue()
    assert "Windows seen: " in heard.getvalue()
    assert "Cannot be used: " in heard.getvalue()
    assert capfd.readouterr() == ("", "")


def test_the_command_line_shows_all_of_it_and_leaves_no_trace(
    calls: Mapping[str, Call],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    on_a_terminal(monkeypatch)
    with console.printed():
        calls["predict"](tmp_path)
    out, err = capfd.readouterr()
    assert "Written: " in out and "Cannot be used: " in err and "Predicting: " in err
    console.say("more")
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("vidnas").handlers == []


def test_a_per_cent_sign_is_no_format(shown: None, capfd: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    console.say("100 % of %s")
    console.give("50 %d")
    assert capfd.readouterr() == ("50 %d\n", "100 % of %s\n")
