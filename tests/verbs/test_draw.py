import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from vidnas.config.json_files import to_json as settings_json
from vidnas.config.learning import SearchConfig, TrainConfig
from vidnas.config.views import DrawConfig
from vidnas.errors import UsageError, UserError
from vidnas.nas.genotype import Genotype, edge_sources, random_genotype, to_json
from vidnas.nas.primitives import PRIMITIVES
from vidnas.verbs.draw import HOLD_SEC, DrawResult, run_draw

NUM_EPOCHS = 3
FPS = 2.0


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished search of three epochs, the second of which was chosen."""
    folder = tmp_path_factory.mktemp("runs") / "a search"
    (folder / "genotypes").mkdir(parents=True)
    (folder / "alphas").mkdir()
    (folder / "config.json").write_text(settings_json(SearchConfig(data="videos", epochs=NUM_EPOCHS)))
    generator = np.random.default_rng(0)
    lines = []
    for epoch in range(1, NUM_EPOCHS + 1):
        alpha = generator.normal(size=(len(edge_sources(4)), len(PRIMITIVES))).tolist()
        edges = [{"node": node, "source": source} for node, source in edge_sources(4)]
        record = {"epoch": epoch, "primitives": [*PRIMITIVES], "edges": edges, "alpha": alpha}
        (folder / f"genotypes/epoch-{epoch:03}.json").write_text(to_json(random_genotype(epoch)))
        (folder / f"alphas/epoch-{epoch:03}.json").write_text(json.dumps(record))
        lines.append(json.dumps({"kind": "search", "epoch": epoch, "val_accuracy": 0.1 * epoch}) + "\n")
    (folder / "metrics.jsonl").write_text("".join(lines))
    (folder / "genotype.json").write_text(to_json(random_genotype(2)))
    (folder / "selection.json").write_text(json.dumps({"epoch": 2}))
    return folder


@pytest.fixture(scope="module")
def animation(search: Path) -> DrawResult:
    """The search as a GIF."""
    return run_draw(DrawConfig(source=str(search), out=str(search.with_name("search.gif")), fps=FPS))


@pytest.fixture
def unfinished(search: Path, tmp_path: Path) -> Path:
    """The search before its last epoch."""
    folder = tmp_path / "unfinished"
    shutil.copytree(search, folder)
    for name in ("genotype.json", "selection.json", "genotypes/epoch-003.json", "alphas/epoch-003.json"):
        (folder / name).unlink()
    return folder


@pytest.fixture
def training(tmp_path: Path) -> Path:
    folder = tmp_path / "training"
    folder.mkdir()
    (folder / "config.json").write_text(settings_json(TrainConfig(data="videos", genotype="random:7")))
    (folder / "genotype.json").write_text(to_json(random_genotype(7)))
    return folder


def edges_in(svg: Path) -> set[str]:
    """The edges that a picture shows, by the ids in it."""
    ids = [element.get("id", "") for element in ET.fromstring(svg.read_bytes()).iter()]
    return {name for name in ids if name.startswith("edge-")}


def edges_of(genotype: Genotype) -> set[str]:
    return {f"edge-{edge.source}-{2 + i}" for i, kept in enumerate(genotype.nodes) for edge in kept}


def test_a_search_is_drawn_as_the_cell_that_it_found(search: Path, tmp_path: Path) -> None:
    out = tmp_path / "cell.svg"
    result = run_draw(DrawConfig(source=str(search), out=str(out), title="Mine <&>"))
    assert edges_in(out) == edges_of(random_genotype(2)) != edges_of(random_genotype(3))
    assert "Mine <&>" in ET.tostring(ET.fromstring(out.read_bytes()), encoding="unicode", method="text")
    assert result.path == out
    assert result.text == f"Drawn: the cell of {search} in {out}."


def test_of_an_unfinished_search_the_newest_cell_is_drawn_and_said_so(unfinished: Path) -> None:
    out = unfinished / "cell.svg"
    text = run_draw(DrawConfig(source=str(unfinished), out=str(out))).text
    assert edges_in(out) == edges_of(random_genotype(2)) != edges_of(random_genotype(1))
    assert "the newest cell of the unfinished search" in text
    assert "epoch-002" in text


@pytest.mark.parametrize("what", ["training", "file", "random"])
def test_a_training_a_file_and_a_random_cell_are_drawn(what: str, training: Path, tmp_path: Path) -> None:
    sources = {"training": str(training), "file": str(training / "genotype.json"), "random": "random:7"}
    out = tmp_path / "cell.svg"
    assert sources[what] in run_draw(DrawConfig(source=sources[what], out=str(out))).text
    assert edges_in(out) == edges_of(random_genotype(7))


@pytest.mark.parametrize(("name", "begins"), [("a.PNG", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.svg", b"<?xml")])
def test_the_suffix_says_which_kind_of_picture(name: str, begins: bytes, tmp_path: Path) -> None:
    run_draw(DrawConfig(source="random:0", out=str(tmp_path / name)))
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_gif_has_a_picture_for_every_epoch_and_holds_the_last(search: Path, animation: DrawResult) -> None:
    durations = []
    with Image.open(animation.path) as gif:
        assert gif.n_frames == NUM_EPOCHS  # type: ignore[attr-defined]
        for number in range(NUM_EPOCHS):
            gif.seek(number)
            durations.append(gif.info["duration"] / 1000)
    assert durations == pytest.approx([0.5, 0.5, 0.5 + HOLD_SEC])
    assert animation.text == f"Drawn: {NUM_EPOCHS} epochs of the search {search} in {animation.path}."
    assert animation.path.stat().st_size < 60_000 * NUM_EPOCHS


def test_an_mp4_shows_the_same_as_the_gif(search: Path, animation: DrawResult, tmp_path: Path) -> None:
    out = tmp_path / "search.mp4"
    run_draw(DrawConfig(source=str(search), out=str(out), fps=FPS))
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None and stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(NUM_EPOCHS / FPS + HOLD_SEC)
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(stream)]
    assert len(frames) == NUM_EPOCHS + FPS * HOLD_SEC
    with Image.open(animation.path) as gif:
        for number, frame in enumerate(frames):
            gif.seek(min(number, NUM_EPOCHS - 1))
            picture = np.asarray(gif.convert("RGB")).astype(int)
            height_px, width_px, _ = picture.shape
            assert np.abs(frame[:height_px, :width_px] - picture).mean() < 3


def test_an_unfinished_search_is_animated_up_to_its_newest_epoch(unfinished: Path) -> None:
    out = unfinished / "search.gif"
    run_draw(DrawConfig(source=str(unfinished), out=str(out)))
    with Image.open(out) as gif:
        assert gif.n_frames == NUM_EPOCHS - 1  # type: ignore[attr-defined]


def test_an_epoch_whose_alpha_cannot_be_read_is_left_out_and_named(unfinished: Path) -> None:
    (unfinished / "alphas/epoch-002.json").write_text("{")
    text = run_draw(DrawConfig(source=str(unfinished), out=str(unfinished / "search.gif"))).text
    assert "1 epoch of" in text
    assert "Careful: epoch-002.json" in text


def test_an_epoch_whose_alpha_is_not_written_yet_is_left_out(unfinished: Path) -> None:
    (unfinished / "alphas/epoch-002.json").unlink()
    text = run_draw(DrawConfig(source=str(unfinished), out=str(unfinished / "search.gif"))).text
    assert "1 epoch of" in text
    assert "Careful" not in text


def test_a_search_before_its_first_epoch_has_nothing_to_draw(unfinished: Path) -> None:
    for folder in ("genotypes", "alphas"):
        shutil.rmtree(unfinished / folder)
    with pytest.raises(UserError, match="has not finished an epoch yet; draw it after the first"):
        run_draw(DrawConfig(source=str(unfinished), out=str(unfinished / "a.gif")))
    with pytest.raises(UserError, match=r"holds no cell: no genotype\.json, .* after its first epoch"):
        run_draw(DrawConfig(source=str(unfinished), out=str(unfinished / "a.png")))


def test_only_a_search_is_animated(training: Path) -> None:
    out = str(training / "a.mp4")
    with pytest.raises(
        UserError, match=r"run folder of a training, whose cell does not change\. An animation"
    ):
        run_draw(DrawConfig(source=str(training), out=out))
    with pytest.raises(
        UserError, match=r"genotype\.json is not a folder\. An animation .* or draw a cell into"
    ):
        run_draw(DrawConfig(source=str(training / "genotype.json"), out=out))
    with pytest.raises(UserError, match="random:0 is not a folder"):
        run_draw(DrawConfig(source="random:0", out=out))
    (training / "config.json").unlink()
    with pytest.raises(UserError, match="is not the run folder of a search or a training"):
        run_draw(DrawConfig(source=str(training), out=out))
    assert not Path(out).exists()


@pytest.mark.parametrize("source", ["nope", "no/such/folder/", "random 7"])
def test_a_source_that_is_none_is_told_what_is_one(source: str, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"does not exist\. Draw a genotype file, the run folder of a search or a"
    ):
        run_draw(DrawConfig(source=source, out=str(tmp_path / "cell.png")))


def test_a_file_that_is_no_genotype_is_named(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").write_bytes(b"\xff\x00\x01")
    with pytest.raises(UserError, match=r"Cannot read the genotype .*holiday\.mp4"):
        run_draw(DrawConfig(source=str(tmp_path / "holiday.mp4"), out=str(tmp_path / "cell.png")))


@pytest.mark.parametrize("name", ["cell.bmp", "cell", "cell.png.txt", "search.avi"])
def test_an_unknown_suffix_is_told_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"a picture ends in \.png, \.svg, \.pdf, an animation .* \.gif or \.mp4"
    ):
        run_draw(DrawConfig(source="random:0", out=str(tmp_path / name)))


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.mp4"])
def test_nothing_is_overwritten(name: str, search: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(UserError, match=r"--out .* exists already\. Name a new file"):
        run_draw(DrawConfig(source=str(search), out=str(tmp_path / name)))
    assert (tmp_path / name).read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.mp4"])
def test_a_missing_folder_is_named(name: str, search: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--out .*gone.* is in a folder that does not exist"):
        run_draw(DrawConfig(source=str(search), out=str(tmp_path / "gone" / name)))


@pytest.mark.full_disk
@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_full_disk_is_named_and_nothing_is_left(name: str, search: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Cannot write .*a\.(gif|mp4): (File too large|No space left)"):
        run_draw(DrawConfig(source=str(search), out=str(tmp_path / name)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fps", [0.05, 51.0])
def test_a_speed_that_an_animation_cannot_have_is_refused(fps: float, search: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"fps is {fps:g}; an animation shows 0\.1 to 50 epochs a second"):
        run_draw(DrawConfig(source=str(search), out=str(tmp_path / "a.gif"), fps=fps))
