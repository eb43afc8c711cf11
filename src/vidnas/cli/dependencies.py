"""The packages that vidnas needs: which versions it is tested with, and which package an error points at."""

import linecache
import re
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class Dependency(NamedTuple):
    """A package that vidnas needs: its name for pip, the version found, and whether that is a tested one.

    `tested` is the range in pip's words, as in `<20,>=17`.
    """

    name: str
    found: str
    tested: str
    fits: bool


def dependencies() -> dict[str, Dependency]:
    """The installed packages that a plain installation of vidnas asks for, by their names for pip."""
    found: dict[str, Dependency] = {}
    for line in requires("vidnas") or ():
        needed = Requirement(line)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(needed.name)
        except PackageNotFoundError:
            continue
        name, fits = canonicalize_name(needed.name), needed.specifier.contains(installed, prereleases=True)
        found[name] = Dependency(name, installed, str(needed.specifier), fits)
    return found


def pointed_at(error: BaseException) -> list[Dependency]:
    """The packages that the failing line is in or calls; none where it uses only vidnas and Python itself."""
    needed, owners = dependencies(), packages_distributions()
    names = [canonicalize_name(owner) for module in _modules(error) for owner in owners.get(module, ())]
    return [needed[name] for name in dict.fromkeys(names) if name in needed]


def _modules(error: BaseException) -> Iterator[str]:
    """The top modules that the innermost frames are in and, of the first with a source, that it names."""
    trace = error.__traceback__
    frames = zip(traceback.walk_tb(trace), traceback.extract_tb(trace), strict=True)
    for (frame, _), place in reversed(list(frames)):
        # A compiled function's frame has no globals, and its path begins with its package.
        yield _top(frame.f_globals.get("__name__") or place.filename.replace("/", "."))
        lines = range(place.lineno or 0, (place.end_lineno or place.lineno or 0) + 1)
        text = "".join(linecache.getline(place.filename, number) for number in lines)
        for name in re.findall(r"[A-Za-z_]\w*", text):
            value = {**frame.f_globals, **frame.f_locals}.get(name)
            # A module has a name, a function and a class their module, a value its type's.
            yield _top(getattr(value, "__module__", None) or type(value).__module__)
            yield _top(getattr(value, "__name__", None))
        if text:
            return


def _top(module: object) -> str:
    return str(module).partition(".")[0]
