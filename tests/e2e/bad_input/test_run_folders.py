"""Run folders that are none, of another kind, or damaged, for everything that reads one."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pairs import in_pairs

Refused = Callable[..., str]
OnRun = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]

OF_TRAINING = ("evaluate", "predict", "init")
ALL = (*OF_TRAINING, "report", "draw", "animate", "genotype", "resume", "resume search")
LOADING = pytest.mark.parametrize("use", OF_TRAINING)
USES = pytest.mark.parametrize("use", ALL)


@USES
@pytest.mark.parametrize("kind", ["missing", "a file", "empty", "text files", "videos"])
def test_a_folder_that_is_no_run(
    use: str, kind: str, refused: Refused, on_run: OnRun, tmp_path: Path, few_videos: Path
) -> None:
    folder = few_videos if kind == "videos" else tmp_path / "folder"
    if kind == "a file":
        folder.write_text("no folder")
    elif kind == "empty":
        folder.mkdir()
    elif kind == "text files":
        folder.mkdir()
        (folder / "notes.txt").write_text("no run")
    refused(*on_run(use, folder), names=(folder,))


@LOADING
def test_a_search_where_a_training_is_meant(
    use: str, refused: Refused, on_run: OnRun, few_runs: Mapping[str, Path]
) -> None:
    names = (f"{few_runs['search']} is the run folder of a search", "vidnas train --genotype")
    refused(*on_run(use, few_runs["search"]), names=names)


@pytest.mark.parametrize(
    ("use", "kind", "named"),
    [
        ("resume", "search", "is the run folder of a search"),
        ("resume search", "train", "is the run folder of a training"),
        ("animate", "train", "is the run folder of a training"),
    ],
)
def test_a_run_of_the_other_verb(
    use: str, kind: str, named: str, refused: Refused, on_run: OnRun, few_runs: Mapping[str, Path]
) -> None:
    refused(*on_run(use, few_runs[kind]), names=(f"{few_runs[kind]} {named}",))


SETTINGS: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda _: "", "is not JSON"),
    "cut short": (lambda text: text[:200], "is not JSON"),
    "text": (lambda _: "epochs = 3", "is not JSON"),
    "a list": (lambda _: "[]", ""),
    "nested without end": (lambda _: "[" * 100_000, "is not JSON"),
    "an unknown setting": (lambda text: text.replace('"epochs"', '"epoch"'), "Did you mean 'epochs'?"),
    "a setting missing": (lambda text: text.replace('"data"', '"flip"', 1), "lacks data"),
    "a value out of range": (lambda text: text.replace('"epochs": 1', '"epochs": 0'), "epochs is 0"),
    "a number that is none": (lambda text: text.replace('"lr": 0.005', '"lr": NaN'), "lr is nan"),
    "infinity": (lambda text: text.replace('"lr": 0.005', '"lr": 1e999'), "lr is inf"),
}


@in_pairs(["report", *OF_TRAINING, "resume"], SETTINGS)
def test_a_damaged_config(use: str, damage: str, refused: Refused, on_run: OnRun, a_run: Path) -> None:
    spoil, named = SETTINGS[damage]
    text = (a_run / "config.json").read_text()
    assert spoil(text) != text
    (a_run / "config.json").write_text(spoil(text))
    in_other_words = use == "report" and named == "is not JSON"
    refused(*on_run(use, a_run), names=("config.json", "" if in_other_words else named))


@pytest.mark.parametrize("use", [*OF_TRAINING, "report", "resume"])
def test_a_config_that_is_not_text(use: str, refused: Refused, on_run: OnRun, a_run: Path) -> None:
    (a_run / "config.json").write_bytes(bytes(range(256)))
    refused(*on_run(use, a_run), names=("config.json",))


TYPES = {
    '"epochs": 1': ['"epochs": "1"', "epochs is '1'; it must be a whole number"],
    '"batch_size": 4': ['"batch_size": 4.0', "batch_size is 4.0; it must be a whole number"],
    '"size_px": 16': ['"size_px": [16]', "size_px is [16]; it must be a whole number"],
    '"segments": 2': ['"segments": null', "segments is None; it must be a whole number"],
    '"device": "auto"': ['"device": "tpu"', "device is 'tpu'; allowed are auto, cpu, cuda, mps"],
    '"flip": false': ['"flip": "no"', "flip is 'no'; allowed are True and False"],
    '"lr": 0.005': ['"lr": "0.005"', "lr is '0.005'; it must be greater than 0"],
    '"weight_decay": 0.05': ['"weight_decay": {}', "weight_decay is {}; it must be at least 0"],
    '"label_smoothing": 0.0': ['"label_smoothing": "a"', "label_smoothing"],
    '"accumulate": 1': ['"accumulate": "1"', "accumulate"],
    '"data": "': ['"data": 7, "on_bad": "', "data is 7; it must be text"],
    '"genotype": "random:1"': ['"genotype": ["random:1"]', "genotype is ['random:1']; it must be text"],
    '"group_regex": null': ['"group_regex": false', "group_regex is False; it must be text"],
}
IN_A_FRESH_PYTHON = """
import sys
from vidnas.cli.main import main
for folder in sys.argv[1:]:
    print(main(["report", folder]), flush=True)
