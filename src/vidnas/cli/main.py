"""The command line: `vidnas VERB`. Prints results and errors, sets the exit code.

A verb is imported when it is chosen, so that help is quick.
"""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.metadata import version
from io import TextIOWrapper
from types import MappingProxyType
from typing import NamedTuple

from vidnas import console
from vidnas.cli import flags, given
from vidnas.cli.explained import explain
from vidnas.cli.heap import keep_freed_memory
from vidnas.config import data, presets, views
from vidnas.config import learning as settings
from vidnas.errors import UsageError


class Verb(NamedTuple):
    """A verb's line in the help, its examples, and what runs it and returns the exit code."""

    summary: str
    examples: str
    run: Callable[[Sequence[str]], int]
    computes: bool = True
    """Whether networks compute in it."""


NOBODY_READS = 141
"""Exit code of a program that ends because the reader of its output has: a shell's for SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `vidnas` with these arguments.

    0 for success, 1 for what is wrong in files, 2 for wrong usage, 130 or 143 after Ctrl-C or a signal to
    stop, 141, and nothing is said, where what reads the output ends before it, as `head` does. `--debug`,
    anywhere, shows the traceback of an error.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what a terminal cannot print
    typed = list(sys.argv[1:] if argv is None else argv)
    arguments = [argument for argument in typed if argument != "--debug"]
    try:
        with console.printed():
            code = _run(arguments)
        _flush()  # while errors can still be told
        return code
    except KeyboardInterrupt:
        print("vidnas: interrupted; what has been written so far stays.", file=sys.stderr)
        return 130
    except (Exception, SystemExit) as error:
        if _nobody_reads(error):
            return NOBODY_READS
        if isinstance(error, SystemExit):
            raise
        if "--debug" in typed:
            raise
        code, sentence = explain(error)
        print(f"vidnas: {sentence}", file=sys.stderr)
        return code


def _run(arguments: Sequence[str]) -> int:
    """Show help or the version, or run a verb."""
    if arguments in ([], ["-h"], ["--help"]):
        print(_overview())
        return 0 if arguments else 2
    if arguments == ["--version"]:
        print(f"vidnas {version('vidnas')}")
        return 0
    name, *rest = arguments
    if (verb := VERBS.get(name)) is None:
        close = get_close_matches(name, VERBS, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        raise UsageError(
            f"'{name}' is not a verb.{hint} There are {', '.join(VERBS)}; `vidnas --help` says more."
        )
    if verb.computes:
        keep_freed_memory()
    try:
        return verb.run(rest)
    except SystemExit as stop:  # by tyro, which has printed help or what is wrong with a flag
        if stop.code == 0:
            print(f"example:\n{verb.examples}")
        raise


def _flush(more: str = "") -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.write(more)
        sys.stdout.flush()


def _nobody_reads(error: BaseException) -> bool:
    """Whether all that is wrong is that nobody reads stdout any more; what cannot be written is dropped."""
    blamed = _comes_of_a_pipe(error)
    try:
        _flush("\n" if blamed else "")  # the broken pipe may have been another one, to a process for videos
    except OSError as lost:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries it again at its end
        return isinstance(lost, BrokenPipeError) and (blamed or isinstance(error, SystemExit))
    return False


def _comes_of_a_pipe(error: BaseException | None) -> bool:
    return error is not None and (isinstance(error, BrokenPipeError) or _comes_of_a_pipe(error.__cause__))


def _overview() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:{width}}  {verb.summary}" for name, verb in VERBS.items())
    return (
        f"vidnas {version('vidnas')}: searches, trains and evaluates compact video networks.\n\n"
        f"usage: vidnas VERB [settings]\n\n{verbs}\n\n"
        "`vidnas VERB --help` lists the settings of a verb; `vidnas --version` prints the version; --debug\n"
        "beside a verb shows the traceback of an error.\n\n"
        "example: vidnas demo"
    )


def _check(arguments: Sequence[str]) -> int:
    config = flags.parse("check", data.CheckConfig, arguments)
    given.look(config)
    from vidnas.verbs.check import run_check

    result = run_check(config)
    print(result.text)
    return 0 if result.passed else 1


def _pack(arguments: Sequence[str]) -> int:
    config = flags.parse("pack", data.PackConfig, arguments)
    given.look(config)
    from vidnas.verbs.pack import run_pack

    print(run_pack(config).text)
    if config.data:
        print("Next: " + shlex.join(["vidnas", "train", "--data", config.out, "--genotype", "random:0"]))
    return 0


def _search(arguments: Sequence[str]) -> int:
    config, resume = flags.parse_run("search", settings.SearchConfig, presets.SEARCH_PRESETS, arguments)
    given.look(config, resume=resume)
    from vidnas.verbs.search import run_search

    result = run_search(config, resume=resume)
    again = ["--genotype", str(result.run_dir), *presets.same_clips(config, flags.preset_in(arguments))]
    print("Next: " + shlex.join(["vidnas", "train", *again]))
    return 0


def _train(arguments: Sequence[str]) -> int:
    config, resume = flags.parse_run("train", settings.TrainConfig, presets.TRAIN_PRESETS, arguments)
    given.look(config, arguments, resume=resume)
    from vidnas.verbs.train import run_train

    result = run_train(config, resume=resume)
    print("Next: " + shlex.join(["vidnas", "evaluate", "--run", str(result.run_dir), "--data", config.data]))
    return 0


def _compare(arguments: Sequence[str]) -> int:
    config, resume = flags.parse_run("compare", settings.CompareConfig, presets.TRAIN_PRESETS, arguments)
    given.look(config, arguments, resume=resume)
    from vidnas.verbs.compare import run_compare

    result = run_compare(config, resume=resume)
    print(result.text)
    return 0 if result.passed else 1


def _evaluate(arguments: Sequence[str]) -> int:
    config = flags.parse("evaluate", settings.EvaluateConfig, arguments)
    given.look(config)
    from vidnas.verbs.evaluate import run_evaluate

    print(run_evaluate(config).report)
    return 0


def _predict(arguments: Sequence[str]) -> int:
    config = flags.parse("predict", views.PredictConfig, arguments, positional="videos")
    given.look(config)
    from vidnas.verbs.predict import run_predict

    return 0 if run_predict(config).passed else 1


def _draw(arguments: Sequence[str]) -> int:
    config = flags.parse("draw", views.DrawConfig, arguments, positional="source")
    given.look(config)
    from vidnas.verbs.draw import run_draw

    print(run_draw(config).text)
    return 0


def _report(arguments: Sequence[str]) -> int:
    config = flags.parse("report", views.ReportConfig, arguments, positional="runs")
    given.look(config)
    from vidnas.verbs.report import run_report

    print(run_report(config).text)
    return 0


def _demo(arguments: Sequence[str]) -> int:
    config, resume = flags.parse_demo(arguments)
    given.look(config, resume=resume)
    from vidnas.verbs.demo import run_demo

    result = run_demo(config, resume=resume)
    print(result.summary)
    return 0 if result.passed else 1


VERBS = MappingProxyType(
    {
        "demo": Verb(
            "see the whole path run on built-in clips in a few minutes",
            "  vidnas demo\n  vidnas demo --seed 1 --out my-demo\n  vidnas demo --resume my-demo",
            _demo,
        ),
        "check": Verb(
            "decode every video once: what is there, and which files are bad",
            "  vidnas check --data my-videos\n  vidnas check --data ucf101 --split 2 --workers 8",
            _check,
            computes=False,
        ),
        "pack": Verb(
            "decode every video once for all runs to come, which then read many times faster",
            "  vidnas pack --data my-videos --out my-pack\n"
            "  vidnas pack --data ucf101 --out my-pack --frames 32 --quality 75\n"
            "  vidnas pack --out my-pack --verify",
            _pack,
            computes=False,
        ),
        "search": Verb(
            "search a cell for your videos and derive its genotype",
            "  vidnas search --data my-videos --out runs/my-search\n"
            "  vidnas search --data ucf101 --split 1 --preset fast --order 2\n"
            "  vidnas search --resume runs/my-search",
            _search,
        ),
        "train": Verb(
            "train a network, searched or designed by hand, from scratch and test it",
            "  vidnas train --genotype runs/my-search --data my-videos --out runs/my-network\n"
            "  vidnas train --network 3d-resnet-18 --data my-videos\n"
            "  vidnas train --genotype random:0 --data my-videos --epochs 50\n"
            "  vidnas train --init runs/my-network --data other-videos\n"
            "  vidnas train --resume runs/my-network",
            _train,
        ),
        "evaluate": Verb(
            "test a trained network: accuracy with an interval, classes, cost",
            "  vidnas evaluate --run runs/my-network --data my-videos\n"
            "  vidnas evaluate --run runs/my-network --data my-videos --protocol multi",
            _evaluate,
        ),
        "compare": Verb(
            "train several networks alike and compare accuracy and cost",
            "  vidnas compare --data my-videos --networks runs/my-search,random:0,3d-resnet-18\n"
            "  vidnas compare --data my-videos --networks runs/my-search,c3d-8 --seeds 0,1,2 --paper\n"
            "  vidnas compare --resume runs/my-comparison\n"
            "  vidnas compare --resume runs/my-comparison --networks runs/my-search,random:0,x3d-xs",
            _compare,
        ),
        "predict": Verb(
            "say what a trained network sees in any video, or in a live stream",
            "  vidnas predict --run runs/my-network holiday.mp4 clips/\n"
            "  vidnas predict --run runs/my-network 'clips/*.mp4' --csv predictions.csv\n"
            "  vidnas predict --run runs/my-network holiday.mp4 --annotate labelled.mp4\n"
            "  vidnas predict --run runs/my-network --live rtsp://camera.local/stream",
            _predict,
        ),
        "draw": Verb(
            "draw a cell as a picture, or a search as an animation",
            "  vidnas draw runs/my-search --out cell.pdf\n  vidnas draw runs/my-search --out search.gif",
            _draw,
            computes=False,
        ),
        "report": Verb(
            "write a page about a run, or an overview of several",
            "  vidnas report runs/my-network\n"
            "  vidnas report runs/my-search runs/my-network --out overview.html\n"
            "  vidnas report runs/my-search --live",
            _report,
            computes=False,
        ),
    }
)
"""The verbs in the order of the help."""
