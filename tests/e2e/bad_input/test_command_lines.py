"""Command lines that are wrong, bugs, and Ctrl-C: exit codes and what is said."""

import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]

BOXED: dict[str, tuple[str, ...]] = {
    "search": ("Missing from vidnas search", "--data FOLDER|FILE"),
    "search --data": ("Missing value for argument '--data'",),
    "search --data x --epcohs 3": ("Unrecognized options: --epcohs", "Perhaps you meant", "--epochs"),
    "search --data x --bogus": ("Unrecognized options: --bogus", "vidnas search --help"),
    "search --data x y": ("Unrecognized options: y",),
    "search --data x --order 3": ("'3' for argument '--order'", "('1', '2')"),
    "search --data x --on-bad ignore": ("'ignore' for argument '--on-bad'", "('raise', 'skip')"),
    "search --data x --preset huge": ("'huge' for argument '--preset'", "'paper', 'fast', 'cpu', 'demo'"),
    "search --data x --epochs many": ("Error parsing --epochs", "'many'"),
    "search --data x --epochs 1.5": ("Error parsing --epochs", "'1.5'"),
    "search --data x --epochs": ("Missing value for argument '--epochs'",),
    "search --data x --lr fast": ("Error parsing --lr", "'fast'"),
    "search --data x --flip maybe": ("Unrecognized options: maybe",),
    "search --data x --device tpu": ("'tpu' for argument '--device'", "'auto', 'cpu', 'cuda', 'mps'"),
    "train --genotype random:0": ("Missing from vidnas train", "--data FOLDER|FILE"),
    "train --resume": ("Missing value for argument '--resume'",),
    "train --data x --optimizer adam": ("'adam' for argument '--optimizer'", "'sgd', 'adamw'"),
    "evaluate --run x": ("Missing from vidnas evaluate", "--data FOLDER|FILE"),
    "evaluate --data x": ("Missing from vidnas evaluate", "--run FOLDER"),
    "evaluate --run x --data y --protocol best": ("'best' for argument '--protocol'", "'paper', 'multi'"),
    "predict x.mp4": ("Missing from vidnas predict", "--run FOLDER"),
    "predict --run x y --top few": ("Error parsing --top",),
    "draw": ("Missing from vidnas draw", "A genotype file, a run folder, random:SEED or all-skip"),
    "draw random:0 random:1": ("Unrecognized options: random:1",),
    "check": ("Missing from vidnas check", "--data FOLDER|FILE"),
    "pack --data x": ("Missing from vidnas pack", "--out FOLDER"),
    "pack --data x --out y --on-bad mend": ("'mend' for argument '--on-bad'", "'raise', 'skip'"),
    "check --data x --layout folders": ("'folders' for argument '--layout'", "'frames', 'ucf101', 'hmdb51'"),
    "demo x": ("Unrecognized options: x",),
    "report --live": (),
}
"""What tyro finds: it says so in a box."""


@pytest.mark.parametrize("command", BOXED)
def test_flags_that_are_wrong(command: str, vidnas: Vidnas, tmp_path: Path) -> None:
    code, out, err = vidnas(*command.split())
    assert (code, out) == (2, "")
    told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", err).split())
    assert [text for text in BOXED[command] if text not in told] == [], told
    assert list(tmp_path.iterdir()) == []


