"""Errors as the command line ends with them: an exit code and what to say."""

from vidnas.cli.dependencies import dependencies, pointed_at
from vidnas.errors import Interrupted, UsageError, UserError
from vidnas.video.processes.shortage import out_of_memory, shortage


def explain(error: Exception) -> tuple[int, str]:
    """The exit code of an error, and what to say of it."""
    if isinstance(error, Interrupted):
        return error.exit_code, str(error)
    if isinstance(error, UserError):
        # One from a loader's worker arrives wrapped in the worker's traceback.
        sentence = str(error).rpartition("vidnas.errors.UserError: ")[2].strip()
        cause = shortage(error) if error.__cause__ else None
        sentence = f"{sentence} {cause}" if cause and cause not in sentence else sentence
        return 2 if isinstance(error, UsageError) else 1, sentence
    cause = shortage(error) or out_of_memory(error)
    if cause is not None:
        return 1, cause
    if isinstance(error, OSError):  # what the system says of a file, where nothing better was said before
        where = f"{error.filename}: " if error.filename else ""
        return 1, f"{where}{error.strerror or error}."
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
