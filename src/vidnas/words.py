"""Counts as a person reads them."""


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