TOLD: dict[str, tuple[str, ...]] = {
    "serch --data x": ("'serch' is not a verb. Did you mean 'search'?", "There are demo, check"),
    "xyz": ("'xyz' is not a verb. There are",),
    "pack --out x": ("Name the videos with --data, or verify a pack with --verify.",),
    "pack --data x --out y --quality 101": ("quality is 101; allowed are 1 to 100.",),
    "pack --data x --out y --frames 0": ("frames is 0; it must be a whole number of at least 1.",),
    "pack --data x --out y --shard-mib 0": ("shard_mib is 0; it must be a whole number of at least 1.",),
    "check --data https://me:pw@host/x": ("https://host... holds credentials or a query",),
    "--data x": ("'--data' is not a verb",),
    "search --data x --epochs 0": ("epochs is 0; it must be a whole number of at least 1",),
    "search --data x --epochs -3": ("epochs is -3",),
    "search --data x --epochs=-3": ("epochs is -3",),
    "search --data x --batch-size 0": ("batch_size is 0",),
    "search --data x --workers -1": ("workers is -1",),
    "search --data x --size-px 0": ("size_px is 0",),
    "search --data x --seed -1": ("seed is -1",),
    "search --data x --seed 99999999999999999999": (
        "seed is 99999999999999999999; it must be less than 2**63",
    ),
    "search --data x --split 0": ("split is 0",),
    "search --data x --stem-stride 3": ("stem_stride is 3; allowed are 1 and 2",),
    "search --data x --lr 0": ("lr is 0.0; it must be greater than 0",),
    "search --data x --lr -0.1": ("lr is -0.1",),
    "search --data x --lr nan": ("lr is nan",),
    "search --data x --lr inf": ("lr is inf",),
    "search --data x --alpha-lr nan": ("alpha_lr is nan",),
    "search --data x --lr-min inf": ("lr_min is inf",),
    "search --data x --momentum nan": ("momentum is nan",),
    "search --data x --grad-clip -1": ("grad_clip is -1.0",),
    "search --data x --weight-decay nan": ("weight_decay is nan",),
    "search --data x --checkpoint-minutes nan": ("checkpoint_minutes is nan",),
    "search --data x --checkpoint-minutes -1": ("checkpoint_minutes is -1.0",),
    "train --data x": ("Give --genotype FILE",),
    "train --data x --genotype random:0 --label-smoothing 1": (
        "label_smoothing is 1.0; allowed are 0 to below",
    ),
    "train --data x --genotype random:0 --label-smoothing nan": ("label_smoothing is nan",),
    "train --data x --genotype random:0 --accumulate 0": (
        "accumulate is 0; it must be a whole number of at least 1",
    ),
    "train --data x --genotype random:0 --batch-size 4 --accumulate 5": (
        "accumulate is 5; allowed are 1 to",
    ),
    "train --data . --genotype random:0 --device cuda": ("device is cuda", "it can use cpu"),
    "train --data x --genotype random:0 --resume a --out b": ("--resume a goes on in that folder", "--out b"),
    "evaluate --run x --data y --batch-size 0": ("batch_size is 0",),
    "evaluate --run x --data y --split 0": ("split is 0",),
    "check --data x --workers -1": ("workers is -1",),
    "pack --data x --out y --workers -1": ("workers is -1",),
    "evaluate --run x --data y --workers -1": ("workers is -1",),
    "predict --run x y.mp4 --workers -1": ("workers is -1",),
    "predict --run RUN": ("Name videos to look at, or a source to watch with --live",),
    "predict --run RUN y.mp4 --live -": ("one of them, not both",),
    "predict --run RUN --live - --csv a.csv": ("--csv cannot be with --live",),
    "predict --run x y --top 0": ("top is 0",),
    "predict --run x y --threshold -0.1": ("threshold is -0.1; allowed are 0 to 1",),
    "predict --run x y --threshold 70": ("threshold is 70", "allowed are 0 to 1"),
    "predict --run x y --threshold nan": ("threshold is nan",),
    "predict --run x y --window-sec 0": ("window_sec is 0.0",),
    "predict --run x y --window-sec nan": ("window_sec is nan",),
    "draw random:0 --fps 0": ("fps is 0.0",),
    "draw random:0 --fps inf": ("fps is inf",),
    "draw random:0 --out x.gif --fps 1000": ("fps is 1000; an animation shows",),
    "report": ("Name the run folder of",),
    "report a b --live": ("Name the run folder of",),
    "report a --live --port -1": ("port is -1",),
    "report a --live --port 70000": ("port is 70000",),
    "demo --seed -1": ("seed is -1",),
    "train --data x --network c3d --num-cells 4": (
        "num_cells does nothing with network c3d, which has no cells; leave --num-cells away.",
    ),
    "train --data x --network x3d-xs --stem-stride=1": ("stem_stride does nothing with network x3d-xs",),
    "compare --data x --networks c3d,x3d-xs --first-channels 2": (
        "first_channels does nothing with networks c3d,x3d-xs, none of which has cells",
    ),
    "compare --data x --networks c3d --epochs 3 --minutes 1": ("Give --epochs 3 or --minutes 1, not both",),
    "predict --run RUN --live - --top 3": ("top does nothing with --live", "leave --top away"),
    "predict --run RUN --live - --workers 0": ("workers does nothing with --live",),
    "draw random:0 --fps 5": ("fps does nothing for a picture, as cell.png is one; leave --fps away.",),
    "report a --port 80": ("port does nothing without --live; leave --port away.",),
    "report a --live --out x.html": ("out does nothing with --live", "leave --out away"),
    "pack --out x --verify --quality 80": ("quality does nothing where a pack is only verified",),
    "pack --out x --verify --split 2": ("split does nothing where a pack is only verified",),
    "demo --workers -1": ("workers is -1",),
}
"""What vidnas finds; RUN is a training's folder."""


