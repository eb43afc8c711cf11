"""Data on other machines, by fsspec: a folder here stands for a folder there, and fetches what is read.

Such a *mirror* lies in the user's cache. It holds a file with the address, what a listing told of names and
sizes, and the files fetched last, up to a limit of bytes. Every process opens its own connections.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

import fsspec
import platformdirs

from vidnas.atomic import write_whole
from vidnas.errors import UsageError, UserError
from vidnas.video.shards import INDEX
from vidnas.video.tree import Tree, tree_of_names

T = TypeVar("T")

MARKER = "vidnas-mirror.json"
LIMIT_VARIABLE = "VIDNAS_CACHE_GB"
LIMIT_GB = 20.0
TRIES = 5
FIRST_PAUSE_SEC = 0.5
"""Before the second try; it doubles from one to the next."""
TIMEOUT_SEC = 60
IN_USE_SEC = 60.0
"""What was asked for so short a time ago may be being opened: it stays, over the limit if need be."""
ABANDONED_SEC = 3600.0
FETCHED_WHOLE = (".jpegs",)
"""Files whose readers find out themselves whether they are the right ones: shards."""
WEB = ("http", "https")
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
CLIENTS = ("aiohttp", "aiobotocore", "botocore")
"""The libraries that talk to the servers, whose errors may pass."""
LISTS = (".txt", ".csv")
"""How the files end that say what the others are; they are fetched at once."""


def is_address(data: str) -> bool:
    """Whether --data is an address such as s3://bucket/folder or https://host/folder."""
    return "://" in data


@lru_cache(maxsize=16)
def mirror(address: str) -> Path:
    """The file or folder here that stands for an address; what tells of the data is fetched, once a process.

    UsageError for an address with credentials in it, UserError where it cannot be reached.
    """
    address = address.rstrip("/")
    _refuse_credentials(address)
    parent, name = address.rpartition("/")[::2]
    if name.lower().endswith(LISTS):
        folder = _folder(parent)
        _fetch(folder, name, afresh=True)
        if name.lower().endswith(".txt"):
            with suppress(UserError):
                _fetch(folder, "classInd.txt", afresh=True)
        return folder / name
    folder = _folder(address)
    try:
        _fetch(folder, INDEX, afresh=True)
    except UserError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        _list(folder)
    return folder


def tree_of(folder: Path) -> Tree | None:
    """What a listing told of a mirror's files; None for another folder."""
    if not (folder / MARKER).is_file():
        return None
    return tree_of_names(folder, _facts(folder)["sizes"])


def mirror_below(path: Path) -> tuple[Path, str] | None:
    """The mirror in one of the folders that a path goes through, and the path relative to it."""
    for root in path.parents:
        if (root / MARKER).is_file():
            return root, path.relative_to(root).as_posix()
    return None


def fetched(path: Path) -> Path:
    """The same path, its file fetched where it is a mirror's and not there; UserError where that fails."""
    found = mirror_below(path)
    if found is not None:
        with suppress(OSError):
            os.utime(path)  # used last
            if path.suffix not in FETCHED_WHOLE and path.stat().st_size != size_there(path):
                _fetch(*found, afresh=True)  # it has changed there
            return path
        _fetch(*found)
    return path


def fetched_anew(path: Path) -> bool:
    """Fetch a mirror's file once more; False for other files."""
    found = mirror_below(path)
    if found is None:
        return False
    _fetch(*found, afresh=True)
    return True


def size_there(path: Path) -> int | None:
    """Bytes of a mirror's file, from the listing or asked for; None where the path is in no mirror."""
    found = mirror_below(path)
    if found is None:
        return None
    root, name = found
    sizes: dict[str, int | None] = _facts(root)["sizes"]
    size = sizes.get(name)
    if size is None:
        address = _address(root, name)
        size = int(_patiently(address, lambda system: system.info(address))["size"] or 0)
        sizes[name] = size
    return size


def _refuse_credentials(address: str) -> None:
    parts = urlsplit(address)
    if parts.username or parts.password or parts.query:
        raise UsageError(
            f"The address {parts.scheme}://{parts.hostname or ''}... holds credentials or a query, which "
            "would be kept in the run's folder. Give them in the environment: AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, a profile in ~/.aws, or ~/.netrc for https."
        )


def _folder(address: str) -> Path:
    """The mirror of an address, made if it is not there."""
    parts = urlsplit(address)
    name = f"{parts.scheme}-{parts.netloc}-{hashlib.blake2b(address.encode(), digest_size=6).hexdigest()}"
    folder = platformdirs.user_cache_path("vidnas") / "mirrors" / name.replace(":", "-")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MARKER).is_file():
        write_whole(folder / MARKER, json.dumps({"address": address, "sizes": {}}).encode())
    return folder


