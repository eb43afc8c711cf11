"""Writes a figure to a file whose bytes depend on nothing but the figure."""

import warnings
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from vidnas.errors import UserError

FORMATS = (".png", ".svg", ".pdf")
PNG_DPI = 150


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` in the format that the suffix of `path` names; text stays text in an SVG.

    UserError names a suffix that is not allowed, and a path that cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UserError(f"Cannot write the figure {path}: its name must end in {', '.join(FORMATS)}.")
    undated = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[suffix]
    fixed: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "vidnas"}
    try:
        with matplotlib.rc_context(fixed), warnings.catch_warnings():
            # A class name in a script that the font lacks: an SVG still shows it, a PNG shows boxes.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(path, format=suffix[1:], dpi=PNG_DPI, metadata=undated)
    except OSError as error:
        raise UserError(f"Cannot write the figure {path}: {error.strerror or error}.") from error
