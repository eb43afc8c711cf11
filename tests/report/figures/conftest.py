"""What the tests of the figures share: warnings are errors, and a saved figure as bytes."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from vidnas.report.figures.save import save_figure

Saved = Callable[[Figure, str], bytes]


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Fails a test whose figure makes matplotlib complain."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    """The bytes of a figure saved under a name with this suffix."""

    def save(figure: Figure, suffix: str) -> bytes:
        path = tmp_path / f"figure{suffix}"
        save_figure(figure, path)
        return path.read_bytes()

    return save