def _facts(folder: Path) -> dict[str, Any]:
    marker = folder / MARKER
    return _read_facts(marker, marker.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read_facts(marker: Path, _mtime_ns: int) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(marker.read_text())
    return facts


def _list(folder: Path) -> None:
    """Ask for all names and sizes, and fetch the lists among them."""
    address: str = _facts(folder)["address"]
    found = _patiently(address, lambda system: system.find(address, detail=True))
    start = _bare(address) + "/"
    plain = unquote if urlsplit(address).scheme in WEB else str
    sizes = {plain(_bare(name).removeprefix(start)): info.get("size") for name, info in found.items()}
    if not sizes:
        raise UserError(
            f"There is nothing at {address}, or it cannot be listed. Name a list or a CSV file there, or "
            "what `vidnas pack` has written."
        )
    write_whole(folder / MARKER, json.dumps({"address": address, "sizes": sizes}).encode())
    for name in sizes:
        if name.lower().endswith(LISTS) and name.count("/") <= 1:
            _fetch(folder, name, afresh=True)


def _address(folder: Path, name: str) -> str:
    """Where a mirror's file is there."""
    address: str = _facts(folder)["address"]
    return f"{address}/{quote(name) if urlsplit(address).scheme in WEB else name}"


def _bare(name: str) -> str:
    """Names come back with or without their scheme."""
    return name.partition("://")[2] or name


def _fetch(folder: Path, name: str, *, afresh: bool = False) -> None:
    """Fetch a file into its mirror, whole or not at all, and make room for it."""
    path, address = folder / name, _address(folder, name)
    if path.exists() and not afresh:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        _patiently(address, lambda system: system.get_file(address, str(unfinished)))
        unfinished.replace(path)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    _make_room(folder, keep=path)


def limit_bytes() -> int:
    """How much the fetched videos and shards of all mirrors may take together."""
    text = os.environ.get(LIMIT_VARIABLE, str(LIMIT_GB))
    try:
        return int(float(text) * 1e9)
    except ValueError as error:
        raise UsageError(f"{LIMIT_VARIABLE} is {text!r}; it must be a number of GB, as 20.") from error


def _make_room(folder: Path, *, keep: Path) -> None:
    """Remove the files that were used longest ago, until the mirrors are within the limit again."""
    files = []
    for path in folder.parent.rglob("*"):
        with suppress(OSError):
            stat = path.stat()
            idle_sec = time.time() - stat.st_mtime
            if path.name.endswith(".partial") and idle_sec > ABANDONED_SEC:
                path.unlink(missing_ok=True)  # of a process that was killed
            elif path.is_file() and path != keep and not _tells(path):
                files.append((stat.st_mtime_ns, stat.st_size, path, idle_sec))
    room = limit_bytes() - sum(size for _, size, _, _ in files)
    for _, size, path, idle_sec in sorted(files):
        if room >= 0 or idle_sec < IN_USE_SEC:
            return
        path.unlink(missing_ok=True)
        room += size


def _tells(path: Path) -> bool:
    """Whether it is one of the small files that say what the others are."""
    return path.name in (MARKER, INDEX) or path.suffix.lower() in LISTS or path.name.endswith(".partial")


def _patiently(address: str, ask: Callable[[Any], T]) -> T:
    """What `ask` returns of the file system there, tried again where that may help."""
    pause_sec = FIRST_PAUSE_SEC
    for left in reversed(range(TRIES)):
        try:
            with _explained(address):
                return ask(_system(urlsplit(address).scheme, os.getpid()))
        except _Passing as error:
            if not left:
                raise UserError(f"{address} cannot be reached: {error}. Tried {TRIES} times.") from error
            time.sleep(pause_sec)
            pause_sec *= 2
    raise AssertionError


class _Passing(Exception):
    """What may be over in a while: a time-out, a lost connection, a server that is overloaded."""


@contextmanager
def _explained(address: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{address} does not exist (404).") from error
    except PermissionError as error:
        raise UserError(
            f"{address} may not be read (403). Give credentials in the environment or in ~/.aws, or ask for "
            "access."
        ) from error
    except Exception as error:
        status = getattr(error, "status", None)
        if status in (401, 403):
            raise UserError(f"{address} may not be read ({status}). Give credentials in ~/.netrc.") from error
        if status is not None and 400 <= status < 500 and status != 429:
            raise UserError(f"{address} cannot be read: the server answers {status}.") from error
        own = type(error).__module__.partition(".")[0] in CLIENTS
        if not own and (not isinstance(error, OSError | TimeoutError) or getattr(error, "errno", 0) in DISK):
            raise
        raise _Passing(f"the server answers {status}" if status else type(error).__name__) from error


@lru_cache(maxsize=8)
def _system(scheme: str, _process: int) -> Any:
    """fsspec's file system; each process has its own, since connections do not outlive a fork."""
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme in WEB:
        options["client_kwargs"] = {"trust_env": True}  # ~/.netrc and proxies
    elif scheme == "s3":
        options["config_kwargs"] = {"connect_timeout": TIMEOUT_SEC, "read_timeout": TIMEOUT_SEC}
    try:
        return fsspec.filesystem(scheme, **options)
    except ImportError as error:
        raise UserError(
            f"Data at {scheme}:// need more packages: pip install 'vidnas[remote]' ({error})."
        ) from error
    except ValueError as error:
        raise UserError(f"{scheme}:// is no kind of address that fsspec knows: {error}.") from error
