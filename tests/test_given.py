"""Paths of the command line are looked at before anything slow is imported, with the words of the verbs."""

import subprocess
import sys
from pathlib import Path

import pytest

from vidnas import given, presets
from vidnas.dataconfig import CheckConfig
from vidnas.errors import UsageError, UserError

TYPOS = {
    "check --data nope": "--data nope does not exist. Accepted are",
    "check --data clip.mp4": "clip.mp4 is a single video. Accepted are",
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
    "demo --out full": "The run folder full is not empty",
}
SLOW = ("torch", "av", "numpy", "matplotlib")


@pytest.mark.parametrize("command", TYPOS)
def test_a_typo_is_told_before_anything_slow_is_imported(command: str, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    for name in ("full/x", "here.txt", "clip.mp4"):
        (tmp_path / name).write_text("x")
    code = (
        "import sys; from vidnas.cli import main; code = main(sys.argv[1:]); "
        f"print([name for name in {SLOW} if name in sys.modules]); sys.exit(code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1 and TYPOS[command] in run.stderr, run.stderr
    assert run.stdout == "[]\n"


def test_a_typo_is_told_at_once(tmp_path: Path) -> None:
    """Within half a second of this process's own work: a busy machine may make it wait."""
    code = (
        "import time; from vidnas.cli import main; main(['check', '--data', 'x']); print(time.process_time())"
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
