"""The command line: `vidnas VERB`. Prints results and errors, sets the exit code.

A verb is imported when it is chosen, so that help is quick.
"""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from types import MappingProxyType
from typing import Any, NamedTuple

from vidnas import console
from vidnas.cli import flags, given
from vidnas.cli.explained import explain
from vidnas.cli.heap import keep_freed_memory
from vidnas.cli.threads import settle_threads
from vidnas.config import data, learning as settings, presets, views
from vidnas.errors import UsageError, did_you_mean
from vidnas.training.cores import Others


class Verb(NamedTuple):
    """A verb's line in the help, its examples, and what runs it and returns the exit code."""

    summary: str
    examples: str
    run: Callable[[Sequence[str]], int]
    computes: bool = True
    """Whether networks compute in it."""


Parse = Callable[[str, Sequence[str]], tuple[Any, bool | None]]
"""parse(verb, arguments): settings, and whether to go on with a run; None for a verb that begins none."""
Tell = Callable[[Any, Any, str], str | None]
"""tell(settings, result, preset): what is printed in place of the result's text, None for nothing."""
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
        there = f"There are {', '.join(VERBS)}; `vidnas --help` says more."
        raise UsageError(f"'{name}' is not a verb.{did_you_mean(name, VERBS)} {there}")
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


def _runs(name: str, parse: Parse, tell: Tell | None = None) -> Callable[[Sequence[str]], int]:
    """What runs a verb, which is not imported before its settings have been looked at."""

    def run(arguments: Sequence[str]) -> int:
        others = Others()
        config, resume = parse(name, arguments)
        given.look(config, arguments, resume=bool(resume))
        config = settle_threads(config, others, resume=bool(resume))
        verb = getattr(import_module(f"vidnas.verbs.{name}"), f"run_{name}")  # and with it PyTorch
        result = verb(config) if resume is None else verb(config, resume=resume)
        said = tell(config, result, flags.preset_in(arguments)) if tell else result.text
        if said is not None:
            print(said)
        return 0 if getattr(result, "passed", True) else 1

    return run


def _settings(kind: type, positional: str = "") -> Parse:
    return lambda name, arguments: (flags.parse(name, kind, arguments, positional=positional), None)


def _of_a_run(kind: Any, table: str) -> Parse:
    return lambda name, arguments: flags.parse_run(name, kind, getattr(presets, table), arguments)


def _next(*words: str) -> str:
    return f"Next: {shlex.join(['vidnas', *words])}"


def _packed(config: data.PackConfig, result: Any, _: str) -> str:
    train = _next("train", "--data", config.out, "--genotype", "random:0")
    return f"{result.text}\n{train}" if config.data else str(result.text)


def _searched(config: settings.SearchConfig, result: Any, preset: str) -> str:
    return _next("train", "--genotype", str(result.run_dir), *presets.same_clips(config, preset))


def _trained(config: settings.TrainConfig, result: Any, _: str) -> str:
    return _next("evaluate", "--run", str(result.run_dir), "--data", config.data)


VERBS = MappingProxyType(
    {
        "demo": Verb(
            "see the whole path run on built-in clips in a few minutes",
            "  vidnas demo\n  vidnas demo --seed 1 --out my-demo\n  vidnas demo --resume my-demo",
            _runs("demo", lambda _, words: flags.parse_demo(words), lambda _, result, __: result.summary),
        ),
        "check": Verb(
            "decode every video once: what is there, and which files are bad",
            "  vidnas check --data my-videos\n  vidnas check --data ucf101 --split 2 --workers 8",
            _runs("check", _settings(data.CheckConfig)),
            computes=False,
        ),
        "pack": Verb(
            "decode every video once for all runs to come, which then read many times faster",
            "  vidnas pack --data my-videos --out my-pack\n"
            "  vidnas pack --data ucf101 --out my-pack --frames 32 --quality 75\n"
            "  vidnas pack --out my-pack --verify",
            _runs("pack", _settings(data.PackConfig), _packed),
            computes=False,
        ),
        "search": Verb(
            "search a cell for your videos and derive its genotype",
            "  vidnas search --data my-videos --out runs/my-search\n"
            "  vidnas search --data ucf101 --split 1 --preset fast --order 2\n"
            "  vidnas search --resume runs/my-search",
            _runs("search", _of_a_run(settings.SearchConfig, "SEARCH_PRESETS"), _searched),
        ),
        "train": Verb(
            "train a network, searched or designed by hand, from scratch and test it",
            "  vidnas train --genotype runs/my-search --data my-videos --out runs/my-network\n"
            "  vidnas train --network 3d-resnet-18 --data my-videos\n"
            "  vidnas train --genotype random:0 --data my-videos --epochs 50\n"
            "  vidnas train --init runs/my-network --data other-videos\n"
            "  vidnas train --resume runs/my-network",
            _runs("train", _of_a_run(settings.TrainConfig, "TRAIN_PRESETS"), _trained),
        ),
        "evaluate": Verb(
            "test a trained network: accuracy with an interval, classes, cost",
            "  vidnas evaluate --run runs/my-network --data my-videos\n"
            "  vidnas evaluate --run runs/my-network --data my-videos --protocol multi",
            _runs("evaluate", _settings(settings.EvaluateConfig), lambda _, result, __: result.report),
        ),
        "compare": Verb(
            "train several networks alike and compare accuracy and cost",
            "  vidnas compare --data my-videos --networks runs/my-search,random:0,3d-resnet-18\n"
            "  vidnas compare --data my-videos --networks runs/my-search,c3d-8 --seeds 0,1,2 --paper\n"
            "  vidnas compare --resume runs/my-comparison\n"
            "  vidnas compare --resume runs/my-comparison --networks runs/my-search,random:0,x3d-xs",
            _runs("compare", _of_a_run(settings.CompareConfig, "TRAIN_PRESETS")),
        ),
        "predict": Verb(
            "say what a trained network sees in any video, or in a live stream",
            "  vidnas predict --run runs/my-network holiday.mp4 clips/\n"
            "  vidnas predict --run runs/my-network 'clips/*.mp4' --csv predictions.csv\n"
            "  vidnas predict --run runs/my-network holiday.mp4 --annotate labelled.mp4\n"
            "  vidnas predict --run runs/my-network --live rtsp://camera.local/stream",
            _runs("predict", _settings(views.PredictConfig, "videos"), lambda *_: None),
        ),
        "draw": Verb(
            "draw a cell as a picture, or a search as an animation",
            "  vidnas draw runs/my-search --out cell.pdf\n  vidnas draw runs/my-search --out search.gif",
            _runs("draw", _settings(views.DrawConfig, "source")),
            computes=False,
        ),
        "report": Verb(
            "write a page about a run, or an overview of several",
            "  vidnas report runs/my-network\n"
            "  vidnas report runs/my-search runs/my-network --out overview.html\n"
            "  vidnas report runs/my-search --live",
            _runs("report", _settings(views.ReportConfig, "runs")),
            computes=False,
        ),
    }
)
"""The verbs in the order of the help."""
