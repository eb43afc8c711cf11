"""The command line: `vidnas VERB`. Parses settings, prints results and errors, sets the exit code.

The only file that imports tyro. A verb is imported when it is chosen, so that help is quick.
"""

import argparse
import dataclasses
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType
from typing import Annotated, NamedTuple, TypeVar, get_args

import tyro

from vidnas import config as settings
from vidnas import presets
from vidnas.errors import UsageError, UserError

DEFAULT_PRESET = "cpu"
C = TypeVar("C")


class Verb(NamedTuple):
    """A verb's line in the help, its examples, and what runs it and returns the exit code."""

    summary: str
    examples: str
    run: Callable[[Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run `vidnas` with these arguments; 0 for success, 1 for what is wrong in files, 2 for wrong usage."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in ([], ["-h"], ["--help"]):
        print(_overview())
        return 0 if arguments else 2
    if arguments == ["--version"]:
        print(f"vidnas {version('vidnas')}")
        return 0
    name, *rest = arguments
    try:
        return _find_verb(name).run(rest)
    except UserError as error:
        # One from a loader's worker arrives wrapped in the worker's traceback.
        sentence = str(error).rpartition("vidnas.errors.UserError: ")[2].strip()
        print(f"vidnas: {sentence}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:  # what the system says of a file, where nothing better was said of it before
        print(f"vidnas: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("vidnas: interrupted; what a run has written so far stays in its folder.", file=sys.stderr)
        return 130


def _find_verb(name: str) -> Verb:
    if name not in VERBS:
        raise UsageError(f"'{name}' is not a verb; there are {', '.join(VERBS)}. `vidnas --help` says more.")
    return VERBS[name]


def _overview() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:{width}}  {verb.summary}" for name, verb in VERBS.items())
    return (
        f"vidnas {version('vidnas')}: searches, trains and evaluates compact video networks.\n\n"
        f"usage: vidnas VERB [settings]\n\n{verbs}\n\n"
        "`vidnas VERB --help` lists the settings of a verb; `vidnas --version` prints the version.\n\n"
        "example: vidnas demo"
    )


def _search(arguments: Sequence[str]) -> int:
    config = _parse_preset("search", settings.SearchConfig, presets.SEARCH_PRESETS, arguments)
    from vidnas.search import run_search

    result = run_search(config)
    flags = ["--genotype", str(result.run_dir), *_same_clips(config, _preset_in(arguments))]
    print("Next: " + shlex.join(["vidnas", "train", *flags]))
    return 0


def _train(arguments: Sequence[str]) -> int:
    config = _parse_preset("train", settings.TrainConfig, presets.TRAIN_PRESETS, arguments)
    from vidnas.train import run_train

    result = run_train(config)
    print("Next: " + shlex.join(["vidnas", "evaluate", "--run", str(result.run_dir), "--data", config.data]))
    return 0


def _same_clips(config: settings.SearchConfig, preset: str) -> list[str]:
    """The flags with which a training of this preset reads, divides and samples as `config` does."""
    default = presets.train_preset(preset, data=config.data, genotype="random:0")
    flags = ["--data", config.data] + ([] if preset == DEFAULT_PRESET else ["--preset", preset])
    for name in (
        "split",
        "split_by",
        "group_regex",
        "test_list",
        "size_px",
        "segments",
        "frames_per_segment",
    ):
        value = getattr(config, name)
        if value != getattr(default, name):
            flags += [f"--{name.replace('_', '-')}", str(value)]
    return flags if config.flip == default.flip else [*flags, "--flip" if config.flip else "--no-flip"]


def _evaluate(arguments: Sequence[str]) -> int:
    config = _parse("evaluate", settings.EvaluateConfig, arguments)
    from vidnas.evaluate import run_evaluate

    print(run_evaluate(config).report)
    return 0


def _demo(arguments: Sequence[str]) -> int:
    config = _parse("demo", settings.DemoConfig, arguments)
    from vidnas.demo import run_demo

    result = run_demo(config)
    print(result.summary)
    return 0 if result.passed else 1


def _parse(verb: str, kind: type[C], arguments: Sequence[str], default: C | None = None) -> C:
    """Settings from flags. tyro prints help and usage errors and exits with 0 or 2; examples follow."""
    try:
        parsed: C = tyro.cli(
            kind,
            prog=f"vidnas {verb}",
            args=list(arguments),
            default=tyro.MISSING_NONPROP if default is None else default,
            config=(tyro.conf.AvoidSubcommands,),
        )
        return parsed
    except SystemExit as stop:
        if stop.code == 0:
            print(f"example:\n{VERBS[verb].examples}")
        raise


def _parse_preset(
    verb: str, kind: type[C], table: Mapping[str, Mapping[str, object]], arguments: Sequence[str]
) -> C:
    """Settings that start from a preset; flags beside --preset win, and --help shows the preset's values."""
    assert dataclasses.is_dataclass(kind)
    preset = _preset_in(arguments)
    with_preset = dataclasses.make_dataclass(
        kind.__name__,
        [
            (
                "preset",
                Annotated[presets.Preset, tyro.conf.arg(help=PRESET_HELP)],
                dataclasses.field(default=preset),
            )
        ],
        bases=(kind,),
        frozen=True,
        kw_only=True,
    )
    with_preset.__doc__ = kind.__doc__
    fields = dataclasses.fields(kind)
    required = {f.name: tyro.MISSING for f in fields if f.default is dataclasses.MISSING}
    default = with_preset(**{**required, **table[preset]})
    parsed: C = _parse(verb, with_preset, arguments, default)
    return kind(**{field.name: getattr(parsed, field.name) for field in fields})


def _preset_in(arguments: Sequence[str]) -> str:
    """The preset that the arguments name. Others than those that exist are left for tyro to refuse."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", nargs="?", default=DEFAULT_PRESET)
    chosen = parser.parse_known_args(list(arguments))[0].preset
    return chosen if chosen in get_args(presets.Preset) else DEFAULT_PRESET


PRESET_HELP = (
    "Settings to start from; flags given beside it win. paper: the paper's numbers, for a large GPU and "
    "days. fast: one GPU and an evening. cpu: your own videos without a GPU. demo: the built-in clips."
)

VERBS = MappingProxyType(
    {
        "demo": Verb(
            "see the whole path run on built-in clips in a few minutes",
            "  vidnas demo\n  vidnas demo --seed 1 --out my-demo",
            _demo,
        ),
        "search": Verb(
            "search a cell for your videos and derive its genotype",
            "  vidnas search --data my-videos --out runs/my-search\n"
            "  vidnas search --data ucf101 --split 1 --preset fast --order 2",
            _search,
        ),
        "train": Verb(
            "train the network of a genotype from scratch and test it",
            "  vidnas train --genotype runs/my-search --data my-videos --out runs/my-network\n"
            "  vidnas train --genotype random:0 --data my-videos --epochs 50",
            _train,
        ),
        "evaluate": Verb(
            "test a trained network: accuracy with an interval, classes, cost",
            "  vidnas evaluate --run runs/my-network --data my-videos\n"
            "  vidnas evaluate --run runs/my-network --data my-videos --protocol multi",
            _evaluate,
        ),
    }
)
"""The verbs in the order of the help."""
