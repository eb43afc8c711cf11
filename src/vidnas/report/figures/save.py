"""Makes of a drawing a file, whose bytes depend on nothing but the drawing, or pixels."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vidnas.atomic import write_whole
from vidnas.errors import UserError
from vidnas.report.figures.formats import FORMATS
from vidnas.report.figures.paint import paint
from vidnas.report.geometry.shapes import Drawing

PNG_DPI = 150
PICTURE_DPI = 100


def save_figure(drawing: Drawing | Figure, path: Path) -> None:
    """Write `drawing`, whole or not at all, in the format that the suffix names; text stays text in an SVG.

    UserError names a suffix that is not allowed, and a path that cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UserError(f"Cannot write the figure {path}: its name must end in {', '.join(FORMATS)}.")
    undated = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[suffix]
    fixed: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "vidnas"}
    figure = paint(drawing) if isinstance(drawing, Drawing) else drawing
    file = io.BytesIO()
    with matplotlib.rc_context(fixed), _every_script_allowed():
        figure.savefig(file, format=suffix[1:], dpi=PNG_DPI, metadata=undated)
    write_whole(path, file.getvalue())


def rasterize(drawing: Drawing) -> npt.NDArray[np.uint8]:
    """The drawing as an RGB picture (height, width, 3)."""
    figure = paint(drawing)
    figure.set_dpi(PICTURE_DPI)
    canvas = FigureCanvasAgg(figure)
    with _every_script_allowed():
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


@contextmanager
def _every_script_allowed() -> Iterator[None]:
    """No warning at a name in a script that the font lacks: an SVG still shows it, pixels show boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
