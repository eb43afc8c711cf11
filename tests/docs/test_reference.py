"""The API reference: every public name is there, with what its docstring says."""

import html
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vidnas
from vidnas.cli.main import VERBS


@pytest.fixture(scope="module")
def reference(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages that `make docs` writes; a warning of pdoc is an error."""
    folder = tmp_path_factory.mktemp("reference")
    script = [sys.executable, "-W", "error", str(repository / "docs" / "reference.py"), str(folder)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warn" not in done.stdout + done.stderr
    return folder


def section(page: str, name: str) -> str:
    """The text about a public name, or about a field `Class.field`, each white space as one space."""
    match = re.search(rf'<(section|div) id="{re.escape(name)}".*?(?=<section|</section)', page, re.DOTALL)
    assert match is not None, f"{name} is not there"
    without_source = re.sub(r'<div class="pdoc-code.*?</pre></div>', "", match[0], flags=re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]+>", "", without_source)).split())


@pytest.mark.slow
@pytest.mark.parametrize("name", vidnas.__all__)
def test_a_public_name_stands_there_with_its_docstring(name: str, reference: Path) -> None:
    docstring = inspect.getdoc(getattr(vidnas, name))
    assert docstring
    assert not docstring.startswith(f"{name}(")  # what a dataclass without one gets
    said = section((reference / "vidnas.html").read_text(encoding="utf-8"), name)
    first = re.sub(r"[`*]", "", docstring.partition("\n\n")[0])
    assert " ".join(first.split()) in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_public_with_its_settings_and_its_result(verb: str) -> None:
    assert {f"run_{verb}", f"{verb.capitalize()}Config", f"{verb.capitalize()}Result"} <= set(vidnas.__all__)


@pytest.mark.slow
def test_the_settings_stand_there_with_their_texts(reference: Path) -> None:
    page = (reference / "vidnas.html").read_text(encoding="utf-8")
    assert "Write the predictions to this new CSV file." in section(page, "PredictConfig.csv")
    page = (reference / "vidnas" / "config" / "parts.html").read_text(encoding="utf-8")
    assert "Save the state at least this often" in section(page, "Work.checkpoint_minutes")
