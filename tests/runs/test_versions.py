import platform

import torch

from vidnas.runs.versions import installed_versions


def test_the_versions_are_those_that_run() -> None:
    versions = installed_versions()
    assert list(versions)[:2] == ["python", "vidnas"]
    assert versions["python"] == platform.python_version()
    assert versions["torch"] == torch.__version__
