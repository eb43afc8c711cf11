"""What the tests of pictures share: warnings are errors, and a saved drawing as bytes."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vidnas.report.figures.save import save_figure
from vidnas.report.geometry.shapes import Drawing

Saved = Callable[[Drawing, str], bytes]


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Fails a test whose picture makes matplotlib complain."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    """The bytes of a drawing saved under a name with this suffix."""

    def save(drawing: Drawing, suffix: str) -> bytes:
        path = tmp_path / f"figure{suffix}"
        save_figure(drawing, path)
        return path.read_bytes()

    return save
