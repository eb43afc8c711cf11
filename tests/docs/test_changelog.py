"""One version: in pyproject.toml, in CITATION.cff, and at the top of CHANGELOG.md."""

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_the_version_is_the_one_that_the_changelog_begins_with() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    first = re.search(r"^## (\S+)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    cited = re.search(r"^version: (\S+)$", (REPOSITORY / "CITATION.cff").read_text(), re.MULTILINE)
    assert first is not None
    assert cited is not None
    assert first[1] == cited[1] == version
