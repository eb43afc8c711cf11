"""What is wrong in lists, told at once: every fault with its `file:line`, in the order of the lines."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from vidnas.errors import UserError

MOST_TOLD = 10


class NoData(UserError):
    """Nothing is there that is asked for: what --data accepts is to be told behind it."""


class Fault(NamedTuple):
    """What is wrong with a line, which is `file:line`."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Missing(NamedTuple):
    """What a line names in vain."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} ({self.where})"


def require_none(faults: Iterable[Fault], files: Sequence[Path] = ()) -> None:
    """One UserError of all these faults, those of the first file first."""
    order = {str(file): number for number, file in enumerate(files)}

    def place(fault: Fault) -> tuple[int, int]:
        file, _, number = fault.where.rpartition(":")
        return order.get(file, len(order)), int(number)

    sentences = [str(fault) for fault in sorted(faults, key=place)]
    if sentences:
        raise UserError(at_once(sentences, "lines are wrong"))


def at_once(sentences: Sequence[str], what: str) -> str:
    """One sentence as it is, more as lines below `12 lines are wrong:`; at most ten of them."""
    if len(sentences) == 1:
        return sentences[0]
    return f"{len(sentences)} {what}:" + "".join(f"\n  {line}" for line in first_ten(sentences))


def named(names: Sequence[object]) -> str:
    """At most ten of them in a sentence, and how many more there are."""
    rest = len(names) - MOST_TOLD
    return f"{', '.join(map(str, names[:MOST_TOLD]))}{f' and {rest} more' if rest > 0 else ''}"


def first_ten(names: Sequence[str]) -> list[str]:
    """At most ten of them, and behind these the number of the rest."""
    rest = len(names) - MOST_TOLD
    return [*names[:MOST_TOLD], *([f"... and {rest} more."] if rest > 0 else [])]