@pytest.mark.parametrize("command", TOLD)
def test_values_that_cannot_be(command: str, refused: Refused, few_runs: Mapping[str, Path]) -> None:
    if "cuda" in command:
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("here it is right")
    words = [str(few_runs["train"]) if word == "RUN" else word for word in command.split()]
    refused(*words, names=TOLD[command], code=2)


def test_group_regex_that_is_none(refused: Refused, on_data: OnData, few_videos: Path) -> None:
    for verb in ("check", "search", "train", "evaluate"):
        names = ("--group-regex '(' is not a regular expression",)
        refused(*on_data(verb, few_videos), "--group-regex", "(", names=names, code=2)


@pytest.mark.parametrize(
    "command",
    [
        "check --data no",
        "search --data no",
        "report no",
        "draw no",
        "predict --run no x",
        "evaluate --run no --data no",
    ],
)
def test_debug_shows_the_traceback_and_only_then(command: str, vidnas: Vidnas) -> None:
    """`vidnas` itself asserts that there is none without it."""
    from vidnas.cli.main import main

    code, _, err = vidnas(*command.split())
    assert (code, err.startswith("vidnas: ")) == (1, True)
    for debugged in (f"--debug {command}", f"{command} --debug"):
        with pytest.raises(Exception, match="no"):
            main(debugged.split())


@pytest.mark.parametrize("verb", ["check", "search", "train", "evaluate"])
def test_a_bug_is_one_sentence(
    verb: str,
    vidnas: Vidnas,
    on_data: OnData,
    few_videos: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def bug(*_: object, **__: object) -> NoReturn:
        raise KeyError("a bug")

    for place in (
        "vidnas.assembly.videos.index_videos",
        "vidnas.assembly.videos.index_new_videos",
        "vidnas.verbs.check.read_contents",
    ):
        monkeypatch.setattr(place, bug)
    code, out, err = vidnas(*on_data(verb, few_videos))
    assert (code, out) == (1, "")
    assert err == (
        "vidnas: Something that must not happen: KeyError: 'a bug'\n"
        "The same command with --debug shows where. Please report it.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["check", "search", "train", "evaluate", "predict"])
def test_ctrl_c_during_the_scan(
    verb: str,
    vidnas: Vidnas,
    on_data: OnData,
    videos: Path,
    few_runs: Mapping[str, Path],
    tmp_path: Path,
) -> None:
    """A real SIGINT, while the first videos are decoded: nothing is begun, and what was scanned is kept."""
    for path in videos.rglob("*.avi"):
        path.write_bytes(path.read_bytes() + b" ")
    predict = ("predict", "--run", few_runs["train"], videos, "--csv", "out.csv")
    command = predict if verb == "predict" else on_data(verb, videos)

    def prepare() -> None:
        import vidnas.video.scan.scans

        scan_each = vidnas.video.scan.scans.scan_each

        def interrupted(*arguments: object, **more: object) -> object:
            for number, result in enumerate(scan_each(*arguments, **more)):  # type: ignore[arg-type]
                if number == 2:
                    os.kill(os.getpid(), signal.SIGINT)
                yield result

        for module in ("vidnas.video.scan.scans", "vidnas.video.scan.scan_index"):
            monkeypatch.setattr(f"{module}.scan_each", interrupted)

    monkeypatch = pytest.MonkeyPatch()  # undone by the end of the child
    code, out, err = vidnas(*command, prepare=prepare)
    assert (code, out) == (130, "")
    assert err == "vidnas: interrupted; what has been written so far stays.\n"
    assert {path.name for path in tmp_path.iterdir()} == {"videos"}


def test_an_address_that_is_taken(refused: Refused, few_runs: Mapping[str, Path]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        refused("report", few_runs["search"], "--live", "--port", port, names=(str(port), "--port"))
