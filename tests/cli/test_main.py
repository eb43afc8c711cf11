"""The command line: help, versions, exit codes, error messages."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

import vidnas
from vidnas.cli.main import VERBS, Verb, main
from vidnas.config.presets import SEARCH_PRESETS
from vidnas.errors import Interrupted, UsageError, UserError


def exit_code(arguments: list[str]) -> int:
    """What a shell would see, also where tyro exits by itself."""
    try:
        return main(arguments)
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code


def test_help_names_every_verb_and_ends_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n  {verb} " in printed for verb in VERBS)
    assert printed.strip().splitlines()[-1] == "example: vidnas demo"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_s_help_ends_with_its_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code([verb, "--help"]) == 0
    assert capsys.readouterr().out.strip().splitlines()[-1].startswith(f"  vidnas {verb}")


def test_help_shows_the_values_of_the_preset_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code(["search", "--preset", "demo", "--help"])
    assert "(default: 32)" in capsys.readouterr().out
    assert SEARCH_PRESETS["demo"]["size_px"] == 32


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("vidnas 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serch"],
        ["search"],
        ["search", "--data", "x", "--bogus"],
        ["search", "--data", "x", "--order", "3"],
        ["search", "--data", "x", "--preset", "huge"],
        ["search", "--data", "x", "--epochs", "0"],
        ["train", "--data", ".", "--genotype", "random:x"],
        ["train", "--data", "x"],
        ["train", "--resume"],
        ["train", "--data", "x", "--genotype", "random:0", "--resume", "a", "--out", "b"],
        ["train", "--data", "x", "--genotype", "random:0", "--stem-stride", "3"],
        ["evaluate", "--run", "x"],
    ],
)
def test_a_wrong_command_line_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(arguments) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err + captured.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["search", "--data", "nowhere"], "nowhere"),
        (["train", "--data", "nowhere", "--genotype", "missing.json"], "missing.json"),
        (["train", "--data", "nowhere", "--genotype", "random:0"], "nowhere"),
        (["evaluate", "--run", "no-run", "--data", "nowhere"], "no-run"),
    ],
)
def test_what_is_wrong_in_files_exits_with_1_and_is_named(
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(arguments) == 1
    error = capsys.readouterr().err
    assert named in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("serch", "search"), ("trian", "train"), ("evalute", "evaluate"), ("raport", "report")],
)
def test_a_verb_that_is_misspelt_is_guessed(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([typed, "--data", "x"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"vidnas: '{typed}' is not a verb. Did you mean '{meant}'? There are demo, ")
    assert all(verb in told for verb in VERBS)


def test_no_guess_is_made_at_a_verb_far_from_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["xyzzy"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


class OutOfMemoryError(RuntimeError):
    """As PyTorch names it."""


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UserError("a.avi is damaged."), 1, "a.avi is damaged."),
        (UsageError("lr is 0."), 2, "lr is 0."),
        (Interrupted("Interrupted. To go on: ..."), 130, "Interrupted. To go on: ..."),
        (Interrupted("Interrupted. To go on: ...", 143), 143, "Interrupted. To go on: ..."),
        (KeyboardInterrupt(), 130, "interrupted; what has been written so far stays."),
        (FileNotFoundError(2, "No such file or directory", "a.txt"), 1, "a.txt: No such file or directory."),
        (MemoryError(), 1, "The memory did not suffice. Use a smaller --batch-size"),
        (OutOfMemoryError("CUDA"), 1, "The memory did not suffice. Use a smaller --batch-size"),
        (ZeroDivisionError("a bug"), 1, "Something that must not happen: ZeroDivisionError: a bug"),
    ],
)
def test_every_error_is_told_in_a_sentence_and_debug_shows_where_it_came_from(
    error: BaseException,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given: list[str] = []

    def fail(arguments: Sequence[str]) -> int:
        given.extend(arguments)
        raise error

    monkeypatch.setattr("vidnas.cli.main.VERBS", {"demo": Verb("", "", fail)})
    assert main(["demo", "--seed", "1"]) == code
    assert capsys.readouterr().err.startswith(f"vidnas: {told}")
    for arguments in (["--debug", "demo", "--seed", "1"], ["demo", "--seed", "1", "--debug"]):
        given.clear()
        if isinstance(error, KeyboardInterrupt):
            assert main(arguments) == code
        else:
            with pytest.raises(type(error)):
                main(arguments)
        assert given == ["--seed", "1"], "the verb never sees it"


def test_an_unexpected_error_says_how_to_see_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vidnas.cli.main.VERBS", {"demo": Verb("", "", lambda _: 1 // 0)})
    assert main(["demo"]) == 1
    assert "The same command with --debug shows where. Please report it." in capsys.readouterr().err


def test_an_error_from_a_loader_s_worker_is_told_without_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_arguments: Sequence[str]) -> int:
        raise UserError(
            "Caught UserError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
            "  ...\nvidnas.errors.UserError: a.avi is damaged.\n"
        )

    monkeypatch.setattr("vidnas.cli.main.VERBS", {"demo": Verb("", "", fail)})
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "vidnas: a.avi is damaged.\n"


def run_unread(code: str, *, unbuffered: str) -> tuple[int, str]:
    """Exit code and stderr of a program whose output nobody reads: `... | head` after its lines."""
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, check=False
    )
    os.close(writer)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["search", "--help"], ["draw", "--help"]])
def test_where_nobody_reads_the_output_any_more_it_ends_without_a_word(
    arguments: list[str], unbuffered: str
) -> None:
    code = f"import sys; from vidnas.cli.main import main; sys.exit(main({arguments}))"
    assert run_unread(code, unbuffered=unbuffered) == (141, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("how", ["console.give('x')", "print('x')"])
def test_so_does_every_verb(verb: str, how: str, unbuffered: str) -> None:
    code = (
        "import sys; from vidnas import console; from vidnas.cli import main as cli; "
        f"cli.VERBS = {{{verb!r}: cli.Verb('', '', lambda _: {how} or 0)}}; sys.exit(cli.main([{verb!r}]))"
    )
    assert run_unread(code, unbuffered=unbuffered) == (141, "")


def test_another_broken_pipe_and_another_error_are_told() -> None:
    fail = "lambda _: (_ for _ in ()).throw({})"
    code = (
        "import sys; from vidnas import errors; from vidnas.cli import main as cli; "
        "cli.VERBS = {{'draw': cli.Verb('', '', {})}}; sys.exit(cli.main(['draw']))"
    )
    unread = code.format(fail.format("errors.UserError('x is damaged.')"))
    assert run_unread(unread, unbuffered="") == (1, "vidnas: x is damaged.\n")
    read = subprocess.run(
        [sys.executable, "-c", code.format(fail.format("BrokenPipeError(32, 'Broken pipe')"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (read.returncode, read.stderr) == (1, "vidnas: Broken pipe.\n")


def test_help_is_quick_and_importing_vidnas_loads_no_torch() -> None:
    """The bound is generous for a busy machine; on a quiet one help takes a fifth of a second."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "vidnas", "search", "--help"], check=True, capture_output=True)
    assert time.perf_counter() - started < 5
    heavy = "{'torch', 'numpy', 'av', 'matplotlib'}"
    code = f"import sys, vidnas, vidnas.cli.main; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(vidnas, name) is not None for name in dir(vidnas))
    assert vidnas.__version__ == version("vidnas")
    with pytest.raises(AttributeError, match="no attribute 'run_serch'"):
        vidnas.run_serch  # noqa: B018
