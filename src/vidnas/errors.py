"""What vidnas explains to a person instead of showing a traceback, and the words of its sentences."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path


class UserError(Exception):
    """Something in the user's files, folders or values is wrong.

    The message names the file and the value, says what is allowed and what to do. The command line
    prints it and exits with 1.
    """


class UsageError(UserError):
    """The command line itself, or a setting given in Python, is wrong; the command line exits with 2."""


class Interrupted(Exception):
    """A run was asked to stop and has saved its state; the message says how to go on.

    `exit_code` is the shell's usual one for the signal.
    """

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def counted(number: int, noun: str) -> str:
    """A number and what it counts, in the plural unless it is one: 1 epoch, 12,000 test videos, 2 classes.

    `noun` is the singular, and its last word is the one that changes, as most English nouns do.
    """
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """More than one of it: epochs, classes, batches, entries."""
    if noun.endswith(("s", "x", "tch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def are(number: int) -> str:
    """The verb behind a count."""
    return "is" if number == 1 else "are"


def shown(path: Path | str) -> str:
    """A path, or a name, for a message: what does not print, such as a line break, stands escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(path)
    )


def storable(text: object) -> str:
    """Any text, also a file name that is not UTF-8, as text that every file can hold."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question behind a sentence, after the known name that a person may have meant; empty without one."""
    close = get_close_matches(word, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, each column as wide as its longest text."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
