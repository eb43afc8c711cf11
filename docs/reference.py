"""Writes the API reference, from the docstrings, as pages into a folder: python docs/reference.py FOLDER."""

import sys
from pathlib import Path

import pdoc
import pdoc.render

import vidnas

MODULES = (
    "vidnas",
    "vidnas.config.parts",
    "vidnas.config.learning",
    "vidnas.config.views",
    "vidnas.training.predictions",
    "vidnas.training.profile",
    "vidnas.training.scores",
    "vidnas.nas.ops",
    "vidnas.shapes",
    "vidnas.video.clips.read",
    "vidnas.video.stores.decode",
    "vidnas.video.clips.sampling",
    "vidnas.video.clips.transforms",
)
"""The public names, and the modules that their signatures and the user guide lead to."""


def write_reference(folder: Path) -> None:
    """Write a page per module and a search over all of them."""
    for name in vidnas.__all__:
        # pdoc looks for names in the module itself, where these are imported only when they are used
        setattr(vidnas, name, getattr(vidnas, name))
    pdoc.render.configure(docformat="google", search=True)
    pdoc.pdoc(*MODULES, output_directory=folder)


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