"""


def test_settings_of_other_types(few_runs: Mapping[str, Path], tmp_path: Path) -> None:
    """As it is without the tests' own check of every type, which would come before."""
    good = (few_runs["train"] / "config.json").read_text()
    for number, (was, (now, _)) in enumerate(TYPES.items()):
        assert was in good
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "config.json").write_text(good.replace(was, now))
    command = [sys.executable, "-c", IN_A_FRESH_PYTHON, *map(str, range(len(TYPES)))]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["1"] * len(TYPES)
    sentences = ended.stderr.splitlines()
    assert len(sentences) == len(TYPES), ended.stderr
    for number, (sentence, (_, named)) in enumerate(zip(sentences, TYPES.values(), strict=True)):
        assert sentence.startswith(f"vidnas: {number}/config.json: ")
        assert named in sentence


CLASSES = {
    "missing": None,
    "empty": "",
    "cut short": '["Grow", "Shr',
    "names by number": '{"0": "Grow", "1": "Shrink"}',
    "numbers": "[0, 1]",
    "nested without end": "[" * 100_000,
    "one too few": '["Grow"]',
    "one too many": '["Grow", "Hop", "Shrink"]',
    "none": "[]",
    "a name twice": '["Grow", "Grow"]',
}


@in_pairs(OF_TRAINING, CLASSES)
def test_damaged_classes(use: str, damage: str, refused: Refused, on_run: OnRun, a_run: Path) -> None:
    content = CLASSES[damage]
    if content is None:
        (a_run / "classes.json").unlink()
    else:
        (a_run / "classes.json").write_text(content)
    refused(*on_run(use, a_run), names=(a_run,))


SEEN = {
    "missing": None,
    "empty": "",
    "a list": "[]",
    "no training videos": "{}",
    "no pairs": '{"train": ["a"]}',
    "no sizes": '{"train": [["a", "b"]]}',
    "nested without end": "[" * 100_000,
}


@in_pairs(["evaluate", "init", "predict", "genotype"], SEEN)
def test_damaged_records_of_what_was_seen(
    use: str, damage: str, refused: Refused, on_run: OnRun, a_run: Path
) -> None:
    content = SEEN[damage]
    if content is None:
        (a_run / "videos.json").unlink()
    else:
        (a_run / "videos.json").write_text(content)
    refused(*on_run(use, a_run), names=(a_run / "videos.json", "which videos the run has learnt from"))


@LOADING
def test_a_damaged_genotype_in_a_run(use: str, refused: Refused, on_run: OnRun, a_run: Path) -> None:
    for content in ("", "{}"):
        (a_run / "genotype.json").write_text(content)
        refused(*on_run(use, a_run), names=(a_run / "genotype.json",))


@LOADING
@pytest.mark.parametrize("name", ["num_cells", "first_channels"])
def test_settings_that_the_weights_do_not_fit(
    use: str, name: str, refused: Refused, on_run: OnRun, a_run: Path
) -> None:
    settings: dict[str, Any] = json.loads((a_run / "config.json").read_text())
    (a_run / "config.json").write_text(json.dumps(settings | {name: 3}))
    refused(*on_run(use, a_run), names=(a_run,))


@LOADING
def test_another_genotype_than_the_weights_are_of(
    use: str, refused: Refused, on_run: OnRun, a_run: Path, few_runs: Mapping[str, Path]
) -> None:
    shutil.copy(few_runs["search"] / "genotype.json", a_run / "genotype.json")
    refused(*on_run(use, a_run), names=(a_run / "checkpoint.pt", "does not fit"))


@LOADING
def test_a_training_that_was_stopped_before_its_first_checkpoint(
    use: str, refused: Refused, on_run: OnRun, a_run: Path
) -> None:
    (a_run / "checkpoint.pt").unlink()
    refused(*on_run(use, a_run), names=(a_run / "checkpoint.pt",))


@pytest.mark.parametrize(
    "name", ["metrics.jsonl", "result.json", "genotype.json", "classes.json", "log.txt", "videos.json"]
)
def test_the_report_of_a_damaged_run_has_gaps(name: str, vidnas: Vidnas, a_run: Path) -> None:
    """It is what one looks at to see what went wrong."""
    for number, content in enumerate(
        (b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"kind": 3}\n')
    ):
        (a_run / name).write_bytes(content)
        code, _, err = vidnas("report", a_run, "--out", f"{number}.html")
        assert code == 0, (content[:10], err)
    (a_run / name).unlink()
    assert vidnas("report", a_run, "--out", "gone.html")[0] == 0


def test_evaluate_on_data_of_other_classes(
    refused: Refused, videos: Path, few_runs: Mapping[str, Path]
) -> None:
    for path in videos.rglob("*.avi"):
        path.write_bytes(path.read_bytes() + b" ")
    (videos / "Grow").rename(videos / "Hop")
    command = ("evaluate", "--run", few_runs["train"], "--data", videos)
    refused(*command, names=("classes that", "was not trained on: Hop", "It knows Grow, Shrink"))


def test_init_from_a_run_of_another_shape(
    refused: Refused, on_run: OnRun, few_runs: Mapping[str, Path]
) -> None:
    more = ("--num-cells", 3)
    refused(*on_run("init", few_runs["train"]), *more, names=("--num-cells 1, or no --init",))
