"""Paths of the command line are looked at before anything slow is imported, with the words of the verbs."""

import subprocess
import sys
from pathlib import Path

import pytest

from vidnas.cli import given
from vidnas.config import presets
from vidnas.config.data import CheckConfig
from vidnas.config.json_files import to_json
from vidnas.errors import UsageError, UserError

TYPOS = {
    "check --data nope": "--data nope does not exist. Name a folder with a folder of videos per class, or",
    "check --data clip.mp4": "clip.mp4 is a single video. Name a folder with",
    "check --data . --write-csv here.txt": "--write-csv here.txt exists already",
    "pack --data nope --out pack": "--data nope does not exist",
    "search --data . --roots nope": "--roots nope is no folder",
    "search --data here.txt --test-list nope": "The list file nope does not exist",
    "search --resume nope": "There is no run in nope to go on with",
    "search --data . --out full": "The run folder full is not empty",
    "train --data . --genotype nope.json": "There is no file or folder nope.json. A cell is given as",
    "train --data . --init nope": "nope is not the run folder of a training",
    "train --data . --genotype random:0 --out here.txt": "The run folder here.txt is a file",
    "compare --data . --networks random:0,runs/nope": "There is no file or folder runs/nope",
    "compare --data nope --networks random:0,best-of:3": "--data nope does not exist",
    "evaluate --run nope --data .": "nope is not the run folder of a training",
    "predict --run nope x.mp4": "nope is not the run folder of a training",
    "predict --run run nope.mp4": "nope.mp4 does not exist. Give video files",
    "predict --run run full": "The folder full holds no video",
    "predict --run run *.avi": "The pattern *.avi matches no video",
    "predict --run run clip.mp4 --json here.txt": "--json here.txt exists already",
    "predict --run run clip.mp4 --csv nodir/x.csv": "nodir/x.csv is in a folder that does not exist",
    "predict --run run clip.mp4 --annotate nodir/x.mp4": "nodir/x.mp4 is in a folder that does not exist",
    "draw nope": "nope does not exist. Draw a genotype file",
    "draw full": "full holds no cell",
    "draw here.txt": "here.txt is not JSON",
    "draw random:0 --out here.png": "--out here.png exists already",
    "draw nope --out x.gif": "nope is not a folder. An animation shows a search",
    "draw run --out x.gif": "run is the run folder of a training, whose cell does not change",
    "report nope": "nope is not a folder. Name the run folder",
    "report run nope": "nope is not a folder. Name the run folder",
    "report full": "full is not the run folder of a search or a training",
    "report full --live": "full is not the run folder of a search or a training",
    "demo --out full": "The run folder full is not empty",
    "demo --resume nope": "There is no demo in nope to go on with",
    "demo --resume full": "There is no demo in full to go on with",
}
CONTRADICTIONS = {
    "predict --run run": "Name videos to look at, or a source to watch with --live",
    "predict --run run clip.mp4 --live -": "one of them, not both",
    "predict --run run clip.mp4 --annotate x.avi": "--annotate x.avi must end in .mp4",
    "predict --run run clip.mp4 here.txt --annotate x.mp4": "--annotate labels one video; 2 are named",
    "predict --run run clip.mp4 --csv x --json x": "name the same file",
    "draw random:0 --out cell.bmp": "out is cell.bmp; a picture ends in .png, .svg, .pdf",
    "draw run --out x.gif --fps 99": "fps is 99; an animation shows",
}
SLOW = ("torch", "av", "numpy", "matplotlib")


@pytest.mark.parametrize("command", TYPOS | CONTRADICTIONS)
def test_a_typo_is_told_before_anything_slow_is_imported(command: str, tmp_path: Path) -> None:
    for name in ("full", "run"):
        (tmp_path / name).mkdir()
    for name in ("full/x", "here.txt", "here.png", "clip.mp4"):
        (tmp_path / name).write_text("x")
    config = presets.train_preset("demo", data="builtin", genotype="random:0")
    (tmp_path / "run" / "config.json").write_text(to_json(config))
    code = (
        "import sys; from vidnas.cli.main import main; code = main(sys.argv[1:]); "
        f"print([name for name in {SLOW} if name in sys.modules]); sys.exit(code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (TYPOS | CONTRADICTIONS)[command] in run.stderr, run.stderr
    assert run.returncode == (1 if command in TYPOS else 2)
    assert run.stdout == "[]\n"


def test_a_typo_is_told_at_once(tmp_path: Path) -> None:
    """Within half a second of this process's own work: a busy machine may make it wait."""
    code = (
        "import time; from vidnas.cli.main import main; main(['check', '--data', 'x']); "
        "print(time.process_time())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert float(run.stdout) < 0.5


def test_what_is_elsewhere_or_made_is_left_to_the_verb() -> None:
    for data in ("builtin", "s3://bucket/videos"):
        given.look(CheckConfig(data=data))


def test_a_run_to_go_on_with_is_left_to_the_verb(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    config = presets.train_preset("demo", data="builtin", genotype="gone.json", out=str(tmp_path))
    given.look(config, resume=True)
    with pytest.raises(UserError, match=r"no file or folder gone\.json"):
        given.look(config)


def test_columns_are_looked_at_too() -> None:
    with pytest.raises(UsageError, match="--columns 'x' must name every column"):
        given.look(CheckConfig(data="builtin", columns="x"))
