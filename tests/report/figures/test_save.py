import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path as File

import numpy as np
import pytest
from matplotlib.image import imread

from vidnas.errors import UserError
from vidnas.report.figures.save import PICTURE_DPI, rasterize, save_figure
from vidnas.report.geometry.shapes import Drawing, Path, Text, line

Saved = Callable[[Drawing, str], bytes]


def plot(text: str = "accuracy") -> Drawing:
    area = Path((*line((20, 150), (20, 60), (150, 30), (250, 90), (250, 150)), ("Z", ())), "square")
    return Drawing("matrix", 270, 180, (area, Text(text, 135, 15)))


def test_a_png_is_an_image_of_the_figures_size(saved: Saved) -> None:
    assert imread(io.BytesIO(saved(plot(), ".png"))).shape == (300, 450, 4)


def test_an_svg_keeps_text_as_text(saved: Saved) -> None:
    root = ET.fromstring(saved(plot(), ".svg"))
    assert "accuracy" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_pdf_is_a_pdf(saved: Saved) -> None:
    assert saved(plot(), ".PDF").startswith(b"%PDF-")


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_the_same_figure_gives_the_same_bytes(saved: Saved, suffix: str) -> None:
    assert saved(plot(), suffix) == saved(plot(), suffix)


def test_a_file_carries_no_date(saved: Saved) -> None:
    assert b"<dc:date>" not in saved(plot(), ".svg")
    assert b"/CreationDate" not in saved(plot(), ".pdf")


def test_a_script_that_the_font_lacks_is_no_reason_to_complain(saved: Saved) -> None:
    assert "太极" in saved(plot("太极"), ".svg").decode()
    assert saved(plot("太极"), ".png")


def test_an_unknown_format_is_named_with_the_allowed_ones() -> None:
    with pytest.raises(UserError, match=r"figure cell\.bmp: its name must end in \.png, \.svg, \.pdf"):
        save_figure(plot(), File("cell.bmp"))


def test_a_folder_that_is_missing_is_named(tmp_path: File) -> None:
    with pytest.raises(UserError, match=r"Cannot write .*gone.cell\.png: No such file"):
        save_figure(plot(), tmp_path / "gone" / "cell.png")


@pytest.mark.full_disk
def test_a_figure_that_the_disk_does_not_take_is_named_and_not_left_cut_off(tmp_path: File) -> None:
    places = np.random.default_rng(0).uniform(0, 400, size=(5000, 2)).tolist()
    figure = Drawing("chart", 400, 400, (Path(line(*map(tuple, places)), "line s0"),))
    with pytest.raises(UserError, match=r"Cannot write .*cell\.png"):
        save_figure(figure, tmp_path / "cell.png")
    assert not list(tmp_path.iterdir())


def test_pixels_are_those_of_the_file(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidnas.report.figures.save.PICTURE_DPI", 150)
    assert PICTURE_DPI == 100
    in_file = imread(io.BytesIO(saved(plot("accuracy, 太极"), ".png")))
    assert rasterize(plot("accuracy, 太极")).tolist() == np.round(255 * in_file[..., :3]).astype(int).tolist()
