"""Another version of a package is named where it may be the cause of an error."""

import importlib.metadata
from pathlib import Path
from typing import Any

import av
import pytest
from packaging.requirements import Requirement

from vidnas.cli import dependencies
from vidnas.cli.dependencies import pointed_at
from vidnas.cli.main import main


def call_of_an_argument_that_is_gone() -> None:
    no_such_argument: dict[str, Any] = {"gone": 1}
    av.open(
        "clip.mp4",
        **no_such_argument,
    )


def error_of_a_package() -> Exception:
    with pytest.raises(TypeError) as caught:
        call_of_an_argument_that_is_gone()
    return caught.value


def test_every_dependency_has_a_lower_and_an_upper_bound_and_the_installed_one_lies_between() -> None:
    found = dependencies.dependencies()
    assert {"av", "torch", "numpy", "pillow", "jinja2"} <= set(found)
    assert not any("s3fs" in name for name in found)  # of an extra
    for one in found.values():
        assert ">=" in one.tested, one
        assert "<" in one.tested.replace(">=", ""), one
        assert one.fits, one


def test_the_package_that_the_failing_line_calls_is_named() -> None:
    (named,) = pointed_at(error_of_a_package())
    assert (named.name, named.found) == ("av", av.__version__)


def test_an_error_of_our_own_names_no_package() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        print(1 / len(()))
    assert pointed_at(caught.value) == []


def test_an_untested_version_is_told_in_place_of_a_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    range_of_av = next(
        str(one.specifier)
        for one in map(Requirement, importlib.metadata.requires("vidnas") or ())
        if one.name == "av"
    )
    real = importlib.metadata.version
    monkeypatch.setattr(dependencies, "version", lambda name: "99.1" if name == "av" else real(name))
    monkeypatch.setattr("vidnas.verbs.check.run_check", lambda _config: call_of_an_argument_that_is_gone())
    assert main(["check", "--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "'gone'. av 99.1 is installed, which vidnas is not tested with" in told
    assert f"pip install 'av{range_of_av}'" in told
    assert "must not happen" not in told


def test_with_tested_versions_the_error_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("vidnas.verbs.check.run_check", lambda _config: call_of_an_argument_that_is_gone())
    assert main(["check", "--data", str(tmp_path)]) == 1
    assert f"must not happen (with av {av.__version__}): TypeError" in capsys.readouterr().err
