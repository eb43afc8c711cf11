"""Errors as the command line ends with them: an exit code and what to say."""

from vidnas.dependencies import dependencies, pointed_at
from vidnas.errors import Interrupted, UsageError, UserError

NO_MEMORY = ("OutOfMemory", "can't allocate memory", "Storage size calculation overflowed")
"""How PyTorch says it, as the kind of an error or in its message."""


def explain(error: Exception) -> tuple[int, str]:
    """The exit code of an error, and what to say of it."""
    if isinstance(error, Interrupted):
        return error.exit_code, str(error)
    if isinstance(error, UserError):
        # One from a loader's worker arrives wrapped in the worker's traceback.
        sentence = str(error).rpartition("vidnas.errors.UserError: ")[2].strip()
        return 2 if isinstance(error, UsageError) else 1, sentence
    if isinstance(error, OSError):  # what the system says of a file, where nothing better was said before
        where = f"{error.filename}: " if error.filename else ""
        return 1, f"{where}{error.strerror or error}."
    kind, message = type(error).__name__, str(error).strip()
    if isinstance(error, MemoryError) or any(sign in f"{kind}: {message}" for sign in NO_MEMORY):
        return 1, "The memory did not suffice. Use a smaller --batch-size or --size-px, or fewer --workers."
    return 1, f"{_unexpected(error)}\nThe same command with --debug shows where. Please report it."


def _unexpected(error: Exception) -> str:
    """What to say of an error that nobody foresaw: is another version of a package to blame?"""
    what = f"{type(error).__name__}: {str(error).strip()}"
    called = pointed_at(error)
    strangers = [one for one in called or dependencies().values() if not one.fits]
    if strangers:
        found = " and ".join(f"{one.name} {one.found} is installed" for one in strangers)
        ranges = " ".join(f"'{one.name}{one.tested}'" for one in strangers)
        return f"{what}. {found}, which vidnas is not tested with: pip install {ranges}"
    versions = ", ".join(f"{one.name} {one.found}" for one in called)
    return f"Something that must not happen{f' (with {versions})' if called else ''}: {what}"
