"""Data on other machines, by fsspec: a folder here stands for a folder there, and fetches what is read.

Such a *mirror* lies in the user's cache. It holds a file with the address, what a listing told of names and
sizes, and the files fetched last, up to a limit of bytes. Every process opens its own connections.
"""

import hashlib
import json
import os
import threading
import time
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import platformdirs

from vidnas.atomic import write_whole, writing
from vidnas.errors import UsageError, UserError
from vidnas.video.processes.heartbeat import at_rest
from vidnas.video.stores import decode
from vidnas.video.stores.servers import WEB, ask_patiently
from vidnas.video.stores.shards import INDEX
from vidnas.video.stores.store import Footage, Store
from vidnas.video.stores.tree import tree_of_names

MARKER = "vidnas-mirror.json"
LIMIT_VARIABLE = "VIDNAS_CACHE_GB"
LIMIT_GB = 20.0
IN_USE_SEC = 60.0
"""What was asked for so short a time ago may be being opened: it stays, over the limit if need be."""
ABANDONED_SEC = 3600.0
FETCHED_WHOLE = (".jpegs",)
"""Files whose readers find out themselves whether they are the right ones: shards."""
LISTS = (".txt", ".csv")
"""How the files end that say what the others are; they are fetched at once."""


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
        if urlsplit(address).scheme not in WEB:
            _list(folder)
        elif name.lower().endswith(".txt"):
            _fetch_if_there(folder, "classInd.txt")
        return folder / name
    folder = _folder(address)
    if not _fetch_if_there(folder, INDEX):
        _list(folder)
    return folder


def _fetch_if_there(folder: Path, name: str) -> bool:
    """Fetch a file anew; where it is not there (any more), it is not here either."""
    try:
        _fetch(folder, name, afresh=True)
    except UserError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        (folder / name).unlink(missing_ok=True)
        return False
    return True


def mirror_below(path: Path) -> tuple[Path, str] | None:
    """The mirror in one of the folders that a path goes through, and the path relative to it."""
    root = next(filter(_is_mirror, path.parents), None)
    return None if root is None else (root, path.relative_to(root).as_posix())


def fetched(path: Path) -> Path:
    """A path whose file is here: a mirror's is fetched first where need be; UserError where that fails."""
    found = mirror_below(path)
    return _fetched(*found) if found else path


def fetched_anew(path: Path) -> bool:
    """Fetch a mirror's file once more; False for other files."""
    found = mirror_below(path)
    if found is None:
        return False
    _fetch(*found, afresh=True)
    return True


def _is_mirror(folder: Path) -> bool:
    return (folder / MARKER).is_file()


def _fetched(root: Path, name: str) -> Path:
    path = root / name
    with suppress(OSError):
        os.utime(path)  # used last
        if path.suffix not in FETCHED_WHOLE and path.stat().st_size != _size_bytes(root, name):
            _fetch(root, name, afresh=True)  # it has changed there
        return path
    _fetch(root, name)
    return path


def _exists(root: Path, name: str) -> bool:
    """Whether there is such a file; without a listing, as on the web beside a list, it is supposed."""
    sizes = _facts(root)["sizes"]
    return (root / name).exists() or not sizes or name in sizes


def _size_bytes(root: Path, name: str) -> int:
    """From the listing, or asked for."""
    size: int | None = _facts(root)["sizes"].get(name)
    return _size_asked_for(_address(root, name)) if size is None else size


@lru_cache(maxsize=1 << 20)
def _size_asked_for(address: str) -> int:
    return int(ask_patiently(address, lambda system: system.info(address))["size"] or 0)


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
    if not _is_mirror(folder):
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
    found = ask_patiently(address, lambda system: system.find(address, detail=True))
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
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with writing(path), at_rest():  # servers have limits of their own
            ask_patiently(address, lambda system: system.get_file(address, str(unfinished)))
            unfinished.replace(path)
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


def _footage(path: Path) -> Footage | None:
    found = mirror_below(path)
    if found is None:
        return None
    return Footage(
        exists=partial(_exists, *found),
        scan=lambda: decode.scan_video(_fetched(*found)),
        read_frames=lambda indices, side_px: decode.read_frames(_fetched(*found), indices, side_px),
        files=lambda: [_fetched(*found)],
        size_bytes=partial(_size_bytes, *found),
    )


MIRRORS = Store(
    footage=_footage,
    owns=_is_mirror,
    tree=lambda folder: tree_of_names(folder, _facts(folder)["sizes"]),
    no_frame_folders="stands for folders of frames on another machine, which are not fetched one by one. "
    "Pack them there, and name the pack.",
)
"""What stands for data on other machines."""
